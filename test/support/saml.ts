import { createHash, createHmac, createSign } from 'node:crypto';
import { expect, inject, it } from 'vitest';
import { SignedXml } from 'xml-crypto';
import { finishSamlLogin, type SamlFaultReason } from '../../src/outside/identity-providers/saml.ts';
import type { AnswerOptions } from '../peers/saml.ts';

export const idp = inject('samlIdp');

/** What Gatehouse expects of the answer to its one request in these tests. */
export const EXPECTED = {
  idp: { entityId: idp.entityId, certificates: [idp.keys.idp.certificate] },
  spEntityId: 'https://acme.example.com/saml',
  acsUrl: 'https://acme.example.com/v1/auth/saml/acs',
  requestId: '_request-1',
};

/** An answer that the real provider makes, as XML. */
export const answerOf = async (options: AnswerOptions = {}): Promise<string> => {
  const { spEntityId, acsUrl, requestId } = EXPECTED;
  const usual = { audience: spEntityId, recipient: acsUrl, destination: acsUrl, inResponseTo: requestId };
  const response = await fetch(`${idp.url}/answer`, { method: 'POST', body: JSON.stringify({ ...usual, ...options }) });
  if (!response.ok) throw new Error(await response.text());
  return response.text();
};

export const encode = (xml: string): string => new TextEncoder().encode(xml).toBase64();

type Overrides = Partial<Omit<Parameters<typeof finishSamlLogin>[0], 'samlResponse'>>;

export const finishEncoded = (samlResponse: string, overrides: Overrides = {}) =>
  finishSamlLogin({ ...EXPECTED, now: Date.now(), samlResponse, ...overrides });

export const finish = (xml: string, overrides: Overrides = {}) => finishEncoded(encode(xml), overrides);

const MORE = 'http://www.w3.org/2001/04/xmldsig-more#';
const ENVELOPED = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';

export const ALGORITHM = {
  rsaSha1: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1',
  rsaSha256: `${MORE}rsa-sha256`,
  rsaSha512: `${MORE}rsa-sha512`,
  ecdsaSha256: `${MORE}ecdsa-sha256`,
  hmacSha1: 'http://www.w3.org/2000/09/xmldsig#hmac-sha1',
  hmacSha256: `${MORE}hmac-sha256`,
  sha1: 'http://www.w3.org/2000/09/xmldsig#sha1',
  sha256: 'http://www.w3.org/2001/04/xmlenc#sha256',
  sha384: `${MORE}sha384`,
  sha512: 'http://www.w3.org/2001/04/xmlenc#sha512',
  enveloped: ENVELOPED,
  exclusive: EXCLUSIVE,
  inclusive: 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315',
};

const createSigner = (uri: string, sign: (signedInfo: string) => string) =>
  class {
    getAlgorithmName = () => uri;
    getSignature = sign;
    verifySignature = () => false;
  };

class Sha384 {
  getAlgorithmName = () => ALGORITHM.sha384;
  getHash = (xml: string) => createHash('sha384').update(xml).digest('base64');
}

/** What the library cannot sign with: ECDSA, and the certificate, which everyone knows, as a shared secret. */
const SIGNERS = {
  [ALGORITHM.ecdsaSha256]: createSigner(ALGORITHM.ecdsaSha256, (signedInfo) =>
    createSign('sha256').update(signedInfo).sign({ key: idp.keys.ec.key, dsaEncoding: 'ieee-p1363' }, 'base64'),
  ),
  ...Object.fromEntries(
    Object.entries({ sha1: ALGORITHM.hmacSha1, sha256: ALGORITHM.hmacSha256 }).map(([hash, uri]) => [
      uri,
      createSigner(uri, (signedInfo) => createHmac(hash, idp.keys.idp.certificate).update(signedInfo).digest('base64')),
    ]),
  ),
};

export const IN_RESPONSE = {
  response: `/*[local-name()='Response']`,
  assertion: `/*[local-name()='Response']/*[local-name()='Assertion']`,
};

type Signing = {
  element?: string;
  /** What is signed when it is not the element that holds the signature. */
  references?: string[];
  isEmptyUri?: boolean;
  keys?: { key: string; certificate: string };
  signatureAlgorithm?: string;
  digestAlgorithm?: string;
  transforms?: string[];
  canonicalizationAlgorithm?: string;
};

