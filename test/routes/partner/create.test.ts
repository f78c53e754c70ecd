import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { type CustomerObject, DETAILS, listCustomers, readCustomer } from '../../support/customers.ts';
import { lastMailTo, mailsTo } from '../../support/mailbox.ts';
import { eventsAbout } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import {
  type AppPair,
  appHeaders,
  type CustomerPair,
  customerHeaders,
  newApp,
  newTenant,
  newWorld,
  refusalOf,
  uniqueEmail,
  uniqueName,
} from '../../support/tenants.ts';

const newTenantWithApp = async (profile: Record<string, unknown> = {}) => {
  const service = createService();
  const tenant = await newTenant(service, profile);
  const app = await newApp(service, tenant);
  const create = (body: unknown, headers: Record<string, string> = {}) =>
    service.call('POST', '/customer', { headers: { ...appHeaders(app), ...headers }, body });
  return { service, tenant, app, create };
};

/** What the app reads of a customer that this request creates. */
const readCreated = async (service: Service, app: AppPair, response: Response): Promise<CustomerObject> => {
  expect(response.status).toBe(201);
  const { cuid } = await response.json<CustomerPair>();
  return readCustomer(service, app, cuid);
};

type Problem = { code: string; errors: { path: string; code: string; message: string }[] };

/** The faults that a refusal names, by path. */
const faultsOf = async (response: Response): Promise<Record<string, string>> => {
  expect(response.status).toBe(400);
  const { code, errors } = await response.json<Problem>();
  expect(code).toBe('validation_failed');
  for (const { message } of errors) expect(message).not.toBe('');
  return Object.fromEntries(errors.map((each) => [each.path, each.code]));
};

