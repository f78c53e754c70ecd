import { describe, expect, it } from 'vitest';
import {
  ALGORITHM,
  alter,
  answerOf,
  EXPECTED,
  encode,
  finish,
  finishEncoded,
  idp,
  pick,
  sign,
  unsignedAnswer,
} from '../../support/saml.ts';

const MINUTE_MS = 60_000;

const asAda = { kind: 'asserted', assertion: { subject: 'ada', email: 'ada@example.com' } };

const persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
const emailAddress = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';
const claims = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims';

describe('an answer of a SAML identity provider', () => {
  it('tells who signed in, what a logout takes, and until when it has to be remembered', async () => {
    const xml = await answerOf();
    const end = Date.parse(pick(xml, /(?<=<saml:SubjectConfirmationData NotOnOrAfter=")[^"]+/));
    expect(finish(xml)).toEqual({
      kind: 'asserted',
      assertion: {
        subject: 'ada',
        email: 'ada@example.com',
        isEmailVerified: true,
        givenName: 'Ada',
        familyName: 'Lovelace',
      },
      assertionId: pick(xml, /(?<=<saml:Assertion [^>]*ID=")[^"]+/),
      nameId: { value: 'ada', format: persistent, nameQualifier: null, spNameQualifier: null },
      sessionIndex: 'session-1',
      authnContext: 'urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified',
      expiresAt: end + MINUTE_MS,
    });
  });

  const forms: [string, () => Promise<string>][] = [
    ['the Response signed', () => answerOf({ signResponse: true, signAssertion: false })],
    ['both signed', () => answerOf({ signResponse: true })],
    ['a prefix in its signature', () => answerOf({ signatureNamespacePrefix: 'ds' })],
    ['SHA-384', async () => sign(await unsignedAnswer(), { digestAlgorithm: ALGORITHM.sha384 })],
    ['SHA-512', async () => sign(await unsignedAnswer(), sha512)],
    ['an XML declaration', async () => `<?xml version="1.0" encoding="UTF-8"?>\n${await answerOf()}`],
    ['white space between its elements', async () => sign(alter(await unsignedAnswer(), /></g, '>\n  <'))],
    ['a namespace that is told on top', async () => alter(await answerOf(), / ID="/, ' xmlns:x="urn:x" ID="')],
    ['other quotes around its values', async () => alter(await answerOf(), /Version="2.0"/g, "Version = '2.0'")],
    ['numbers for its characters', async () => alter(await answerOf(), '>ada<', '>&#x61;d&#97;<')],
    ['several audiences', () => answerOf({ audience: ['https://other.example.com', EXPECTED.spEntityId] })],
    ['no time in its Conditions', async () => sign(alter(await unsignedAnswer(), CONDITION_TIMES, ''))],
  ];
  for (const [what, make] of forms) {
    it(`is taken with ${what}`, async () => {
      expect(finish(await make())).toMatchObject(asAda);
    });
  }

  it('is taken in lines of base64', async () => {
    expect(finishEncoded(encode(await answerOf()).replace(/.{76}/g, '$&\r\n'))).toMatchObject(asAda);
  });

  it('is taken with whichever of the certificates it is signed', async () => {
    const certificates = [idp.keys.stranger.certificate, idp.keys.idp.certificate];
    const expected = { idp: { entityId: idp.entityId, certificates } };
    expect(finish(await answerOf(), expected)).toMatchObject(asAda);
    expect(
      finish(await answerOf({ cert: idp.keys.stranger.certificate, key: idp.keys.stranger.key }), expected),
    ).toMatchObject(asAda);
  });

  it('is taken with a signature by ECDSA', async () => {
    const xml = sign(await unsignedAnswer(), { keys: idp.keys.ec, signatureAlgorithm: ALGORITHM.ecdsaSha256 });
    const certificates = [idp.keys.ec.certificate];
    expect(finish(xml, { idp: { entityId: idp.entityId, certificates } })).toMatchObject(asAda);
    expect(finish(xml)).toEqual({ kind: 'refused', reason: 'signature' });
  });

  it('is taken by clocks that differ by less than a minute', async () => {
    const xml = await answerOf();
    const start = Date.parse(pick(xml, /(?<=NotBefore=")[^"]+/));
    const end = Date.parse(pick(xml, /(?<=NotOnOrAfter=")[^"]+/));
    expect(finish(xml, { now: start - MINUTE_MS })).toMatchObject(asAda);
    expect(finish(xml, { now: start - MINUTE_MS - 1 })).toEqual({ kind: 'refused', reason: 'not_yet_valid' });
    expect(finish(xml, { now: end + MINUTE_MS - 1 })).toMatchObject(asAda);
    expect(finish(xml, { now: end + MINUTE_MS })).toEqual({ kind: 'refused', reason: 'expired' });
  });
});

const sha512 = { signatureAlgorithm: ALGORITHM.rsaSha512, digestAlgorithm: ALGORITHM.sha512 };
const CONDITION_TIMES = /(?<=<saml:Conditions) NotBefore="[^"]+" NotOnOrAfter="[^"]+"/;

describe('a person of a SAML identity provider', () => {
  const names: [string, Record<string, string | string[]>][] = [
    ['short names', { mail: 'a@b.example', givenName: 'Ada', sn: 'King' }],
    ['long names in any case', { EmailAddress: 'a@b.example', FirstName: 'Ada', LastName: 'King' }],
    ['object identifiers', oids('a@b.example', 'Ada', 'King')],
    [
      'claims',
      { [`${claims}/emailaddress`]: 'a@b.example', [`${claims}/givenname`]: 'Ada', [`${claims}/surname`]: 'King' },
    ],
    ['several values', { email: ['a@b.example', 'b@b.example'], givenName: ['Ada', 'Augusta'], sn: ['King', 'Byron'] }],
  ];
  for (const [what, attributes] of names) {
    it(`is read from attributes with ${what}`, async () => {
      expect(finish(await answerOf({ attributes }))).toMatchObject({
        assertion: { subject: 'ada', email: 'a@b.example', givenName: 'Ada', familyName: 'King' },
      });
    });
  }

  it('has the address that is their name when no attribute tells another', async () => {
    const name = { nameId: 'ada@example.com', nameIdFormat: emailAddress };
    expect(finish(await answerOf({ ...name, attributes: { givenName: 'Ada' } }))).toMatchObject({
      assertion: { subject: 'ada@example.com', email: 'ada@example.com', isEmailVerified: true },
    });
    expect(finish(await answerOf({ ...name, attributes: { mail: 'box@example.com' } }))).toMatchObject({
      assertion: { subject: 'ada@example.com', email: 'box@example.com' },
    });
  });

  it('has no address when there is none, however their name looks', async () => {
    const options = { nameId: 'ada@example.com', nameIdFormat: persistent, attributes: { groups: ['a', 'b'] } };
    expect(finish(await answerOf(options))).toMatchObject({
      assertion: { email: null, isEmailVerified: false, givenName: null, familyName: null },
    });
  });

  it('has no attribute that is too long or anything but text', async () => {
    const long = await answerOf({ attributes: { email: `${'a'.repeat(256)}@b.example`, mail: 'a@b.example' } });
    expect(finish(long)).toMatchObject({ assertion: { email: 'a@b.example' } });
    const nested = sign(alter(await unsignedAnswer(), 'ada@example.com', '<saml:NameID>ada@example.com</saml:NameID>'));
    expect(finish(nested)).toMatchObject({ assertion: { email: null } });
  });

  it('has no name of two lines', async () => {
    const xml = await answerOf({ attributes: { givenName: 'Ada\tKing', firstName: 'Ada', sn: 'King\tByron' } });
    expect(finish(xml)).toMatchObject({ assertion: { givenName: 'Ada', familyName: null } });
  });

  it('proved who they are as the provider says, or it does not say', async () => {
    const authnContextClassRef = 'urn:oasis:names:tc:SAML:2.0:ac:classes:X509';
    expect(finish(await answerOf({ authnContextClassRef }))).toMatchObject({ authnContext: authnContextClassRef });
    const without = sign(alter(await unsignedAnswer(), /<saml:AuthnContext>.*<\/saml:AuthnContext>/, ''));
    expect(finish(without)).toMatchObject({ kind: 'asserted', authnContext: null });
  });

  it('keeps the qualifiers of their name', async () => {
    const xml = sign(
      alter(await unsignedAnswer(), '<saml:NameID ', '<saml:NameID NameQualifier="a" SPNameQualifier="b" '),
    );
    expect(finish(xml)).toMatchObject({ nameId: { nameQualifier: 'a', spNameQualifier: 'b' } });
  });
});

function oids(mail: string, givenName: string, sn: string) {
  return { 'urn:oid:0.9.2342.19200300.100.1.3': mail, 'urn:oid:2.5.4.42': givenName, 'urn:oid:2.5.4.4': sn };
}
