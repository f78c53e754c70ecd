import * as oauth from 'oauth4webapi';
import { createGuardedFetch, type GuardedFetch, OutboundRefused } from '../http.ts';
import type { SignClientSecret } from './apple.ts';
import type { VerifyToken } from './identity-tokens.ts';
import { createKeySets, type KeySets } from './key-sets.ts';
import { createOidcProviders, type OidcCalls, type OidcProviders } from './oidc-providers.ts';

/** What a check works with. All its calls share one deadline. */
export type CheckContext = {
  fetch: GuardedFetch;
  /** The same, for the library. */
  calls: OidcCalls;
  providers: OidcProviders;
  keySets: KeySets;
  verifyToken: VerifyToken;
  signClientSecret: SignClientSecret;
  randomToken: () => string;
  /** Milliseconds. */
  now: () => number;
};

export type CheckDependencies = {
  fetch: typeof globalThis.fetch;
  /** Whether providers may be on this machine, by http: a developer's. */
  allowsLoopback: boolean;
  verifyToken: VerifyToken;
  signClientSecret: SignClientSecret;
  randomToken: () => string;
  now: () => number;
  /** When a check that begins now has to be over. */
  deadline?: () => AbortSignal;
};

const TIMEOUT_MS = 5000;

/** Opens the context of one check after another. They share what an isolate remembers of providers. */
export const createCheckContexts = (dependencies: CheckDependencies): (() => CheckContext) => {
  const { fetch, allowsLoopback, now, deadline = () => AbortSignal.timeout(TIMEOUT_MS), ...rest } = dependencies;
  const providers = createOidcProviders({ allowsLoopback, now });
  const keySets = createKeySets({ now });
  return () => {
    const guarded = createGuardedFetch({ fetch, allowsLoopback, deadline: deadline() });
    const fetchAnswer: GuardedFetch = async (url, init) => {
      const response = await guarded(url, init);
      // Then nothing is known of what was asked.
      if (response.status >= 500 || response.status === 429) throw new OutboundRefused('outage');
      return response;
    };
    const calls = { [oauth.customFetch]: fetchAnswer, [oauth.allowInsecureRequests]: allowsLoopback };
    return { fetch: fetchAnswer, calls, providers, keySets, now, ...rest };
  };
};
