import type { Assertion } from '../identity-provider.ts';
import { NAME_ID_FORMAT, NAMESPACE } from './markup.ts';
import { refuse } from './outcome.ts';
import {
  attributeOf,
  childElements,
  childrenOf,
  isElementOf,
  onlyChild,
  textOf,
  timeOf,
  type XmlElement,
} from './xml.ts';

/** By how much two clocks may differ. */
const LEEWAY_MS = 60_000;

/** In characters: what a person's name at a provider, an address or a part of a name may have. */
const LONGEST_VALUE = 255;

const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';

/** All conditions that are understood; with any other the assertion is not valid (SAML Core, section 2.5.1.1). */
const CONDITIONS = ['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction'];

const CLAIMS = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims';

/** The names that providers give their attributes, in lower case; the first that is there is taken. */
const ATTRIBUTES = {
  email: ['email', 'mail', 'emailaddress', 'urn:oid:0.9.2342.19200300.100.1.3', `${CLAIMS}/emailaddress`],
  givenName: ['givenname', 'firstname', 'urn:oid:2.5.4.42', `${CLAIMS}/givenname`],
  familyName: ['sn', 'surname', 'lastname', 'urn:oid:2.5.4.4', `${CLAIMS}/surname`],
} as const;

/** A person's name at the provider with all that a logout has to repeat (SAML Core, section 2.2.3). */
export type SamlNameId = {
  value: string;
  format: string | null;
  nameQualifier: string | null;
  spNameQualifier: string | null;
};

/** What the answer to a request has to say. `now` is in milliseconds. */
export type Expectation = {
  idp: { entityId: string };
  spEntityId: string;
  acsUrl: string;
  requestId: string;
  now: number;
};

/** An assertion that was made for us, now, in answer to this request. `expiresAt` is in milliseconds. */
export type ReadAssertion = {
  assertion: Assertion;
  assertionId: string;
  nameId: SamlNameId;
  sessionIndex: string | null;
  /** How the person proved who they are, e.g. `urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport`. */
  authnContext: string | null;
  expiresAt: number;
};

/** Reads a verified assertion (SAML Core, section 2.3.3, and SAML Profiles, section 4.1.4.3). */
export const readAssertion = (element: XmlElement, expected: Expectation): ReadAssertion => {
  if (attributeOf(element, 'Version') !== '2.0') refuse('version');
  if (issuerOf(element) !== expected.idp.entityId) refuse('issuer');
  const subject = onlyChild(element, NAMESPACE.assertion, 'Subject') ?? refuse('subject');
  const nameId = readNameId(subject);
  const expiresAt = checkConfirmation(subject, expected);
  checkConditions(element, expected);
  const statement = onlyChild(element, NAMESPACE.assertion, 'AuthnStatement') ?? refuse('authentication');
  checkEnd(timeOf(statement, 'SessionNotOnOrAfter'), expected.now);
  const attribute = createAttributes(element);
  // The attribute first: a name that only has the format of an address need not be a mailbox.
  const email = attribute(ATTRIBUTES.email) ?? (nameId.format === NAME_ID_FORMAT.email ? nameId.value : null);
  return {
    assertion: {
      subject: nameId.value,
      email,
      // SAML has no word for it. The provider is the authority for the domains of its connection, and for no other: that
      // the address is in one of them is for the caller to check.
      isEmailVerified: email !== null,
      givenName: attribute(ATTRIBUTES.givenName),
      familyName: attribute(ATTRIBUTES.familyName),
    },
    assertionId: attributeOf(element, 'ID') ?? refuse('structure'),
    nameId,
    sessionIndex: attributeOf(statement, 'SessionIndex'),
    authnContext: authnContextOf(statement),
    expiresAt,
  };
};

/** The issuer of a Response or an Assertion; null when it has none. */
export const issuerOf = (element: XmlElement): string | null => {
  const issuer = onlyChild(element, NAMESPACE.assertion, 'Issuer');
  return issuer && textOf(issuer);
};

