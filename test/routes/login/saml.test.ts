import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { failuresOf, identitiesOf, peopleOf } from '../../support/companies.ts';
import { connectOidc, putConnection, redeemReturn, returnOf, uniqueDomain } from '../../support/connections.ts';
import { logOf } from '../../support/log.ts';
import { cookieIn, postLogin } from '../../support/logins.ts';
import { claimsInIdToken } from '../../support/oidc.ts';
import { atRest } from '../../support/rows.ts';
import { encode, idp, pick } from '../../support/saml.ts';
import { formIn, newSamlCompany, type SamlCompany, samlMembers } from '../../support/saml-companies.ts';
import { createService } from '../../support/service.ts';
import { newTenant, operatorHeaders, refusalOf, uniqueName } from '../../support/tenants.ts';

const base64Of = (pem: string): string => pem.replace(/-----.*?-----|\s/g, '');

const connectionOf = async ({ service, tenant }: SamlCompany) => {
  const path = `/operator/v1/tenants/${tenant.slug}/connections/company`;
  const response = await service.call('GET', path, { headers: operatorHeaders });
  return response.json<{ signing_certificate: string | null }>();
};

/** Fails unless an answer is refused by a page, and nothing is stored. */
const expectNoReturn = async (company: SamlCompany, post: () => Promise<Response>, status = 401): Promise<void> => {
  const before = await peopleOf(company.tenant.id);
  const response = await post();
  expect(response.status).toBe(status);
  expect(response.headers.get('Location')).toBeNull();
  expect(response.headers.get('Content-Type')).toMatch(/^text\/html/);
  expect(await peopleOf(company.tenant.id)).toEqual(before);
};

describe('GET /v1/auth/saml/metadata', () => {
  const read = (company: SamlCompany, query = '') =>
    company.service.call('GET', `${company.tenant.host}/v1/auth/saml/metadata${query}`);

  it('tells a provider’s administrator who we are and where answers go', async () => {
    const company = await newSamlCompany();
    const response = await read(company);
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toMatch(/^application\/samlmetadata\+xml/);
    const xml = await response.text();
    expect(pick(xml, /(?<=entityID=")[^"]+/)).toBe(company.spEntityId);
    const service = pick(xml, /<md:AssertionConsumerService[^>]+>/);
    expect(service).toContain(`Location="${company.acsUrl}"`);
    expect(service).toContain('Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"');
    expect(xml).toContain(`Location="${company.tenant.host}/v1/auth/saml/slo"`);
    expect(xml).toContain('AuthnRequestsSigned="false"');
    expect(xml).not.toContain('KeyDescriptor');
  });

  it('is of one provider at every host of the tenant, where answers to its sign-ins go', async () => {
    const domain = uniqueDomain();
    const { service, spEntityId } = await newSamlCompany({}, { domains: [domain] });
    const xml = await (await service.call('GET', `http://${domain}/v1/auth/saml/metadata`)).text();
    expect(pick(xml, /(?<=entityID=")[^"]+/)).toBe(spEntityId);
    expect(xml).toContain(`Location="http://${domain}/v1/auth/saml/acs"`);
  });

  it('tells the certificate of a connection that signs, the one that the operator is shown', async () => {
    const company = await newSamlCompany({ sign_requests: true });
    const xml = await (await read(company, '?connection=company')).text();
    expect(xml).toContain('AuthnRequestsSigned="true"');
    const { signing_certificate } = await connectionOf(company);
    expect(pick(xml, /(?<=<ds:X509Certificate>)[^<]+/)).toBe(base64Of(signing_certificate ?? ''));
    expect(await (await read(company)).text()).not.toContain('X509Certificate');
  });

  it('tells no certificate of a connection that does not sign, or is none of SAML', async () => {
    const company = await newSamlCompany();
    await connectOidc(company.service, company.tenant, claimsInIdToken, {}, 'other');
    for (const name of ['company', 'other']) {
      expect(await (await read(company, `?connection=${name}`)).text()).not.toContain('KeyDescriptor');
    }
  });

  it.each(['unknown', '', 'COMPANY', '../company'])('does not know a connection called %j', async (name) => {
    const company = await newSamlCompany();
    const response = await read(company, `?connection=${encodeURIComponent(name)}`);
    expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'connection_not_found' });
  });

  it('does not know the connections of another tenant', async () => {
    const [company, other] = [await newSamlCompany(), await newTenant(createService())];
    const url = `${other.host}/v1/auth/saml/metadata?connection=company`;
    expect(await refusalOf(await company.service.call('GET', url))).toMatchObject({ status: 404 });
  });
});

