import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, linkIn, newPerson, signIn } from '../../support/accounts.ts';
import { gathering } from '../../support/bindings.ts';
import {
  callbackWith,
  expectRefused,
  identitiesOf,
  newScriptedCompany,
  newStaffedCompany,
  signInAs,
  userOf,
} from '../../support/companies.ts';
import { putConnection, returnOf, uniqueDomain } from '../../support/connections.ts';
import { newBrowser, postLogin, redirectByApp, type SignedIn } from '../../support/logins.ts';
import { lastMailTo } from '../../support/mailbox.ts';
import { clientSecret } from '../../support/oidc.ts';
import { eventsAbout } from '../../support/rows.ts';
import { newCustomer, refusalOf, uniqueEmail } from '../../support/tenants.ts';

/** Takes back that the user has proved to read mail at the address. */
const deactivate = async (customerId: string): Promise<void> => {
  await env.DB.prepare('update users set activated_at = null where customer_id = ?').bind(customerId).run();
};

describe('a user whom the provider names by a verified address', () => {
  it('is linked, and signs in by the link from then on', async () => {
    const company = await newStaffedCompany();
    const { user_id, customer_id } = await signInAs(company);
    expect(customer_id).toBe(company.customer.cuid);
    const link = [{ provider: 'connection:company', subject: 'person-1', user_id }];
    expect(await identitiesOf(company.tenant.id)).toEqual(link);
    expect((await signInAs(company)).user_id).toBe(user_id);
    expect(await identitiesOf(company.tenant.id)).toEqual(link);
    const linked = (await eventsAbout(customer_id)).filter(({ type }) => type === 'user.linked');
    expect(linked).toHaveLength(1);
  });

  it('is whom the provider names, whoever’s address was typed', async () => {
    const company = await newStaffedCompany();
    await newCustomer(company.service, company.app, { email: company.emailOf('somebody') });
    expect((await signInAs(company)).customer_id).toBe(company.customer.cuid);
  });

  it('is found however the provider writes the address', async () => {
    const company = await newStaffedCompany();
    expect((await signInAs(company, { email: company.email.toUpperCase() })).customer_id).toBe(company.customer.cuid);
  });

  it('keeps the password, the sessions and the pending address when it had proved the address before', async () => {
    const company = await newScriptedCompany();
    const { service, tenant, app, emailOf } = company;
    const person = await newPerson(service, tenant, app, { email: emailOf('ada') });
    const token = await signIn(service, tenant, person);
    const before = await userOf(person.cuid);
    expect((await signInAs(company)).user_id).toBe(person.userId);
    expect(await userOf(person.cuid)).toEqual({ ...before, updated_at: expect.any(Number) });
    expect((await service.call('GET', `${tenant.host}/customers/self`, { headers: bearerHeaders(token) })).status).toBe(
      200,
    );
    expect(await signIn(service, tenant, person)).not.toBe('');
  });
});

describe('an account that somebody made with the address of a person who has not proved it', () => {
  it('is the person’s alone after the sign-in: no password from before opens it', async () => {
    const company = await newScriptedCompany();
    const { service, tenant, app, emailOf } = company;
    const planted = await newPerson(service, tenant, app, { email: emailOf('ada') });
    await deactivate(planted.cuid);
    await env.DB.prepare("insert into identities values (?, 'provider:other', 'planted', ?, 0)")
      .bind(tenant.id, planted.userId)
      .run();
    const tokens = await signInAs(company);
    expect(tokens.customer_id).toBe(planted.cuid);
    expect(await identitiesOf(tenant.id)).toMatchObject([{ provider: 'connection:company' }]);
    const { email, password } = planted;
    const tried = await service.call('POST', `${tenant.host}/customers/login`, { body: { email, password } });
    expect(await refusalOf(tried)).toMatchObject({ status: 401, code: 'invalid_credentials' });
    expect(await userOf(planted.cuid)).toMatchObject({ password_hash: null, activated_at: expect.any(Number) });
  });

  it('lets no token from before in, and no session', async () => {
    const company = await newStaffedCompany();
    const { service, tenant, app, email } = company;
    const attacker = newBrowser(service, tenant.host);
    const { code, state } = await redirectByApp(service, app, email);
    const stolen = await (await postLogin(attacker, code, state)).json<SignedIn>();
    const read = () => attacker.call('GET', '/v1/auth/sessions', { headers: bearerHeaders(stolen.access_token) });
    expect((await read()).status).toBe(200);
    service.clock.advance(1);
    const own = await signInAs(company);
    expect(own.user_id).toBe(stolen.user_id);
    expect((await read()).status).toBe(401);
    expect((await attacker.call('POST', '/v1/auth/refresh')).status).toBe(401);
    const headers = { 'x-access-key': stolen.access_key, 'x-access-token': stolen.access_token };
    expect((await service.call('GET', `${tenant.host}/customer/${stolen.customer_id}`, { headers })).status).toBe(403);
    expect((await company.browser.call('POST', '/v1/auth/refresh')).status).toBe(200);
  });

  it('changes to no address that was asked for before', async () => {
    const company = await newScriptedCompany();
    const { service, tenant, app, emailOf } = company;
    const planted = await newPerson(service, tenant, app, { email: emailOf('ada') });
    const headers = bearerHeaders(await signIn(service, tenant, planted));
    const elsewhere = uniqueEmail();
    const self = `${tenant.host}/customers/self`;
    expect((await service.call('PATCH', self, { headers, body: { email: elsewhere } })).status).toBe(200);
    const { identifier, secret } = linkIn(await lastMailTo(elsewhere), 'confirm-email');
    await deactivate(planted.cuid);
    await signInAs(company);
    const confirmed = await service.call('POST', `${tenant.host}/customers/newemail_confirm`, {
      body: { identifier, key: secret },
    });
    expect(await refusalOf(confirmed)).toMatchObject({ status: 400, code: 'invalid_or_expired_code' });
    expect(await userOf(planted.cuid)).toMatchObject({ email: emailOf('ada'), pending_email: null });
  });
});

