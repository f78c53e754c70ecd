import type { SamlNameId } from './assertion.ts';
import { BINDING, escapeXml, NAMESPACE, writeAttributes } from './markup.ts';

/**
 * A request to an identity provider. `requestId` is new for each and begins with a letter or underscore (it is an xs:ID);
 * `relayState` comes back with the answer, has at most 80 bytes, and may be empty; `now` is in milliseconds. The key, where there is one,
 * is RSASSA-PKCS1-v1_5 with SHA-256 or ECDSA.
 */
type SamlRequest = {
  spEntityId: string;
  requestId: string;
  relayState: string;
  signingKey: CryptoKey | null;
  now: number;
};

/** The URL at the identity provider that a browser is sent to for signing in (SAML Profiles, section 4.1.4.1). */
export const startSamlLogin = ({
  idp: { ssoUrl },
  acsUrl,
  ...request
}: SamlRequest & { idp: { ssoUrl: string }; acsUrl: string }): Promise<string> =>
  // Nothing is asked for that a provider might not have: how it names people is agreed on beforehand, in its settings.
  writeUrl(ssoUrl, request, 'AuthnRequest', '<samlp:NameIDPolicy AllowCreate="true"/>', {
    AssertionConsumerServiceURL: acsUrl,
    ProtocolBinding: BINDING.post,
  });

/**
 * The URL at the identity provider that a browser is sent to for ending its session there (SAML Profiles, section 4.4.4.1),
 * with what the assertion said of it.
 */
export const startSamlLogout = ({
  idp: { sloUrl },
  nameId: { value, format, nameQualifier, spNameQualifier },
  sessionIndex,
  ...request
}: SamlRequest & {
  idp: { sloUrl: string };
  nameId: SamlNameId;
  sessionIndex: string | null;
}): Promise<string> => {
  const attributes = writeAttributes({
    NameQualifier: nameQualifier,
    SPNameQualifier: spNameQualifier,
    Format: format,
  });
  const session = sessionIndex === null ? '' : `<samlp:SessionIndex>${escapeXml(sessionIndex)}</samlp:SessionIndex>`;
  const content = `<saml:NameID${attributes}>${escapeXml(value)}</saml:NameID>${session}`;
  return writeUrl(sloUrl, request, 'LogoutRequest', content, {});
};

const writeUrl = async (
  url: string,
  { spEntityId, requestId, relayState, signingKey, now }: SamlRequest,
  name: string,
  content: string,
  attributes: Record<string, string>,
): Promise<string> => {
  const root = writeAttributes({
    'xmlns:samlp': NAMESPACE.protocol,
    'xmlns:saml': NAMESPACE.assertion,
    ID: requestId,
    Version: '2.0',
    IssueInstant: new Date(now).toISOString(),
    Destination: url,
    ...attributes,
  });
  const issuer = `<saml:Issuer>${escapeXml(spEntityId)}</saml:Issuer>`;
  const message = await deflate(`<samlp:${name}${root}>${issuer}${content}</samlp:${name}>`);
  const parameters = [
    ['SAMLRequest', message.toBase64()],
    // An empty one would be signed over by some and left out by others.
    ...(relayState === '' ? [] : [['RelayState', relayState]]),
    ...(signingKey ? [['SigAlg', algorithmOf(signingKey)]] : []),
  ];
  const query = parameters.map(([key, value = '']) => `${key}=${encodeURIComponent(value)}`).join('&');
  const signature = signingKey ? `&Signature=${encodeURIComponent(await sign(query, signingKey))}` : '';
  // As text, because a URL object would encode a second time, and the encoding is signed.
  return `${url}${url.includes('?') ? '&' : '?'}${query}${signature}`;
};

const deflate = async (xml: string): Promise<Uint8Array> => {
  const deflated = new Blob([xml]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(deflated).arrayBuffer());
};

const algorithmOf = ({ algorithm }: CryptoKey): string =>
  `http://www.w3.org/2001/04/xmldsig-more#${algorithm.name === 'ECDSA' ? 'ecdsa' : 'rsa'}-sha256`;

/** SAML Bindings, section 3.4.4.1: over the query as it is sent. */
const sign = async (query: string, key: CryptoKey): Promise<string> => {
  const algorithm = { name: key.algorithm.name, hash: 'SHA-256' };
  return new Uint8Array(await crypto.subtle.sign(algorithm, key, new TextEncoder().encode(query))).toBase64();
};