describe('a sign-in at a company’s SAML provider', () => {
  it('leads there and back by a form, and then to a session of the one whom the provider names', async () => {
    const company = await newSamlCompany();
    const { service, browser, tenant, customer } = company;
    const { url, state } = await company.begin();
    expect(url).toMatch(new RegExp(`^${idp.url}/sso\\?SAMLRequest=[^&]+&RelayState=${state}$`));
    const { action, fields } = formIn(await (await fetch(url)).text());
    expect([action, fields.RelayState]).toEqual([company.acsUrl, state]);
    const response = await company.postForm(fields, action);
    expect(cookieIn(response, '__Host-refresh')).toBeNull();
    expect(returnOf(response)).toEqual({ state, code: expect.stringMatching(/^[\w-]{22,}$/) });
    expect((await peopleOf(tenant.id)).sessions).toEqual([]);
    service.clock.advance(1);
    const { access_token, customer_id, user_id } = await redeemReturn(browser, response);
    expect(customer_id).toBe(customer.cuid);
    expect(decodeJwt(access_token)).toMatchObject({ provider: 'connection:company', sub: user_id });
    expect(await identitiesOf(tenant.id)).toEqual([{ provider: 'connection:company', subject: 'ada', user_id }]);
  });

  it('takes the provider’s metadata in place of its members', async () => {
    const metadata_xml = await (await fetch(`${idp.url}/metadata`)).text();
    const members = { entity_id: undefined, sso_url: undefined, slo_url: undefined, certificates: undefined };
    const company = await newSamlCompany({ ...members, metadata_xml });
    const { url } = await company.begin();
    const { fields } = formIn(await (await fetch(url)).text());
    expect(returnOf(await company.postForm(fields)).code).toBeDefined();
  });

  it('is signed, where the connection says so, by the key of the connection’s own certificate', async () => {
    const company = await newSamlCompany({ sign_requests: true, sso_url: `${idp.url}/sso/signed` });
    const { signing_certificate: certificate } = await connectionOf(company);
    expect((await fetch((await company.begin()).url)).status).toBe(400);
    // The provider is told the certificate, which the connection keeps when it is replaced.
    const sso_url = `${idp.url}/sso/signed?${new URLSearchParams({ certificate: certificate ?? '' })}`;
    const replaced = samlMembers({ sign_requests: true, sso_url });
    expect((await putConnection(company.service, company.tenant, 'company', replaced)).status).toBe(200);
    expect(await connectionOf(company)).toMatchObject({ signing_certificate: certificate });
    const page = await fetch((await company.begin()).url);
    expect(page.status).toBe(200);
    expect(returnOf(await company.postForm(formIn(await page.text()).fields)).code).toBeDefined();
  });

  it('may come with cookies from a provider of our own site, and needs none', async () => {
    const company = await newSamlCompany();
    const { state, requestId } = await company.begin();
    const form = new URLSearchParams({ SAMLResponse: encode(await company.answerTo(requestId)), RelayState: state });
    const cookie = [...company.browser.cookies].map((pair) => pair.join('=')).join('; ');
    const headers = {
      'Content-Type': 'application/x-www-form-urlencoded',
      Cookie: cookie,
      Origin: 'http://sso.localhost',
    };
    const response = await company.service.call('POST', company.acsUrl, { headers, rawBody: form.toString() });
    expect(returnOf(response).code).toBeDefined();
  });

  it('makes an account where the connection says so, and none where it does not', async () => {
    for (const signup of [true, false]) {
      const company = await newSamlCompany({ signup });
      const { state, requestId } = await company.begin();
      const attributes = { email: 'new@example.com', givenName: 'New', sn: 'Person' };
      const response = await company.post(await company.answerTo(requestId, { nameId: 'new', attributes }), state);
      expect('code' in returnOf(response)).toBe(signup);
      const { users } = await peopleOf(company.tenant.id);
      const made = users?.filter(({ email }) => email === 'new@example.com');
      expect(made).toHaveLength(signup ? 1 : 0);
      if (signup) expect(made).toMatchObject([{ given_name: 'New', family_name: 'Person' }]);
      else expect(await failuresOf(company.tenant.id)).toMatchObject([{ reason: 'unknown_address' }]);
    }
  });

  it('leaves no secret in the log or at rest', async () => {
    const company = await newSamlCompany({ sign_requests: true });
    const secrets: string[] = [];
    const log = await logOf(async () => {
      const { state, requestId } = await company.begin();
      expect(await atRest(company.tenant.id)).not.toContain(requestId);
      const xml = await company.answerTo(requestId);
      const response = await company.post(xml, state);
      const { code = '' } = returnOf(response);
      secrets.push(state, requestId, code, encode(xml), pick(xml, /(?<=<SignatureValue>)[^<]+/), 'session-1');
    });
    const stored = await atRest(company.tenant.id);
    expect(stored).not.toContain('PRIVATE KEY');
    for (const secret of secrets) {
      expect(secret).not.toBe('');
      expect(stored).not.toContain(secret);
      expect(log).not.toContain(secret);
    }
    expect(log).not.toContain('ada@example.com');
  });
});

