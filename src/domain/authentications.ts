import type { KeyedHash } from '../crypto/hashing.ts';
import { newId, type TenantId } from '../crypto/ids.ts';
import type { ProviderAssertion, ProviderCredentials } from '../outside/identity-providers/identity-provider.ts';
import type { ProviderCheck } from '../outside/identity-providers/provider-checks.ts';
import type { AssertedIdentity, IdentityMatch, IdentityStore } from '../storage/identities.ts';
import type { IdentitySource } from '../storage/identity-sources.ts';
import type { TenantSettings } from '../storage/schema.ts';
import type { User, UserStore } from '../storage/users.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Audit, Origin } from './audit.ts';
import type { ChallengeAnswers } from './challenge-answers.ts';
import { type EmailAddress, parseEmailAddress, storedAddress } from './email.ts';
import type { PendingChallenge } from './held-changes.ts';
import { type Limits, rateLimited } from './limits.ts';
import { joinName } from './names.ts';
import type { PasswordSignIns } from './password-sign-ins.ts';
import type { OpenProvider, Providers } from './providers.ts';
import { Refusal, type RefusalCode } from './refusal.ts';
import type { SignInChallenges } from './sign-in-challenges.ts';

export type { ProviderCredentials } from '../outside/identity-providers/identity-provider.ts';

/** What somebody sends to prove who it is. `country`: by which a phone number is read. */
export type Presented =
  | { kind: 'password'; email: EmailAddress; password: string }
  | { kind: 'destination'; email: EmailAddress | null; phone: string | null; country: string | null }
  | { kind: 'answer'; id: string; code: string }
  | { kind: 'credentials'; credentials: ProviderCredentials };

export type Authentication = { kind: 'token'; token: string } | { kind: 'challenged'; challenge: PendingChallenge };

/** More than clocks may differ by and a check may take: a token is good for so long after its end at most. */
const NONCE_MARGIN_MS = 60_000;

type Dependencies = {
  tenantId: TenantId;
  providers: Providers;
  check: ProviderCheck;
  identities: IdentityStore;
  users: UserStore;
  signInChallenges: SignInChallenges;
  challengeAnswers: ChallengeAnswers;
  signIns: PasswordSignIns;
  tokens: AccessTokens;
  lifetimes: TenantSettings['lifetimes'];
  keyedHash: KeyedHash;
  limits: Limits;
  audit: Audit;
  origin: Origin;
  defer: (work: Promise<unknown>) => void;
  now: () => number;
};

