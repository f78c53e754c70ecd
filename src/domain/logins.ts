import { hashToken } from '../crypto/hashing.ts';
import type { ChallengeId } from '../crypto/ids.ts';
import { randomDigits, randomToken } from '../crypto/random.ts';
import type { Mailer } from '../outside/mail/mailer.ts';
import type { ChallengeStore } from '../storage/challenges.ts';
import type { SecretEntries } from '../storage/kv.ts';
import type { User, UserStore } from '../storage/users.ts';
import type { Audit, Origin, RecordLater } from './audit.ts';
import type { AuthorizationCodes } from './authorization-codes.ts';
import type { EmailAddress } from './email.ts';
import type { Federation, Return } from './federation.ts';
import { type Limits, rateLimited } from './limits.ts';
import type { BegunLogin, LoginStates } from './login-states.ts';
import { LIFETIME_SECONDS, type OneTimeSecrets } from './one-time-secrets.ts';
import { newRedemption } from './redemptions.ts';
import { invalidAt, Refusal } from './refusal.ts';
import type { Sessions, SignedIn, SignIn } from './sessions.ts';

const DIGITS = 6;

/** Who wants to sign in, and from which browser: what its cookie holds, if it has one. */
export type LoginRequest = { email: EmailAddress; redirectUri: string | null; browser: string | null };

/** Where a sign-in goes on, and what the browser keeps. */
export type StartedLogin = { state: string; url: string; hasIdp: boolean; browser: string };

/** A code that was typed or brought back, its state, and what the browser's cookies hold. */
export type PresentedCode = { code: string; state: string; browser: string | null; refreshToken: string | null };

type Dependencies = {
  users: UserStore;
  challenges: ChallengeStore;
  loginStates: LoginStates;
  oneTimeSecrets: OneTimeSecrets;
  authorizationCodes: AuthorizationCodes;
  sessions: Sessions;
  federation: Federation;
  limits: Limits;
  mailer: Mailer;
  audit: Audit;
  recordLater: RecordLater;
  origin: Origin;
  /** The page of ours where people type addresses and codes. */
  ownPage: string;
  /** Where a browser may be sent after a sign-in. */
  redirectUris: readonly string[];
  defer: (work: Promise<unknown>) => void;
  now: () => number;
};

