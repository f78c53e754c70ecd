import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  createSigningPair,
  readCertificate,
  readIdpMetadata,
  type SamlFaultReason,
  serviceProviderMetadata,
} from '../../../src/outside/identity-providers/saml.ts';
import { alter, idp, insert, pick } from '../../support/saml.ts';

const metadata = async () => (await fetch(`${idp.url}/metadata`)).text();

const read = (xml: string) => readIdpMetadata(xml, Date.now());

const derOf = (certificate: string) => certificate.replace(/-----.*?-----|\s/g, '');

const sameAs = (certificate: string) => {
  const { validTo } = new X509Certificate(certificate);
  return { pem: certificate, expiresAt: Date.parse(validTo) };
};

const KEY = /<KeyDescriptor.*<\/KeyDescriptor>/s;

describe('the metadata of an identity provider', () => {
  it('tells what signing in takes', async () => {
    expect(read(await metadata())).toEqual({
      kind: 'read',
      entityId: idp.entityId,
      ssoUrl: `${idp.url}/sso`,
      sloUrl: `${idp.url}/slo`,
      certificates: [sameAs(idp.keys.idp.certificate)],
    });
  });

  it('is read with comments, a declaration and a byte order mark', async () => {
    const xml = `\uFEFF<?xml version="1.0"?>\n<!-- of -->${await metadata()}<!-- idp -->\n`;
    expect(read(xml)).toMatchObject({ kind: 'read', entityId: idp.entityId });
  });

  it('may do without logging out', async () => {
    const xml = alter(await metadata(), /<SingleLogoutService.*?\/>/, '');
    expect(read(xml)).toMatchObject({ kind: 'read', sloUrl: null });
  });

  it('gives all certificates that sign, and none that encrypts', async () => {
    const xml = await metadata();
    const key = pick(xml, KEY);
    const ofEc = alter(key, derOf(idp.keys.idp.certificate), idp.keys.ec.certificate);
    const forBoth = alter(ofEc, ' use="signing"', '');
    const forEncryption = alter(alter(key, derOf(idp.keys.idp.certificate), 'none'), '"signing"', '"encryption"');
    expect(read(alter(xml, KEY, `${key}${forBoth}${forEncryption}`))).toMatchObject({
      certificates: [sameAs(idp.keys.idp.certificate), sameAs(idp.keys.ec.certificate)],
    });
  });

  it('is good until it says', async () => {
    const xml = alter(await metadata(), '<EntityDescriptor ', '<EntityDescriptor validUntil="2030-01-01T00:00:00Z" ');
    expect(readIdpMetadata(xml, Date.parse('2029-12-31T23:59:59Z'))).toMatchObject({ kind: 'read' });
    expect(readIdpMetadata(xml, Date.parse('2030-01-01T00:00:00Z'))).toEqual({ kind: 'refused', reason: 'expired' });
  });

  const forms: [string, SamlFaultReason, (xml: string) => string][] = [
    ['with a DTD', 'markup', (xml) => `<!DOCTYPE EntityDescriptor [<!ENTITY e "e">]>${xml}`],
    ['that is large', 'size', (xml) => `${xml}<!--${'a'.repeat(256 * 1024)}-->`],
    ['of thousands of elements', 'size', (xml) => insert(xml, '<IDPSSODescriptor', '<a/>'.repeat(6000))],
    ['that is no XML', 'xml', () => 'https://idp.example.com/metadata'],
    ['of something else', 'structure', (xml) => alter(xml, 'SAML:2.0:metadata', 'SAML:1.0:metadata')],
    ['of a service provider', 'structure', (xml) => xml.replaceAll('IDPSSODescriptor', 'SPSSODescriptor')],
    [
      'of a role that is over',
      'expired',
      (xml) => alter(xml, '<IDPSSODescriptor ', '<IDPSSODescriptor validUntil="2020-01-01T00:00:00Z" '),
    ],
    ['good until an unclear time', 'time', (xml) => alter(xml, 'r entityID', 'r validUntil="tomorrow" entityID')],
    ['without an entity ID', 'entity_id', (xml) => alter(xml, / entityID="[^"]+"/, '')],
    ['with a long entity ID', 'entity_id', (xml) => alter(xml, /(?<=entityID=")/, 'a'.repeat(1025))],
    ['without redirects', 'sso_url', (xml) => alter(xml, /<SingleSignOnService[^>]*HTTP-Redirect.*?\/>/, '')],
    [
      'with a script to go to',
      'sso_url',
      (xml) => alter(xml, /(?<=HTTP-Redirect" Location=")[^"]+(?=\/sso)/, 'javascript:'),
    ],
    ['with a script to log out at', 'slo_url', (xml) => alter(xml, /(?<=Location=")[^"]+(?=\/slo)/, 'javascript:')],
    ['with a part of a page to go to', 'sso_url', (xml) => alter(xml, /\/sso(?=")/, '/sso#here')],
    ['without certificates', 'certificate', (xml) => alter(xml, KEY, '')],
    ['with what is no certificate', 'certificate', (xml) => alter(xml, /(?<=<X509Certificate>)[^<]+/, 'MIIC')],
    [
      'with a weak certificate',
      'certificate',
      (xml) => alter(xml, /(?<=<X509Certificate>)[^<]+/, derOf(idp.keys.weak.certificate)),
    ],
  ];
  for (const [what, reason, change] of forms) {
    it(`is refused ${what}, as ${reason}`, async () => {
      const xml = await metadata();
      expect(read(xml)).toMatchObject({ kind: 'read' });
      expect(read(change(xml))).toEqual({ kind: 'refused', reason });
    });
  }
});

describe('a certificate', () => {
  it('is read from PEM and from base64', () => {
    const { certificate } = idp.keys.ec;
    expect(readCertificate(certificate)).toEqual(sameAs(certificate));
    expect(readCertificate(derOf(certificate))).toEqual(sameAs(certificate));
  });

  it('tells when it ends, also when that was long ago', async () => {
    const { certificate } = await createSigningPair('old', Date.parse('2006-06-12T12:00:00Z'));
    expect(readCertificate(certificate)?.expiresAt).toBe(Date.parse('2016-06-12T12:00:00Z'));
  });

  it('is none when it is a key, weak, empty or anything else', () => {
    for (const text of [idp.keys.idp.key, idp.keys.weak.certificate, '', 'hello', '-----BEGIN CERTIFICATE-----']) {
      expect(readCertificate(text)).toBeNull();
    }
  });
});

describe('the metadata of the service provider', () => {
  const us = { entityId: 'https://acme.example.com/saml?a&b', acsUrl: 'https://acme.example.com/acs', sloUrl: null };

  it('tells where answers go', () => {
    expect(serviceProviderMetadata({ ...us, signingCertificate: null })).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>' +
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://acme.example.com/saml?a&amp;b">' +
        '<md:SPSSODescriptor AuthnRequestsSigned="false" WantAssertionsSigned="true" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">' +
        '<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>' +
        '<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>' +
        '<md:AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://acme.example.com/acs" index="0" isDefault="true"/>' +
        '</md:SPSSODescriptor></md:EntityDescriptor>',
    );
  });

  it('tells with what requests are signed and where a logout ends', () => {
    const { certificate } = idp.keys.sp;
    const sloUrl = 'https://acme.example.com/slo';
    const xml = serviceProviderMetadata({ ...us, sloUrl, signingCertificate: certificate });
    expect(xml).toContain('AuthnRequestsSigned="true"');
    expect(xml).toContain(
      `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${derOf(certificate)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>` +
        `<md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="${sloUrl}"/>` +
        '<md:NameIDFormat>',
    );
  });
});
