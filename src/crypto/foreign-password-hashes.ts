import { scryptSync } from 'node:crypto';
import bcrypt from 'bcryptjs';
import { computeArgon2 } from './argon2.ts';
import type { StoredPasswordHash } from './password-hash-formats.ts';

/** Whether these very bytes of a password, without any normalisation, belong to a hash made elsewhere. */
export const isForeignPassword = async (password: string, stored: StoredPasswordHash): Promise<boolean> => {
  // The library compares in constant time. Like every bcrypt it reads no more than 72 bytes of the password.
  if (stored.scheme === 'bcrypt') return bcrypt.compare(password, stored.encoded);
  return crypto.subtle.timingSafeEqual(await computeTag(new TextEncoder().encode(password), stored), stored.tag);
};

const computeTag = async (
  password: Uint8Array,
  stored: Exclude<StoredPasswordHash, { scheme: 'bcrypt' }>,
): Promise<ArrayBuffer | Uint8Array<ArrayBuffer>> => {
  const { salt, tag } = stored;
  switch (stored.scheme) {
    case 'argon2':
      return computeArgon2(password, salt, tag.length, stored.parameters);
    case 'scrypt': {
      const { cost, blockSize, parallelization } = stored;
      // What RFC 7914 needs, and some room: Node's own default allows 32 MiB only.
      const maxmem = 128 * blockSize * (cost + parallelization + 2) + 1024;
      return scryptSync(password, salt, tag.length, { cost, blockSize, parallelization, maxmem });
    }
    case 'pbkdf2': {
      const key = await crypto.subtle.importKey('raw', password.slice(), 'PBKDF2', false, ['deriveBits']);
      const parameters = { name: 'PBKDF2', hash: stored.hash, iterations: stored.iterations, salt };
      return crypto.subtle.deriveBits(parameters, key, tag.length * 8);
    }
  }
};
