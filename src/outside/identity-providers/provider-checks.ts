import { type AppleProvider, checkApple } from './apple.ts';
import { type CheckContext, type CheckDependencies, createCheckContexts } from './check-context.ts';
import { type CustomHttpProvider, checkCustomHttp } from './custom-http.ts';
import { type CustomJwtProvider, checkCustomJwt } from './custom-jwt.ts';
import { type CustomOidcProvider, checkCustomOidc } from './custom-oidc.ts';
import { checkFacebook, type FacebookProvider } from './facebook.ts';
import { checkGoogle } from './google.ts';
import type { ProviderCredentials } from './identity-provider.ts';
import { checkLine } from './line.ts';
import { checkMicrosoft } from './microsoft.ts';
import type { Asserted, SocialProvider } from './openid-checks.ts';
import { outcomeOfCheck, type Refused, type Unavailable } from './refusals.ts';

/** A provider of the tenant surface, with its secrets in plain. */
export type IdentityProvider =
  | ({ type: 'google' | 'microsoft' | 'line' } & SocialProvider)
  | ({ type: 'apple' } & AppleProvider)
  | ({ type: 'facebook' } & FacebookProvider)
  | ({ type: 'oidc' } & CustomOidcProvider)
  | ({ type: 'jwt' } & CustomJwtProvider)
  | ({ type: 'http' } & CustomHttpProvider);

/**
 * `amr`: how the person proved who it is, in the provider's words. `refused`: something is wrong with what was sent, or the
 * provider cannot be understood. `unavailable`: it did not answer in time, or says that it is out of order. Reasons are
 * words of ours, for the log.
 */
type ProviderOutcome = Asserted | Refused | Unavailable;

/** Asks a provider who sent these credentials. Never throws, and is over in five seconds, however many calls it makes. */
export type ProviderCheck = (provider: IdentityProvider, credentials: ProviderCredentials) => Promise<ProviderOutcome>;

/** For an isolate: it remembers providers' metadata and keys, which are the same for every tenant. */
export const createProviderCheck = (dependencies: CheckDependencies): ProviderCheck => {
  const openContext = createCheckContexts(dependencies);
  return (provider, credentials) => outcomeOfCheck(() => check(provider, credentials, openContext()));
};

const check = (
  provider: IdentityProvider,
  credentials: ProviderCredentials,
  context: CheckContext,
): Promise<Asserted> => {
  switch (provider.type) {
    case 'google':
      return checkGoogle(provider, credentials, context);
    case 'apple':
      return checkApple(provider, credentials, context);
    case 'microsoft':
      return checkMicrosoft(provider, credentials, context);
    case 'line':
      return checkLine(provider, credentials, context);
    case 'facebook':
      return checkFacebook(provider, credentials, context);
    case 'oidc':
      return checkCustomOidc(provider, credentials, context);
    case 'jwt':
      return checkCustomJwt(provider, credentials, context);
    case 'http':
      return checkCustomHttp(provider, credentials, context);
  }
};