describe('POST /customer', () => {
  it('answers 201 with a cuid, a key and a token, and tells where the customer is', async () => {
    const { create } = await newTenantWithApp();
    const response = await create({ company: 'A company', email: uniqueEmail() });
    expect(response.status).toBe(201);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    const pair = await response.json<CustomerPair>();
    expect(Object.keys(pair)).toEqual(['cuid', 'key', 'token']);
    expect(pair.token.length).toBeGreaterThanOrEqual(22);
    expect(response.headers.get('Location')).toBe(`/customer/${pair.cuid}`);
  });

  it('gives a pair with which the customer reads itself', async () => {
    const { service, create } = await newTenantWithApp();
    const pair = await (await create({ company: 'A company', email: uniqueEmail() })).json<CustomerPair>();
    const read = await service.call('GET', `/customer/${pair.cuid}`, { headers: customerHeaders(pair) });
    expect(read.status).toBe(200);
  });

  it('keeps every member', async () => {
    const { service, app, create } = await newTenantWithApp();
    const email = uniqueEmail();
    const customer = await readCreated(service, app, await create({ company: 'Analytical', email, ...DETAILS }));
    const time = new Date(service.clock.now()).toISOString();
    const { cuid, ...rest } = customer;
    expect(cuid).toMatch(/^cus_/);
    expect(rest).toEqual({ company: 'Analytical', email, ...DETAILS, created_at: time, updated_at: time });
  });

  it('keeps null for every member that is not mentioned', async () => {
    const { service, app, create } = await newTenantWithApp();
    const customer = await readCreated(service, app, await create({ company: 'A company', email: uniqueEmail() }));
    for (const member of Object.keys(DETAILS)) expect(customer).toHaveProperty(member, null);
  });

  it.each([null, ''])('keeps null for an optional member that is %j', async (nothing) => {
    const { service, app, create } = await newTenantWithApp();
    const nothings = Object.fromEntries(Object.keys(DETAILS).map((member) => [member, nothing]));
    const body = { company: 'A company', email: uniqueEmail(), ...nothings };
    const customer = await readCreated(service, app, await create(body));
    for (const member of Object.keys(DETAILS)) expect(customer).toHaveProperty(member, null);
  });

  it.each([
    ['DE', 'DE'],
    ['de', 'DE'],
    ['Germany', 'DE'],
    ['gErMaNy', 'DE'],
    [' France ', 'FR'],
    ['United States', 'US'],
    ['United States of America', 'US'],
    ['Côte d’Ivoire', 'CI'],
    ["Cote d'Ivoire", 'CI'],
  ])('keeps the country %j as %s', async (country, code) => {
    const { service, app, create } = await newTenantWithApp();
    const body = { company: 'A company', email: uniqueEmail(), country };
    expect(await readCreated(service, app, await create(body))).toHaveProperty('country', code);
  });

  it.each(['Atlantis', 'ZZ', 'DEU', 'D', 49])('refuses the country %j', async (country) => {
    const { create } = await newTenantWithApp();
    const response = await create({ company: 'A company', email: uniqueEmail(), country });
    expect(await faultsOf(response)).toEqual({ country: 'invalid' });
  });

  it('tells how a country is written', async () => {
    const { create } = await newTenantWithApp();
    const response = await create({ company: 'A company', email: uniqueEmail(), country: 'Atlantis' });
    const { errors } = await response.json<Problem>();
    expect(errors[0]?.message).toContain('ISO 3166-1 alpha-2');
  });

  it('refuses a member that is not documented', async () => {
    const { service, app, create } = await newTenantWithApp();
    const response = await create({ company: 'A company', email: uniqueEmail(), nickname: 'Ada' });
    expect(await faultsOf(response)).toEqual({ nickname: 'unknown_member' });
    expect(await listCustomers(service, app)).toEqual([]);
  });

  it('requires a company', async () => {
    const { create } = await newTenantWithApp();
    expect(await faultsOf(await create({ email: uniqueEmail() }))).toEqual({ company: 'required' });
  });

  it('requires an email address', async () => {
    const { create } = await newTenantWithApp();
    expect(await faultsOf(await create({ company: 'A company' }))).toEqual({ email: 'required' });
  });

  it.each(['', '   ', null, 7])('refuses the company %j', async (company) => {
    const { create } = await newTenantWithApp();
    expect(await faultsOf(await create({ company, email: uniqueEmail() }))).toEqual({ company: 'invalid' });
  });

  it.each([
    ['nothing', ''],
    ['no @', 'ada.example.com'],
    ['two @', 'ada@home@example.com'],
    ['no local part', '@example.com'],
    ['no domain', 'ada@'],
    ['a space inside', 'ada lovelace@example.com'],
    ['a line break', 'ada@example.com\r\nBcc: eve@example.com'],
    ['a control character', 'ada\u0000@example.com'],
    ['a local part that is not ASCII', 'jürgen@example.com'],
    ['a domain that is not ASCII', 'ada@bücher.example'],
    ['a display name', 'Ada <ada@example.com>'],
    ['two addresses', 'ada@example.com,eve@example.com'],
    ['255 characters', `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(62)}`],
    ['a number', 7],
    ['null', null],
  ])('refuses an email address with %s', async (_, email) => {
    const { create } = await newTenantWithApp();
    expect(await faultsOf(await create({ company: 'A company', email }))).toEqual({ email: 'invalid' });
  });

  it('takes an email address of 254 characters', async () => {
    const { service, app, create } = await newTenantWithApp();
    const email = `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
    expect(email).toHaveLength(254);
    const customer = await readCreated(service, app, await create({ company: 'A company', email }));
    expect(customer.email).toBe(email);
  });

  it('keeps an email address as it was written, but for the white space around it', async () => {
    const { service, app, create } = await newTenantWithApp();
    const response = await create({ company: 'A company', email: '  Ada.Lovelace@Example.COM\n' });
    expect((await readCreated(service, app, response)).email).toBe('Ada.Lovelace@Example.COM');
  });

  it('names all faults at once', async () => {
    const { create } = await newTenantWithApp();
    const response = await create({
      email: 'ada',
      country: 'Atlantis',
      phone: 42,
      send_activation: 'yes',
      nickname: 'Ada',
    });
    expect(await faultsOf(response)).toEqual({
      company: 'required',
      email: 'invalid',
      country: 'invalid',
      phone: 'invalid',
      send_activation: 'invalid',
      nickname: 'unknown_member',
    });
  });

  it.each([
    ['as it is', (email: string) => email],
    ['in another case', (email: string) => email.toUpperCase()],
    ['with white space around it', (email: string) => ` ${email}\t`],
  ])('refuses an email address that is taken, %s, and creates nothing', async (_, written) => {
    const { service, app, create } = await newTenantWithApp();
    const email = uniqueEmail();
    expect((await create({ company: 'The first', email })).status).toBe(201);
    const response = await create({ company: 'The second', email: written(email) });
    expect(await refusalOf(response)).toEqual({
      status: 409,
      code: 'email_taken',
      message: 'A customer with this email address exists.',
    });
    expect((await listCustomers(service, app)).map(({ company }) => company)).toEqual(['The first']);
  });

  it('refuses an email address that a customer of another app of the tenant has', async () => {
    const { service, tenant, create } = await newTenantWithApp();
    const other = await newApp(service, tenant);
    const email = uniqueEmail();
    expect((await create({ company: 'The first', email })).status).toBe(201);
    const body = { company: 'The second', email };
    const response = await service.call('POST', '/customer', { headers: appHeaders(other), body });
    expect(await refusalOf(response)).toMatchObject({ status: 409, code: 'email_taken' });
    expect(await listCustomers(service, other)).toEqual([]);
  });

  it('takes an email address that a customer of another tenant has', async () => {
    const { service, create } = await newTenantWithApp();
    const { customer } = await newWorld(service);
    expect((await create({ company: 'A company', email: customer.email })).status).toBe(201);
  });

  it('is written in the audit log', async () => {
    const { app, create } = await newTenantWithApp();
    const { cuid } = await (await create({ company: 'A company', email: uniqueEmail() })).json<CustomerPair>();
    expect(await eventsAbout(cuid)).toEqual([{ type: 'customer.created', actor: `app:${app.id}` }]);
  });
});

describe('POST /customer with send_activation', () => {
  it('mails a link with the user and a secret', async () => {
    const { create } = await newTenantWithApp({ site_url: 'https://accounts.example.com' });
    const email = uniqueEmail();
    const response = await create({ company: 'A company', email, send_activation: true });
    expect(response.status).toBe(201);
    const { cuid } = await response.json<CustomerPair>();
    const owner = await env.DB.prepare('select id from users where customer_id = ?').bind(cuid).first<{ id: string }>();
    const { text } = await lastMailTo(email);
    const [, user, secret] = /https:\/\/accounts\.example\.com\/activate\/([^/\s]+)\/(\S+)/.exec(text) ?? [];
    expect(user).toBe(owner?.id);
    expect(user).toMatch(/^usr_/);
    expect(secret).toMatch(/^[A-Z0-9]{10,}$/);
  });

  it('leads to the tenant’s own host when it has no site', async () => {
    const { tenant, create } = await newTenantWithApp();
    const email = uniqueEmail();
    await create({ company: 'A company', email, send_activation: true });
    expect((await lastMailTo(email)).text).toContain(`http://${tenant.slug}.localhost:8787/activate/usr_`);
  });

  it.each([{}, { send_activation: false }])('mails nothing for %j', async (wish) => {
    const { create } = await newTenantWithApp();
    const email = uniqueEmail();
    expect((await create({ company: 'A company', email, ...wish })).status).toBe(201);
    expect(await mailsTo(email)).toEqual([]);
  });

  it('leaves no customer when the mail is refused: address and Idempotency-Key are free again', async () => {
    const { service, app, create } = await newTenantWithApp();
    const body = { company: 'A company', email: `refused-${uniqueName('person')}@example.com` };
    const key = { 'Idempotency-Key': 'first' };
    const refused = await create({ ...body, send_activation: true }, key);
    expect(await refusalOf(refused)).toMatchObject({ status: 500, code: 'mail_refused' });
    expect(await listCustomers(service, app)).toEqual([]);
    expect((await create(body, key)).status).toBe(201);
  });
});

