// Identity providers want the key of signed requests in a certificate. Nobody but its owner vouches for it, and none of
// them looks at more than the key, so it is as small as X.509 allows (RFC 5280, section 4.1).

const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

const KEY_LIFETIME_YEARS = 10;

/** What requests are signed with, as PKCS #8 to be sealed, and the certificate, in PEM, that metadata tells of. */
export type SamlSigningPair = { privateKey: Uint8Array; certificate: string };

/**
 * Makes an RSA key of 2048 bits with a certificate of its own for ten years.
 *
 * @param commonName what an administrator sees it is for, such as our host's name; at most 64 characters.
 * @param now in milliseconds.
 */
export const createSigningPair = async (commonName: string, now: number): Promise<SamlSigningPair> => {
  const exponent = new Uint8Array([1, 0, 1]);
  const generated = await crypto.subtle.generateKey({ ...RSA, modulusLength: 2048, publicExponent: exponent }, true, [
    'sign',
    'verify',
  ]);
  if (!('publicKey' in generated)) throw new Error('RSA keys come in pairs');
  const { publicKey, privateKey } = generated;
  const toBeSigned = writeToBeSigned(commonName, now, await exportBytes('spki', publicKey));
  const signature = new Uint8Array(await crypto.subtle.sign(RSA.name, privateKey, toBeSigned));
  const der = sequence(toBeSigned, SHA256_WITH_RSA, write(TAG.bitString, new Uint8Array([0]), signature));
  return { privateKey: await exportBytes('pkcs8', privateKey), certificate: writePem(der) };
};

/** The key of a pair, ready to sign requests. */
export const importSigningKey = (privateKey: Uint8Array): Promise<CryptoKey> =>
  crypto.subtle.importKey('pkcs8', privateKey, RSA, false, ['sign']);

const exportBytes = async (format: 'spki' | 'pkcs8', key: CryptoKey): Promise<Uint8Array> => {
  const exported = await crypto.subtle.exportKey(format, key);
  if (!(exported instanceof ArrayBuffer)) throw new Error('Keys are exported as bytes');
  return new Uint8Array(exported);
};

const TAG = {
  integer: 0x02,
  bitString: 0x03,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
} as const;

/** A value in DER: its tag, the length, the content. */
const write = (tag: number, ...parts: Uint8Array[]): Uint8Array => {
  const content = parts.flatMap((part) => [...part]);
  return Uint8Array.from([tag, ...writeLength(content.length), ...content]);
};

/** Up to 65,535, of which a certificate has a fiftieth. */
const writeLength = (length: number): number[] => {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
};

const sequence = (...parts: Uint8Array[]): Uint8Array => write(TAG.sequence, ...parts);

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** 1.2.840.113549.1.1.11 with no parameters. */
const SHA256_WITH_RSA = Uint8Array.fromHex('300d06092a864886f70d01010b0500');

/** 2.5.4.3 */
const COMMON_NAME = Uint8Array.fromHex('0603550403');

const writeToBeSigned = (commonName: string, now: number, publicKey: Uint8Array): Uint8Array => {
  const name = sequence(write(TAG.set, sequence(COMMON_NAME, write(TAG.utf8String, bytesOf(commonName)))));
  const end = new Date(now);
  end.setUTCFullYear(end.getUTCFullYear() + KEY_LIFETIME_YEARS);
  const version3 = write(TAG.version, write(TAG.integer, new Uint8Array([2])));
  // The time, since two of one name must differ; it has twelve digits until the year 6429.
  const serialNumber = write(TAG.integer, Uint8Array.fromHex(now.toString(16).padStart(12, '0')));
  const validity = sequence(writeTime(now), writeTime(end.getTime()));
  return sequence(version3, serialNumber, SHA256_WITH_RSA, name, validity, name, publicKey);
};

/** RFC 5280, section 4.1.2.5: two digits of the year until 2049. */
const writeTime = (time: number): Uint8Array => {
  const digits = `${new Date(time).toISOString().slice(0, 19).replace(/\D/g, '')}Z`;
  return digits < '2050' ? write(TAG.utcTime, bytesOf(digits.slice(2))) : write(TAG.generalizedTime, bytesOf(digits));
};

const writePem = (der: Uint8Array): string => {
  const lines = der.toBase64().replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
};
