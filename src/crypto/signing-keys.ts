import { exportJWK, generateKeyPair, importJWK, type JSONWebKeySet, type JWK } from 'jose';

export type { JWK } from 'jose';

export type SigningAlgorithm = 'ES256' | 'EdDSA' | 'RS256';

export type NewSigningKey = { publicJwk: JWK; privateJwk: JWK };

export type SigningKey = { kid: string; algorithm: SigningAlgorithm; privateKey: CryptoKey };
export type VerificationKey = { kid: string; algorithm: SigningAlgorithm; publicKey: CryptoKey };

/** A new key pair for a tenant's tokens. Both halves carry `kid`, `alg` and `use`, ready for a JWK set (RFC 7517). */
export const generateSigningKey = async (algorithm: SigningAlgorithm, kid: string): Promise<NewSigningKey> => {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true, modulusLength: 2048 });
  const members = { kid, alg: algorithm, use: 'sig' };
  return {
    publicJwk: { ...(await exportJWK(publicKey)), ...members },
    privateJwk: { ...(await exportJWK(privateKey)), ...members },
  };
};

/** The private half of a key pair, which cannot be exported again. */
export const importSigningKey = async (
  kid: string,
  algorithm: SigningAlgorithm,
  privateJwk: JWK,
): Promise<SigningKey> => ({ kid, algorithm, privateKey: await importKey(privateJwk, algorithm) });

/** Throws when the key is not public. */
export const importVerificationKey = async (
  kid: string,
  algorithm: SigningAlgorithm,
  publicJwk: JWK,
): Promise<VerificationKey> => ({
  kid,
  algorithm,
  publicKey: await importKey(keepPublicMembers(publicJwk), algorithm),
});

/** What a tenant publishes (RFC 7517, section 5): nothing but public members. Throws when a key has others. */
export const createJwks = (publicJwks: readonly JWK[]): JSONWebKeySet => ({ keys: publicJwks.map(keepPublicMembers) });

const importKey = async (jwk: JWK, algorithm: SigningAlgorithm): Promise<CryptoKey> => {
  const key = await importJWK(jwk, algorithm, { extractable: false });
  if (key instanceof Uint8Array) throw new Error(`A key for ${algorithm} is symmetric`);
  return key;
};

const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const;

const keepPublicMembers = (jwk: JWK): JWK => {
  if (SECRET_MEMBERS.some((member) => jwk[member] !== undefined)) throw new Error('A private key is no public key');
  const { kty, crv, x, y, n, e, kid, alg, use } = jwk;
  const members = Object.entries({ kty, crv, x, y, n, e, kid, alg, use });
  return Object.fromEntries(members.filter(([, value]) => value !== undefined));
};
