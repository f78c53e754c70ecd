import { hashToken } from '../crypto/hashing.ts';
import { type CustomerId, newId, type TenantId, type UserId } from '../crypto/ids.ts';
import { randomToken } from '../crypto/random.ts';
import type { Sealer } from '../crypto/sealing.ts';
import type { Assertion } from '../outside/identity-providers/identity-provider.ts';
import type { OidcRelyingParty } from '../outside/identity-providers/oidc.ts';
import type { SamlLoader, SamlNameId } from '../outside/identity-providers/saml.ts';
import type { NewEvent } from '../storage/events.ts';
import type { AssertedIdentity, IdentityMatch, IdentityStore } from '../storage/identities.ts';
import type { User } from '../storage/users.ts';
import { firstProofOf } from './address-proofs.ts';
import type { Audit } from './audit.ts';
import type { AuthorizationCodes } from './authorization-codes.ts';
import { type Connection, type Connections, speaksFor } from './connections.ts';
import { type EmailAddress, parseEmailAddress } from './email.ts';
import type { BegunLogin, LoginDetails, LoginStates, Via } from './login-states.ts';
import { joinName } from './names.ts';
import { Refusal } from './refusal.ts';
import type { Session } from './sessions.ts';

/** What a browser carries on to its `redirectUri`: a code to redeem together with the state, or why there is none. */
export type Return = { redirectUri: string; state: string } & ({ code: string } | { error: ReturnError });

/** As RFC 6749, section 4.1.2.1, names them. */
export type ReturnError = 'access_denied' | 'server_error' | 'temporarily_unavailable';

/** What the identity provider is told at logout. */
type LogoutHint = { idToken: string } | { nameId: SamlNameId; sessionIndex: string | null };

/** Who came back, as the identity provider has it, or why it is not believed. */
type Answer =
  | { kind: 'asserted'; assertion: Assertion; amr: string[]; hint: LogoutHint }
  | { kind: 'refused'; reason: string };

type Dependencies = {
  tenantId: TenantId;
  /** The tenant's own URL, by which SAML knows it. */
  issuer: string;
  /** Where this request came in: the browser comes back there, since its cookie is of that host. */
  ownOrigin: string;
  connections: Connections;
  identities: IdentityStore;
  loginStates: LoginStates;
  authorizationCodes: AuthorizationCodes;
  relyingParty: OidcRelyingParty;
  loadSaml: SamlLoader;
  sealer: () => Promise<Sealer>;
  audit: Audit;
  /** Writes an event that is of no other change. */
  record: (event: NewEvent) => Promise<void>;
  now: () => number;
};

const HINT = 'logout hint';