describe('an address that the provider does not vouch for', () => {
  it.each([
    ['says is not verified', { email_verified: false }],
    ['says nothing of', { email_verified: undefined }],
    ['says “true” of, in quotation marks', { email_verified: 'true' }],
    ['says 1 of', { email_verified: 1 }],
  ])('and that it %s, links nobody and makes nobody', async (_, claims) => {
    await expectRefused(await newStaffedCompany({ signup: true }), claims, 'unverified_address');
    await expectRefused(await newScriptedCompany({ signup: true }), claims, 'unverified_address');
  });

  it('still is the one of a user who is linked', async () => {
    const company = await newStaffedCompany();
    const { user_id } = await signInAs(company);
    expect((await signInAs(company, { email_verified: false })).user_id).toBe(user_id);
  });
});

describe('an address that is not the connection’s to give', () => {
  const foreign: [string, (domain: string) => string | undefined][] = [
    ['of another domain', () => uniqueEmail()],
    ['of a sub-domain', (domain) => `ada@mail.${domain}`],
    ['of the domain above', (domain) => `ada@${domain.slice(domain.indexOf('.') + 1)}`],
    ['of a longer domain that ends alike', (domain) => `ada@x${domain}`],
    ['that only begins with the domain', (domain) => `ada@${domain}.evil.example`],
    ['with the domain before the @', (domain) => `${domain}@evil.example`],
    ['with two of them', (domain) => `ada@evil.example@${domain}`],
    ['that is none', (domain) => domain],
    ['that is missing', () => undefined],
  ];
  it.each(foreign)('is refused: one %s', async (_, write) => {
    const company = await newScriptedCompany({ signup: true });
    await expectRefused(company, { email: write(company.domain) }, 'foreign_address');
  });

  it('is refused though a user has it', async () => {
    const company = await newScriptedCompany({ signup: true });
    const { email } = await newCustomer(company.service, company.app);
    await expectRefused(company, { email }, 'foreign_address');
  });

  it('is refused though the user was linked by another', async () => {
    const company = await newStaffedCompany();
    await signInAs(company);
    await expectRefused(company, { email: uniqueEmail() }, 'foreign_address');
  });

  it('is of no use to a linked user who has another address here by now', async () => {
    const company = await newStaffedCompany();
    await signInAs(company);
    const elsewhere = uniqueEmail();
    await env.DB.prepare('update users set email = ?1, email_key = ?1 where customer_id = ?2')
      .bind(elsewhere, company.customer.cuid)
      .run();
    await expectRefused(company, {}, 'foreign_address');
  });

  it('is taken back with the domain', async () => {
    const company = await newStaffedCompany();
    await signInAs(company);
    const { service, tenant, provider } = company;
    const prepared = await company.prepare();
    const other = { type: 'oidc', issuer: provider.issuer, client_id: 'ES256', client_secret: clientSecret };
    const moved = await putConnection(service, tenant, 'company', {
      ...other,
      domains: [uniqueDomain()],
      signup: true,
    });
    expect(moved.status).toBe(200);
    const response = await company.browser.call('GET', callbackWith(prepared));
    expect(returnOf(response)).toEqual({ error: 'access_denied', state: prepared.state });
  });
});

describe('another person of the same address', () => {
  it('does not get the account of the one before', async () => {
    const company = await newStaffedCompany({ signup: true });
    await signInAs(company);
    await expectRefused(company, { sub: 'person-2' }, 'other_subject');
    expect((await signInAs(company)).customer_id).toBe(company.customer.cuid);
  });

  it.each(['PERSON-1', 'person-1 ', 'Person-1'])('is one whose subject is %j', async (sub) => {
    const company = await newStaffedCompany();
    await signInAs(company);
    await expectRefused(company, { sub }, 'other_subject');
  });

  it('gets nothing by coming at the same time', async () => {
    const storage = gathering(env);
    const company = await newStaffedCompany({}, storage.bindings);
    const callbacks = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        const browser = newBrowser(company.service, company.tenant.host);
        return { browser, path: callbackWith(await company.prepare({ sub: `person-${i}` }, { browser })) };
      }),
    );
    // All of them see that nobody is linked before one of them is.
    storage.gather('D1 batch', callbacks.length);
    const responses = await Promise.all(callbacks.map(({ browser, path }) => browser.call('GET', path)));
    expect(responses.filter((response) => returnOf(response).code !== undefined)).toHaveLength(1);
    expect(await identitiesOf(company.tenant.id)).toHaveLength(1);
    const linked = (await eventsAbout(company.customer.cuid)).filter(({ type }) => type === 'user.linked');
    expect(linked).toHaveLength(1);
  });
});
