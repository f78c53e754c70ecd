import type { CheckContext } from './check-context.ts';
import type { ProviderCredentials } from './identity-provider.ts';
import { PUBLIC_KEY_ALGORITHMS } from './identity-tokens.ts';
import { type Asserted, checkOpenId, STANDARD_MANNER } from './openid-checks.ts';
import { discoverServer } from './openid-servers.ts';

/** `clientSecret`: of the first client id, for spending codes; null for a public client. */
export type CustomOidcProvider = { issuer: string; clientIds: string[]; clientSecret: string | null };

/** A tenant's own OpenID provider. */
export const checkCustomOidc = async (
  { issuer, clientIds, clientSecret }: CustomOidcProvider,
  credentials: ProviderCredentials,
  context: CheckContext,
): Promise<Asserted> =>
  checkOpenId(
    { ...STANDARD_MANNER, algorithms: PUBLIC_KEY_ALGORITHMS },
    await discoverServer(context, issuer),
    { clientIds, clientSecret: () => clientSecret, sharedSecret: null },
    credentials,
    context,
  );
