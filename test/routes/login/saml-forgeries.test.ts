import { describe, expect, it } from 'vitest';
import type { SamlFaultReason } from '../../../src/outside/identity-providers/saml.ts';
import type { AnswerOptions } from '../../peers/saml.ts';
import { failuresOf, peopleOf } from '../../support/companies.ts';
import { returnOf } from '../../support/connections.ts';
import { cookieIn } from '../../support/logins.ts';
import { ALGORITHM, ASSERTION, alter, idp, insert, pick, SIGNATURE, sign } from '../../support/saml.ts';
import { newSamlCompany, type SamlCompany } from '../../support/saml-companies.ts';

type Answer = (options?: AnswerOptions) => Promise<string>;

/** What is wrong, why it is refused, and how it is made of what the provider answers. */
type Forgery = [what: string, reason: SamlFaultReason, forge: (answer: Answer) => Promise<string>];

const EVE = 'eve@example.com';

const stranger = { cert: idp.keys.stranger.certificate, key: idp.keys.stranger.key };

const changed = (what: string | RegExp, by: string) => async (answer: Answer) => alter(await answer(), what, by);

/** The provider itself signs a change. */
const signedWith = (what: string | RegExp, by: string) => async (answer: Answer) =>
  sign(alter(await answer({ signAssertion: false }), what, by));

const answered = (options: AnswerOptions) => (answer: Answer) => answer(options);

const evilAssertionOf = (xml: string): string => {
  const bare = pick(alter(xml, SIGNATURE, ''), ASSERTION);
  return alter(alter(bare, '>ada<', '>eve<'), /(?<=<saml:Assertion [^>]*ID=")[^"]+/, '_evil');
};

/** Fails unless it is refused for the reason, with nothing left but a word in the audit log, and a good answer is taken. */
const expectRefused = async (company: SamlCompany, forge: (answer: Answer) => Promise<string>, reason: string) => {
  const { tenant, begin, answerTo, post } = company;
  const { state, requestId } = await begin();
  const forged = await forge((options) => answerTo(requestId, options));
  const before = await peopleOf(tenant.id);
  const response = await post(forged, state);
  expect(returnOf(response)).toEqual({ error: 'access_denied', state });
  expect(cookieIn(response, '__Host-refresh')).toBeNull();
  expect(await peopleOf(tenant.id)).toEqual(before);
  expect(await failuresOf(tenant.id)).toMatchObject([{ by: 'connection:company', reason }]);
  const again = await begin();
  expect(returnOf(await post(await answerTo(again.requestId), again.state)).code).toBeDefined();
};

