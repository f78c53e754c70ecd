import { type Argon2Parameters, computeArgon2 } from './argon2.ts';
import { isForeignPassword } from './foreign-password-hashes.ts';
import {
  formatArgon2Hash,
  type PasswordHashFault,
  parsePasswordHash,
  type StoredPasswordHash,
} from './password-hash-formats.ts';
import { randomBytes } from './random.ts';

/** `needsRehash`: right, but not hashed the way `hashPassword` does it now. */
export type PasswordCheck = { isRight: boolean; needsRehash: boolean };

// OWASP's setting of least memory that still has a second pass.
const PARAMETERS: Argon2Parameters = { kind: 'argon2id', version: 0x13, memoryKibibytes: 19_456, passes: 2, lanes: 1 };
const SALT_BYTES = 16;
const TAG_BYTES = 32;

/** argon2id as a PHC string, of the password in NFKC: the same characters typed on another keyboard are the same. */
export const hashPassword = async (password: string): Promise<string> => {
  const salt = randomBytes(SALT_BYTES);
  return formatArgon2Hash(PARAMETERS, salt, computeTag(password.normalize('NFKC'), salt));
};

/** A malformed or unsupported hash belongs to no password. For those that can be used see `checkPasswordHash`. */
export const verifyPassword = async (password: string, hash: string): Promise<PasswordCheck> => {
  const stored = parsePasswordHash(hash);
  if (typeof stored === 'string') return WRONG;
  const isOwn = isOfOwnMaking(stored);
  for (const form of formsOf(password, isOwn ? 'NFKC first' : 'as typed first')) {
    const isRight = isOwn ? isOwnPassword(form, stored) : await isForeignPassword(form, stored);
    if (isRight) return { isRight, needsRehash: !isOwn };
  }
  return WRONG;
};

/** Always wrong, after as much work as `verifyPassword` does: so that its duration tells nobody who is a user. */
export const verifyAgainstNothing = async (password: string): Promise<PasswordCheck> => {
  for (const form of formsOf(password, 'NFKC first')) isOwnPassword(form, NOTHING);
  return WRONG;
};

/** Whether people can sign in with an imported hash. */
export const checkPasswordHash = (hash: string): 'supported' | PasswordHashFault => {
  const stored = parsePasswordHash(hash);
  return typeof stored === 'string' ? stored : 'supported';
};

type OwnPasswordHash = Extract<StoredPasswordHash, { scheme: 'argon2' }>;

const WRONG: PasswordCheck = { isRight: false, needsRehash: false };
const NOTHING = { salt: new Uint8Array(SALT_BYTES), tag: new Uint8Array(TAG_BYTES) };

const isOfOwnMaking = (stored: StoredPasswordHash): stored is OwnPasswordHash =>
  stored.scheme === 'argon2' &&
  stored.salt.length === SALT_BYTES &&
  stored.tag.length === TAG_BYTES &&
  stored.parameters.kind === PARAMETERS.kind &&
  stored.parameters.version === PARAMETERS.version &&
  stored.parameters.memoryKibibytes === PARAMETERS.memoryKibibytes &&
  stored.parameters.passes === PARAMETERS.passes &&
  stored.parameters.lanes === PARAMETERS.lanes;

/**
 * Other systems hash what was typed, we hash its NFKC form; and a hash with our very parameters may come from either.
 * For nearly every password the two forms are one.
 */
const formsOf = (password: string, order: 'NFKC first' | 'as typed first'): Set<string> => {
  const normalised = password.normalize('NFKC');
  return new Set(order === 'NFKC first' ? [normalised, password] : [password, normalised]);
};

const isOwnPassword = (password: string, { salt, tag }: Pick<OwnPasswordHash, 'salt' | 'tag'>): boolean =>
  crypto.subtle.timingSafeEqual(computeTag(password, salt), tag);

const computeTag = (password: string, salt: Uint8Array): Uint8Array<ArrayBuffer> =>
  computeArgon2(new TextEncoder().encode(password), salt, TAG_BYTES, PARAMETERS);
