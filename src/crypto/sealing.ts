import { randomBytes } from './random.ts';

/** Authenticated encryption of values at rest. The context (what it is, and whose) must be the same when opening. */
export type Sealer = {
  seal(plaintext: string, context: string): Promise<string>;
  /** Throws when the sealed value was altered, or sealed with another key or for another context. */
  open(sealed: string, context: string): Promise<string>;
};

const NONCE_BYTES = 12;
const VERSION = 'v1.';

/** AES-256-GCM with a random 96-bit nonce for each value; the context is the additional data. */
export const createSealer = (key: CryptoKey): Sealer => ({
  seal: async (plaintext, context) => {
    const nonce = randomBytes(NONCE_BYTES);
    const ciphertext = await crypto.subtle.encrypt(
      parameters(nonce, context),
      key,
      new TextEncoder().encode(plaintext),
    );
    const sealed = new Uint8Array([...nonce, ...new Uint8Array(ciphertext)]);
    return VERSION + sealed.toBase64({ alphabet: 'base64url', omitPadding: true });
  },
  open: async (sealed, context) => {
    if (!sealed.startsWith(VERSION)) throw new Error('A sealed value has an unknown version');
    const bytes = Uint8Array.fromBase64(sealed.slice(VERSION.length), { alphabet: 'base64url' });
    const nonce = bytes.slice(0, NONCE_BYTES);
    const plaintext = await crypto.subtle.decrypt(parameters(nonce, context), key, bytes.slice(NONCE_BYTES));
    return new TextDecoder().decode(plaintext);
  },
});

const parameters = (nonce: Uint8Array<ArrayBuffer>, context: string) => ({
  name: 'AES-GCM',
  iv: nonce,
  additionalData: new TextEncoder().encode(context),
});