describe('an answer of the SAML provider', () => {
  it('is good once, with its own RelayState', async () => {
    const company = await newSamlCompany();
    const { state, requestId } = await company.begin();
    const xml = await company.answerTo(requestId);
    expect(returnOf(await company.post(xml, state)).code).toBeDefined();
    await expectNoReturn(company, () => company.post(xml, state));
  });

  it('is good once, of twenty at once', async () => {
    const company = await newSamlCompany();
    const { state, requestId } = await company.begin();
    const xml = await company.answerTo(requestId);
    const responses = await Promise.all(Array.from({ length: 20 }, () => company.post(xml, state)));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([303, ...Array<number>(19).fill(401)]);
  });

  it('to one sign-in is refused for another one', async () => {
    const company = await newSamlCompany();
    const [first, second] = [await company.begin(), await company.begin(company.newBrowser())];
    const xml = await company.answerTo(first.requestId);
    expect(returnOf(await company.post(xml, second.state))).toEqual({ error: 'access_denied', state: second.state });
    expect(await failuresOf(company.tenant.id)).toMatchObject([{ reason: 'in_response_to' }]);
    expect(returnOf(await company.post(xml, first.state)).code).toBeDefined();
  });

  it('that was used is refused for a sign-in that begins later', async () => {
    const company = await newSamlCompany();
    const { state, requestId } = await company.begin();
    const xml = await company.answerTo(requestId);
    await redeemReturn(company.browser, await company.post(xml, state));
    const later = await company.begin();
    expect(returnOf(await company.post(xml, later.state))).toEqual({ error: 'access_denied', state: later.state });
  });

  it.each(['', 'unknown', 'A'.repeat(43)])('is refused with the RelayState %j', async (RelayState) => {
    const company = await newSamlCompany();
    const SAMLResponse = encode(await company.answerTo((await company.begin()).requestId));
    await expectNoReturn(company, () => company.postForm({ SAMLResponse, RelayState }));
  });

  it('is refused without a RelayState: nobody signs in who did not ask to', async () => {
    const company = await newSamlCompany();
    const SAMLResponse = encode(await company.answerTo((await company.begin()).requestId));
    await expectNoReturn(company, () => company.postForm({ SAMLResponse }));
  });

  it('is refused ten minutes after the sign-in began', async () => {
    const company = await newSamlCompany();
    const { state, requestId } = await company.begin();
    company.service.clock.advance(600);
    const xml = await company.answerTo(requestId);
    await expectNoReturn(company, () => company.post(xml, state));
  });

  it('is refused at another tenant, with the state of this one or of that one', async () => {
    const service = createService();
    const [here, there] = [await newSamlCompany({}, {}, service), await newSamlCompany({}, {}, service)];
    const { state, requestId } = await here.begin();
    const xml = await here.answerTo(requestId);
    await expectNoReturn(there, () => there.post(xml, state));
    const theirs = await there.begin();
    expect(returnOf(await there.post(xml, theirs.state))).toEqual({ error: 'access_denied', state: theirs.state });
    expect(await identitiesOf(there.tenant.id)).toEqual([]);
    expect(returnOf(await here.post(xml, state)).code).toBeDefined();
  });

  it('signs in the browser alone that began, whichever posts it', async () => {
    const company = await newSamlCompany();
    const [thief, victim] = [company.newBrowser(), company.newBrowser()];
    await company.begin(victim);
    const { state, requestId } = await company.begin(thief);
    const { code = '' } = returnOf(await company.post(await company.answerTo(requestId), state));
    for (const browser of [victim, company.newBrowser()])
      expect((await postLogin(browser, code, state)).status).toBe(401);
    company.service.clock.advance(1);
    expect((await postLogin(thief, code, state)).status).toBe(200);
  });

  it('is refused at the callback of OpenID', async () => {
    const company = await newSamlCompany();
    const { state } = await company.begin();
    const path = `/v1/auth/callback?${new URLSearchParams({ state, code: 'code' })}`;
    expect(returnOf(await company.browser.call('GET', path))).toEqual({ error: 'access_denied', state });
  });
});

