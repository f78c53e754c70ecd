import * as oauth from 'oauth4webapi';
import type { CheckContext } from './check-context.ts';
import type { ProviderCredentials } from './identity-provider.ts';
import {
  type Asserted,
  checkOpenId,
  type OpenIdServer,
  type SocialProvider,
  STANDARD_MANNER,
} from './openid-checks.ts';
import { serverAt } from './openid-servers.ts';

/** https://accounts.google.com/.well-known/openid-configuration */
const GOOGLE: OpenIdServer = {
  issuer: 'https://accounts.google.com',
  jwksUrl: 'https://www.googleapis.com/oauth2/v3/certs',
  exchange: {
    tokenEndpoint: 'https://oauth2.googleapis.com/token',
    userInfoEndpoint: null,
    authenticate: oauth.ClientSecretPost,
  },
  // Both spellings, says "Verify the Google ID token on your server side".
  isIssuer: ({ iss }) => iss === 'https://accounts.google.com' || iss === 'accounts.google.com',
};

/** Sign in with Google. A token that an Android app had made for the web's client id names both: list both. */
export const checkGoogle = async (
  { clientIds, clientSecret, issuer }: SocialProvider,
  credentials: ProviderCredentials,
  context: CheckContext,
): Promise<Asserted> =>
  checkOpenId(
    { ...STANDARD_MANNER, algorithms: ['RS256'] },
    await serverAt(issuer, GOOGLE, context),
    { clientIds, clientSecret: () => clientSecret, sharedSecret: null },
    credentials,
    context,
  );
