import { readCertificate, type SamlCertificate } from './certificate.ts';
import { BINDING, NAMESPACE } from './markup.ts';
import { refusable, refuse, type SamlRefused } from './outcome.ts';
import {
  attributeOf,
  childrenOf,
  isElementOf,
  listElements,
  onlyChild,
  parseXml,
  textOf,
  timeOf,
  type XmlElement,
} from './xml.ts';

/** In characters. The largest that are known, with every claim that a provider could ever make, have 100,000. */
const LONGEST_METADATA = 256 * 1024;

/** SAML Core, section 8.3.6. */
const LONGEST_ENTITY_ID = 1024;

/** What signing in at an identity provider takes. Both URLs are for redirects, by https or http. */
export type IdentityProviderMetadata = {
  entityId: string;
  ssoUrl: string;
  sloUrl: string | null;
  certificates: SamlCertificate[];
};

/**
 * Reads the metadata of one identity provider (SAML Metadata, section 2.4.3), given by someone who is trusted to: a
 * signature in it is not looked at.
 *
 * @param now in milliseconds.
 */
export const readIdpMetadata = (
  xml: string,
  now: number,
): ({ kind: 'read' } & IdentityProviderMetadata) | SamlRefused =>
  refusable(() => {
    if (xml.length > LONGEST_METADATA) refuse('size');
    if (/<!DOCTYPE/i.test(xml)) refuse('markup');
    // A byte order mark is what a file may begin with, XML not.
    const entity = parseXml(xml.replace(/^\uFEFF/, '').trim()) ?? refuse('xml');
    if (listElements(entity) === null) refuse('size');
    if (!isElementOf(entity, NAMESPACE.metadata, 'EntityDescriptor')) refuse('structure');
    const idp = onlyChild(entity, NAMESPACE.metadata, 'IDPSSODescriptor') ?? refuse('structure');
    for (const element of [entity, idp]) if (now >= (timeOf(element, 'validUntil') ?? Infinity)) refuse('expired');
    const entityId = attributeOf(entity, 'entityID') ?? refuse('entity_id');
    if (entityId.length > LONGEST_ENTITY_ID) refuse('entity_id');
    const ssoUrl = locationOf(idp, 'SingleSignOnService') ?? refuse('sso_url');
    const sloUrl = locationOf(idp, 'SingleLogoutService');
    if (!isUrl(ssoUrl)) refuse('sso_url');
    if (sloUrl !== null && !isUrl(sloUrl)) refuse('slo_url');
    return { kind: 'read', entityId, ssoUrl, sloUrl, certificates: certificatesOf(idp) };
  });

const locationOf = (idp: XmlElement, service: string): string | null => {
  const byRedirect = childrenOf(idp, NAMESPACE.metadata, service).find(
    (each) => attributeOf(each, 'Binding') === BINDING.redirect,
  );
  return byRedirect ? attributeOf(byRedirect, 'Location') : null;
};

/** Browsers are sent there, with a query behind it. */
const isUrl = (text: string): boolean => /^https?:\/\/[^#\s]+$/.test(text) && URL.canParse(text);

const certificatesOf = (idp: XmlElement): SamlCertificate[] => {
  const certificates = childrenOf(idp, NAMESPACE.metadata, 'KeyDescriptor')
    .filter((descriptor) => attributeOf(descriptor, 'use') !== 'encryption')
    .flatMap((descriptor) => childrenOf(descriptor, NAMESPACE.signature, 'KeyInfo'))
    .flatMap((keyInfo) => childrenOf(keyInfo, NAMESPACE.signature, 'X509Data'))
    .flatMap((data) => childrenOf(data, NAMESPACE.signature, 'X509Certificate'))
    .map((certificate) => readCertificate(textOf(certificate) ?? '') ?? refuse('certificate'));
  return certificates.length > 0 ? certificates : refuse('certificate');
};
