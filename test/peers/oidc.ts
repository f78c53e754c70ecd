import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type ClientAuthMethod, type JWK } from 'oidc-provider';

/** With characters that Basic authentication has to encode (RFC 6749 §2.3.1). */
const CLIENT_SECRET = 's3cret: +/%&=-_.!~*()';

const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;

/**
 * Real OpenID providers. `claimsInUserInfo` gives the person's claims at the UserInfo endpoint alone and takes client
 * secrets in the header, `claimsInIdToken` gives them in the ID token and takes client secrets in the body alone. Each has
 * clients named after the algorithm of their ID tokens, who may name any URI to come back to. Any address signs in, with any password, on the provider's own
 * pages, the first of which has the login hint typed in; the address of `unverified…` is not verified.
 */
export const startOidcProviders = async () => {
  const keys = [
    generateKeyPairSync('rsa', { modulusLength: 2048 }),
    generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    generateKeyPairSync('ed25519'),
  ].map(({ privateKey }) => privateKey.export({ format: 'jwk' }));
  const [claimsInUserInfo, claimsInIdToken] = await Promise.all([
    listen({ keys, conformIdTokenClaims: true, authMethod: 'client_secret_basic' }),
    listen({ keys, conformIdTokenClaims: false, authMethod: 'client_secret_post' }),
  ]);
  return {
    peers: {
      claimsInUserInfo: claimsInUserInfo.issuer,
      claimsInIdToken: claimsInIdToken.issuer,
      clientSecret: CLIENT_SECRET,
    },
    close: async (): Promise<void> => {
      await Promise.all([claimsInUserInfo.close(), claimsInIdToken.close()]);
    },
  };
};

type Manner = { keys: JWK[]; conformIdTokenClaims: boolean; authMethod: ClientAuthMethod };

const listen = async (manner: Manner): Promise<{ issuer: string; close: () => Promise<void> }> => {
  const server = createServer();
  // An idle connection that is closed here may be the one on which the next request is on its way.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${portOf(server.address())}`;
  const provider = createProvider(issuer, manner);
  server.on('request', provider.callback());
  return {
    issuer,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const createProvider = (issuer: string, { keys, conformIdTokenClaims, authMethod }: Manner): Provider => {
  const provider = new Provider(issuer, {
    jwks: { keys },
    conformIdTokenClaims,
    clientAuthMethods: [authMethod],
    clients: ALGORITHMS.map((algorithm) => ({
      client_id: algorithm,
      client_secret: CLIENT_SECRET,
      redirect_uris: ['https://client.example.com/callback'],
      id_token_signed_response_alg: algorithm,
      token_endpoint_auth_method: authMethod,
    })),
    enabledJWA: { idTokenSigningAlgValues: [...ALGORITHMS] },
    claims: { email: ['email', 'email_verified'], profile: ['given_name', 'family_name'] },
    scopes: ['openid'],
    cookies: { keys: ['tests only'] },
    ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, AuthorizationCode: 60, IdToken: 600 },
    findAccount: (_context, email) => ({
      accountId: email,
      claims: () => ({
        sub: email,
        email,
        email_verified: !email.startsWith('unverified'),
        given_name: 'Ada',
        family_name: 'Lovelace',
      }),
    }),
  });
  provider.Client.prototype.redirectUriAllowed = () => true;
  provider.Client.prototype.postLogoutRedirectUriAllowed = () => true;
  return provider;
};

const portOf = (address: AddressInfo | string | null): number => {
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return address.port;
};
