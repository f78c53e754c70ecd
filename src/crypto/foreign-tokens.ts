import { createLocalJWKSet, decodeProtectedHeader, errors, type JWK, type JWTVerifyResult, jwtVerify } from 'jose';
import * as z from 'zod';

/** What is asked of a token that somebody else signed. */
export type ForeignTokenDemands = {
  /** What its issuer signs with. `HS256` takes the secret alone, every other the public keys alone. */
  algorithms: readonly string[];
  /** The issuer's public keys. Told the name of the one that the token wants, null if it names none. */
  findKeys: (keyId: string | null) => Promise<readonly JWK[]>;
  /** What the issuer shares with us; null where it shares nothing, and then no HMAC is taken. */
  secret: string | null;
  /** In lower case. A token may also say nothing of its type. */
  types: readonly string[];
  toleranceSeconds: number;
  /** Milliseconds. */
  now: number;
};

/** `keyId`: the name of the key that it is signed with. The claims have been judged by the clock and by nothing else. */
export type ForeignTokenVerdict =
  | { kind: 'verified'; claims: Record<string, unknown>; keyId: string | null }
  | { kind: 'refused'; reason: 'form' | 'typ' | 'alg' | 'key' | 'signature' | 'exp' | 'nbf' | 'iat' };

type Reason = Extract<ForeignTokenVerdict, { kind: 'refused' }>['reason'];

/** Far more than any provider says of anybody. */
const LONGEST_TOKEN = 16 * 1024;

const SHARED_SECRET_ALGORITHM = 'HS256';

/**
 * Verifies a JWT of another issuer (RFC 7519 §7.2, held to RFC 8725): its form, type, algorithm, signature and times, of
 * which `exp` has to be there. Who issued it, and for whom, is for the caller to ask. Throws what `findKeys` throws, and
 * nothing else.
 */
export const verifyForeignToken = async (
  token: string,
  { algorithms, findKeys, secret, types, toleranceSeconds, now }: ForeignTokenDemands,
): Promise<ForeignTokenVerdict> => {
  const header = token.length > LONGEST_TOKEN ? null : readHeader(token);
  if (!header) return refused('form');
  const { alg, kid, typ } = header;
  if (typ !== undefined && !types.includes(typ.toLowerCase())) return refused('typ');
  if (!algorithms.includes(alg)) return refused('alg');
  const isShared = alg === SHARED_SECRET_ALGORITHM;
  if (isShared && secret === null) return refused('alg');
  // A public key never serves as an HMAC's, nor a secret as anything else (RFC 8725 §2.1).
  const keys = isShared ? [] : await findKeys(kid ?? null);
  const options = {
    algorithms: [alg],
    requiredClaims: ['exp'],
    clockTolerance: toleranceSeconds,
    currentDate: new Date(now),
  };
  try {
    const { payload }: JWTVerifyResult =
      isShared && secret !== null
        ? await jwtVerify(token, new TextEncoder().encode(secret), options)
        : await jwtVerify(token, createLocalJWKSet({ keys: [...keys] }), options);
    // The library looks at it only where it is asked for the token's age.
    if (payload.iat !== undefined && payload.iat > now / 1000 + toleranceSeconds) return refused('iat');
    return { kind: 'verified', claims: payload, keyId: kid ?? null };
  } catch (error) {
    return refused(reasonOf(error));
  }
};

/** Whether tokens can be verified with a public key at all: told by one whose signature alone is wrong. */
export const isVerificationKey = async (key: JWK): Promise<boolean> => {
  const alg = key.alg ?? ALGORITHMS_OF_CURVES.get(key.crv ?? '') ?? 'RS256';
  const header = new TextEncoder()
    .encode(JSON.stringify({ alg }))
    .toBase64({ alphabet: 'base64url', omitPadding: true });
  const verdict = await verifyForeignToken(`${header}.e30.AAAA`, {
    algorithms: [alg],
    findKeys: async () => [key],
    ...{ secret: null, types: [], toleranceSeconds: 0, now: 0 },
  });
  return verdict.kind === 'refused' && verdict.reason === 'signature';
};

const ALGORITHMS_OF_CURVES: ReadonlyMap<string, string> = new Map([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
  ['Ed25519', 'EdDSA'],
]);

const refused = (reason: Reason): ForeignTokenVerdict => ({ kind: 'refused', reason });

const readHeader = (token: string) => {
  try {
    return headerSchema.parse(decodeProtectedHeader(token));
  } catch {
    return null;
  }
};

const headerSchema = z.object({ alg: z.string(), kid: z.string().optional(), typ: z.string().optional() });

const TIMES = ['exp', 'nbf', 'iat'] as const;

const reasonOf = (error: unknown): Reason => {
  if (error instanceof errors.JWTExpired) return 'exp';
  if (error instanceof errors.JWTClaimValidationFailed) return TIMES.find((time) => time === error.claim) ?? 'form';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature';
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return 'form';
  // Extensions that it calls critical (RFC 7515 §4.1.11).
  if (error instanceof errors.JOSENotSupported) return 'form';
  // None of that name, several, or one that is no key: also what the platform says of one it cannot import.
  return 'key';
};
