import * as oauth from 'oauth4webapi';
import * as z from 'zod';
import type { Assertion } from './identity-provider.ts';
import { ValueRefused } from './refusals.ts';

/** How far a provider's clock may be from ours, either way. */
export const CLOCK_TOLERANCE_SECONDS = 60;

/** An older ID token was not issued for the code that was just spent. */
const MAX_AGE_SECONDS = 600;

/** The checks of OpenID Connect Core 1.0 §3.1.3.7 that the library leaves to its caller. Gives the ID token and what it claims. */
export const checkIdToken = async (
  tokens: oauth.TokenEndpointResponse,
  clientId: string,
  now: number,
): Promise<{ idToken: string; claims: oauth.IDToken }> => {
  const { id_token: idToken, access_token: accessToken } = tokens;
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  if (!idToken || !claims) throw new Error('The response has no ID token');
  if (claims.azp !== undefined && claims.azp !== clientId) throw new ValueRefused('azp');
  const ageSeconds = now / 1000 - claims.iat;
  if (ageSeconds > MAX_AGE_SECONDS || ageSeconds < -CLOCK_TOLERANCE_SECONDS) throw new ValueRefused('iat');
  if (!/^[\x20-\x7e]{1,255}$/.test(claims.sub)) throw new ValueRefused('sub');
  if (claims.at_hash !== undefined && claims.at_hash !== (await hashOf(accessToken, idToken))) {
    throw new ValueRefused('at_hash');
  }
  return { idToken, claims };
};

/** The left half of the hash that goes with the ID token's algorithm (OpenID Connect Core 1.0 §3.1.3.6). */
const hashOf = async (accessToken: string, idToken: string): Promise<string> => {
  const [header = ''] = idToken.split('.');
  const { alg } = headerSchema.parse(JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(header, BASE64URL))));
  const algorithm = alg.startsWith('Ed') ? 'SHA-512' : 'SHA-256';
  const hash = await crypto.subtle.digest(algorithm, new TextEncoder().encode(accessToken));
  return new Uint8Array(hash, 0, hash.byteLength / 2).toBase64({ ...BASE64URL, omitPadding: true });
};

const BASE64URL = { alphabet: 'base64url' } as const;

const headerSchema = z.object({ alg: z.string() });

/** How the person proved who it is, by the provider's words (RFC 8176 or its own); none if it does not say. */
export const readMethods = (claims: Record<string, unknown>): string[] => methodsSchema.parse(claims.amr);

const methodsSchema = z.array(z.string().min(1).max(64)).max(16).catch([]);

/** The person of an ID token or a UserInfo response. What is not in form is as if it were not there. */
export const readProfile = (claims: Record<string, unknown>): Omit<Assertion, 'subject'> => {
  const { email, email_verified, given_name, family_name } = profileSchema.parse(claims);
  return {
    email,
    // A `"false"` is not verified, nor is a `"true"`.
    isEmailVerified: email !== null && email_verified === true,
    givenName: given_name,
    familyName: family_name,
  };
};

/** The whole of the person's name, for those who have no more of it. */
export const readName = (claims: Record<string, unknown>): string | null => claim.parse(claims.name);

const claim = z.string().min(1).max(254).nullable().catch(null);

const profileSchema = z.object({
  email: claim,
  email_verified: z.unknown().optional(),
  given_name: claim,
  family_name: claim,
});