/** Signing in by a mailed code or at an identity provider (contract 2, start login and login). */
export const createLogins = (dependencies: Dependencies) => {
  const {
    users,
    challenges,
    loginStates,
    oneTimeSecrets,
    authorizationCodes,
    sessions,
    federation,
    limits,
    mailer,
    audit,
  } = dependencies;
  const { recordLater, origin, ownPage, redirectUris, defer, now } = dependencies;

  const mailCode = async (user: User, state: string): Promise<void> => {
    const code = randomDigits(DIGITS);
    await oneTimeSecrets.mailCounted({
      purpose: 'login_code',
      subject: user.id,
      heldBy: await hashToken(state),
      secret: code,
      customerId: user.customerId,
      emailKey: user.emailKey,
      entryFor: (challengeId) => ({ challengeId }),
      event: audit('user.login_code_sent', 'anonymous', user.customerId, { user: user.id }),
      send: () => mailer.sendPasscode(user, code, LIFETIME_SECONDS.login_code),
    });
  };

  /** What a mailed code would redeem. Refuses with `login_failed`, and `rate_limited`. */
  const readMailedCode = async (
    login: BegunLogin | null,
    browserHash: string | null,
    found: { challengeId: ChallengeId } | null,
  ): Promise<Omit<SignIn, 'brought'>> => {
    if (login?.details.via.kind !== 'code' || login.browserHash !== browserHash) throw new Refusal('login_failed');
    const { user, email } = login.details;
    const wrongTry = await limits.wrongCodeOf(email.key);
    if (!user) {
      const waitMs = await users.countWrongTry(wrongTry);
      throw waitMs > 0 ? rateLimited(waitMs) : new Refusal('login_failed');
    }
    return {
      redemption: newRedemption('login_code', user.id, found?.challengeId ?? null, now()),
      wrongTry,
      proof: { userId: user.id, customerId: user.customerId, provider: 'email', amr: ['otp'], sealedLogoutHint: null },
      provesEmail: true,
      stateHash: login.hash,
    };
  };

  /** What a code that a browser brought back would redeem. Refuses with `login_failed`. */
  const readAuthorizationCode = async (
    found: SecretEntries['authorization_code'] | null,
    stateHash: string,
    browserHash: string | null,
  ): Promise<Omit<SignIn, 'brought'>> => {
    const isOfBrowser = found?.browserHash === null || found?.browserHash === browserHash;
    if (!found || found.stateHash !== stateHash || !isOfBrowser) throw new Refusal('login_failed');
    const { challengeId, stateHash: _, browserHash: __, provesEmail, ...proof } = found;
    return {
      redemption: newRedemption('authorization_code', challengeId, challengeId, now()),
      wrongTry: await limits.wrongCodeOf(challengeId),
      proof,
      provesEmail,
      stateHash: null,
    };
  };

  return {
    /**
     * Begins a sign-in: mails a code to the user of the address, if there is one, or says at which identity provider it
     * goes on. The answer for an unknown address is the same. Refuses with `validation_failed`, `rate_limited` and
     * `identity_provider_failed`.
     */
    start: async ({ email, redirectUri, ...request }: LoginRequest): Promise<StartedLogin> => {
      if (redirectUri !== null && !redirectUris.includes(redirectUri)) {
        throw invalidAt('redirect_uri', 'must be one that is registered, exactly');
      }
      const [state, browser] = [randomToken(), request.browser ?? randomToken()];
      const [connection, mail, fromIp] = await Promise.all([
        federation.findConnection(email),
        limits.mailTo(email.key),
        limits.attemptFrom(origin.ip),
      ]);
      const counted = [...(fromIp ? [fromIp] : []), ...(connection ? [] : [mail])];
      const attempt = await users.attempt({ emailKey: email.key }, counted);
      if (attempt.kind === 'limited') throw rateLimited(attempt.waitMs);
      const { user } = attempt;
      const details = {
        email,
        user: user && { id: user.id, customerId: user.customerId },
        redirectUri: redirectUri ?? redirectUris[0] ?? `${ownPage}/done`,
      };
      if (connection) {
        const { url, via } = await federation.begin(connection, email, state);
        await loginStates.begin(state, browser, { ...details, via });
        return { state, url, hasIdp: true, browser };
      }
      await loginStates.begin(state, browser, { ...details, via: { kind: 'code' } });
      if (user?.customer.status === 'active') defer(mailCode(user, state));
      return { state, url: `${ownPage}?state=${state}`, hasIdp: false, browser };
    },

    /** What a mailed code was asked for, to the browser that did; null if there is no such sign-in. */
    peek: async (state: string, browser: string | null) => {
      const login = await loginStates.peek(state, browser);
      if (login?.details.via.kind !== 'code') return null;
      const { email, redirectUri } = login.details;
      return { email: email.address, redirectUri };
    },

    /** Trades a mailed code, typed on our own page, for one that the browser carries on. Refuses as `finish`. */
    authorize: async ({ code, state, browser }: Omit<PresentedCode, 'refreshToken'>): Promise<Return> => {
      const [fromIp, stateHash, browserHash] = await Promise.all([
        limits.attemptFrom(origin.ip),
        hashToken(state),
        browser && hashToken(browser),
      ]);
      const [{ login, waitMs }, found] = await Promise.all([
        loginStates.attempt(state, fromIp ? [fromIp] : []),
        oneTimeSecrets.find('login_code', stateHash, code),
      ]);
      if (waitMs > 0) throw rateLimited(waitMs);
      const { redemption, wrongTry, proof } = await readMailedCode(login, browserHash, found);
      const refused = audit('login.failed', 'anonymous', proof.customerId, { by: proof.provider });
      const outcome = await challenges.redeem(redemption, wrongTry, refused);
      if (outcome.kind === 'limited') throw rateLimited(outcome.waitMs);
      if (outcome.kind === 'refused' && outcome.isLast) {
        recordLater(audit('login.locked', 'anonymous', proof.customerId, { by: proof.provider }));
      }
      const consumed = outcome.kind === 'redeemed' ? await loginStates.consume(state) : null;
      if (!consumed) throw new Refusal('login_failed');
      const authorization = { ...proof, state, browserHash, provesEmail: true };
      return { redirectUri: consumed.details.redirectUri, state, code: await authorizationCodes.issue(authorization) };
    },

    /** Trades a code for a session. Refuses with `login_failed`, whatever is wrong, and `rate_limited`. */
    finish: async ({ code, state, browser, refreshToken }: PresentedCode): Promise<SignedIn> => {
      const [fromIp, stateHash, browserHash] = await Promise.all([
        limits.attemptFrom(origin.ip),
        hashToken(state),
        browser && hashToken(browser),
      ]);
      const isTyped = /^\d{6}$/.test(code);
      const [attempt, mailed, brought, before] = await Promise.all([
        loginStates.attempt(state, fromIp ? [fromIp] : []),
        isTyped ? oneTimeSecrets.find('login_code', stateHash, code) : null,
        isTyped ? null : authorizationCodes.find(code),
        refreshToken === null ? null : sessions.find(refreshToken),
      ]);
      if (attempt.waitMs > 0) throw rateLimited(attempt.waitMs);
      const signIn = await (isTyped
        ? readMailedCode(attempt.login, browserHash, mailed)
        : readAuthorizationCode(brought, stateHash, browserHash));
      return sessions.open({ ...signIn, brought: before });
    },
  };
};
