import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { newPerson } from '../../support/accounts.ts';
import { breakable } from '../../support/bindings.ts';
import { copyCustomer } from '../../support/customers.ts';
import {
  asLines,
  type ExportedLine,
  exportFrom,
  type ImportAnswer,
  importInto,
  linesOf,
  sendImport,
  summaryOf,
} from '../../support/imports.ts';
import { callAsOperator, customersOf, offerSubscriptions } from '../../support/operator.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import { newCustomerBody, newUserBody } from '../../support/signups.ts';
import { newApp, newCustomer, newTenant, operatorHeaders, refusalOf, type TestTenant } from '../../support/tenants.ts';

const HASH = '$2b$04$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy';

/** Tenants that have the same to offer. */
const newTenants = async (service: Service): Promise<[TestTenant, TestTenant]> => {
  const tenants: [TestTenant, TestTenant] = [await newTenant(service), await newTenant(service)];
  for (const { slug, ...tenant } of tenants) {
    await offerSubscriptions(service, { slug, ...tenant }, 'news');
    const google = { type: 'google', signup: false, client_ids: ['shop'] };
    await callAsOperator(service, 'PUT', `/operator/v1/tenants/${slug}/providers/google`, google);
  }
  return tenants;
};

const personOf = (index: number) => ({
  email: `p${index}@example.com`,
  name: `Person ${index}`,
  attributes: { index },
  created_at: '2019-05-06T07:08:09.010Z',
  email_verified: index % 2 === 0,
  password_hash: index % 3 === 0 ? HASH : null,
  ...(index % 5 === 0 && { phone_number: `+4477009${String(index).padStart(5, '0')}`, phone_verified: true }),
  identities: index % 7 === 0 ? [{ provider: 'provider:google', subject: String(index) }] : [],
  subscriptions: index % 4 === 0 ? ['news'] : [],
  phones: index % 6 === 0 ? [{ number: '+442079460000', type: 'work' }] : [],
  users:
    index % 50 === 0
      ? [{ email: `u${index}@example.com`, password_hash: HASH, phones: [{ number: '+442079460001', type: 'fax' }] }]
      : [],
});

/** Without what every tenant has of its own, by address. */
const comparable = (lines: readonly ExportedLine[]) =>
  lines
    .map(({ id: _, updated_at: __, app: ___, ...line }) =>
      JSON.stringify(line, (name, value) => (['id', 'updated_at'].includes(name) ? undefined : value)),
    )
    .toSorted();