/** Signing in at a tenant's forms and apps, with whatever the tenant uses (contract 4, authenticate). */
export const createAuthentications = (dependencies: Dependencies) => {
  const { tenantId, providers, check, identities, users, signIns, tokens } = dependencies;
  const { signInChallenges, challengeAnswers, lifetimes, keyedHash, limits, audit, origin, defer, now } = dependencies;

  const issue = (user: User, provider: string, amr: string[], at: number): Promise<string> => {
    defer(users.record(audit('login.succeeded', `user:${user.id}`, user.customerId, { by: provider })));
    return tokens.issue(user, {
      ...{ sessionId: null, provider, amr, authenticatedAt: at, at },
      lifetimeSeconds: lifetimes.accessTokenTenant,
    });
  };

  /** A token that was bound to a nonce is good once: whoever overheard both can do nothing with them. */
  const useNonce = async (provider: string, nonce: string, expiresAt: number): Promise<void> => {
    const hash = await keyedHash('nonce', tenantId, provider, nonce);
    // A token may say any number, also one that no database takes.
    const until = Math.min(expiresAt + NONCE_MARGIN_MS, Number.MAX_SAFE_INTEGER);
    if (!(await providers.useNonce(hash, now(), until))) throw new Refusal('authentication_failed');
  };

  /**
   * The user of an identity: linked before, or by an address that both sides have proved, or a new one. Refuses with
   * `unknown_provider` when the provider that was asked is there no more.
   */
  const identify = async (provider: OpenProvider, assertion: ProviderAssertion): Promise<User> => {
    const { name, settings, allowsSignup } = provider;
    const source: IdentitySource = { kind: 'provider', name, settings };
    const identity = { source, subject: assertion.subject };
    const email = assertion.email === null ? null : parseEmailAddress(assertion.email);
    const act = async ({ linked, sameEmail, isKnownOtherwise }: IdentityMatch): Promise<User | null> => {
      if (linked) return linked;
      if (sameEmail) {
        const isProved = assertion.isEmailVerified && sameEmail.activatedAt !== null && !isKnownOtherwise;
        if (!isProved) throw new Refusal('link_required');
        if (sameEmail.customer.status !== 'active') throw new Refusal('authentication_failed');
        const { id, customerId } = sameEmail;
        const event = audit('user.linked', `user:${id}`, customerId, { user: id, to: labelOf(provider) });
        return (await identities.link(identity, sameEmail, null, event)) === 'done' ? sameEmail : null;
      }
      if (!allowsSignup) throw new Refusal('authentication_failed');
      await create(identity, assertion, assertion.isEmailVerified ? email : null);
      return null;
    };
    const find = async (): Promise<IdentityMatch> => {
      const match = await identities.find(identity, email?.key ?? '');
      if (!match) throw new Refusal('unknown_provider');
      return match;
    };
    // Found again, whoever made or linked it: two calls of one person may come at once, also by two providers.
    const user = (await act(await find())) ?? (await act(await find()));
    if (user?.customer.status !== 'active') throw new Refusal('authentication_failed');
    return user;
  };

  /** An address that the provider does not vouch for is not taken: it may be somebody else's. */
  const create = async (
    identity: AssertedIdentity,
    { name, givenName, familyName }: ProviderAssertion,
    email: EmailAddress | null,
  ): Promise<void> => {
    const at = now();
    const [customerId, userId] = [newId('cus', at), newId('usr', at)];
    const common = { ...storedAddress(email, userId), createdAt: at, updatedAt: at };
    await identities.create(
      identity,
      {
        ...{ id: customerId, name: name ?? joinName(givenName, familyName), ...common },
        ...{ status: 'active', hasApiAccess: true, version: 1 },
      },
      {
        ...{ id: userId, customerId, isOwner: true, locale: null, givenName, familyName, ...common },
        activatedAt: email && at,
      },
      audit('customer.created', `user:${userId}`, customerId, { by: labelOf(identity.source) }),
    );
  };

  const askProvider = async (provider: OpenProvider, credentials: ProviderCredentials): Promise<string> => {
    const { name, provider: source } = provider;
    if (source.type === 'otp' || source.type === 'password') throw new Refusal('malformed_request');
    const fromIp = await limits.attemptFrom(origin.ip);
    const waitMs = fromIp ? await users.countWrongTry(fromIp) : 0;
    if (waitMs > 0) throw rateLimited(waitMs);
    const at = now();
    const outcome = await check(source, credentials);
    if (outcome.kind !== 'asserted') {
      const { kind, reason } = outcome;
      defer(users.record(audit('login.failed', 'anonymous', tenantId, { by: name, reason })));
      throw new Refusal(kind === 'unavailable' ? 'provider_unavailable' : 'authentication_failed');
    }
    const nonce = 'nonce' in credentials ? credentials.nonce : null;
    const { assertion, amr, expiresAt } = outcome;
    if (nonce !== null && expiresAt !== null) await useNonce(name, nonce, expiresAt);
    return issue(await identify(provider, assertion), name, amr, at);
  };

  return {
    /** The provider of this name. Refuses with `unknown_provider`. */
    provider: (name: string | undefined): Promise<OpenProvider> => {
      if (name === undefined) throw new Refusal('unknown_provider');
      return providers.use(name);
    },

    /**
     * An access token, or the challenge that has to be answered for one. Refuses with `authentication_failed` for
     * whatever is wrong with the data, `link_required`, `provider_unavailable`, `challenge_failed`, `challenge_over`,
     * `sms_unavailable` and `rate_limited`.
     */
    authenticate: async (provider: OpenProvider, presented: Presented): Promise<Authentication> => {
      switch (presented.kind) {
        case 'password': {
          const { email, password } = presented;
          const { accessTokenTenant } = lifetimes;
          const token = await signIns.signIn(email, password, accessTokenTenant).catch(failFor('invalid_credentials'));
          return { kind: 'token', token };
        }
        case 'destination': {
          const sent = signInChallenges.send(presented, provider.allowsSignup);
          return { kind: 'challenged', challenge: await sent.catch(failFor('validation_failed')) };
        }
        case 'answer': {
          const answered = challengeAnswers.answer('sign_in', presented.id, presented.code);
          const outcome = await answered.catch(failFor('email_taken', 'phone_taken'));
          if (outcome.kind === 'challenged') return outcome;
          const { at, account } = outcome;
          const { user } = account;
          if (user.customer.status !== 'active') throw new Refusal('authentication_failed');
          return { kind: 'token', token: await issue(user, provider.name, ['otp'], at) };
        }
        case 'credentials':
          return { kind: 'token', token: await askProvider(provider, presented.credentials) };
      }
    },
  };
};

/** Whatever is wrong with the data is told by one word here. */
const failFor =
  (...codes: RefusalCode[]) =>
  (error: unknown): never => {
    throw error instanceof Refusal && codes.includes(error.code) ? new Refusal('authentication_failed') : error;
  };

/** What the audit log calls a provider. */
const labelOf = ({ name }: { name: string }): string => `provider:${name}`;
