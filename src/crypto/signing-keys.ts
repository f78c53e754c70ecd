import { exportJWK, generateKeyPair, type JWK } from 'jose';

export type { JWK } from 'jose';

export type SigningAlgorithm = 'ES256' | 'EdDSA' | 'RS256';

export type NewSigningKey = { publicJwk: JWK; privateJwk: JWK };

/** A new key pair for a tenant's tokens. Both halves carry `kid`, `alg` and `use`, ready for a JWK set (RFC 7517). */
export const generateSigningKey = async (algorithm: SigningAlgorithm, kid: string): Promise<NewSigningKey> => {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true, modulusLength: 2048 });
  const members = { kid, alg: algorithm, use: 'sig' };
  return {
    publicJwk: { ...(await exportJWK(publicKey)), ...members },
    privateJwk: { ...(await exportJWK(privateKey)), ...members },
  };
};
