import * as oauth from 'oauth4webapi';
import * as z from 'zod';
import type { ProviderCredentials } from './identity-provider.ts';
import type { OidcCalls } from './oidc-providers.ts';
import { during, ProviderRefused } from './refusals.ts';

type Code = Extract<ProviderCredentials, { kind: 'code' }>;

const answerSchema = z.object({ id_token: z.string(), access_token: z.string().nullable().catch(null) });

/** Spends a code that an app was given (RFC 6749 §4.1.3, RFC 7636 §4.5). Gives what is not checked yet. */
export const exchangeCode = (
  { code, redirectUri, codeVerifier }: Code,
  server: { issuer: string; tokenEndpoint: string },
  client: { clientId: string; authenticate: () => oauth.ClientAuth | Promise<oauth.ClientAuth> },
  calls: OidcCalls,
): Promise<{ idToken: string; accessToken: string | null }> =>
  during('exchange', async () => {
    const response = await oauth.genericTokenEndpointRequest(
      { issuer: server.issuer, token_endpoint: server.tokenEndpoint },
      { client_id: client.clientId },
      await client.authenticate(),
      'authorization_code',
      { code, redirect_uri: redirectUri, ...(codeVerifier !== null && { code_verifier: codeVerifier }) },
      calls,
    );
    if (response.status !== 200) throw new ProviderRefused();
    const { id_token: idToken, access_token: accessToken } = answerSchema.parse(await response.json());
    return { idToken, accessToken };
  });
