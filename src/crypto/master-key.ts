import { createKeyedHash, type KeyedHash } from './hashing.ts';
import { randomBytes } from './random.ts';
import { createSealer, type Sealer } from './sealing.ts';

/** What is derived from `MASTER_KEY`: one key a use (HKDF, RFC 5869), so that no two uses share one. */
export type MasterKeys = {
  /** For one-time secrets and addresses. */
  keyedHash: KeyedHash;
  /** A new data key for a tenant, sealed: the only form in which it is ever stored. */
  newSealedDataKey(tenantId: string): Promise<string>;
  /** The sealer that works with a tenant's data key. */
  openDataKey(sealedDataKey: string, tenantId: string): Promise<Sealer>;
};

/** @param masterKey 32 bytes, base64. */
export const deriveMasterKeys = async (masterKey: string): Promise<MasterKeys> => {
  const material = await crypto.subtle.importKey('raw', Uint8Array.fromBase64(masterKey), 'HKDF', false, ['deriveKey']);
  const derive = (use: string, algorithm: { name: string; hash?: string; length: number }, usages: KeyUsage[]) =>
    crypto.subtle.deriveKey(
      { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: new TextEncoder().encode(`gatehouse ${use}`) },
      material,
      algorithm,
      false,
      usages,
    );
  const [hashKey, wrappingKey] = await Promise.all([
    derive('keyed hash', { name: 'HMAC', hash: 'SHA-256', length: 256 }, ['sign']),
    derive('data key wrapping', { name: 'AES-GCM', length: 256 }, ['encrypt', 'decrypt']),
  ]);
  const wrapper = createSealer(wrappingKey);
  return {
    keyedHash: createKeyedHash(hashKey),
    newSealedDataKey: (tenantId) => wrapper.seal(randomBytes(32).toBase64(), dataKeyContext(tenantId)),
    openDataKey: async (sealedDataKey, tenantId) => {
      const dataKey = Uint8Array.fromBase64(await wrapper.open(sealedDataKey, dataKeyContext(tenantId)));
      return createSealer(await crypto.subtle.importKey('raw', dataKey, 'AES-GCM', false, ['encrypt', 'decrypt']));
    },
  };
};

type KeyUsage = 'sign' | 'encrypt' | 'decrypt';

const dataKeyContext = (tenantId: string): string => `data key of ${tenantId}`;
