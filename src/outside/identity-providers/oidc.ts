import * as oauth from 'oauth4webapi';
import { createGuardedFetch } from '../http.ts';
import type { Assertion } from './identity-provider.ts';
import { CLOCK_TOLERANCE_SECONDS, checkIdToken, readMethods, readProfile } from './oidc-claims.ts';
import { clientAuthentication, createOidcProviders, type OidcCalls } from './oidc-providers.ts';
import { during, outcomeOf, type Refused } from './refusals.ts';

/** Gatehouse as a provider knows it. */
type OidcClient = {
  /** Exactly as the provider writes it. */
  issuer: string;
  clientId: string;
};

/** What the sign-in asks for. `state` is the caller's, who finds the sign-in by it at the callback. */
type AuthorizationRequest = {
  redirectUri: string;
  state: string;
  /** The address that the person typed. */
  loginHint: string | null;
  /** BCP 47 tags, separated by spaces. */
  locale: string | null;
};

/** What the caller keeps of the sign-in until the callback: both are secrets of this one sign-in. */
type AuthorizationStarted = { kind: 'started'; url: string; nonce: string; codeVerifier: string };

/** The callback, and what the sign-in was started with. */
type AuthorizationResponse = {
  callback: URLSearchParams;
  redirectUri: string;
  state: string;
  nonce: string;
  codeVerifier: string;
};

/** `amr`: how the person proved who it is, in the provider's words. `idToken`: for the hint at logout. */
type AuthorizationFinished = { kind: 'asserted'; assertion: Assertion; amr: string[]; idToken: string };

type LogoutRequest = { idToken: string | null; postLogoutRedirectUri: string; state?: string };

/** Gatehouse as the client of OpenID providers. No verb throws, and each is over in five seconds, however many calls it makes. */
export type OidcRelyingParty = {
  /** Where to send the browser: code flow with PKCE (OpenID Connect Core 1.0 §3.1.2.1, RFC 7636). */
  startAuthorization: (client: OidcClient, request: AuthorizationRequest) => Promise<AuthorizationStarted | Refused>;
  /** Checks the callback (RFC 9207), spends its code and checks the ID token (OpenID Connect Core 1.0 §3.1.3). */
  finishAuthorization: (
    client: OidcClient & { clientSecret: string },
    response: AuthorizationResponse,
  ) => Promise<AuthorizationFinished | Refused>;
  /** Where the browser ends the provider's session (RP-Initiated Logout 1.0 §2); null if the provider names no place or is down. */
  endSessionUrl: (client: OidcClient, request: LogoutRequest) => Promise<string | null>;
};

type Dependencies = {
  fetch: typeof globalThis.fetch;
  /** Whether providers may be on this machine, by http: a developer's. */
  allowsLoopback: boolean;
  /** Milliseconds. */
  now: () => number;
  /** A secret of 256 bits, of 43 to 128 unreserved characters (RFC 7636 §4.1). */
  randomToken: () => string;
  /** When a verb that begins now has to be over. */
  deadline?: () => AbortSignal;
};

const TIMEOUT_MS = 5000;

/** Instead of what the provider lists, which may hold `none`, or HS256 with the client secret for a key. */
const SIGNING_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];

/** For an isolate: it remembers providers' metadata and keys. */
export const createOidcRelyingParty = (dependencies: Dependencies): OidcRelyingParty => {
  const { fetch, allowsLoopback, now, randomToken, deadline = () => AbortSignal.timeout(TIMEOUT_MS) } = dependencies;
  const providers = createOidcProviders({ allowsLoopback, now });

  /** For all calls of one verb, because they share its time. */
  const openCalls = (): OidcCalls => ({
    [oauth.customFetch]: createGuardedFetch({ fetch, allowsLoopback, deadline: deadline() }),
    [oauth.allowInsecureRequests]: allowsLoopback,
  });

  return {
    startAuthorization: ({ issuer, clientId }, { redirectUri, state, loginHint, locale }) =>
      outcomeOf(async () => {
        const { metadata } = await during('discovery', () => providers.discover(issuer, openCalls()));
        const [nonce, codeVerifier] = [randomToken(), randomToken()];
        const url = withParameters(metadata.authorization_endpoint, {
          response_type: 'code',
          client_id: clientId,
          redirect_uri: redirectUri,
          scope: 'openid email profile',
          state,
          nonce,
          code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
          code_challenge_method: 'S256',
          login_hint: loginHint,
          ui_locales: locale,
        });
        return { kind: 'started', url, nonce, codeVerifier };
      }),

    finishAuthorization: ({ issuer, clientId, clientSecret }, { callback, redirectUri, state, nonce, codeVerifier }) =>
      outcomeOf(async () => {
        const calls = openCalls();
        const provider = await during('discovery', () => providers.discover(issuer, calls));
        const server = { ...provider.metadata, id_token_signing_alg_values_supported: SIGNING_ALGORITHMS };
        const client = {
          client_id: clientId,
          [oauth.clockSkew]: providers.clockSkewSeconds(),
          [oauth.clockTolerance]: CLOCK_TOLERANCE_SECONDS,
        };
        const parameters = await during('callback', () => oauth.validateAuthResponse(server, client, callback, state));
        const { response, idToken, accessToken, claims } = await during('token', async () => {
          const response = await oauth.authorizationCodeGrantRequest(
            server,
            client,
            clientAuthentication(provider, clientSecret),
            parameters,
            redirectUri,
            codeVerifier,
            calls,
          );
          const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
            expectedNonce: nonce,
          });
          return { response, accessToken: tokens.access_token, ...(await checkIdToken(tokens, clientId, now())) };
        });
        await during('signature', () => providers.verifySignature(provider, response, calls));
        const profile = await during('userinfo', async () => {
          const own = readProfile(claims);
          if (own.email !== null || server.userinfo_endpoint === undefined) return own;
          const answer = await oauth.userInfoRequest(server, client, accessToken, calls);
          return readProfile(await oauth.processUserInfoResponse(server, client, claims.sub, answer));
        });
        return { kind: 'asserted', assertion: { subject: claims.sub, ...profile }, amr: readMethods(claims), idToken };
      }),

    endSessionUrl: async ({ issuer, clientId }, { idToken, postLogoutRedirectUri, state = null }) => {
      const provider = await providers.discover(issuer, openCalls()).catch(() => null);
      const endpoint = provider?.metadata.end_session_endpoint;
      if (endpoint === undefined) return null;
      return withParameters(endpoint, {
        client_id: clientId,
        id_token_hint: idToken,
        post_logout_redirect_uri: postLogoutRedirectUri,
        state,
      });
    },
  };
};

const withParameters = (endpoint: string, parameters: Record<string, string | null>): string => {
  const url = new URL(endpoint);
  for (const [name, value] of Object.entries(parameters)) if (value !== null) url.searchParams.set(name, value);
  return url.href;
};
