import { describe, expect, it } from 'vitest';
import { NAMESPACE } from '../../../src/outside/identity-providers/saml/markup.ts';
import { verifySignature } from '../../../src/outside/identity-providers/saml/signature.ts';
import { onlyChild, parseXml, textOf } from '../../../src/outside/identity-providers/saml/xml.ts';
import {
  ALGORITHM,
  ASSERTION,
  alter,
  answeredWith,
  answerOf,
  EXPECTED,
  finish,
  forgedBy,
  forgedWith,
  IN_RESPONSE,
  idOf,
  idp,
  insert,
  itRefuses,
  pick,
  SIGNATURE,
  sign,
  signedAs,
} from '../../support/saml.ts';

describe('an answer with a signature that does not count is refused', () => {
  const stranger = { cert: idp.keys.stranger.certificate, key: idp.keys.stranger.key };
  itRefuses([
    ['without one', 'unsigned', answeredWith({ signAssertion: false })],
    ['with one that was taken out', 'unsigned', forgedWith(SIGNATURE, '')],
    ['by a key of its own in KeyInfo', 'signature', answeredWith(stranger)],
    [
      'by a stranger, with the provider’s certificate in KeyInfo',
      'signature',
      answeredWith({ ...stranger, cert: idp.keys.idp.certificate }),
    ],
    ['with SHA-1', 'algorithm', answeredWith({ signatureAlgorithm: 'rsa-sha1', digestAlgorithm: 'sha1' })],
    ['with SHA-1 under the signature alone', 'algorithm', answeredWith({ signatureAlgorithm: 'rsa-sha1' })],
    ['with SHA-1 as the digest alone', 'algorithm', answeredWith({ digestAlgorithm: 'sha1' })],
    ['with the certificate as a shared secret', 'algorithm', signedAs({ signatureAlgorithm: ALGORITHM.hmacSha256 })],
    ['with that secret and SHA-1', 'algorithm', signedAs({ signatureAlgorithm: ALGORITHM.hmacSha1 })],
    ['said to be by another algorithm', 'signature', forgedWith('#rsa-sha256', '#rsa-sha512')],
    ['said to be by an algorithm that is not trusted', 'algorithm', forgedWith('#rsa-sha256', '#rsa-md5')],
    ['said to be by a thing that every object has', 'algorithm', forgedWith(/[^"]+#rsa-sha256/, 'constructor')],
    ['without an algorithm', 'algorithm', forgedWith(/<SignatureMethod .*?\/>/, '')],
    ['without a canonical form', 'transform', forgedWith(/<CanonicalizationMethod .*?\/>/, '')],
    ['that does not leave itself out', 'transform', signedAs({ transforms: [ALGORITHM.exclusive] })],
    [
      'over a text that depends on what is around it',
      'transform',
      signedAs({ transforms: [ALGORITHM.enveloped, ALGORITHM.inclusive] }),
    ],
    [
      'over a SignedInfo that depends on what is around it',
      'transform',
      signedAs({ canonicalizationAlgorithm: ALGORITHM.inclusive }),
    ],
    [
      'with a transform of XPath',
      'transform',
      forgedWith(
        'http://www.w3.org/2001/10/xml-exc-c14n#"/></Transforms>',
        'http://www.w3.org/TR/1999/REC-xpath-19991116"/></Transforms>',
      ),
    ],
    [
      'with a transform too many',
      'transform',
      forgedWith('</Transforms>', `<Transform Algorithm="${ALGORITHM.exclusive}"/></Transforms>`),
    ],
    [
      'with a SignedInfo in an unknown form',
      'transform',
      forgedWith(/(?<=<CanonicalizationMethod Algorithm=")[^"]+/, 'urn:unknown'),
    ],
    [
      'with two references',
      'reference',
      forgedBy((good) => alter(good, /<Reference.*<\/Reference>/s, pick(good, /<Reference.*<\/Reference>/s).repeat(2))),
    ],
    ['over the Response too', 'reference', signedAs({ references: [IN_RESPONSE.assertion, IN_RESPONSE.response] })],
    [
      'over the whole document, without an ID',
      'reference',
      signedAs({ element: IN_RESPONSE.response, isEmptyUri: true }),
    ],
    ['over another element than its own', 'reference', signedAs({ references: [IN_RESPONSE.response] })],
    ['over what has no ID', 'reference', forgedWith(/(?<=<saml:Assertion [^>]*) ID="[^"]+"/, '')],
    [
      'with two SignedInfos',
      'structure',
      forgedBy((good) => insert(good, '<SignatureValue>', pick(good, /<SignedInfo>.*<\/SignedInfo>/s))),
    ],
    ['with an Object beside it', 'structure', forgedWith('</Signature>', '<Object/></Signature>')],
    [
      'twice over the Assertion',
      'misplaced_signature',
      forgedBy((good) => insert(good, '</saml:Assertion>', pick(good, SIGNATURE))),
    ],
    [
      'at another place than the Response and its Assertion',
      'misplaced_signature',
      forgedBy((good) => insert(alter(good, SIGNATURE, ''), '</saml:Subject>', pick(good, SIGNATURE))),
    ],
    [
      'over a Response whose Assertion was exchanged',
      'signature',
      async () => {
        const [good, other] = await Promise.all([
          answerOf({ signResponse: true, signAssertion: false }),
          answerOf({ signAssertion: false, nameId: 'eve' }),
        ]);
        return { good, forged: alter(good, ASSERTION, pick(other, ASSERTION)) };
      },
    ],
    [
      'over a Response that is right, around an Assertion’s that is not',
      'signature',
      async () => {
        const [inner, forgedInner] = await Promise.all([answerOf(), answerOf(stranger)]);
        const how = { element: IN_RESPONSE.response };
        return { good: sign(inner, how), forged: sign(forgedInner, how) };
      },
    ],
    [
      'over an Assertion that is right, in a Response’s that is not',
      'signature',
      forgedBy((good) => sign(good, { element: IN_RESPONSE.response, keys: idp.keys.stranger })),
    ],
    ['over a name that was changed since', 'signature', forgedWith('>ada<', '>eve<')],
    ['over an attribute that was changed since', 'signature', forgedWith('ada@example.com', 'eve@example.com')],
    ['over a time that was changed since', 'signature', forgedWith(/(?<=NotOnOrAfter=")2/, '3')],
    ['with a digest that was changed', 'signature', forgedWith(/(?<=<DigestValue>)./, '_')],
    ['with an empty value', 'signature', forgedWith(/(?<=<SignatureValue>)[^<]+/, '')],
    [
      'over one of two elements with the same ID',
      'signature',
      forgedBy((good) => alter(good, /(?<=<samlp:Response [^>]*ID=")[^"]+/, idOf(good))),
    ],
    [
      'over one of two elements with the same ID, the other’s in another case',
      'signature',
      forgedBy((good) => insert(good, '</samlp:Status>', `<a Id="${idOf(good)}"/>`)),
    ],
    [
      'over one of two elements with the same ID, the other’s in another namespace',
      'signature',
      forgedBy((good) => insert(good, '</samlp:Status>', `<a xmlns:x="urn:x" x:ID="${idOf(good)}"/>`)),
    ],
    ['over a name that began on the same line', 'signature', forgedWith('>ada<', '>&#13;ada<')],
    [
      'over a prefix that means something else since',
      'signature',
      forgedWith('<saml:Subject>', '<saml:Subject xmlns:saml="urn:x">'),
    ],
    [
      'over an element with another of its name in another namespace',
      'signature',
      forgedWith('<saml:NameID ', '<x:NameID xmlns:x="urn:x">eve</x:NameID><saml:NameID '),
    ],
  ]);

  it('with no certificate configured', async () => {
    const xml = await answerOf();
    expect(finish(xml)).toMatchObject({ kind: 'asserted' });
    expect(finish(xml, { idp: { entityId: idp.entityId, certificates: [] } })).toEqual({
      kind: 'refused',
      reason: 'signature',
    });
  });
});

describe('what a signature was made over', () => {
  it('is what is read, and not the text that it was found in', async () => {
    const xml = await answerOf();
    const answer = parseXml(alter(xml, '>ada<', '>eve<'));
    const shown = answer && onlyChild(answer, NAMESPACE.assertion, 'Assertion');
    const signature = shown && onlyChild(shown, NAMESPACE.signature, 'Signature');
    if (!signature) throw new Error('There is no signature');
    const read = verifySignature(xml, shown, signature, EXPECTED.idp.certificates);
    const subject = onlyChild(read, NAMESPACE.assertion, 'Subject');
    const name = subject && onlyChild(subject, NAMESPACE.assertion, 'NameID');
    expect(name && textOf(name)).toBe('ada');
  });
});
