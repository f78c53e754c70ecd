import * as oauth from 'oauth4webapi';
import * as z from 'zod';
import { type GuardedFetch, isCallableUrl, OutboundRefused } from '../http.ts';
import { ValueRefused } from './refusals.ts';

const METADATA_LIFETIME_MS = 60 * 60 * 1000;

const MAX_PROVIDERS = 100;

/** The members that are used, so that nothing else is kept. */
const metadataSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: z.string(),
  token_endpoint: z.string(),
  jwks_uri: z.string(),
  userinfo_endpoint: z.string().exactOptional(),
  end_session_endpoint: z.string().exactOptional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).default(['client_secret_basic']),
  authorization_response_iss_parameter_supported: z.boolean().default(false),
});

/** What is remembered of a provider. */
export type OidcProvider = {
  metadata: z.infer<typeof metadataSchema>;
  fetchedAt: number;
  keys: { jwks: oauth.JWKS; fetchedAtSeconds: number } | null;
};

/** How a step calls out: by a guarded fetch. */
export type OidcCalls = { [oauth.customFetch]: GuardedFetch; [oauth.allowInsecureRequests]: boolean };

/**
 * The providers that an isolate has met, the last hundred of them: their metadata, fetched again after an hour, and their
 * keys, after five minutes. It is kept as plain data, for a promise belongs to the request that made it. The verbs throw
 * what there is against the provider's answers.
 */
export const createOidcProviders = ({ allowsLoopback, now }: { allowsLoopback: boolean; now: () => number }) => {
  const known = new Map<string, OidcProvider>();

  /** What to add to the library's clock, which is the platform's, for ours. */
  const clockSkewSeconds = (): number => Math.round((now() - Date.now()) / 1000);

  return {
    clockSkewSeconds,

    /** The provider of an issuer (OpenID Connect Discovery 1.0 §4), all of whose endpoints may be called. */
    discover: async (issuer: string, calls: OidcCalls): Promise<OidcProvider> => {
      const remembered = known.get(issuer);
      if (remembered && now() - remembered.fetchedAt < METADATA_LIFETIME_MS) return remembered;
      requireCallable(issuer, allowsLoopback);
      const url = new URL(issuer);
      const response = await oauth.discoveryRequest(url, calls);
      const metadata = metadataSchema.parse(await oauth.processDiscoveryResponse(url, response));
      // The library takes another spelling of the same URL for the same issuer.
      if (metadata.issuer !== issuer) throw new ValueRefused('issuer');
      requireCallable(metadata.authorization_endpoint, allowsLoopback);
      requireCallable(metadata.token_endpoint, allowsLoopback);
      requireCallable(metadata.jwks_uri, allowsLoopback);
      if (metadata.userinfo_endpoint !== undefined) requireCallable(metadata.userinfo_endpoint, allowsLoopback);
      if (metadata.end_session_endpoint !== undefined) requireCallable(metadata.end_session_endpoint, allowsLoopback);
      const provider = { metadata, fetchedAt: now(), keys: null };
      known.delete(issuer);
      const [oldest] = known.keys();
      if (oldest !== undefined && known.size >= MAX_PROVIDERS) known.delete(oldest);
      known.set(issuer, provider);
      return provider;
    },

    /** Checks the signature of the ID token in a token response that was processed. An unknown key has the keys fetched again, once a minute. */
    verifySignature: async (provider: OidcProvider, response: Response, calls: OidcCalls): Promise<void> => {
      const skew = clockSkewSeconds();
      const { keys } = provider;
      // Copies, because the library keeps promises with the objects that it is given.
      const server = { ...provider.metadata };
      const cache: oauth.JWKSCacheInput = keys
        ? { jwks: structuredClone(keys.jwks), uat: keys.fetchedAtSeconds - skew }
        : {};
      const { uat } = cache;
      try {
        await oauth.validateApplicationLevelSignature(server, response, { ...calls, [oauth.jwksCache]: cache });
      } finally {
        if (cache.jwks && cache.uat !== uat) {
          provider.keys = { jwks: cache.jwks, fetchedAtSeconds: cache.uat + skew };
        }
      }
    },
  };
};

const requireCallable = (url: string, allowsLoopback: boolean): void => {
  if (!isCallableUrl(url, allowsLoopback)) throw new OutboundRefused('url');
};

/** By header, unless the provider takes it in the body alone (OpenID Connect Core 1.0 §9). */
export const clientAuthentication = ({ metadata }: OidcProvider, clientSecret: string): oauth.ClientAuth => {
  const methods = metadata.token_endpoint_auth_methods_supported;
  const isPostOnly = methods.includes('client_secret_post') && !methods.includes('client_secret_basic');
  return isPostOnly ? oauth.ClientSecretPost(clientSecret) : oauth.ClientSecretBasic(clientSecret);
};

export type OidcProviders = ReturnType<typeof createOidcProviders>;
