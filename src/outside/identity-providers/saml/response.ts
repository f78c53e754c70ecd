import { type Expectation, issuerOf, type ReadAssertion, readAssertion } from './assertion.ts';
import { NAMESPACE } from './markup.ts';
import { refusable, refuse, type SamlRefused } from './outcome.ts';
import { verifySignature } from './signature.ts';
import {
  attributeOf,
  childrenOf,
  isElementOf,
  isNamedByNothing,
  listElements,
  onlyChild,
  parseXml,
  type XmlElement,
} from './xml.ts';

/** In characters of base64. Providers that tell of hundreds of groups come to a tenth of it. */
const LONGEST_RESPONSE = 256 * 1024;

const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success';

/**
 * What became of an identity provider's answer. An asserted one is good once: `assertionId` is to be remembered until
 * `expiresAt` (milliseconds), after which the assertion would be refused as expired.
 */
export type SamlOutcome = ({ kind: 'asserted' } & ReadAssertion) | SamlRefused;

type SamlAnswer = Expectation & {
  /** The form field `SAMLResponse`, as it was posted. */
  samlResponse: string;
  /** The certificates in PEM, as `readCertificate` gives them: the key of whichever signed. */
  idp: { entityId: string; certificates: readonly string[] };
};

/**
 * Reads the answer that a browser posted (SAML Bindings, section 3.5; SAML Profiles, section 4.1.4). Either the Response
 * or its Assertion has to be signed, and nothing is said of the person that is not. Unsolicited answers are refused.
 */
export const finishSamlLogin = ({ samlResponse, ...expected }: SamlAnswer): SamlOutcome =>
  refusable(() => {
    const xml = decode(samlResponse);
    const { response, assertion } = verifyAnswer(xml, expected.idp.certificates);
    if (attributeOf(response, 'Version') !== '2.0') refuse('version');
    if (issuerOf(response) !== expected.idp.entityId) refuse('issuer');
    if (attributeOf(response, 'Destination') !== expected.acsUrl) refuse('destination');
    if (attributeOf(response, 'InResponseTo') !== expected.requestId) refuse('in_response_to');
    return { kind: 'asserted', ...readAssertion(assertion, expected) };
  });

const decode = (samlResponse: string): string => {
  if (samlResponse.length > LONGEST_RESPONSE) refuse('size');
  try {
    // Encoders break base64 into lines.
    const bytes = Uint8Array.fromBase64(samlResponse.replace(/\s/g, ''));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return refuse('encoding');
  }
};

/** The Response and its Assertion, from what was signed of them. */
const verifyAnswer = (
  xml: string,
  certificates: readonly string[],
): { response: XmlElement; assertion: XmlElement } => {
  // No DTD, no entity of its own, no comment or processing instruction that could cut a text in two, no CDATA.
  if (/<[!?]/.test(xml.replace(/^<\?xml [^<>]*\?>/, ''))) refuse('markup');
  const response = parseXml(xml) ?? refuse('xml');
  if (!isElementOf(response, NAMESPACE.protocol, 'Response')) refuse('structure');
  // Before the signature, because not every provider signs a no.
  if (statusOf(response) !== SUCCESS) refuse('status');
  const elements = listElements(response) ?? refuse('size');
  if (elements.some(isNamedByNothing)) refuse('xml');
  if (elements.some(({ localName }) => localName.startsWith('Encrypted'))) refuse('encrypted');
  // Signature wrapping takes a second one somewhere, of whatever namespace.
  for (const name of ['Response', 'Assertion']) {
    const [, second] = elements.filter(({ localName }) => localName === name);
    if (second) refuse('wrapped');
  }
  const assertion = onlyChild(response, NAMESPACE.assertion, 'Assertion') ?? refuse('structure');

  const signed = [response, assertion].flatMap((element) => {
    const [signature] = childrenOf(element, NAMESPACE.signature, 'Signature');
    return signature ? [{ element, signature }] : [];
  });
  const signatures = elements.filter((element) => isElementOf(element, NAMESPACE.signature, 'Signature'));
  if (signatures.length !== signed.length) refuse('misplaced_signature');
  const [outer] = signed.map(({ element, signature }) => verifySignature(xml, element, signature, certificates));
  if (!outer) return refuse('unsigned');
  if (isElementOf(outer, NAMESPACE.assertion, 'Assertion')) return { response, assertion: outer };
  return { response: outer, assertion: onlyChild(outer, NAMESPACE.assertion, 'Assertion') ?? refuse('structure') };
};

const statusOf = (response: XmlElement): string | null => {
  const status = onlyChild(response, NAMESPACE.protocol, 'Status');
  const code = status && onlyChild(status, NAMESPACE.protocol, 'StatusCode');
  return code && attributeOf(code, 'Value');
};
