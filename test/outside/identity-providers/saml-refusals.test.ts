import { describe, expect, it, vi } from 'vitest';
import {
  ASSERTION,
  alter,
  answeredWith,
  answerOf,
  encode,
  finish,
  finishEncoded,
  forgedBy,
  forgedWith,
  IN_RESPONSE,
  idp,
  insert,
  itRefuses,
  pick,
  sign,
  signedWith,
  unsignedAnswer,
} from '../../support/saml.ts';

describe('an answer that a provider did sign is refused', () => {
  itRefuses([
    ['of another issuer', 'issuer', answeredWith({ issuer: 'https://evil.example.com' })],
    [
      'whose Response is of another issuer',
      'issuer',
      forgedWith(/(?<=<saml:Issuer [^>]*>)[^<]+/, 'https://evil.example.com'),
    ],
    ['without an issuer of the Response', 'issuer', forgedWith(/<saml:Issuer xmlns.*?<\/saml:Issuer>/, '')],
    [
      'whose Assertion is of another issuer',
      'issuer',
      signedWith(/(?<=<saml:Issuer>)[^<]+/, 'https://evil.example.com'),
    ],
    ['sent to another place', 'destination', answeredWith({ destination: 'https://evil.example.com/acs' })],
    ['sent to no place', 'destination', forgedWith(/ Destination="[^"]+"/, '')],
    [
      'sent to us in another namespace alone',
      'destination',
      forgedWith(' Destination=', ' xmlns:x="urn:x" x:Destination='),
    ],
    ['for another recipient', 'recipient', answeredWith({ recipient: 'https://evil.example.com/acs' })],
    ['for no recipient', 'recipient', signedWith(/ Recipient="[^"]+"/, '')],
    ['for another audience', 'audience', answeredWith({ audience: 'https://evil.example.com' })],
    ['for no audience', 'audience', signedWith(/<saml:AudienceRestriction>.*<\/saml:AudienceRestriction>/, '')],
    [
      'for us, but only where another audience holds too',
      'audience',
      signedWith(
        '</saml:Conditions>',
        '<saml:AudienceRestriction><saml:Audience>urn:b</saml:Audience></saml:AudienceRestriction></saml:Conditions>',
      ),
    ],
    ['to another request', 'in_response_to', answeredWith({ inResponseTo: '_request-2' })],
    ['to no request', 'in_response_to', answeredWith({ inResponseTo: undefined })],
    [
      'whose Response is to another request',
      'in_response_to',
      forgedWith(/(?<=<samlp:Response [^>]*InResponseTo=")[^"]+/, '_request-2'),
    ],
    [
      'whose Assertion is to another request',
      'in_response_to',
      signedWith(/(?<=<saml:SubjectConfirmationData [^>]*InResponseTo=")[^"]+/, '_request-2'),
    ],
    ['whose Assertion is to no request', 'in_response_to', signedWith(/ InResponseTo="[^"]+"\/>/, '/>')],
    [
      'that says no',
      'status',
      answeredWith({ signResponse: true, samlStatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Responder' }),
    ],
    [
      'that says no and nothing else',
      'status',
      forgedBy((good) => alter(alter(good, /status:Success/, 'status:Requester'), ASSERTION, '')),
    ],
    [
      'that says yes in another namespace alone',
      'status',
      forgedWith(
        '<samlp:Status>',
        '<x:Status xmlns:x="urn:x"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></x:Status><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"/>',
      ),
    ],
    [
      'that says yes and no',
      'status',
      forgedWith(
        '</samlp:Status>',
        '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Responder"/></samlp:Status>',
      ),
    ],
    ['without a status', 'status', forgedWith(/<samlp:Status>.*<\/samlp:Status>/, '')],
    [
      'with an encrypted Assertion',
      'encrypted',
      answeredWith({
        encryptionPublicKey: idp.keys.sp.certificate,
        encryptionCert: idp.keys.sp.certificate,
        disallowEncryptionWithInsecureAlgorithm: true,
        encryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
      }),
    ],
    [
      'with an encrypted name',
      'encrypted',
      signedWith(/<saml:NameID.*<\/saml:NameID>/, '<saml:EncryptedID></saml:EncryptedID>'),
    ],
    ['without a subject', 'subject', signedWith(/<saml:Subject>.*<\/saml:Subject>/, '')],
    ['without a name', 'subject', signedWith(/<saml:NameID.*<\/saml:NameID>/, '')],
    ['with an empty name', 'subject', signedWith('>ada<', '> <')],
    ['with a name of two parts', 'subject', signedWith('>ada<', '>ada<saml:Issuer/><')],
    [
      'with two names',
      'subject',
      signedWith(/<saml:NameID.*<\/saml:NameID>/, '<saml:NameID>a</saml:NameID>'.repeat(2)),
    ],
    ['with a name for this once', 'transient_name', signedWith('nameid-format:persistent', 'nameid-format:transient')],
    ['with a name of two lines', 'subject', signedWith('>ada<', '>a\nda<')],
    ['with a name of another namespace', 'subject', signedWith('<saml:NameID ', '<saml:NameID xmlns:saml="urn:x" ')],
    ['with a name of 256 characters', 'subject', signedWith('>ada<', `>${'a'.repeat(256)}<`)],
    ['that no bearer may bring', 'confirmation', signedWith('cm:bearer', 'cm:holder-of-key')],
    [
      'that two bearers may bring',
      'confirmation',
      async () => {
        const unsigned = await unsignedAnswer();
        const confirmation = pick(unsigned, /<saml:SubjectConfirmation .*<\/saml:SubjectConfirmation>/);
        return { good: sign(unsigned), forged: sign(insert(unsigned, '</saml:Subject>', confirmation)) };
      },
    ],
    ['without a word on its bearer', 'confirmation', signedWith(/<saml:SubjectConfirmationData .*?\/>/, '')],
    [
      'whose bearer has to wait',
      'confirmation',
      signedWith('<saml:SubjectConfirmationData ', '<saml:SubjectConfirmationData NotBefore="2020-01-01T00:00:00Z" '),
    ],
    [
      'whose bearer has for ever',
      'confirmation',
      signedWith(/(?<=<saml:SubjectConfirmationData) NotOnOrAfter="[^"]+"/, ''),
    ],
    [
      'whose bearer came too late',
      'expired',
      signedWith(/(?<=<saml:SubjectConfirmationData NotOnOrAfter=")[^"]+/, '2020-01-01T00:00:00Z'),
    ],
    [
      'whose Conditions are over',
      'expired',
      signedWith(/(?<=Conditions [^>]*NotOnOrAfter=")[^"]+/, '2020-01-01T00:00:00Z'),
    ],
    ['whose Conditions are to come', 'not_yet_valid', signedWith(/(?<=NotBefore=")[^"]+/, '2120-01-01T00:00:00Z')],
    ['without Conditions', 'conditions', signedWith(/<saml:Conditions.*<\/saml:Conditions>/, '')],
    [
      'with a condition that is not understood',
      'conditions',
      signedWith('</saml:Conditions>', '<saml:Condition/></saml:Conditions>'),
    ],
    ['with a time that has no zone', 'time', signedWith(/(?<=NotBefore="[^"]+)Z/, '')],
    ['with a day that does not exist', 'time', signedWith(/(?<=NotBefore=")[^"]+/, '2026-13-01T00:00:00Z')],
    [
      'of someone who did not sign in',
      'authentication',
      signedWith(/<saml:AuthnStatement.*<\/saml:AuthnStatement>/, ''),
    ],
    [
      'of a session that is over',
      'expired',
      signedWith('<saml:AuthnStatement ', '<saml:AuthnStatement SessionNotOnOrAfter="2020-01-01T00:00:00Z" '),
    ],
    ['of SAML 1.1', 'version', forgedWith(/(?<=<samlp:Response [^>]*Version=")2.0/, '1.1')],
    ['with an Assertion of SAML 1.1', 'version', signedWith(/(?<=<saml:Assertion [^>]*Version=")2.0/, '1.1')],
    [
      'with an Assertion that cannot be remembered',
      'structure',
      async () => {
        const unsigned = await unsignedAnswer();
        const without = alter(unsigned, /(?<=<saml:Assertion [^>]*) ID="[^"]+"/, '');
        const how = { element: IN_RESPONSE.response };
        return { good: sign(unsigned, how), forged: sign(without, how) };
      },
    ],
  ]);
});

describe('a text that is no answer is refused', () => {
  itRefuses([
    ['with a comment in the name', 'markup', forgedWith('>ada<', '>a<!-- -->da<')],
    [
      'with a comment that cuts a signed name short',
      'markup',
      forgedBy((good) => alter(good, '>ada.evil<', '>ada<!---->.evil<'), { nameId: 'ada.evil' }),
    ],
    ['with a processing instruction in the name', 'markup', forgedWith('>ada<', '>a<?x y?>da<')],
    ['with characters that are not markup', 'markup', forgedWith('>ada<', '><![CDATA[ada]]><')],
    ['with a DTD', 'markup', forgedBy((good) => `<!DOCTYPE samlp:Response>${good}`)],
    [
      'with an entity of its own',
      'markup',
      forgedBy((good) => `<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]>${alter(good, '>ada<', '>&e;<')}`),
    ],
    [
      'with entities that grow',
      'markup',
      forgedBy(
        (good) => `<!DOCTYPE r [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]>${alter(good, '>ada<', '>&b;<')}`,
      ),
    ],
    ['with a comment in its digest', 'markup', forgedWith(/(?<=<DigestValue>.)/, '<!---->')],
    ['with a style sheet', 'markup', forgedBy((good) => `<?xml-stylesheet href="urn:x"?>${good}`)],
    [
      'with a declaration that hides a DTD',
      'markup',
      forgedBy((good) => `<?xml version="1.0"?><!DOCTYPE r><?xml version="1.0"?>${good}`),
    ],
    ['with an entity that nobody declared', 'xml', forgedWith('>ada<', '>&ada;<')],
    ['with a second root', 'xml', forgedBy((good) => `${good}<samlp:Response/>`)],
    ['with an attribute twice', 'xml', forgedWith(/ Version="2.0"/, ' Version="2.0" Version="2.0"')],
    ['with an element that does not end', 'xml', forgedWith('</samlp:Response>', '')],
    ['with a prefix that nobody declared', 'xml', forgedWith('<samlp:Status>', '<x:a/><samlp:Status>')],
    ['with such a prefix at an attribute', 'xml', forgedWith('<samlp:Status>', '<samlp:Status x:a="">')],
    ['with nothing in it', 'xml', forgedBy(() => '')],
    ['with words alone', 'xml', forgedBy(() => 'hello')],
    ['with another message', 'structure', forgedWith(/samlp:Response/g, 'samlp:LogoutResponse')],
    ['in another namespace', 'structure', forgedWith('SAML:2.0:protocol', 'SAML:1.0:protocol')],
    ['without an Assertion', 'structure', forgedWith(ASSERTION, '')],
    ['with more than a million characters', 'size', forgedWith('>ada<', `>${'a'.repeat(1_000_000)}<`)],
    ['of ten thousand elements', 'size', forgedWith('</samlp:Status>', `${'<a/>'.repeat(10_000)}</samlp:Status>`)],
    [
      'of a hundred elements, one in the other',
      'size',
      forgedWith('</samlp:Status>', `${'<a>'.repeat(100)}${'</a>'.repeat(100)}</samlp:Status>`),
    ],
  ]);

  it('with very many attributes, as size', async () => {
    const xml = await answerOf();
    const attributes = Array.from({ length: 6000 }, (_, index) => ` a${index}=""`);
    const few = (xml: string, count: number) =>
      insert(xml, '</samlp:Status>', `<a${attributes.slice(0, count).join('')}/>`);
    expect(finish(few(xml, 100))).toMatchObject({ kind: 'asserted' });
    expect(finish(few(xml, 6000))).toEqual({ kind: 'refused', reason: 'size' });
  });

  it('when it is cut off or no base64', async () => {
    const encoded = encode(await answerOf());
    expect(finishEncoded(encoded)).toMatchObject({ kind: 'asserted' });
    expect(finishEncoded(encoded.slice(0, -100))).toEqual({ kind: 'refused', reason: 'xml' });
    expect(finishEncoded(encoded.slice(0, 4 * 100 + 1))).toEqual({ kind: 'refused', reason: 'encoding' });
    expect(finishEncoded(`%${encoded}`)).toEqual({ kind: 'refused', reason: 'encoding' });
    expect(finishEncoded('')).toEqual({ kind: 'refused', reason: 'xml' });
  });

  it('when its bytes are no UTF-8', async () => {
    const bytes = new TextEncoder().encode(await answerOf());
    expect(finishEncoded(bytes.toBase64())).toMatchObject({ kind: 'asserted' });
    const wide = Uint8Array.from([...bytes].flatMap((byte) => [byte, 0]));
    for (const other of [
      [...bytes, 0xff],
      [0xff, 0xfe, ...wide],
    ]) {
      expect(finishEncoded(Uint8Array.from(other).toBase64())).toEqual({ kind: 'refused', reason: 'encoding' });
    }
  });

  it('without a word in the console', async () => {
    const levels = ['log', 'info', 'warn', 'error', 'debug'] as const;
    const spies = levels.map((level) => vi.spyOn(console, level));
    const xml = await answerOf();
    for (const text of [
      xml,
      `${xml}<a/>`,
      xml.slice(0, -20),
      alter(xml, '>ada<', '>&ada;<'),
      alter(xml, '>ada<', '>eve<'),
    ])
      finish(text);
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});