describe('POST /customer with an Idempotency-Key', () => {
  const withKey = (key: string) => ({ 'Idempotency-Key': key });

  it('gives the same answer again, byte for byte, and creates one customer', async () => {
    const { service, app, create } = await newTenantWithApp();
    const body = { company: 'A company', email: uniqueEmail() };
    const first = await create(body, withKey('order-1'));
    const again = await create(body, withKey('order-1'));
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(await again.text()).toBe(await first.text());
    expect(again.headers.get('Location')).toBe(first.headers.get('Location'));
    expect(await listCustomers(service, app)).toHaveLength(1);
  });

  it('refuses another body under the same key, and creates nothing', async () => {
    const { service, app, create } = await newTenantWithApp();
    const body = { company: 'A company', email: uniqueEmail() };
    await create(body, withKey('order-1'));
    for (const other of [
      { ...body, city: 'Ulm' },
      { ...body, email: uniqueEmail() },
    ]) {
      const response = await create(other, withKey('order-1'));
      expect(await refusalOf(response)).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    }
    expect(await listCustomers(service, app)).toHaveLength(1);
  });

  it('creates a second customer under a second key', async () => {
    const { service, app, create } = await newTenantWithApp();
    expect((await create({ company: 'One', email: uniqueEmail() }, withKey('order-1'))).status).toBe(201);
    expect((await create({ company: 'Two', email: uniqueEmail() }, withKey('order-2'))).status).toBe(201);
    expect(await listCustomers(service, app)).toHaveLength(2);
  });

  it('leaves the same key to another app, each with its own answer', async () => {
    const { service, tenant, app } = await newTenantWithApp();
    const other = await newApp(service, tenant);
    const calls = [app, other].map((each) => ({
      headers: { ...appHeaders(each), ...withKey('order-1') },
      body: { company: each === app ? 'Mine' : 'Theirs', email: uniqueEmail() },
    }));
    const createBoth = async () => {
      const answers: string[] = [];
      for (const call of calls) {
        const response = await service.call('POST', '/customer', call);
        expect(response.status).toBe(201);
        answers.push(await response.text());
      }
      return answers;
    };
    const first = await createBoth();
    expect(await createBoth()).toEqual(first);
    expect((await listCustomers(service, app)).map(({ company }) => company)).toEqual(['Mine']);
    expect((await listCustomers(service, other)).map(({ company }) => company)).toEqual(['Theirs']);
  });

  it('remembers the answer for 24 hours, and then forgets it', async () => {
    const { service, create } = await newTenantWithApp();
    const body = { company: 'A company', email: uniqueEmail() };
    const first = await (await create(body, withKey('order-1'))).text();
    service.clock.advance(24 * 3600 - 1);
    expect(await (await create(body, withKey('order-1'))).text()).toBe(first);
    service.clock.advance(1);
    expect(await refusalOf(await create(body, withKey('order-1')))).toMatchObject({ status: 409, code: 'email_taken' });
    expect((await create({ ...body, email: uniqueEmail() }, withKey('order-1'))).status).toBe(201);
  });

  it('keeps neither the token nor the address in the clear', async () => {
    const { app, create } = await newTenantWithApp();
    const email = uniqueEmail();
    const { token } = await (await create({ company: 'A company', email }, withKey('order-1'))).json<CustomerPair>();
    const kept = JSON.stringify(
      await env.DB.prepare('select * from idempotency where app_id = ?').bind(app.id).first(),
    );
    expect(kept).toContain('order-1');
    expect(kept).not.toContain(token);
    expect(kept).not.toContain(email);
  });

  it('tells nothing to whom the token is wrong', async () => {
    const { service, app, create } = await newTenantWithApp();
    const body = { company: 'A company', email: uniqueEmail() };
    await create(body, withKey('order-1'));
    const headers = { ...appHeaders({ ...app, supertoken: 'wrong' }), ...withKey('order-1') };
    const response = await service.call('POST', '/customer', { headers, body });
    expect(await refusalOf(response)).toMatchObject({ status: 403, message: 'Invalid token' });
  });

  it.each([
    ['nothing', ''],
    ['a space inside', 'order 1'],
    ['256 characters', 'x'.repeat(256)],
    ['a character that is not ASCII', 'bestellung-für-1'],
  ])('refuses a key with %s', async (_, key) => {
    const { service, app, create } = await newTenantWithApp();
    const response = await create({ company: 'A company', email: uniqueEmail() }, withKey(key));
    expect(await faultsOf(response)).toEqual({ 'idempotency-key': 'invalid' });
    expect(await listCustomers(service, app)).toEqual([]);
  });

  it('takes a key of 255 characters', async () => {
    const { create } = await newTenantWithApp();
    expect((await create({ company: 'A company', email: uniqueEmail() }, withKey('x'.repeat(255)))).status).toBe(201);
  });
});
