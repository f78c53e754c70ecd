import * as z from 'zod';
import type { CheckContext } from './check-context.ts';
import type { ProviderCredentials } from './identity-provider.ts';
import { readSubject } from './identity-tokens.ts';
import { readName, readProfile } from './oidc-claims.ts';
import { type Asserted, checkOpenId, type OpenIdServer } from './openid-checks.ts';
import { during, ProviderRefused, ValueRefused } from './refusals.ts';

/** `baseUrl`: null for Facebook's own. */
export type FacebookProvider = { appId: string; appSecret: string; baseUrl: string | null };

const GRAPH = 'https://graph.facebook.com/v23.0';

/**
 * Facebook Login, by an access token or a Limited Login's ID token. No address counts as verified: the reference says of
 * `email` that it is left out where "no valid email address is available" (Graph API, User) and nowhere that the person
 * reads mail there, nor has the ID token an `email_verified` ("OIDC Token with Manual Flow", claims).
 */
export const checkFacebook = async (
  provider: FacebookProvider,
  credentials: ProviderCredentials,
  context: CheckContext,
): Promise<Asserted> => {
  if (credentials.kind === 'id_token') return checkLimitedLogin(provider, credentials, context);
  const accessToken = await during('credentials', () => {
    if (credentials.kind !== 'access_token') throw new ValueRefused('kind');
    return credentials.accessToken;
  });
  return during('graph', async () => {
    const graph = provider.baseUrl ?? GRAPH;
    const userId = await inspectToken(graph, provider, accessToken, context);
    return readPerson(graph, provider, accessToken, userId, context);
  });
};

const tokenSchema = z.object({
  data: z.object({
    is_valid: z.boolean(),
    app_id: z.string().optional(),
    type: z.string().optional(),
    /** In seconds; 0 for one that never does. */
    expires_at: z.number().optional(),
    user_id: z.string().optional(),
  }),
});

/**
 * Whose token it is, if it was made for our app (Graph API, `/debug_token`; "Manually build a login flow", inspecting access
 * tokens). One that another app was given says as truly who somebody is, but not that it wants to sign in here.
 */
const inspectToken = async (
  graph: string,
  { appId, appSecret }: FacebookProvider,
  accessToken: string,
  { fetch, now }: CheckContext,
): Promise<string> => {
  const parameters = { input_token: accessToken, access_token: `${appId}|${appSecret}` };
  const { data } = tokenSchema.parse(await readJson(fetch(`${graph}/debug_token?${new URLSearchParams(parameters)}`)));
  if (!data.is_valid) throw new ProviderRefused();
  if (data.app_id !== appId) throw new ValueRefused('app_id');
  if (data.type !== 'USER') throw new ValueRefused('type');
  const { expires_at: expiresAt } = data;
  if (expiresAt === undefined || (expiresAt !== 0 && expiresAt * 1000 <= now())) throw new ValueRefused('exp');
  return readSubject(data.user_id);
};

/** The person, asked for with a proof that it is the app who asks ("Securing Graph API calls", `appsecret_proof`). */
const readPerson = async (
  graph: string,
  { appSecret }: FacebookProvider,
  accessToken: string,
  userId: string,
  { fetch }: CheckContext,
): Promise<Asserted> => {
  const parameters = {
    fields: 'id,name,first_name,last_name,email',
    access_token: accessToken,
    appsecret_proof: await proofOf(accessToken, appSecret),
  };
  const me = z
    .looseObject({ id: z.string() })
    .parse(await readJson(fetch(`${graph}/me?${new URLSearchParams(parameters)}`)));
  if (me.id !== userId) throw new ValueRefused('id');
  const person = { email: me.email, given_name: me.first_name, family_name: me.last_name, name: me.name };
  return {
    kind: 'asserted',
    assertion: { subject: userId, ...readProfile(person), name: readName(person) },
    amr: [],
    expiresAt: null,
  };
};

const readJson = async (answer: Promise<Response>): Promise<unknown> => {
  const response = await answer;
  if (response.status !== 200) throw new ProviderRefused();
  return response.json();
};

const proofOf = async (accessToken: string, appSecret: string): Promise<string> => {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', new TextEncoder().encode(appSecret), algorithm, false, ['sign']);
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(accessToken))).toHex();
};

/** "Validating the Limited Login OIDC Token". */
const checkLimitedLogin = (
  { appId, baseUrl }: FacebookProvider,
  credentials: ProviderCredentials,
  context: CheckContext,
): Promise<Asserted> => {
  const issuer = baseUrl ?? 'https://www.facebook.com';
  const server: OpenIdServer = {
    issuer,
    jwksUrl: `${baseUrl ?? 'https://limited.facebook.com'}/.well-known/oauth/openid/jwks/`,
    isIssuer: ({ iss }) => iss === issuer,
    exchange: null,
  };
  const manner = {
    algorithms: ['RS256'],
    subjectOf: ({ sub }: Record<string, unknown>) => sub,
    isEmailVerified: () => false,
  };
  const client = { clientIds: [appId], clientSecret: () => null, sharedSecret: null };
  return checkOpenId(manner, server, client, credentials, context);
};
