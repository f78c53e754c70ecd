import type { CheckContext } from './check-context.ts';
import { clientAuthentication } from './oidc-providers.ts';
import type { OpenIdServer } from './openid-checks.ts';
import { during } from './refusals.ts';

/** A provider by its metadata (OpenID Connect Discovery 1.0 §4), which is remembered for an hour. */
export const discoverServer = ({ providers, calls }: CheckContext, issuer: string): Promise<OpenIdServer> =>
  during('discovery', async () => {
    const provider = await providers.discover(issuer, calls);
    const { metadata } = provider;
    return {
      issuer,
      jwksUrl: metadata.jwks_uri,
      isIssuer: ({ iss }) => iss === issuer,
      exchange: {
        tokenEndpoint: metadata.token_endpoint,
        userInfoEndpoint: metadata.userinfo_endpoint ?? null,
        authenticate: (clientSecret) => clientAuthentication(provider, clientSecret),
      },
    };
  });

/** The provider that everybody knows, unless the operator named another in its place. */
export const serverAt = async (
  issuer: string | null,
  wellKnown: OpenIdServer,
  context: CheckContext,
): Promise<OpenIdServer> => (issuer === null ? wellKnown : discoverServer(context, issuer));
