import { createVerify, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  createSigningPair,
  importSigningKey,
  readCertificate,
  readIdpMetadata,
  startSamlLogin,
  startSamlLogout,
} from '../../../src/outside/identity-providers/saml.ts';
import { EXPECTED, finishEncoded, idp, pick } from '../../support/saml.ts';

const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256' };

const derOf = (pem: string) => Uint8Array.fromBase64(pem.replace(/-----.*?-----|\s/g, ''));

const privateKeyOf = (pem: string, algorithm: typeof RSA | typeof ECDSA) =>
  crypto.subtle.importKey('pkcs8', derOf(pem), algorithm, false, ['sign']);

const request = {
  spEntityId: EXPECTED.spEntityId,
  requestId: EXPECTED.requestId,
  relayState: 'state/1+2=',
  signingKey: null,
  now: Date.parse('2026-11-21T07:00:00Z'),
};

const login = { ...request, idp: { ssoUrl: `${idp.url}/sso` }, acsUrl: EXPECTED.acsUrl };

const messageOf = async (url: string): Promise<string> => {
  const bytes = Uint8Array.fromBase64(new URL(url).searchParams.get('SAMLRequest') ?? '');
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'))).text();
};

const fieldOf = (form: string, name: string) => pick(form, new RegExp(`(?<=name="${name}"\\s+value=")[^"]+`));

describe('a request to sign in', () => {
  it('says who asks for what', async () => {
    const url = await startSamlLogin({ ...login, idp: { ssoUrl: 'https://idp.example.com/sso' } });
    expect(url).toMatch(/^https:\/\/idp\.example\.com\/sso\?SAMLRequest=[^&]+&RelayState=state%2F1%2B2%3D$/);
    expect(await messageOf(url)).toBe(
      '<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"' +
        ' ID="_request-1" Version="2.0" IssueInstant="2026-11-21T07:00:00.000Z" Destination="https://idp.example.com/sso"' +
        ' AssertionConsumerServiceURL="https://acme.example.com/v1/auth/saml/acs"' +
        ' ProtocolBinding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST">' +
        '<saml:Issuer>https://acme.example.com/saml</saml:Issuer>' +
        '<samlp:NameIDPolicy AllowCreate="true"/></samlp:AuthnRequest>',
    );
  });

  it('escapes what would be markup, and keeps the query of the provider’s URL', async () => {
    const idp = { ssoUrl: 'https://idp.example.com/sso?a="b"&c=<d>' };
    const url = await startSamlLogin({ ...login, idp, spEntityId: 'urn:a&<b>' });
    expect(url).toContain('&c=<d>&SAMLRequest=');
    const message = await messageOf(url);
    expect(message).toContain('Destination="https://idp.example.com/sso?a=&quot;b&quot;&amp;c=&lt;d&gt;"');
    expect(message).toContain('<saml:Issuer>urn:a&amp;&lt;b&gt;</saml:Issuer>');
  });

  it('goes where the provider’s metadata says, and comes back by a form whose answer is taken', async () => {
    const now = Date.now();
    const metadata = readIdpMetadata(await (await fetch(`${idp.url}/metadata`)).text(), now);
    if (metadata.kind === 'refused') throw new Error(metadata.reason);
    const form = await (await fetch(await startSamlLogin({ ...login, idp: metadata, now }))).text();
    expect(form).toContain(`action="${EXPECTED.acsUrl}"`);
    expect(fieldOf(form, 'RelayState')).toBe(request.relayState);
    const samlResponse = fieldOf(form, 'SAMLResponse');
    const answered = { entityId: metadata.entityId, certificates: metadata.certificates.map(({ pem }) => pem) };
    const outcome = finishEncoded(samlResponse, { idp: answered });
    expect(outcome).toMatchObject({ kind: 'asserted', assertion: { subject: 'ada', email: 'ada@example.com' } });
    // Brought twice it is told by its ID: to refuse it is for whoever remembers.
    expect(finishEncoded(samlResponse, { idp: answered })).toEqual(outcome);
    expect(finishEncoded(samlResponse, { idp: answered, requestId: '_request-2' })).toEqual({
      kind: 'refused',
      reason: 'in_response_to',
    });
  });

  it('is taken by a provider that wants it signed, with the right key alone', async () => {
    const signed = { ...login, idp: { ssoUrl: `${idp.url}/sso/signed` } };
    const statusWith = async (key: string | null) => {
      const signingKey = key && (await privateKeyOf(key, RSA));
      return (await fetch(await startSamlLogin({ ...signed, signingKey: signingKey || null }))).status;
    };
    expect(await statusWith(idp.keys.sp.key)).toBe(200);
    expect(await statusWith(idp.keys.stranger.key)).toBe(400);
    expect(await statusWith(null)).toBe(400);
  });

  it('is signed by ECDSA, over the query as it is sent', async () => {
    const url = await startSamlLogin({ ...login, signingKey: await privateKeyOf(idp.keys.ec.key, ECDSA) });
    const [, content = '', signature = ''] = /\?(.*)&Signature=(.*)$/.exec(url) ?? [];
    expect(content).toMatch(/^SAMLRequest=[^&]+&RelayState=[^&]+&SigAlg=[^&]+%23ecdsa-sha256$/);
    const spki = new X509Certificate(idp.keys.ec.certificate).publicKey.export({ type: 'spki', format: 'der' });
    const key = await crypto.subtle.importKey('spki', spki, ECDSA, false, ['verify']);
    const bytes = Uint8Array.fromBase64(decodeURIComponent(signature));
    const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
    expect(await crypto.subtle.verify(algorithm, key, bytes, new TextEncoder().encode(content))).toBe(true);
  });
});

