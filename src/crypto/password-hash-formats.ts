import type { Argon2Parameters } from './argon2.ts';

/** A stored password hash, taken apart. Everything in it is within the limits of what a Worker can compute. */
export type StoredPasswordHash =
  | { scheme: 'argon2'; parameters: Argon2Parameters; salt: Bytes; tag: Bytes }
  | { scheme: 'bcrypt'; encoded: string }
  | { scheme: 'scrypt'; cost: number; blockSize: number; parallelization: number; salt: Bytes; tag: Bytes }
  | { scheme: 'pbkdf2'; hash: Pbkdf2Hash; iterations: number; salt: Bytes; tag: Bytes };

/**
 * Why a password hash cannot be used: `unknown_format`; `malformed`; `too_costly` for the limits of a Worker (argon2
 * above 46 MiB, bcrypt above cost 12, scrypt above 64 MiB, PBKDF2 above 100,000 iterations); `too_weak`, with so short
 * a salt or tag that other passwords would pass.
 */
export type PasswordHashFault = 'unknown_format' | 'malformed' | 'too_costly' | 'too_weak';

type Pbkdf2Hash = 'SHA-1' | 'SHA-256' | 'SHA-512';

type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Reads the PHC string format of argon2, scrypt and PBKDF2, passlib's modular crypt form of PBKDF2, and bcrypt's
 * `$2a$`, `$2b$` and `$2y$`.
 */
export const parsePasswordHash = (hash: string): StoredPasswordHash | PasswordHashFault => {
  if (hash.length > LONGEST_HASH) return 'malformed';
  const scheme = /^\$([a-z0-9-]+)\$/.exec(hash)?.[1];
  switch (scheme) {
    case 'argon2d':
    case 'argon2i':
    case 'argon2id':
      return parseArgon2(hash, scheme);
    case '2a':
    case '2b':
    case '2y':
      return parseBcrypt(hash);
    case 'scrypt':
      return parseScrypt(hash);
    case 'pbkdf2':
    case 'pbkdf2-sha1':
      return parsePbkdf2(hash, 'SHA-1');
    case 'pbkdf2-sha256':
      return parsePbkdf2(hash, 'SHA-256');
    case 'pbkdf2-sha512':
      return parsePbkdf2(hash, 'SHA-512');
    default:
      return 'unknown_format';
  }
};

/** The PHC string of an argon2 hash. */
export const formatArgon2Hash = (parameters: Argon2Parameters, salt: Uint8Array, tag: Uint8Array): string => {
  const { kind, version, memoryKibibytes, passes, lanes } = parameters;
  const costs = `m=${memoryKibibytes},t=${passes},p=${lanes}`;
  return `$${kind}$v=${version}$${costs}$${salt.toBase64({ omitPadding: true })}$${tag.toBase64({ omitPadding: true })}`;
};

const LONGEST_HASH = 512;
const SHORTEST_TAG_BYTES = 16;

// An isolate has 128 MB, and keeps the memory that argon2 has ever used; 46 MiB is the most in OWASP's settings for it.
const ARGON2_LIMITS = { memoryKibibytes: 47_104, passes: 16, lanes: 16, kibibytePasses: 262_144 };
const BCRYPT_COSTS = { lowest: 4, highest: 12 };
// 64 MiB is passlib's default. The platform refuses N·r·p above 2^20.
const SCRYPT_LIMITS = { memoryBytes: 64 * 1024 * 1024, work: 2 ** 20 };
// In production the platform refuses more, although a local workerd computes it.
const PBKDF2_ITERATIONS = 100_000;