describe('POST /v1/auth/saml/acs', () => {
  const bodies: [string, string, BodyInit, number][] = [
    ['JSON', 'application/json', '{"SAMLResponse":"x"}', 415],
    ['plain text', 'text/plain', 'SAMLResponse=x', 415],
    ['XML', 'application/xml', '<x/>', 415],
    ['a multipart form', 'multipart/form-data; boundary=x', '--x--', 415],
    ['a form of another character set', 'application/x-www-form-urlencoded; charset=utf-16', 'SAMLResponse=x', 415],
    ['a form without an answer', 'application/x-www-form-urlencoded', 'RelayState=x', 400],
    ['a form over 64 KiB', 'application/x-www-form-urlencoded', `SAMLResponse=${'A'.repeat(64 * 1024)}`, 413],
  ];
  it.each(bodies)('refuses %s', async (_, type, rawBody, status) => {
    const company = await newSamlCompany();
    const headers = { 'Content-Type': type };
    await expectNoReturn(company, () => company.service.call('POST', company.acsUrl, { headers, rawBody }), status);
  });

  it('refuses an answer that comes by GET', async () => {
    const company = await newSamlCompany();
    expect((await company.service.call('GET', company.acsUrl)).status).toBe(405);
  });
});

describe('a connection that is changed during a sign-in', () => {
  const changes: [string, (company: SamlCompany) => Promise<unknown>][] = [
    [
      'away',
      ({ service, tenant }) =>
        service.call('DELETE', `/operator/v1/tenants/${tenant.slug}/connections/company`, { headers: operatorHeaders }),
    ],
    [
      'to another provider',
      ({ service, tenant }) =>
        putConnection(service, tenant, 'company', samlMembers({ entity_id: uniqueName('urn:idp') })),
    ],
    [
      'to another key',
      ({ service, tenant }) =>
        putConnection(service, tenant, 'company', samlMembers({ certificates: [idp.keys.stranger.certificate] })),
    ],
    [
      'to another domain',
      ({ service, tenant }) => putConnection(service, tenant, 'company', samlMembers({ domains: ['example.org'] })),
    ],
  ];
  it.each(changes)('%s lets nobody in by the one from before', async (_, change) => {
    const company = await newSamlCompany();
    const { state, requestId } = await company.begin();
    const xml = await company.answerTo(requestId);
    await change(company);
    const before = await peopleOf(company.tenant.id);
    expect(returnOf(await company.post(xml, state))).toEqual({ error: 'access_denied', state });
    expect(await peopleOf(company.tenant.id)).toEqual(before);
  });
});
