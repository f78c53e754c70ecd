import { env } from 'cloudflare:workers';
import { type CompactJWSHeaderParameters, CompactSign, exportJWK, generateKeyPair } from 'jose';
import { randomToken } from '../../src/crypto/random.ts';
import { createOidcRelyingParty } from '../../src/outside/identity-providers/oidc.ts';
import { jsonAnswer, newScriptedPath } from './scripted.ts';
import { uniqueName } from './tenants.ts';

export const { claimsInUserInfo, claimsInIdToken, clientSecret } = env.TEST_IDENTITY_PROVIDERS;

/** Where an issuer's metadata is. */
export const DISCOVERY = '/.well-known/openid-configuration';

export const newParty = (parts: Partial<Parameters<typeof createOidcRelyingParty>[0]> = {}) =>
  createOidcRelyingParty({ fetch, allowsLoopback: true, now: Date.now, randomToken, ...parts });

type Party = ReturnType<typeof newParty>;

export const newClient = (issuer: string, clientId = 'client') => ({ issuer, clientId, clientSecret });

export const newRequest = () => ({
  redirectUri: 'https://client.example.com/callback',
  state: uniqueName('state'),
  loginHint: null,
  locale: null,
});

/** What a sign-in was started with, and its callback. */
export const newResponse = (callback: Record<string, string> = {}) => {
  const { redirectUri, state } = newRequest();
  return {
    redirectUri,
    state,
    nonce: uniqueName('nonce'),
    codeVerifier: randomToken(),
    callback: new URLSearchParams({ state, code: 'code', ...callback }),
  };
};

export const refused = (reason: string) => ({ kind: 'refused', reason });

export const asserted = (assertion: Record<string, unknown> = {}) => ({ kind: 'asserted', assertion });

/** What a verb of the party says whose time runs out as soon as the provider is at work. */
export const outOfTime = async <T>(isAtWork: () => Promise<void>, verb: (party: Party) => Promise<T>): Promise<T> => {
  const deadline = new AbortController();
  const outcome = verb(newParty({ deadline: () => deadline.signal }));
  await isAtWork();
  deadline.abort();
  return outcome;
};

/** A key of a provider, and the JWK that tells of it. */
export const newProviderKey = async (kid: string, alg = 'ES256') => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
};

/** Claims as a compact JWS. They are not looked at, nor is the header but for its algorithm. */
export const signClaims = (
  claims: unknown,
  key: CryptoKey | Uint8Array,
  header: CompactJWSHeaderParameters,
): Promise<string> =>
  new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader(header)
    .sign(key, { crit: { unknown: true } });

export const metadataOf = (issuer: string) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`,
  userinfo_endpoint: `${issuer}/userinfo`,
  end_session_endpoint: `${issuer}/logout`,
});

/** A provider whose every answer a test can change. Until then it has metadata and one key, but issues nothing. */
export const newScriptedProvider = async () => {
  const path = newScriptedPath();
  const key = await newProviderKey('first');
  const metadata = metadataOf(path.url);
  await Promise.all([
    path.answer(jsonAnswer(metadata), DISCOVERY),
    path.answer(jsonAnswer({ keys: [key.jwk] }), '/keys'),
  ]);
  return {
    ...path,
    issuer: path.url,
    metadata,
    key,
    calls: async (below: string): Promise<number> => (await path.requests(below)).length,
  };
};

export type ScriptedProvider = Awaited<ReturnType<typeof newScriptedProvider>>;

/** What is other than in order, in the ID token, its header, the token response and the callback. */
type Script = {
  party?: Party;
  now?: number;
  claims?: Record<string, unknown>;
  key?: { kid: string; alg: string; privateKey: CryptoKey | Uint8Array };
  header?: Record<string, unknown>;
  idToken?: (claims: Record<string, unknown>) => string;
  token?: Record<string, unknown>;
  callback?: Record<string, string>;
};

/** Finishes a sign-in at a provider that answers in order but for what the test says. */
export const finish = async (provider: ScriptedProvider, script: Script = {}) => {
  const { party = newParty(), key = provider.key, now = Date.now() } = script;
  const client = newClient(provider.issuer);
  const response = newResponse(script.callback);
  const claims = {
    iss: provider.issuer,
    aud: client.clientId,
    sub: 'person-1',
    nonce: response.nonce,
    iat: Math.floor(now / 1000),
    exp: Math.floor(now / 1000) + 3600,
    email: 'ada@example.com',
    email_verified: true,
    given_name: 'Ada',
    family_name: 'Lovelace',
    ...script.claims,
  };
  const header = { alg: key.alg, kid: key.kid, ...script.header };
  const idToken = script.idToken?.(claims) ?? (await signClaims(claims, key.privateKey, header));
  const token = { access_token: 'access', token_type: 'Bearer', id_token: idToken, ...script.token };
  await provider.answer(jsonAnswer(token), '/token');
  return party.finishAuthorization(client, response);
};