const parseArgon2 = (hash: string, kind: Argon2Parameters['kind']): StoredPasswordHash | PasswordHashFault => {
  const match = /^\$argon2(?:d|i|id)(?:\$v=(16|19))?\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,8})\$([^$]+)\$([^$]+)$/.exec(
    hash,
  );
  if (!match) return 'malformed';
  const [, version = '16', m, t, p, encodedSalt = '', encodedTag = ''] = match;
  const [memoryKibibytes, passes, lanes] = [Number(m), Number(t), Number(p)];
  if (passes < 1 || lanes < 1 || memoryKibibytes < 8 * lanes) return 'malformed';
  const isTooCostly =
    memoryKibibytes > ARGON2_LIMITS.memoryKibibytes ||
    passes > ARGON2_LIMITS.passes ||
    lanes > ARGON2_LIMITS.lanes ||
    memoryKibibytes * passes > ARGON2_LIMITS.kibibytePasses;
  if (isTooCostly) return 'too_costly';
  const [salt, tag] = [decodeBase64(encodedSalt), decodeBase64(encodedTag)];
  if (!salt || !tag) return 'malformed';
  // RFC 9106 has no shorter salts.
  if (salt.length < 8 || tag.length < SHORTEST_TAG_BYTES) return 'too_weak';
  const parameters = { kind, version: version === '19' ? 0x13 : 0x10, memoryKibibytes, passes, lanes } as const;
  return { scheme: 'argon2', parameters, salt, tag };
};

const parseBcrypt = (hash: string): StoredPasswordHash | PasswordHashFault => {
  const cost = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash)?.[1];
  if (cost === undefined || Number(cost) < BCRYPT_COSTS.lowest) return 'malformed';
  return Number(cost) > BCRYPT_COSTS.highest ? 'too_costly' : { scheme: 'bcrypt', encoded: hash };
};

const parseScrypt = (hash: string): StoredPasswordHash | PasswordHashFault => {
  const match = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,9}),p=(\d{1,9})\$([^$]*)\$([^$]+)$/.exec(hash);
  if (!match) return 'malformed';
  const [, ln, r, p, encodedSalt = '', encodedTag = ''] = match;
  const [cost, blockSize, parallelization] = [2 ** Number(ln), Number(r), Number(p)];
  if (cost < 2 || blockSize < 1 || parallelization < 1) return 'malformed';
  if (128 * cost * blockSize > SCRYPT_LIMITS.memoryBytes) return 'too_costly';
  if (cost * blockSize * parallelization > SCRYPT_LIMITS.work) return 'too_costly';
  const [salt, tag] = [decodeBase64(encodedSalt), decodeBase64(encodedTag)];
  if (!salt || !tag) return 'malformed';
  if (tag.length < SHORTEST_TAG_BYTES) return 'too_weak';
  return { scheme: 'scrypt', cost, blockSize, parallelization, salt, tag };
};

const parsePbkdf2 = (encoded: string, hash: Pbkdf2Hash): StoredPasswordHash | PasswordHashFault => {
  const match = /^\$[^$]+\$(?:(\d{1,10})|i=(\d{1,10})(?:,l=(\d{1,3}))?)\$([^$]*)\$([^$]+)$/.exec(encoded);
  if (!match) return 'malformed';
  const [, modularCryptIterations, phcIterations, tagLength, encodedSalt = '', encodedTag = ''] = match;
  const iterations = Number(modularCryptIterations ?? phcIterations);
  if (iterations < 1) return 'malformed';
  if (iterations > PBKDF2_ITERATIONS) return 'too_costly';
  const [salt, tag] = [decodeBase64(encodedSalt), decodeBase64(encodedTag)];
  if (!salt || !tag || (tagLength !== undefined && Number(tagLength) !== tag.length)) return 'malformed';
  if (tag.length < SHORTEST_TAG_BYTES) return 'too_weak';
  return { scheme: 'pbkdf2', hash, iterations, salt, tag };
};

/** Base 64 without padding, of PHC or of passlib, which writes `.` for `+`; null for anything else. */
const decodeBase64 = (text: string): Bytes | null => {
  if (!/^[A-Za-z0-9+/.]*$/.test(text) || text.length % 4 === 1) return null;
  return Uint8Array.fromBase64(text.replaceAll('.', '+'));
};
