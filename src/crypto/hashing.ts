const encoder = new TextEncoder();

/** SHA-256 in base64url: how tokens of 128 random bits and more are stored. Not for anything a person could guess. */
export const hashToken = async (token: string): Promise<string> =>
  base64url(await crypto.subtle.digest('SHA-256', encoder.encode(token)));

/** HMAC-SHA-256 in base64url over parts that cannot run into each other. */
export type KeyedHash = (...parts: readonly string[]) => Promise<string>;

/**
 * How codes, addresses and whatever else has little entropy are stored: without the key (derived from `MASTER_KEY`)
 * a dump of the store cannot be searched for them.
 */
export const createKeyedHash =
  (key: CryptoKey): KeyedHash =>
  async (...parts) =>
    base64url(await crypto.subtle.sign('HMAC', key, encoder.encode(JSON.stringify(parts))));

/** Compares without telling by its duration where two secrets differ. */
export const isEqualInConstantTime = async (a: string, b: string): Promise<boolean> => {
  // Hashing first gives both the same length, which the comparison requires.
  const [digestOfA, digestOfB] = await Promise.all([
    crypto.subtle.digest('SHA-256', encoder.encode(a)),
    crypto.subtle.digest('SHA-256', encoder.encode(b)),
  ]);
  return crypto.subtle.timingSafeEqual(digestOfA, digestOfB);
};

const base64url = (bytes: ArrayBuffer): string =>
  new Uint8Array(bytes).toBase64({ alphabet: 'base64url', omitPadding: true });