describe('GET /operator/v1/tenants/{slug}/customers/export', () => {
  it('tells what an import takes: imported elsewhere, the customers are the same there', async () => {
    const service = createService();
    const [here, there] = await newTenants(service);
    const people = Array.from({ length: 1201 }, (_, i) => personOf(i));
    expect(await importInto(service, here, people)).toMatchObject({ summary: summaryOf({ created: 1201 }) });
    const exported = await exportFrom(service, here, '?include=password_hashes');
    expect(new Set(exported.map(({ email }) => email)).size).toBe(1201);
    expect(await importInto(service, there, exported)).toMatchObject({
      refused: [],
      summary: summaryOf({ created: 1201 }),
    });
    const again = await exportFrom(service, there, '?include=password_hashes');
    expect(comparable(again)).toEqual(comparable(exported));
    expect(exported.find(({ email }) => email === 'p0@example.com')).toMatchObject(personOf(0));
    expect(again.map(({ id }) => id)).not.toContain(exported[0]?.id);
  });

  it('tells of customers however they were made', async () => {
    const service = createService();
    const [here, there] = await newTenants(service);
    const app = await newApp(service, here);
    const partners = await newCustomer(service, app, { website: 'www.example.com', country: 'Germany' });
    const person = await newPerson(service, here, app);
    const signup = { customer: newCustomerBody(), user: newUserBody() };
    expect((await service.call('POST', `${here.host}/v1/auth/signup`, { body: signup })).status).toBeLessThan(300);
    const form = { phone: '+447700900001', firstName: 'Ada', favourite: 'blue' };
    const upserted = await service.call('POST', `/api/${here.slug}/customer`, { body: form });
    expect(upserted.status).toBeLessThan(300);
    const exported = await exportFrom(service, here, '?include=password_hashes');
    expect(exported).toHaveLength(4);
    expect(exported.find(({ id }) => id === partners.cuid)).toMatchObject({
      ...{ app: app.id, email: partners.email, country: 'DE', website: 'www.example.com', email_verified: false },
    });
    expect(exported.find(({ id }) => id === person.cuid)).toMatchObject({
      ...{ email_verified: true, password_hash: expect.stringContaining('$argon2id$') },
    });
    expect(await importInto(service, there, exported)).toMatchObject({
      refused: [],
      summary: summaryOf({ created: 4 }),
    });
    expect(comparable(await exportFrom(service, there))).toEqual(comparable(await exportFrom(service, here)));
    const { email, password } = person;
    service.clock.advance(31);
    const login = await service.call('POST', `${there.host}/customers/login`, { body: { email, password } });
    expect(login.status).toBe(200);
  });

  it('tells every customer of the tenant once, oldest first, page by page, and no other’s', async () => {
    const service = createService();
    const [here, there] = await newTenants(service);
    const ids: (string | null)[] = [];
    for (const first of [0, 400, 800]) {
      service.clock.advance(1);
      const people = Array.from({ length: 400 }, (_, i) => ({ email: `p${first + i}@example.com` }));
      await importInto(service, here, people);
      ids.push(...people.map(({ email }) => email));
    }
    await importInto(service, there, [{ email: 'theirs@example.com' }]);
    const exported = await exportFrom(service, here);
    expect(exported.map(({ id }) => id)).toEqual(exported.map(({ id }) => id).toSorted());
    expect(
      exported
        .slice(0, 400)
        .map(({ email }) => email)
        .toSorted(),
    ).toEqual(ids.slice(0, 400).toSorted());
    expect(exported.map(({ email }) => email).toSorted()).toEqual(ids.toSorted());
    expect(await exportFrom(service, await newTenant(service))).toEqual([]);
  });

  it('goes on in another request where one would be too much for D1, and an import takes the parts as one', async () => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const [here, there] = await newTenants(service);
    await importInto(service, here, [{ email: 'first@example.com' }]);
    await copyCustomer(here, 30_001);
    storage.failWhen(() => null);
    const first = await exportFrom(service, here);
    // A page is a batch of five queries, of which a request may make a thousand.
    expect(storage.operations() * 5).toBeLessThan(1000);
    const next = first.at(-2)?.id;
    expect(first.at(-1)).toEqual({ next });
    expect(first).toHaveLength(30_001);
    const second = await exportFrom(service, here, `?cursor=${next}`);
    const customers = [...first.slice(0, -1), ...second];
    expect(customers.map(({ id }) => id)).toEqual(customers.map(({ id }) => id).toSorted());
    expect(new Set(customers.map(({ email }) => email)).size).toBe(30_002);
    const imported = await importInto(service, there, [...first.slice(-3), ...second]);
    expect(imported).toEqual({ refused: [], messages: [], summary: { lines: 5, created: 4, existing: 0, refused: 0 } });
    const events = ((await rowsOf(here.id)).events ?? []).filter(({ type }) => type === 'tenant.exported');
    expect(events).toHaveLength(2);
  });

  it('holds no more users at once than a thousand and those of one customer, and leaves nobody out', async () => {
    const service = createService();
    const [here] = await newTenants(service);
    await importInto(service, here, [{ email: 'last@example.com' }]);
    await copyCustomer(here, 7, 400);
    const response = await callAsOperator(service, 'GET', customersOf(here, '/export'));
    const pages: number[][] = [];
    for await (const page of response.body ?? []) {
      const lines = new TextDecoder().decode(page).trimEnd().split('\n');
      // The owner is the customer's own line.
      pages.push(lines.map((line) => 1 + JSON.parse(line).users.length));
    }
    expect(pages).toEqual([
      [400, 400, 400],
      [400, 400, 400],
      [400, 1],
    ]);
    const exported = await exportFrom(service, here);
    expect(exported.map(({ email }) => email)).toEqual([
      ...['1', '2', '3', '4', '5', '6', '7'].map((name) => `${name}@example.com`),
      'last@example.com',
    ]);
  });

  it('tells of a customer whose users alone are more than a page of them', async () => {
    const service = createService();
    const [here] = await newTenants(service);
    await importInto(service, here, [{ email: 'last@example.com' }]);
    await copyCustomer(here, 2, 1500);
    const users = (await exportFrom(service, here)).map((line) => line.users);
    expect(users).toEqual([expect.objectContaining({ length: 1499 }), expect.objectContaining({ length: 1499 }), []]);
  });

  it('tells of passwords only when it is asked to, and of no other secret', async () => {
    const service = createService();
    const [here] = await newTenants(service);
    const users = [{ email: 'b@example.com', password_hash: HASH }];
    await importInto(service, here, [
      { email: 'a@example.com', password_hash: HASH, password_expires_at: '2031-02-03T04:05:06.007Z', users },
    ]);
    const [line] = await exportFrom(service, here);
    expect(JSON.stringify(line)).not.toMatch(/hash|password|\$2b/);
    const [whole] = await exportFrom(service, here, '?include=password_hashes');
    expect(whole).toMatchObject({
      password_hash: HASH,
      password_expires_at: '2031-02-03T04:05:06.007Z',
      users: [{ password_hash: HASH }],
    });
    expect(
      Object.keys(line ?? {})
        .concat('password_hash', 'password_expires_at')
        .toSorted(),
    ).toEqual(Object.keys(whole ?? {}).toSorted());
  });

  it('is audited, with what went along', async () => {
    const service = createService();
    const [here] = await newTenants(service);
    await exportFrom(service, here);
    service.clock.advance(1);
    await exportFrom(service, here, '?include=password_hashes');
    const { events = [] } = await rowsOf(here.id);
    const exports = events.filter(({ type }) => type === 'tenant.exported');
    expect(exports.map(({ actor, subject, data }) => [actor, subject, data])).toEqual([
      ['operator', here.id, '{"password_hashes":false}'],
      ['operator', here.id, '{"password_hashes":true}'],
    ]);
  });

  it.each([
    '?include=passwords',
    '?include=',
    '?include=password_hashes&include=password_hashes',
    '?include=PASSWORD_HASHES',
    '?cursor=x',
    '?cursor=',
    `?cursor=usr_${'0'.repeat(26)}`,
  ])('refuses %s, and tells nothing', async (query) => {
    const service = createService();
    const [here] = await newTenants(service);
    const response = await callAsOperator(service, 'GET', customersOf(here, `/export${query}`));
    expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'validation_failed' });
    expect(JSON.stringify((await rowsOf(here.id)).events)).not.toContain('tenant.exported');
  });

  it('has no effect by HEAD, and knows no tenant that there is not', async () => {
    const service = createService();
    const [here] = await newTenants(service);
    const head = await service.call('HEAD', customersOf(here, '/export'), { headers: operatorHeaders });
    expect(head.status).toBe(405);
    expect(JSON.stringify((await rowsOf(here.id)).events)).not.toContain('tenant.exported');
    const nowhere = await callAsOperator(service, 'GET', customersOf({ slug: 'nobodys' }, '/export'));
    expect(await refusalOf(nowhere)).toMatchObject({ status: 404, code: 'tenant_not_found' });
  });

  it('reads no page before the one before it was taken', async () => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const [here] = await newTenants(service);
    await sendImport(
      service,
      here,
      asLines(Array.from({ length: 900 }, (_, i) => ({ email: `p${i}@example.com` }))),
    ).then((response) => response.text());
    let pages = 0;
    storage.failWhen((operation) => {
      if (operation === 'D1 batch') pages += 1;
      return null;
    });
    const response = await callAsOperator(service, 'GET', customersOf(here, '/export'));
    const reader = response.body?.getReader();
    await reader?.read();
    expect(pages).toBeLessThanOrEqual(2);
    await reader?.cancel();
    await exportFrom(createService(), here);
    expect(pages).toBeLessThanOrEqual(2);
  });

  it('tells at its end when storage fails half way, and nothing is audited that did not begin', async () => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const [here] = await newTenants(service);
    await importInto(
      service,
      here,
      Array.from({ length: 300 }, (_, i) => ({ email: `p${i}@example.com` })),
    );
    let pages = 0;
    storage.failWhen((operation) => {
      if (operation === 'D1 batch') pages += 1;
      return pages === 2 ? 'before' : null;
    });
    const lines = await linesOf<ImportAnswer>(await callAsOperator(service, 'GET', customersOf(here, '/export')));
    expect(lines).toHaveLength(201);
    expect(lines.at(-1)).toEqual({ error: { code: 'storage_unavailable', message: expect.any(String) } });
    storage.failWhen((_, count) => (count === 2 ? 'before' : null));
    const refused = await callAsOperator(service, 'GET', customersOf(here, '/export'));
    expect(await refusalOf(refused)).toMatchObject({ status: 503, code: 'storage_unavailable' });
  });
});