describe('a SAML answer is refused over HTTP, and leaves a word in the audit log,', () => {
  const forgeries: Forgery[] = [
    ['that nobody signed', 'unsigned', answered({ signAssertion: false })],
    ['whose signature was taken out', 'unsigned', changed(SIGNATURE, '')],
    ['that a stranger signed', 'signature', answered(stranger)],
    [
      'that a stranger signed in the provider’s name',
      'signature',
      answered({ ...stranger, cert: idp.keys.idp.certificate }),
    ],
    ['whose person was changed', 'signature', changed('>ada<', '>eve<')],
    ['whose address was changed', 'signature', changed('ada@example.com', EVE)],
    ['whose audience was changed', 'signature', changed(/(?<=<saml:Audience>)[^<]+/, 'urn:other')],
    [
      'with a forged assertion before the signed one',
      'wrapped',
      async (answer) => {
        const xml = await answer();
        return alter(xml, ASSERTION, `${evilAssertionOf(xml)}${pick(xml, ASSERTION)}`);
      },
    ],
    [
      'with a forged assertion behind the signed one',
      'wrapped',
      async (answer) => {
        const xml = await answer();
        return insert(xml, '</samlp:Response>', evilAssertionOf(xml));
      },
    ],
    [
      'with the signed assertion among the extensions of a forged answer',
      'wrapped',
      async (answer) => {
        const xml = await answer();
        const hidden = `<samlp:Extensions>${pick(xml, ASSERTION)}</samlp:Extensions>`;
        return insert(alter(xml, ASSERTION, evilAssertionOf(xml)), '<samlp:Status>', hidden);
      },
    ],
    ['with SHA-1', 'algorithm', answered({ signatureAlgorithm: 'rsa-sha1', digestAlgorithm: 'sha1' })],
    [
      'with the public certificate as a shared secret',
      'algorithm',
      async (answer) => sign(await answer({ signAssertion: false }), { signatureAlgorithm: ALGORITHM.hmacSha256 }),
    ],
    ['for another audience', 'audience', answered({ audience: 'https://evil.example.com' })],
    ['for another recipient', 'recipient', answered({ recipient: 'https://evil.example.com/acs' })],
    ['sent to another place', 'destination', answered({ destination: 'https://evil.example.com/acs' })],
    ['of another provider', 'issuer', answered({ issuer: 'https://evil.example.com' })],
    ['to no request', 'in_response_to', answered({ inResponseTo: undefined })],
    ['to a request that we did not make', 'in_response_to', answered({ inResponseTo: '_other' })],
    ['that is a no', 'status', answered({ samlStatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Responder' })],
    [
      'that has expired',
      'expired',
      signedWith(/(?<=<saml:SubjectConfirmationData [^>]*NotOnOrAfter=")[^"]+/, '2020-01-01T00:00:00Z'),
    ],
    ['that begins in the future', 'not_yet_valid', signedWith(/(?<=NotBefore=")[^"]+/, '2120-01-01T00:00:00Z')],
    ['with a name for this once', 'transient_name', signedWith('nameid-format:persistent', 'nameid-format:transient')],
    [
      'with a comment that cuts the address in two',
      'markup',
      signedWith('ada@example.com', 'ada@example.com<!---->.evil.example'),
    ],
    [
      'with a document type and an entity',
      'markup',
      async (answer) => `<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1/">]>${await answer()}`,
    ],
    ['that is no XML', 'xml', async () => 'Hello'],
  ];
  for (const [what, reason, forge] of forgeries) {
    it(`${what}: as ${reason}`, async () => {
      await expectRefused(await newSamlCompany(), forge, reason);
    });
  }

  it('that is not even base64', async () => {
    const company = await newSamlCompany();
    const { state } = await company.begin();
    const response = await company.postForm({ SAMLResponse: '%%%', RelayState: state });
    expect(returnOf(response)).toEqual({ error: 'access_denied', state });
    expect(await failuresOf(company.tenant.id)).toMatchObject([{ reason: 'encoding' }]);
  });
});

describe('what a SAML provider says of a person is not taken', () => {
  const attributes = (email: string | undefined): AnswerOptions => ({
    nameId: 'eve',
    attributes: { givenName: 'Eve', sn: 'Sdropper', ...(email !== undefined && { email }) },
  });
  const foreign: [string, string | undefined][] = [
    ['of another domain', 'eve@evil.example'],
    ['of a sub-domain', 'eve@mail.example.com'],
    ['that is none', 'eve'],
    ['that is missing', undefined],
  ];
  it.each(foreign)('with an address %s', async (_, email) => {
    await expectRefused(await newSamlCompany(), answered(attributes(email)), 'foreign_address');
  });

  it('with the address of somebody whom it knows by another name', async () => {
    const company = await newSamlCompany();
    const { state, requestId } = await company.begin();
    expect(returnOf(await company.post(await company.answerTo(requestId), state)).code).toBeDefined();
    await expectRefused(company, answered(attributes('ada@example.com')), 'other_subject');
  });

  it('though a name with the form of an address will do', async () => {
    const company = await newSamlCompany();
    const { state, requestId } = await company.begin();
    const named = {
      nameId: 'ada@example.com',
      nameIdFormat: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
      attributes: { givenName: 'Ada' },
    };
    expect(returnOf(await company.post(await company.answerTo(requestId, named), state)).code).toBeDefined();
  });
});
