import { createHash, createVerify, type KeyLike } from 'node:crypto';
import { SignedXml } from 'xml-crypto';
import { NAMESPACE } from './markup.ts';
import { refuse } from './outcome.ts';
import { attributeOf, childElements, parseXml, type XmlElement } from './xml.ts';

const MORE = 'http://www.w3.org/2001/04/xmldsig-more#';
const ENCRYPTION = 'http://www.w3.org/2001/04/xmlenc#';

// The library makes an algorithm with `new`. It would know SHA-1 by itself, but neither ECDSA nor SHA-384.

const createSignatureAlgorithm = (uri: string, hash: string) =>
  class {
    getAlgorithmName = (): string => uri;
    getSignature = (): string => {
      throw new Error('Signatures are only verified here');
    };
    verifySignature = (signedInfo: string, key: KeyLike, value: string): boolean =>
      typeof key === 'string' &&
      createVerify(hash)
        .update(signedInfo)
        // XML signatures hold r and s of ECDSA side by side (RFC 6931, section 2.3.6); RSA has no such choice.
        .verify({ key, dsaEncoding: 'ieee-p1363' }, value, 'base64');
  };

const createDigestAlgorithm = (uri: string, hash: string) =>
  class {
    getAlgorithmName = (): string => uri;
    getHash = (xml: string): string => createHash(hash).update(xml).digest('base64');
  };

const SIGNATURES = Object.fromEntries(
  ['sha256', 'sha384', 'sha512'].flatMap((hash) =>
    [`${MORE}rsa-${hash}`, `${MORE}ecdsa-${hash}`].map((uri) => [uri, createSignatureAlgorithm(uri, hash)]),
  ),
);

const DIGESTS = Object.fromEntries(
  Object.entries({
    [`${ENCRYPTION}sha256`]: 'sha256',
    [`${MORE}sha384`]: 'sha384',
    [`${ENCRYPTION}sha512`]: 'sha512',
  }).map(([uri, hash]) => [uri, createDigestAlgorithm(uri, hash)]),
);

const ENVELOPED = `${NAMESPACE.signature}enveloped-signature`;
const CANONICAL: readonly (string | undefined)[] = [
  'http://www.w3.org/2001/10/xml-exc-c14n#',
  'http://www.w3.org/2001/10/xml-exc-c14n#WithComments',
];

/**
 * The element as one of the certificates' keys has signed it, read anew from the very bytes that were verified (SAML Core, section 5.4).
 * KeyInfo is not looked at. Refuses a signature that is of another element or key, or made in another way than SAML's.
 */
export const verifySignature = (
  xml: string,
  element: XmlElement,
  signature: XmlElement,
  certificates: readonly string[],
): XmlElement => {
  // The library looks for a signature's parts at any depth: there must be none to find but the ones in their places.
  const parts = childElements(signature).map(({ localName }) => localName);
  if (!/^SignedInfo,SignatureValue(,KeyInfo)?$/.test(parts.join())) refuse('structure');
  for (const certificate of certificates) {
    const verified = verifyWith(certificate, xml, element, signature);
    if (verified !== null) return parseXml(verified) ?? refuse('xml');
  }
  return refuse('signature');
};

const verifyWith = (certificate: string, xml: string, element: XmlElement, signature: XmlElement): string | null => {
  const signed = new SignedXml({ publicCert: certificate });
  // Whatever the checks below might miss, the library knows no other way to sign.
  signed.SignatureAlgorithms = SIGNATURES;
  signed.HashAlgorithms = DIGESTS;
  try {
    signed.loadSignature(signature);
  } catch {
    return refuse('transform');
  }
  const [reference, ...others] = signed.getReferences();
  const id = attributeOf(element, 'ID');
  if (!reference || others.length > 0 || id === null || reference.uri !== `#${id}`) return refuse('reference');
  if (!Object.hasOwn(SIGNATURES, signed.signatureAlgorithm ?? '')) refuse('algorithm');
  if (!Object.hasOwn(DIGESTS, reference.digestAlgorithm)) refuse('algorithm');
  const [first, second, ...more] = reference.transforms;
  if (first !== ENVELOPED || !CANONICAL.includes(second) || more.length > 0) refuse('transform');
  if (!CANONICAL.includes(signed.canonicalizationAlgorithm)) refuse('transform');
  try {
    const [verified] = signed.checkSignature(xml) ? signed.getSignedReferences() : [];
    return verified ?? null;
  } catch {
    // So it says that the key is another one, or that two elements have the ID.
    return null;
  }
};