describe('a pair to sign requests with', () => {
  const now = Date.parse('2026-11-21T07:00:00Z');

  it('has a certificate of its own key that lasts ten years', async () => {
    const { certificate } = await createSigningPair('acme.example.com', now);
    const read = new X509Certificate(certificate);
    expect(read).toMatchObject({ subject: 'CN=acme.example.com', issuer: 'CN=acme.example.com' });
    expect(read.verify(read.publicKey)).toBe(true);
    expect(Date.parse(read.validFrom)).toBe(now);
    expect(readCertificate(certificate)).toEqual({ pem: certificate, expiresAt: Date.parse('2036-11-21T07:00:00Z') });
  });

  it('outlasts the years that have two digits', async () => {
    const { certificate } = await createSigningPair('acme.example.com', Date.parse('2045-01-01T00:00:00Z'));
    expect(readCertificate(certificate)?.expiresAt).toBe(Date.parse('2055-01-01T00:00:00Z'));
  });

  it('is another each time', async () => {
    const pairs = await Promise.all([createSigningPair('acme', now), createSigningPair('acme', now + 1)]);
    const [first, second] = pairs.map(({ certificate }) => new X509Certificate(certificate));
    expect(first?.serialNumber).not.toBe(second?.serialNumber);
    expect(first?.publicKey.export({ type: 'spki', format: 'der' })).not.toEqual(
      second?.publicKey.export({ type: 'spki', format: 'der' }),
    );
  });

  it('signs what its certificate verifies', async () => {
    const { privateKey, certificate } = await createSigningPair('acme.example.com', now);
    const url = await startSamlLogin({ ...login, signingKey: await importSigningKey(privateKey) });
    const [, content = '', signature = ''] = /\?(.*)&Signature=(.*)$/.exec(url) ?? [];
    expect(content).toContain('%23rsa-sha256');
    const verifier = createVerify('sha256').update(content);
    expect(verifier.verify(certificate, decodeURIComponent(signature), 'base64')).toBe(true);
  });
});

describe('a request to log out', () => {
  const nameId = { value: 'ada', format: 'urn:f', nameQualifier: 'urn:n', spNameQualifier: null };
  const logout = { ...request, idp: { sloUrl: `${idp.url}/slo` }, nameId, sessionIndex: 'session-1' };

  it('names the person as the provider did', async () => {
    const message = await messageOf(await startSamlLogout({ ...logout, nameId: { ...nameId, value: 'a&b' } }));
    expect(message).toMatch(
      /^<samlp:LogoutRequest .* ID="_request-1" .* Destination="http:\/\/127\.0\.0\.1:\d+\/slo">/,
    );
    expect(message).toContain('<saml:NameID NameQualifier="urn:n" Format="urn:f">a&amp;b</saml:NameID>');
    expect(message).toContain('</saml:NameID><samlp:SessionIndex>session-1</samlp:SessionIndex></samlp:LogoutRequest>');
  });

  it('does without a session that was not told', async () => {
    expect(await messageOf(await startSamlLogout({ ...logout, sessionIndex: null }))).not.toContain('SessionIndex');
  });

  it('is taken by the provider when it is signed', async () => {
    const signingKey = await privateKeyOf(idp.keys.sp.key, RSA);
    const response = await fetch(await startSamlLogout({ ...logout, signingKey }), { redirect: 'manual' });
    expect(response.status).toBe(302);
    const location = new URL(response.headers.get('Location') ?? '');
    expect(location.searchParams.get('SAMLResponse')).not.toBeNull();
    expect(location.searchParams.get('RelayState')).toBe(request.relayState);
    expect((await fetch(await startSamlLogout(logout), { redirect: 'manual' })).status).toBe(400);
  });
});