const authnContextOf = (statement: XmlElement): string | null => {
  const context = onlyChild(statement, NAMESPACE.assertion, 'AuthnContext');
  const reference = context && onlyChild(context, NAMESPACE.assertion, 'AuthnContextClassRef');
  return reference && textOf(reference);
};

/** Whether a text can be stored and shown on one line. */
const isPlain = (text: string): boolean => text.length <= LONGEST_VALUE && !/\p{Cc}/u.test(text);

const readNameId = (subject: XmlElement): SamlNameId => {
  const element = onlyChild(subject, NAMESPACE.assertion, 'NameID') ?? refuse('subject');
  const value = textOf(element) ?? refuse('subject');
  const format = attributeOf(element, 'Format');
  if (!isPlain(value)) refuse('subject');
  // A name that is new at every sign-in names nobody.
  if (format === NAME_ID_FORMAT.transient) refuse('transient_name');
  return {
    value,
    format,
    nameQualifier: attributeOf(element, 'NameQualifier'),
    spNameQualifier: attributeOf(element, 'SPNameQualifier'),
  };
};

/** Gives the time from which on the assertion is refused. */
const checkConfirmation = (subject: XmlElement, { acsUrl, requestId, now }: Expectation): number => {
  const [bearer, ...others] = childrenOf(subject, NAMESPACE.assertion, 'SubjectConfirmation').filter(
    (confirmation) => attributeOf(confirmation, 'Method') === BEARER,
  );
  if (!bearer || others.length > 0) return refuse('confirmation');
  const data = onlyChild(bearer, NAMESPACE.assertion, 'SubjectConfirmationData') ?? refuse('confirmation');
  if (attributeOf(data, 'Recipient') !== acsUrl) refuse('recipient');
  if (attributeOf(data, 'InResponseTo') !== requestId) refuse('in_response_to');
  if (timeOf(data, 'NotBefore') !== null) refuse('confirmation');
  const end = timeOf(data, 'NotOnOrAfter') ?? refuse('confirmation');
  checkEnd(end, now);
  return end + LEEWAY_MS;
};

const checkConditions = (element: XmlElement, { spEntityId, now }: Expectation): void => {
  const conditions = onlyChild(element, NAMESPACE.assertion, 'Conditions') ?? refuse('conditions');
  const isKnown = (condition: XmlElement) =>
    CONDITIONS.some((name) => isElementOf(condition, NAMESPACE.assertion, name));
  if (!childElements(conditions).every(isKnown)) refuse('conditions');
  const restrictions = childrenOf(conditions, NAMESPACE.assertion, 'AudienceRestriction');
  const isForUs = (restriction: XmlElement) =>
    childrenOf(restriction, NAMESPACE.assertion, 'Audience').some((audience) => textOf(audience) === spEntityId);
  if (restrictions.length === 0 || !restrictions.every(isForUs)) refuse('audience');
  const start = timeOf(conditions, 'NotBefore');
  if (start !== null && now < start - LEEWAY_MS) refuse('not_yet_valid');
  checkEnd(timeOf(conditions, 'NotOnOrAfter'), now);
};

const checkEnd = (end: number | null, now: number): void => {
  if (end !== null && now >= end + LEEWAY_MS) refuse('expired');
};

const createAttributes = (element: XmlElement) => {
  const attributes = childrenOf(element, NAMESPACE.assertion, 'AttributeStatement').flatMap((statement) =>
    childrenOf(statement, NAMESPACE.assertion, 'Attribute'),
  );
  return (names: readonly string[]): string | null => {
    for (const name of names) {
      const attribute = attributes.find((each) => attributeOf(each, 'Name')?.toLowerCase() === name);
      const [first] = attribute ? childrenOf(attribute, NAMESPACE.assertion, 'AttributeValue') : [];
      const value = first ? textOf(first) : null;
      if (value !== null && isPlain(value)) return value;
    }
    return null;
  };
};
