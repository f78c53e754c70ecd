import * as oauth from 'oauth4webapi';
import type { CheckContext } from './check-context.ts';
import type { ProviderCredentials } from './identity-provider.ts';
import { type Asserted, checkOpenId, type OpenIdServer, STANDARD_MANNER } from './openid-checks.ts';
import { serverAt } from './openid-servers.ts';

/** A key for Sign in with Apple, as its developer portal gives it. `privateKey`: the text of the .p8 file (PKCS #8 in PEM). */
type AppleSigningKey = { teamId: string; keyId: string; privateKey: string };

/** `signingKey`: for spending codes; null where apps send tokens alone. `issuer`: null for Apple's own. */
export type AppleProvider = { clientIds: string[]; signingKey: AppleSigningKey | null; issuer: string | null };

/** https://appleid.apple.com/.well-known/openid-configuration */
const APPLE: OpenIdServer = {
  issuer: 'https://appleid.apple.com',
  jwksUrl: 'https://appleid.apple.com/auth/keys',
  exchange: {
    tokenEndpoint: 'https://appleid.apple.com/auth/token',
    userInfoEndpoint: null,
    authenticate: oauth.ClientSecretPost,
  },
  isIssuer: ({ iss }) => iss === 'https://appleid.apple.com',
};

/** Sign in with Apple. An address that relays is one like any other. */
export const checkApple = async (
  { clientIds, signingKey, issuer }: AppleProvider,
  credentials: ProviderCredentials,
  context: CheckContext,
): Promise<Asserted> => {
  const server = await serverAt(issuer, APPLE, context);
  const [clientId = ''] = clientIds;
  const clientSecret = () => signingKey && signClientSecret(signingKey, clientId, server.issuer, context.now());
  const manner = {
    ...STANDARD_MANNER,
    algorithms: ['RS256'],
    // "Either a string or a Boolean" ("Authenticating users with Sign in with Apple").
    isEmailVerified: ({ email_verified }: Record<string, unknown>) =>
      email_verified === true || email_verified === 'true',
  };
  return checkOpenId(manner, server, { clientIds, clientSecret, sharedSecret: null }, credentials, context);
};

const CLIENT_SECRET_LIFETIME_SECONDS = 300;

/** Apple's client secret: a JWT of our own, by ES256 ("Creating a client secret"). */
const signClientSecret = async (
  { teamId, keyId, privateKey }: AppleSigningKey,
  clientId: string,
  audience: string,
  now: number,
): Promise<string> => {
  const issuedAt = Math.floor(now / 1000);
  const claims = {
    iss: teamId,
    iat: issuedAt,
    exp: issuedAt + CLIENT_SECRET_LIFETIME_SECONDS,
    aud: audience,
    sub: clientId,
  };
  const signed = [{ alg: 'ES256', kid: keyId, typ: 'JWT' }, claims]
    .map((part) => encode(JSON.stringify(part)))
    .join('.');
  const der = Uint8Array.fromBase64(privateKey.replaceAll(/-----[A-Z ]+-----/g, ''));
  const key = await crypto.subtle.importKey('pkcs8', der, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, new TextEncoder().encode(signed));
  return `${signed}.${new Uint8Array(signature).toBase64(BASE64URL)}`;
};

const encode = (text: string): string => new TextEncoder().encode(text).toBase64(BASE64URL);

const BASE64URL = { alphabet: 'base64url', omitPadding: true } as const;
