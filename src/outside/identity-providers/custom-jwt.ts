import type { CheckContext } from './check-context.ts';
import type { ProviderCredentials } from './identity-provider.ts';
import {
  checkSignedToken,
  type KeySource,
  PUBLIC_KEY_ALGORITHMS,
  readExpiry,
  readSubject,
  type TokenClaims,
} from './identity-tokens.ts';
import { readMethods, readName, readProfile } from './oidc-claims.ts';
import type { Asserted } from './openid-checks.ts';
import { during, ValueRefused } from './refusals.ts';

/** The tenant's names of claims; null for what its tokens do not say. */
type ClaimNames = {
  subject: string;
  email: string | null;
  emailVerified: string | null;
  name: string | null;
  givenName: string | null;
  familyName: string | null;
};

export type CustomJwtProvider = { keys: KeySource; issuer: string; audience: string; claims: ClaimNames };

/**
 * A JWT of a tenant's own service (RFC 7519), by public keys alone. `exp` and `aud` have to be there: a token for any
 * other of the tenant's services is not one to sign in here with.
 */
export const checkCustomJwt = async (
  { keys, issuer, audience, claims: names }: CustomJwtProvider,
  credentials: ProviderCredentials,
  context: CheckContext,
): Promise<Asserted> => {
  const { idToken, nonce } = await during('credentials', () => {
    if (credentials.kind !== 'id_token') throw new ValueRefused('kind');
    return credentials;
  });
  const claims = await checkSignedToken(
    idToken,
    {
      keys,
      algorithms: PUBLIC_KEY_ALGORITHMS,
      secret: null,
      // Services also sign people in with their access tokens (RFC 9068 §2.1).
      types: ['jwt', 'at+jwt'],
      isIssuer: ({ iss }) => iss === issuer,
      nonce,
    },
    context,
  );
  return during('token', () => {
    const { aud } = claims;
    if (!(Array.isArray(aud) ? aud : [aud]).includes(audience)) throw new ValueRefused('aud');
    const claimOf = (name: string | null) => (name === null ? undefined : claims[name]);
    const person: TokenClaims = {
      email: claimOf(names.email),
      email_verified: claimOf(names.emailVerified),
      name: claimOf(names.name),
      given_name: claimOf(names.givenName),
      family_name: claimOf(names.familyName),
    };
    return {
      kind: 'asserted',
      assertion: { subject: readSubject(claimOf(names.subject)), ...readProfile(person), name: readName(person) },
      amr: readMethods(claims),
      expiresAt: readExpiry(claims),
    };
  });
};
