/** All randomness of the service: every id, token, code and key begins in this file. */

const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';
const DIGITS = '0123456789';
const EASILY_READ = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';
const CAPITALS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** Uniformly distributed bytes from the platform's CSPRNG. */
export const randomBytes = (length: number): Uint8Array<ArrayBuffer> => crypto.getRandomValues(new Uint8Array(length));

/** A bearer secret of 256 bits, base64url, 43 characters. */
export const randomToken = (): string => randomBytes(32).toBase64({ alphabet: 'base64url', omitPadding: true });

/** From 0, inclusive, to 1, exclusive: in steps of 2⁻³². */
export const randomFraction = (): number => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;

/** A code of decimal digits for typing in, e.g. a passcode. Leading zeros are kept. */
export const randomDigits = (length: number): string => randomString(DIGITS, length);

/** A code of A–Z and 0–9, e.g. an activation secret: 5.17 bits a character. */
export const randomCode = (length: number): string => randomString(CAPITALS_AND_DIGITS, length);

/** A password for a person to copy: 16 letters and digits without look-alikes, 93 bits. */
export const randomPassphrase = (): string => randomString(EASILY_READ, 16);

/** 26 characters of lower-case Crockford base 32: 48 bits of time, then 80 random bits. Sorts by time of making. */
export const randomTimeOrderedId = (now: number): string => timeDigitsOf(now) + randomString(CROCKFORD, 16);

/** The least id that can be made at this moment. Before 1970 none is made. */
export const firstTimeOrderedId = (at: number): string => timeDigitsOf(Math.max(0, at)) + '0'.repeat(16);

/** When such an id was made, in milliseconds. */
export const timeOfTimeOrderedId = (id: string): number =>
  [...id.slice(0, 10)].reduce((time, digit) => time * 32 + CROCKFORD.indexOf(digit), 0);

const timeDigitsOf = (time: number): string =>
  Array.from({ length: 10 }, (_, i) => CROCKFORD[Math.floor(time / 32 ** (9 - i)) % 32]).join('');

/** Draws again instead of taking a remainder, so that every character is equally likely. */
const randomString = (alphabet: string, length: number): string => {
  const unbiasedLimit = 256 - (256 % alphabet.length);
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < unbiasedLimit && text.length < length) text += alphabet.charAt(byte % alphabet.length);
    }
  }
  return text;
};
