import * as oauth from 'oauth4webapi';
import type { CheckContext } from './check-context.ts';
import type { ProviderCredentials } from './identity-provider.ts';
import { type Asserted, checkOpenId, type OpenIdServer, STANDARD_MANNER } from './openid-checks.ts';
import { serverAt } from './openid-servers.ts';

/** A key for Sign in with Apple, as its developer portal gives it. `privateKey`: the text of the .p8 file (PKCS #8 in PEM). */
type AppleSigningKey = { teamId: string; keyId: string; privateKey: string };

/** Signs what Apple takes for a client secret: a JWT, by ES256. Throws when the key is none. */
export type SignClientSecret = (
  key: Pick<AppleSigningKey, 'keyId' | 'privateKey'>,
  claims: Record<string, unknown>,
) => Promise<string>;

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

const CLIENT_SECRET_LIFETIME_SECONDS = 300;

/** Sign in with Apple. An address that relays is one like any other. */
export const checkApple = async (
  { clientIds, signingKey, issuer }: AppleProvider,
  credentials: ProviderCredentials,
  context: CheckContext,
): Promise<Asserted> => {
  const server = await serverAt(issuer, APPLE, context);
  const [clientId = ''] = clientIds;
  const clientSecret = () => {
    if (signingKey === null) return null;
    const { teamId, ...key } = signingKey;
    const iat = Math.floor(context.now() / 1000);
    const times = { iat, exp: iat + CLIENT_SECRET_LIFETIME_SECONDS };
    // "Creating a client secret".
    return context.signClientSecret(key, { iss: teamId, sub: clientId, aud: server.issuer, ...times });
  };
  const manner = {
    ...STANDARD_MANNER,
    algorithms: ['RS256'],
    // "Either a string or a Boolean" ("Authenticating users with Sign in with Apple").
    isEmailVerified: ({ email_verified }: Record<string, unknown>) =>
      email_verified === true || email_verified === 'true',
  };
  return checkOpenId(manner, server, { clientIds, clientSecret, sharedSecret: null }, credentials, context);
};
