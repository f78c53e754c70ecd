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

/** https://access.line.me/.well-known/openid-configuration */
const LINE: OpenIdServer = {
  issuer: 'https://access.line.me',
  jwksUrl: 'https://api.line.me/oauth2/v2.1/certs',
  exchange: {
    tokenEndpoint: 'https://api.line.me/oauth2/v2.1/token',
    userInfoEndpoint: null,
    authenticate: oauth.ClientSecretPost,
  },
  isIssuer: ({ iss }) => iss === 'https://access.line.me',
};

/**
 * LINE Login. Apps get tokens signed with ES256, the web gets HS256 with the channel's secret ("Get profile information
 * from ID tokens", header). LINE does not say of an address that it is verified, so it is not.
 */
export const checkLine = async (
  { clientIds, clientSecret, issuer }: SocialProvider,
  credentials: ProviderCredentials,
  context: CheckContext,
): Promise<Asserted> =>
  checkOpenId(
    { ...STANDARD_MANNER, algorithms: ['ES256', 'HS256'] },
    await serverAt(issuer, LINE, context),
    { clientIds, clientSecret: () => clientSecret, sharedSecret: clientSecret },
    credentials,
    context,
  );
