import { SignJWT } from 'jose';

/**
 * The JWT that tells a new passphrase to whoever submitted the right code (contract 3, do_reset): HS256 with the code's
 * bytes as the key, as the published API has it. The key is shorter than RFC 7518 section 3.2 asks for, and whoever sees
 * the token can read it: what protects the passphrase is the connection, and that a wrong code gets no token at all.
 *
 * @param expiresAt seconds since the epoch.
 */
export const signPassphrase = (passphrase: string, code: string, expiresAt: number): Promise<string> =>
  new SignJWT({ passphrase })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(expiresAt)
    .sign(new TextEncoder().encode(code));
