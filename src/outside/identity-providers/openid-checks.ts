import * as oauth from 'oauth4webapi';
import type { CheckContext } from './check-context.ts';
import { exchangeCode } from './code-exchange.ts';
import type { ProviderAssertion, ProviderCredentials } from './identity-provider.ts';
import { checkAudience, checkSignedToken, readExpiry, readSubject, type TokenClaims } from './identity-tokens.ts';
import type { PublicKey } from './key-sets.ts';
import { readMethods, readName, readProfile } from './oidc-claims.ts';
import { during, ValueRefused } from './refusals.ts';

/** Where a provider is, and what it calls itself. */
export type OpenIdServer = {
  issuer: string;
  jwksUrl: string;
  isIssuer: (claims: TokenClaims, key: PublicKey | null) => boolean;
  /** Null for one that takes no codes. */
  exchange: {
    tokenEndpoint: string;
    userInfoEndpoint: string | null;
    /** How it takes a client's secret. */
    authenticate: (clientSecret: string) => oauth.ClientAuth;
  } | null;
};

/** In what one provider differs from another. */
export type OpenIdManner = {
  algorithms: readonly string[];
  /** Makes the person's name unique at this provider. */
  subjectOf: (claims: TokenClaims) => unknown;
  isEmailVerified: (claims: TokenClaims) => boolean;
};

/** As OpenID Connect Core 1.0 has it (§2, §5.1). */
export const STANDARD_MANNER = {
  subjectOf: ({ sub }: TokenClaims): unknown => sub,
  isEmailVerified: ({ email_verified }: TokenClaims): boolean => email_verified === true,
};

/**
 * Gatehouse at a provider with client ids and a secret. `clientSecret`: of the first client id, for spending codes; null
 * for a public client. `issuer`: null for the provider that everybody knows.
 */
export type SocialProvider = { clientIds: string[]; clientSecret: string | null; issuer: string | null };

/** Us at a provider. A token may be for any of the client ids; a code is spent as the first, whose the secret is. */
export type OpenIdClient = {
  clientIds: readonly string[];
  /** Null for a public client, which has none. It may take time to make. */
  clientSecret: () => string | null | Promise<string | null>;
  /** What tokens may be signed with, by HMAC; null where they never are. */
  sharedSecret: string | null;
};

/** `expiresAt`: when the token that says so ends, in milliseconds; null where there was none. */
export type Asserted = {
  kind: 'asserted';
  assertion: ProviderAssertion;
  amr: string[];
  expiresAt: number | null;
};

/**
 * The person of an ID token, which the app was given or has a code for (OpenID Connect Core 1.0 §3.1.3.7). Whoever brings
 * the token gets in, so it has to be for us, by its audience, and of the sign-in that the caller's nonce belongs to.
 */
export const checkOpenId = async (
  manner: OpenIdManner,
  server: OpenIdServer,
  client: OpenIdClient,
  credentials: ProviderCredentials,
  context: CheckContext,
): Promise<Asserted> => {
  const { idToken, accessToken, clientIds, nonce } = await obtainToken(server, client, credentials, context);
  const claims = await checkSignedToken(
    idToken,
    {
      keys: { jwksUrl: server.jwksUrl },
      algorithms: manner.algorithms,
      secret: client.sharedSecret,
      types: ['jwt'],
      isIssuer: server.isIssuer,
      nonce,
    },
    context,
  );
  const subject = await during('token', () => {
    if (typeof claims.iat !== 'number') throw new ValueRefused('iat');
    checkAudience(claims, clientIds);
    readSubject(claims.sub);
    return readSubject(manner.subjectOf(claims));
  });
  const person = await completePerson(claims, server, accessToken, context);
  const profile = readProfile(person);
  const isEmailVerified = profile.email !== null && manner.isEmailVerified(person);
  return {
    kind: 'asserted',
    assertion: { subject, ...profile, isEmailVerified, name: readName(person) },
    amr: readMethods(claims),
    expiresAt: readExpiry(claims),
  };
};

const obtainToken = async (
  { issuer, exchange }: OpenIdServer,
  { clientIds, clientSecret }: OpenIdClient,
  credentials: ProviderCredentials,
  { calls }: CheckContext,
) => {
  const { kind } = credentials;
  if (kind === 'id_token') return { ...credentials, accessToken: null, clientIds };
  const [clientId] = clientIds;
  if (kind !== 'code' || exchange === null || clientId === undefined) {
    return during('credentials', () => {
      throw new ValueRefused('kind');
    });
  }
  const authenticate = async () => {
    const secret = await clientSecret();
    return secret === null ? oauth.None() : exchange.authenticate(secret);
  };
  const tokens = await exchangeCode(credentials, { issuer, ...exchange }, { clientId, authenticate }, calls);
  return { ...tokens, clientIds: [clientId], nonce: credentials.nonce ?? undefined };
};

/** With what the UserInfo endpoint says, where the ID token has no address and the code came with an access token (§5.3). */
const completePerson = async (
  claims: TokenClaims,
  { issuer, exchange }: OpenIdServer,
  accessToken: string | null,
  { calls }: CheckContext,
): Promise<TokenClaims> => {
  const userInfoEndpoint = exchange?.userInfoEndpoint ?? null;
  if (readProfile(claims).email !== null || userInfoEndpoint === null || accessToken === null) return claims;
  return during('userinfo', async () => {
    const server = { issuer, userinfo_endpoint: userInfoEndpoint };
    const client = { client_id: 'us' };
    const response = await oauth.userInfoRequest(server, client, accessToken, calls);
    return oauth.processUserInfoResponse(server, client, readSubject(claims.sub), response);
  });
};
