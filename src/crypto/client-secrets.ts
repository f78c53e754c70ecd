import { importPKCS8, SignJWT } from 'jose';

/** A key that an identity provider gave us to sign with. `privateKey` is PKCS #8 in PEM. */
export type ClientKey = { keyId: string; privateKey: string };

/** A JWT, by ES256, that we show an identity provider in the place of a client secret. Throws when the key is none. */
export const signClientSecret = async (
  { keyId, privateKey }: ClientKey,
  claims: Record<string, unknown>,
): Promise<string> =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM, kid: keyId, typ: 'JWT' })
    .sign(await importPKCS8(privateKey, ALGORITHM));

/** Whether client secrets can be signed with a key at all. */
export const isClientKey = (key: ClientKey): Promise<boolean> =>
  signClientSecret(key, {}).then(
    () => true,
    () => false,
  );

const ALGORITHM = 'ES256';
