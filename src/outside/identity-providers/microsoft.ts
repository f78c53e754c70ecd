import * as oauth from 'oauth4webapi';
import type { CheckContext } from './check-context.ts';
import type { ProviderCredentials } from './identity-provider.ts';
import type { TokenClaims } from './identity-tokens.ts';
import {
  type Asserted,
  checkOpenId,
  type OpenIdManner,
  type OpenIdServer,
  type SocialProvider,
} from './openid-checks.ts';
import { serverAt } from './openid-servers.ts';
import { ValueRefused } from './refusals.ts';

const DIRECTORY_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The id of the directory that vouches for the person. It goes into URLs and names, so nothing but an id will do. */
const directoryOf = ({ tid }: TokenClaims): string => {
  if (typeof tid !== 'string' || !DIRECTORY_ID.test(tid)) throw new ValueRefused('tid');
  return tid;
};

/** https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration */
const MICROSOFT: OpenIdServer = {
  issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
  jwksUrl: 'https://login.microsoftonline.com/common/discovery/v2.0/keys',
  exchange: {
    tokenEndpoint: 'https://login.microsoftonline.com/common/oauth2/v2.0/token',
    userInfoEndpoint: null,
    authenticate: oauth.ClientSecretPost,
  },
  // A key may sign for one directory alone ("Access tokens", validate the signing key issuer). Tokens always name theirs.
  isIssuer: (claims, key) => {
    const directory = directoryOf(claims);
    const issuer = `https://login.microsoftonline.com/${directory}/v2.0`;
    const { issuer: keyIssuer = issuer } = key ?? { issuer: '' };
    return claims.iss === issuer && keyIssuer.replace('{tenantid}', directory) === issuer;
  },
};

const MICROSOFT_MANNER: OpenIdManner = {
  algorithms: ['RS256'],
  // A `sub` is unique within its issuer (OpenID Connect Core 1.0 §2), and each directory is one.
  subjectOf: (claims) => `${directoryOf(claims)}:${claims.sub}`,
  // A directory's administrator may write any address into `email` ("nOAuth"). This optional claim alone says that the
  // domain is the directory's own ("Optional claims reference"); Microsoft sends it as a Boolean and as a text.
  isEmailVerified: ({ xms_edov }) => xms_edov === true || xms_edov === 1 || xms_edov === '1' || xms_edov === 'true',
};

/** Sign in with Microsoft: any directory's people and personal accounts, or one directory's if the operator names its issuer. */
export const checkMicrosoft = async (
  { clientIds, clientSecret, issuer }: SocialProvider,
  credentials: ProviderCredentials,
  context: CheckContext,
): Promise<Asserted> =>
  checkOpenId(
    MICROSOFT_MANNER,
    await serverAt(issuer, MICROSOFT, context),
    { clientIds, clientSecret: () => clientSecret, sharedSecret: null },
    credentials,
    context,
  );
