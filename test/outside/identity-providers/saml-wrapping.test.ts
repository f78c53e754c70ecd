import { describe } from 'vitest';
import {
  ASSERTION,
  alter,
  type answerOf,
  forgedBy,
  insert,
  itRefuses,
  pick,
  SIGNATURE,
  sign,
} from '../../support/saml.ts';

/** The parts that an attacker moves about: what the provider signed, and the same saying that it was Eve. */
const partsOf = (xml: string) => {
  const signature = pick(xml, SIGNATURE);
  const bare = alter(xml, SIGNATURE, '');
  const evil = alter(alter(bare, '>ada<', '>eve<'), /(?<=<saml:Assertion [^>]*ID=")[^"]+/, '_evil');
  return { xml, signature, bare, evil, evilAssertion: pick(evil, ASSERTION), assertion: pick(xml, ASSERTION) };
};

const forgedOf = (forge: (parts: ReturnType<typeof partsOf>) => string, options: Parameters<typeof answerOf>[0] = {}) =>
  forgedBy((good) => forge(partsOf(good)), options);

const evilResponse = (evil: string) => alter(evil, /(?<=<samlp:Response [^>]*ID=")[^"]+/, '_evil-response');

const signedInside = (signature: string, content: string) => alter(signature, '</Signature>', `${content}</Signature>`);

const objectWith = (content: string) => `<Object>${content}</Object>`;

const extensionsWith = (content: string) => `<samlp:Extensions>${content}</samlp:Extensions>`;

describe('a signature wrapped into another answer is refused', () => {
  const ofResponse = { signResponse: true, signAssertion: false };
  itRefuses([
    [
      'XSW1: a forged Response around its own signature and, in it, the signed Response',
      'wrapped',
      forgedOf(
        ({ evil, bare, signature }) =>
          insert(evilResponse(evil), '<samlp:Status>', signedInside(signature, objectWith(bare))),
        ofResponse,
      ),
    ],
    [
      'XSW2: a forged Response with the signed one before the signature',
      'wrapped',
      forgedOf(
        ({ evil, bare, signature }) => insert(evilResponse(evil), '<samlp:Status>', `${bare}${signature}`),
        ofResponse,
      ),
    ],
    [
      'XSW3: a forged Assertion before the signed one',
      'wrapped',
      forgedOf(({ xml, assertion, evilAssertion }) => insert(xml, assertion, evilAssertion)),
    ],
    [
      'XSW3 turned around: a forged Assertion behind the signed one',
      'wrapped',
      forgedOf(({ xml, evilAssertion }) => insert(xml, '</samlp:Response>', evilAssertion)),
    ],
    [
      'XSW4: a forged Assertion around the signed one',
      'wrapped',
      forgedOf(({ xml, assertion, evilAssertion }) =>
        alter(xml, assertion, insert(evilAssertion, '</saml:Assertion>', assertion)),
      ),
    ],
    [
      'XSW5: a forged Assertion with the signature, the signed one behind it',
      'wrapped',
      forgedOf(({ bare, evil, signature }) => {
        const forged = insert(pick(evil, ASSERTION), '<saml:Subject>', signature);
        return alter(bare, ASSERTION, `${forged}${pick(bare, ASSERTION)}`);
      }),
    ],
    [
      'XSW6: a forged Assertion with the signature, the signed one in it',
      'wrapped',
      forgedOf(({ bare, evil, signature }) => {
        const wrapped = signedInside(signature, objectWith(pick(bare, ASSERTION)));
        return insert(evil, '<saml:Subject>', wrapped);
      }),
    ],
    [
      'XSW7: a forged Assertion among the extensions, the signed one in its place',
      'wrapped',
      forgedOf(({ xml, evilAssertion }) => insert(xml, '<samlp:Status>', extensionsWith(evilAssertion))),
    ],
    [
      'XSW7 turned around: the signed Assertion among the extensions, a forged one in its place',
      'wrapped',
      forgedOf(({ xml, assertion, evil }) =>
        insert(alter(xml, assertion, pick(evil, ASSERTION)), '<samlp:Status>', extensionsWith(assertion)),
      ),
    ],
    [
      'XSW8: a forged Assertion with the signed one in an Object of its signature',
      'wrapped',
      forgedOf(({ bare, evil, signature }) => {
        const wrapped = alter(signature, '<SignedInfo>', `${objectWith(pick(bare, ASSERTION))}<SignedInfo>`);
        return insert(evil, '<saml:Subject>', wrapped);
      }),
    ],
    [
      'a forged Assertion with the ID of the signed one',
      'wrapped',
      forgedOf(({ xml, assertion }) =>
        insert(xml, assertion, alter(alter(assertion, SIGNATURE, ''), '>ada<', '>eve<')),
      ),
    ],
    [
      'an Assertion of another namespace beside the signed one',
      'wrapped',
      forgedOf(({ xml, evilAssertion }) => {
        const foreign = evilAssertion.replaceAll('saml:Assertion', 'x:Assertion').replace(' ', ' xmlns:x="urn:x" ');
        return insert(xml, '<samlp:Status>', extensionsWith(foreign));
      }),
    ],
    [
      'a signature over something else that the provider once signed',
      'reference',
      forgedOf(({ evil }) => {
        const notice = '<x:Notice xmlns:x="urn:x" ID="_other"><x:Issuer/></x:Notice>';
        const signed = sign(notice, { element: `/*[local-name()='Notice']` });
        const moved = insert(evil, '<saml:Subject>', pick(signed, /<ds:Signature.*<\/ds:Signature>/s));
        return insert(moved, '<samlp:Status>', extensionsWith(notice));
      }),
    ],
  ]);
});