/** Signing in at the identity provider of a company (contract 2, start login and callbacks). */
export const createFederation = (dependencies: Dependencies) => {
  const { tenantId, issuer, ownOrigin, connections, identities, loginStates, authorizationCodes } = dependencies;
  const { relyingParty, loadSaml, sealer, audit, record, now } = dependencies;
  const callbackUrl = `${ownOrigin}/v1/auth/callback`;
  const acsUrl = `${ownOrigin}/v1/auth/saml/acs`;
  const spEntityId = `${issuer}/v1/auth/saml/metadata`;

  const signingKeyOf = async ({ name, settings }: Connection): Promise<CryptoKey | null> => {
    if (settings.type !== 'saml' || settings.signing === null) return null;
    const { importSigningKey } = await loadSaml();
    const privateKey = await connections.openSecret(name, settings.signing.sealedPrivateKey);
    return importSigningKey(Uint8Array.fromBase64(privateKey));
  };

  const finishOidc = async (
    { via }: LoginDetails,
    connection: Connection,
    callback: URLSearchParams,
    state: string,
  ): Promise<Answer> => {
    if (via.kind !== 'oidc' || connection.settings.type !== 'oidc') return { kind: 'refused', reason: 'connection' };
    const { issuer: provider, clientId, sealedClientSecret } = connection.settings;
    const clientSecret = await connections.openSecret(connection.name, sealedClientSecret);
    const outcome = await relyingParty.finishAuthorization(
      { issuer: provider, clientId, clientSecret },
      { callback, redirectUri: callbackUrl, state, nonce: via.nonce, codeVerifier: via.codeVerifier },
    );
    return outcome.kind === 'refused' ? outcome : { ...outcome, hint: { idToken: outcome.idToken } };
  };

  const finishSaml = async ({ via }: LoginDetails, connection: Connection, samlResponse: string): Promise<Answer> => {
    if (via.kind !== 'saml' || connection.settings.type !== 'saml') return { kind: 'refused', reason: 'connection' };
    const { finishSamlLogin } = await loadSaml();
    const { requestId } = via;
    const expected = { idp: connection.settings, spEntityId, acsUrl, requestId, now: now() };
    const outcome = finishSamlLogin({ samlResponse, ...expected });
    if (outcome.kind === 'refused') return outcome;
    const { assertion, nameId, sessionIndex } = outcome;
    // The company's own provider says so of the company's own domains: nobody could know better.
    return {
      kind: 'asserted',
      assertion: { ...assertion, isEmailVerified: true },
      amr: [],
      hint: { nameId, sessionIndex },
    };
  };

  /** Links the user whom the address is of, who has proved it before or proves it now; null if somebody was faster. */
  const link = async (connection: Connection, assertion: Assertion, user: User): Promise<User | null> => {
    const at = now();
    const event = audit('user.linked', `user:${user.id}`, user.customerId, {
      user: user.id,
      to: providerOf(connection),
    });
    const identity = identityOf(connection, assertion);
    const outcome = await identities.link(identity, user, firstProofOf(at), event);
    return outcome === 'done' ? user : null;
  };

  /** Makes an account; null if somebody was faster. */
  const provision = async (connection: Connection, assertion: Assertion, email: EmailAddress) => {
    const at = now();
    const [customerId, userId] = [newId('cus', at), newId('usr', at)];
    const { givenName, familyName } = assertion;
    const common = { email: email.address, emailKey: email.key, createdAt: at, updatedAt: at };
    const outcome = await identities.create(
      identityOf(connection, assertion),
      {
        ...{ id: customerId, name: joinName(givenName, familyName), ...common },
        ...{ status: 'active', hasApiAccess: true, version: 1 },
      },
      { id: userId, customerId, isOwner: true, locale: null, givenName, familyName, activatedAt: at, ...common },
      audit('customer.created', `user:${userId}`, customerId, { by: providerOf(connection) }),
    );
    return outcome === 'done' ? { id: userId, customerId } : null;
  };

  /**
   * The user whom the assertion is of (contract 2, start login): linked before, or the one of the address, or a new one.
   * The reason why not, if it is nobody who may sign in.
   */
  const identify = async (
    connection: Connection,
    assertion: Assertion,
  ): Promise<{ id: UserId; customerId: CustomerId } | string> => {
    const email = assertion.email === null ? null : parseEmailAddress(assertion.email);
    if (!email || !speaksFor(connection, email.key)) return 'foreign_address';
    const identity = identityOf(connection, assertion);
    const act = async (match: IdentityMatch | null) => {
      if (!match) return 'connection';
      const { linked, sameEmail, isKnownOtherwise } = match;
      const user = linked ?? sameEmail;
      if (user && user.customer.status !== 'active') return 'disabled';
      if (linked) return speaksFor(connection, linked.emailKey) ? linked : 'foreign_address';
      if (!assertion.isEmailVerified) return 'unverified_address';
      // The address was given to somebody else since: an account does not go with it.
      if (isKnownOtherwise) return 'other_subject';
      if (sameEmail) return link(connection, assertion, sameEmail);
      return connection.allowsSignup ? provision(connection, assertion, email) : 'unknown_address';
    };
    const outcome = await act(await identities.find(identity, email.key));
    // Two callbacks of one person at once: the other has linked or made the user by now.
    return outcome ?? (await act(await identities.find(identity, email.key))) ?? 'conflict';
  };

  /** Uses the state up, whatever becomes of the answer, and sends the browser on. Null for a state that is not good. */
  const goOn = async (
    state: string,
    isOfBrowser: (login: BegunLogin) => boolean,
    read: (details: LoginDetails, connection: Connection) => Promise<Answer>,
  ): Promise<Return | null> => {
    const login = await loginStates.consume(state);
    if (!login || login.details.via.kind === 'code' || !isOfBrowser(login)) return null;
    const { redirectUri, via } = login.details;
    const refuse = async (reason: string, error: ReturnError): Promise<Return> => {
      const subject = login.details.user?.customerId ?? tenantId;
      await record(audit('login.failed', 'anonymous', subject, { by: `connection:${via.connection}`, reason }));
      return { redirectUri, state, error };
    };
    const connection = await connections.findByName(via.connection);
    if (!connection) return refuse('connection', 'access_denied');
    const answer = await read(login.details, connection);
    if (answer.kind === 'refused') return refuse(answer.reason, errorOf(answer.reason));
    const user = await identify(connection, answer.assertion);
    if (typeof user === 'string') return refuse(user, 'access_denied');
    const code = await authorizationCodes.issue({
      userId: user.id,
      customerId: user.customerId,
      state,
      browserHash: login.browserHash,
      provider: providerOf(connection),
      amr: answer.amr,
      provesEmail: false,
      sealedLogoutHint: await (await sealer()).seal(JSON.stringify(answer.hint), HINT),
    });
    return { redirectUri, state, code };
  };

  return {
    findConnection: connections.findByEmail,

    /** Where the browser goes for signing in, and what to keep until it is back. Refuses with `identity_provider_failed`. */
    begin: async (connection: Connection, email: EmailAddress, state: string): Promise<{ url: string; via: Via }> => {
      const { name, settings } = connection;
      if (settings.type === 'oidc') {
        const request = { redirectUri: callbackUrl, state, loginHint: email.address, locale: null };
        const started = await relyingParty.startAuthorization(settings, request);
        if (started.kind === 'refused') throw new Refusal('identity_provider_failed');
        const { url, nonce, codeVerifier } = started;
        return { url, via: { kind: 'oidc', connection: name, nonce, codeVerifier } };
      }
      const { startSamlLogin } = await loadSaml();
      // An XML name: it must not begin with a digit.
      const requestId = `_${randomToken()}`;
      const signingKey = await signingKeyOf(connection);
      const request = { spEntityId, requestId, relayState: state, signingKey, now: now() };
      const url = await startSamlLogin({ idp: settings, acsUrl, ...request });
      return { url, via: { kind: 'saml', connection: name, requestId } };
    },

    /** An OpenID provider's answer, brought by the browser that began the sign-in. Null for a state that is not good. */
    finishOidc: async (callback: URLSearchParams, browser: string | null): Promise<Return | null> => {
      const state = callback.get('state') ?? '';
      const browserHash = browser && (await hashToken(browser));
      return goOn(
        state,
        (login) => login.browserHash === browserHash,
        (details, connection) => finishOidc(details, connection, callback, state),
      );
    },

    /**
     * A SAML provider's answer. It is posted from another site, so that the cookie does not come along: only the browser
     * that began the sign-in can redeem the code.
     */
    finishSaml: (samlResponse: string, relayState: string): Promise<Return | null> =>
      goOn(
        relayState,
        () => true,
        (details, connection) => finishSaml(details, connection, samlResponse),
      ),

    /** What a SAML provider's administrator loads to know us, for the connection of this name, or for any. */
    samlMetadata: async (name: string | null): Promise<string> => {
      const connection = name === null ? null : await connections.get(name);
      const { serviceProviderMetadata } = await loadSaml();
      const signing = connection?.settings.type === 'saml' ? connection.settings.signing : null;
      const sloUrl = `${ownOrigin}/v1/auth/saml/slo`;
      return serviceProviderMetadata({
        entityId: spEntityId,
        acsUrl,
        sloUrl,
        signingCertificate: signing?.certificate ?? null,
      });
    },

    /** Where a session ends that began at an identity provider; null if it did not, or cannot be ended there. */
    logoutUrl: async (session: Session, afterwards: string): Promise<string | null> => {
      const { provider, sealedLogoutHint } = session;
      if (!provider.startsWith(PREFIX) || sealedLogoutHint === null) return null;
      const connection = await connections.findByName(provider.slice(PREFIX.length));
      const hint: LogoutHint = JSON.parse(await (await sealer()).open(sealedLogoutHint, HINT));
      if (connection?.settings.type === 'oidc' && 'idToken' in hint) {
        const request = { idToken: hint.idToken, postLogoutRedirectUri: afterwards };
        return relyingParty.endSessionUrl(connection.settings, request);
      }
      if (connection?.settings.type !== 'saml' || !('nameId' in hint)) return null;
      const { sloUrl } = connection.settings;
      if (sloUrl === null) return null;
      const { startSamlLogout } = await loadSaml();
      const signingKey = await signingKeyOf(connection);
      const request = { spEntityId, requestId: `_${randomToken()}`, relayState: '', signingKey, now: now() };
      return startSamlLogout({ idp: { sloUrl }, ...hint, ...request });
    },
  };
};

export type Federation = ReturnType<typeof createFederation>;

const PREFIX = 'connection:';

const providerOf = ({ name }: Connection): string => `${PREFIX}${name}`;

const identityOf = ({ name, settings }: Connection, { subject }: Assertion): AssertedIdentity => ({
  source: { kind: 'connection', name, settings },
  subject,
});

/** A provider that does not answer may do so later; all else is a no. */
const errorOf = (reason: string): ReturnError =>
  /timeout|network/.test(reason) ? 'temporarily_unavailable' : 'access_denied';