/** Signs an element, as the provider does unless told otherwise, and puts the signature behind its issuer. */
export const sign = (
  xml: string,
  {
    element = IN_RESPONSE.assertion,
    references = [element],
    isEmptyUri = false,
    keys = idp.keys.idp,
    signatureAlgorithm = ALGORITHM.rsaSha256,
    digestAlgorithm = ALGORITHM.sha256,
    transforms = [ENVELOPED, EXCLUSIVE],
    canonicalizationAlgorithm = EXCLUSIVE,
  }: Signing = {},
): string => {
  const signed = new SignedXml({
    privateKey: keys.key,
    publicCert: keys.certificate,
    signatureAlgorithm,
    canonicalizationAlgorithm,
  });
  Object.assign(signed.SignatureAlgorithms, SIGNERS);
  signed.HashAlgorithms[ALGORITHM.sha384] = Sha384;
  for (const xpath of references) signed.addReference({ xpath, transforms, digestAlgorithm, isEmptyUri });
  signed.computeSignature(xml, {
    prefix: 'ds',
    location: { reference: `${element}/*[local-name()='Issuer']`, action: 'after' },
  });
  return signed.getSignedXml();
};

/** Replaces what must be there, so that a test cannot pass by changing nothing. */
export const alter = (xml: string, what: string | RegExp, by: string): string => {
  const altered = xml.replace(what, () => by);
  if (altered === xml) throw new Error(`There is no ${what} in ${xml}`);
  return altered;
};

/** Inserts before what must be there. */
export const insert = (xml: string, before: string, what: string): string => alter(xml, before, `${what}${before}`);

/** The first piece of the XML that matches. */
export const pick = (xml: string, what: RegExp): string => {
  const [piece] = what.exec(xml) ?? [];
  if (piece === undefined) throw new Error(`There is no ${what} in ${xml}`);
  return piece;
};

/** An answer that nobody signed. */
export const unsignedAnswer = (): Promise<string> => answerOf({ signAssertion: false });

/** An answer that is taken, and what was made of it to be refused. */
type Forgery = { good: string; forged: string };

/** What is wrong, the word it is refused with, and the forgery. */
export type Fault = [what: string, reason: SamlFaultReason, make: () => Promise<Forgery>];

/** The provider itself answers differently. */
export const answeredWith = (options: AnswerOptions) => async (): Promise<Forgery> => ({
  good: await answerOf(),
  forged: await answerOf(options),
});

/** The provider signs the answer in another way. */
export const signedAs = (how: Signing) => async (): Promise<Forgery> => {
  const unsigned = await unsignedAnswer();
  return { good: sign(unsigned), forged: sign(unsigned, how) };
};

/** The provider signs a change. */
export const signedWith = (what: string | RegExp, by: string) => async (): Promise<Forgery> => {
  const unsigned = await unsignedAnswer();
  return { good: sign(unsigned), forged: sign(alter(unsigned, what, by)) };
};

/** Someone changes what the provider signed. */
export const forgedBy =
  (forge: (good: string) => string, options: AnswerOptions = {}) =>
  async (): Promise<Forgery> => {
    const good = await answerOf(options);
    return { good, forged: forge(good) };
  };

export const forgedWith = (what: string | RegExp, by: string) => forgedBy((good) => alter(good, what, by));

/** One test for each: the good answer is taken, so that it is the forger's change which is refused. */
export const itRefuses = (faults: Fault[]): void => {
  for (const [what, reason, make] of faults) {
    it(`${what}, as ${reason}`, async () => {
      const { good, forged } = await make();
      expect(finish(good)).toMatchObject({ kind: 'asserted' });
      expect(finish(forged)).toEqual({ kind: 'refused', reason });
    });
  }
};

/** The ID of the Assertion. */
export const idOf = (xml: string): string => pick(xml, /(?<=<saml:Assertion [^>]*ID=")[^"]+/);

export const ASSERTION = /<saml:Assertion.*<\/saml:Assertion>/s;
export const SIGNATURE = /<Signature.*?<\/Signature>/s;
