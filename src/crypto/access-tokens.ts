import { decodeProtectedHeader, errors, type JWTHeaderParameters, jwtVerify, SignJWT } from 'jose';
import * as z from 'zod';
import { type CustomerId, isId, newId, type SessionId, type TenantId, type UserId } from './ids.ts';
import { timeOfTimeOrderedId } from './random.ts';
import type { SigningKey, VerificationKey } from './signing-keys.ts';

/** What an access token says about the signed-in user. Times are milliseconds since the epoch. */
export type AccessTokenClaims = {
  userId: UserId;
  customerId: CustomerId;
  sessionId: SessionId | null;
  provider: string;
  /** How the user proved who it is: values of RFC 8176. */
  amr: string[];
  authenticatedAt: number;
  /** To the millisecond, so that a token made right after a change is told from one made right before it. */
  issuedAt: number;
  expiresAt: number;
  tokenId: string;
};

export type AccessTokens = {
  sign(claims: Omit<AccessTokenClaims, 'expiresAt' | 'tokenId'> & { lifetimeSeconds: number }): Promise<string>;
  /**
   * Null for all but a token of this tenant that is valid now. Whether its session or user has been ended since is for
   * the caller to ask.
   */
  verify(token: string): Promise<AccessTokenClaims | null>;
};

/** The access tokens of one tenant: JWTs in the form of RFC 9068, held to the advice of RFC 8725. */
export const createAccessTokens = ({
  issuer,
  tenantId,
  keys,
  now,
}: {
  issuer: string;
  tenantId: TenantId;
  keys: { current: SigningKey; published: readonly VerificationKey[] };
  now: () => number;
}): AccessTokens => {
  const wireClaims = createWireClaims(tenantId);

  const findKey = (header: JWTHeaderParameters): CryptoKey => {
    const key = keys.published.find(({ kid }) => kid === header.kid);
    // The key decides the algorithm, never the token (RFC 8725, section 3.1).
    if (!key || key.algorithm !== header.alg) throw new errors.JWKSNoMatchingKey();
    // Ours have these three members. Any other (`jwk`, `jku`, `x5c`, `crit`, `zip`, …) only asks to be misunderstood.
    if (Object.keys(header).length !== 3 || header.typ !== TYPE) throw new errors.JWSInvalid();
    return key.publicKey;
  };

  return {
    sign: async ({ userId, customerId, sessionId, provider, amr, authenticatedAt, issuedAt, lifetimeSeconds }) => {
      const iat = toSeconds(issuedAt);
      const claims: z.input<typeof wireClaims> = {
        iss: issuer,
        aud: tenantId,
        sub: userId,
        cid: customerId,
        tid: tenantId,
        ...(sessionId === null ? {} : { sid: sessionId }),
        provider,
        amr,
        auth_time: toSeconds(authenticatedAt),
        iat,
        exp: iat + lifetimeSeconds,
        jti: newId('tok', issuedAt),
      };
      const { kid, algorithm, privateKey } = keys.current;
      return new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid, typ: TYPE }).sign(privateKey);
    },

    verify: async (token) => {
      if (token.length > LONGEST_TOKEN || !token.split('.').every(isCanonicalBase64url)) return null;
      try {
        const { payload } = await jwtVerify(token, findKey, {
          algorithms: ALGORITHMS,
          issuer,
          audience: tenantId,
          requiredClaims: ['exp', 'iat'],
          clockTolerance: LEEWAY_SECONDS,
          currentDate: new Date(now()),
        });
        const claims = wireClaims.safeParse(payload);
        if (!claims.success || claims.data.iat > toSeconds(now()) + LEEWAY_SECONDS) return null;
        return toClaims(claims.data);
      } catch (error) {
        if (error instanceof errors.JOSEError) return null;
        throw error;
      }
    },
  };
};

const TYPE = 'at+jwt';
const ALGORITHMS = ['ES256', 'EdDSA', 'RS256'];
const LEEWAY_SECONDS = 5;
// With the longest names and an RSA signature a token of ours has about 1,200 characters.
const LONGEST_TOKEN = 4096;

const createWireClaims = (tenantId: TenantId) =>
  z.object({
    iss: z.string(),
    // jose is content with a list of audiences that includes the right one.
    aud: z.literal(tenantId),
    sub: idOf('usr'),
    cid: idOf('cus'),
    tid: z.literal(tenantId),
    sid: idOf('ses').optional(),
    provider: z.string(),
    amr: z.array(z.string()),
    auth_time: z.int(),
    iat: z.int(),
    exp: z.int(),
    jti: idOf('tok'),
  });

const idOf = <Kind extends string>(kind: Kind) =>
  z.custom<`${Kind}_${string}`>((value) => typeof value === 'string' && isId(kind, value));

const toClaims = (wire: z.output<ReturnType<typeof createWireClaims>>): AccessTokenClaims | null => {
  // `iat` has seconds only; the id was made at the same time.
  const issuedAt = timeOfTimeOrderedId(wire.jti.slice('tok_'.length));
  if (toSeconds(issuedAt) !== wire.iat) return null;
  return {
    userId: wire.sub,
    customerId: wire.cid,
    sessionId: wire.sid ?? null,
    provider: wire.provider,
    amr: wire.amr,
    authenticatedAt: wire.auth_time * 1000,
    issuedAt,
    expiresAt: wire.exp * 1000,
    tokenId: wire.jti,
  };
};

const toSeconds = (milliseconds: number): number => Math.floor(milliseconds / 1000);

/** Decoders also take spare bits at the end that are not zero, and so several spellings of one signature. */
const isCanonicalBase64url = (part: string): boolean => {
  if (!/^[\w-]+$/.test(part)) return false;
  try {
    Uint8Array.fromBase64(part.padEnd(Math.ceil(part.length / 4) * 4, '='), {
      alphabet: 'base64url',
      lastChunkHandling: 'strict',
    });
    return true;
  } catch {
    return false;
  }
};

/** The id of the key that a token says it is signed with, unverified; null for what is no token. */
export const readKeyId = (token: string): string | null => {
  try {
    return decodeProtectedHeader(token).kid ?? null;
  } catch {
    return null;
  }
};
