import { X509Certificate } from 'node:crypto';

const MIN_RSA_BITS = 2048;

/** As Node names them; P-256, P-384 and P-521. */
const CURVES: readonly (string | undefined)[] = ['prime256v1', 'secp384r1', 'secp521r1'];

/**
 * A certificate in PEM and when it ends, in milliseconds. Its end is for people to see, and stops nobody from signing in:
 * a certificate only carries the key here, and trust in that comes from the operator who configured it (SAML Metadata
 * Interoperability Profile, section 2.6.1).
 */
export type SamlCertificate = { pem: string; expiresAt: number };

/**
 * The certificate of a PEM text or of DER in base64; null when it is none, or its key is weaker than RSA of 2048 bits or
 * P-256.
 */
export const readCertificate = (text: string): SamlCertificate | null => {
  const base64 = base64Of(text);
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return null;
  try {
    const certificate = new X509Certificate(Buffer.from(base64, 'base64'));
    const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
    const isStrong =
      asymmetricKeyType === 'rsa'
        ? (asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA_BITS
        : asymmetricKeyType === 'ec' && CURVES.includes(asymmetricKeyDetails?.namedCurve);
    // workerd knows the date as OpenSSL writes it alone, not `validToDate`.
    return isStrong ? { pem: certificate.toString(), expiresAt: Date.parse(certificate.validTo) } : null;
  } catch {
    return null;
  }
};

/** The DER in base64 without the lines around and in it. */
export const base64Of = (pem: string): string => pem.replace(/-----(BEGIN|END) CERTIFICATE-----|\s/g, '');
