import * as z from 'zod';
import type { GuardedFetch } from '../http.ts';
import type { KeySets, PublicKey } from './key-sets.ts';
import { CLOCK_TOLERANCE_SECONDS } from './oidc-claims.ts';
import { during, ValueRefused } from './refusals.ts';

/** The claims of a token whose signature and times are in order. */
export type TokenClaims = Record<string, unknown>;

/** How a JWT's form, type, algorithm, signature and times are judged. Throws what `findKeys` throws. */
export type VerifyToken = (
  token: string,
  demands: {
    algorithms: readonly string[];
    findKeys: (keyId: string | null) => Promise<readonly PublicKey[]>;
    secret: string | null;
    types: readonly string[];
    toleranceSeconds: number;
    now: number;
  },
) => Promise<
  | { kind: 'verified'; claims: TokenClaims; keyId: string | null }
  | { kind: 'refused'; reason: 'form' | 'typ' | 'alg' | 'key' | 'signature' | 'exp' | 'nbf' | 'iat' }
>;

/** With public keys alone: whoever can check such a signature cannot make one (RFC 7518 §3.1, RFC 8037, RFC 9864). */
export const PUBLIC_KEY_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** Where the keys of an issuer are, or the one that it has. */
export type KeySource = { jwksUrl: string } | { publicKey: PublicKey };

export type TokenDemands = {
  keys: KeySource;
  algorithms: readonly string[];
  /** For an HMAC. */
  secret: string | null;
  types: readonly string[];
  /** Whether the token is of the right issuer, and signed with a key that signs for it. */
  isIssuer: (claims: TokenClaims, key: PublicKey | null) => boolean;
  /**
   * What the caller had put into the token; null for a token without one. Undefined for whatever it holds: a token that
   * came for a code is nobody's to bring again.
   */
  nonce: string | null | undefined;
};

type Verification = { verifyToken: VerifyToken; keySets: KeySets; fetch: GuardedFetch; now: () => number };

/** Whose token it is and by whom: claims that may be believed, whomever they are for. Throws a refusal of the step `token` or `keys`. */
export const checkSignedToken = async (
  token: string,
  { keys, algorithms, secret, types, isIssuer, nonce }: TokenDemands,
  { verifyToken, keySets, fetch, now }: Verification,
): Promise<TokenClaims> => {
  const findKeys = async (keyId: string | null): Promise<PublicKey[]> => {
    if ('jwksUrl' in keys) return during('keys', () => keySets.find(keys.jwksUrl, keyId, fetch));
    // There is one alone, whatever the token calls it.
    const { kid: _, ...publicKey } = keys.publicKey;
    return [{ ...publicKey, ...(keyId !== null && { kid: keyId }) }];
  };
  let candidates: readonly PublicKey[] = [];
  return during('token', async () => {
    const verdict = await verifyToken(token, {
      algorithms,
      findKeys: async (keyId) => {
        candidates = await findKeys(keyId);
        return candidates;
      },
      secret,
      types,
      toleranceSeconds: CLOCK_TOLERANCE_SECONDS,
      now: now(),
    });
    if (verdict.kind === 'refused') throw new ValueRefused(verdict.reason);
    const { claims, keyId } = verdict;
    const key = candidates.find(({ kid }) => kid === keyId) ?? null;
    if (!isIssuer(claims, key)) throw new ValueRefused('iss');
    if (nonce !== undefined && (claims.nonce ?? null) !== nonce) throw new ValueRefused('nonce');
    return claims;
  });
};

/** Whether the token is for us and for nobody else, and at our own request (OpenID Connect Core 1.0 §3.1.3.7, 3 to 5). */
export const checkAudience = ({ aud, azp }: TokenClaims, clientIds: readonly string[]): void => {
  const audiences = z
    .array(z.string())
    .min(1)
    .safeParse(Array.isArray(aud) ? aud : [aud]);
  if (!audiences.success || !audiences.data.every((audience) => clientIds.includes(audience))) {
    throw new ValueRefused('aud');
  }
  if (azp === undefined && audiences.data.length === 1) return;
  if (typeof azp !== 'string' || !clientIds.includes(azp)) throw new ValueRefused('azp');
};

/** When a token ends, in milliseconds. */
export const readExpiry = ({ exp }: TokenClaims): number => {
  if (typeof exp !== 'number') throw new ValueRefused('exp');
  return Math.ceil(exp * 1000);
};

/** A person's stable name at a provider, in the form of an assertion's. */
export const readSubject = (value: unknown): string => {
  if (typeof value !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(value)) throw new ValueRefused('sub');
  return value;
};
