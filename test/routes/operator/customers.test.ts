import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { newMember, readSelf } from '../../support/accounts.ts';
import { breakable } from '../../support/bindings.ts';
import { DETAILS, readCustomer, UNKNOWN_CUID } from '../../support/customers.ts';
import { importInto } from '../../support/imports.ts';
import { callAsOperator, changeCustomer, customersOf, type OperatedCustomer } from '../../support/operator.ts';
import { mailPasscode } from '../../support/passcodes.ts';
import { callTo, nameOf, routesWith, typeOf } from '../../support/routes.ts';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import {
  customerHeaders,
  newApp,
  newCustomer,
  newTenant,
  newWorld,
  operatorHeaders,
  refusalOf,
  type TestTenant,
} from '../../support/tenants.ts';

type Page = { items: OperatedCustomer[]; next: string | null };

const routes = (await routesWith('operator')).filter(({ template }) => template.includes('/customers'));

const list = async (service: Service, tenant: TestTenant, query = ''): Promise<Page> => {
  const response = await callAsOperator(service, 'GET', customersOf(tenant, query));
  expect(response.status).toBe(200);
  return response.json<Page>();
};

const idsOf = ({ items }: Page): string[] => items.map(({ id }) => id);

/** A tenant with customers of these details, made one after another. `ids` are in that order. */
const newTenantWith = async (details: Record<string, unknown>[]) => {
  const service = createService();
  const tenant = await newTenant(service);
  const app = await newApp(service, tenant);
  const ids: string[] = [];
  for (const each of details) {
    service.clock.advance(1);
    ids.push((await newCustomer(service, app, each)).cuid);
  }
  return { service, tenant, app, ids };
};

describe('GET /operator/v1/tenants/{slug}/customers', () => {
  it('lists the customers of every app, newest first, with all that is known of them', async () => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    service.clock.advance(1);
    const other = await newApp(service, tenant);
    const { zip, state, ...same } = DETAILS;
    const newest = await newCustomer(service, other, DETAILS);
    const time = new Date(service.clock.now()).toISOString();
    const { items, next } = await list(service, tenant);
    expect(items).toEqual([
      {
        ...same,
        id: newest.cuid,
        status: 'active',
        api_access: true,
        app: other.id,
        company: 'A company',
        email: newest.email,
        postal_code: zip,
        region: state,
        mobile: null,
        created_at: time,
        updated_at: time,
      },
      expect.objectContaining({ id: customer.cuid, email: customer.email, app: app.id }),
    ]);
    expect(next).toBeNull();
    expect(await (await callAsOperator(service, 'GET', customersOf(tenant, `/${newest.cuid}`))).json()).toEqual(
      items[0],
    );
  });

  it('gives pages of the size that is asked for, else of 100', async () => {
    const { service, tenant, ids } = await newTenantWith(Array.from({ length: 101 }, () => ({})));
    const newestFirst = ids.toReversed();
    const first = await list(service, tenant);
    expect(idsOf(first)).toEqual(newestFirst.slice(0, 100));
    const second = await list(service, tenant, `?cursor=${first.next}`);
    expect([idsOf(second), second.next]).toEqual([newestFirst.slice(100), null]);
    const exact = await list(service, tenant, '?limit=101');
    expect([idsOf(exact), exact.next]).toEqual([newestFirst, null]);
    const one = await list(service, tenant, '?limit=1');
    expect([idsOf(one), one.next]).toEqual([newestFirst.slice(0, 1), newestFirst[0]]);
  });

  const PEOPLE = [
    { company: 'Analytical Engines', name: 'Ada Lovelace', email: 'Countess@Example.com' },
    { company: 'Adastra', name: 'Alan Turing', email: 'office@adastra.example' },
    { company: '100% Wool', name: null, email: 'wool@example.com' },
  ];

  it.each([
    ['?q=ada', [1, 0]],
    ['?q=countess@', [0]],
    ['?q=Alan%20T', [1]],
    ['?q=Turing', []],
    ['?q=100%25', [2]],
    ['?q=%25', []],
    ['?q=_', []],
    ['?email=countess@example.com', [0]],
    ['?email=%20COUNTESS@EXAMPLE.COM%20', [0]],
    ['?email=countess@example.co', []],
    ['?email=ountess@example.com', []],
    ['?email=nobody@example.com', []],
    ['?status=active', [2, 0]],
    ['?status=disabled', [1]],
    ['?q=ada&status=active', [0]],
    ['?email=countess@example.com&status=disabled', []],
    ['?email=countess@example.com&q=adastra', []],
  ])('finds by %s what it names', async (query, expected) => {
    const { service, tenant, ids } = await newTenantWith(PEOPLE);
    await changeCustomer(service, tenant, ids[1] ?? '', { status: 'disabled' });
    expect(idsOf(await list(service, tenant, query))).toEqual(expected.map((index) => ids[index]));
  });

  it('finds by an address the customer of which any user has it, once', async () => {
    const service = createService();
    const [tenant, other] = [await newTenant(service), await newTenant(service)];
    const lines = [
      { email: 'one@example.com', users: [{ email: 'Amy@example.com' }, { email: 'bob@example.com' }] },
      { email: 'two@example.com', owner_email: 'owner@example.com' },
      { phone_number: '+447700900001', name: 'By phone', users: [{ email: 'eve@example.com' }] },
    ];
    for (const line of lines) {
      service.clock.advance(1);
      await importInto(service, tenant, [line]);
    }
    await importInto(service, other, [{ email: 'theirs@example.com' }]);
    const ids = idsOf(await list(service, tenant)).toReversed();
    const found = async (email: string, more = '') => idsOf(await list(service, tenant, `?email=${email}${more}`));
    expect(await found('amy@example.com')).toEqual([ids[0]]);
    expect(await found('BOB@example.com', '&status=active&q=one')).toEqual([ids[0]]);
    expect(await found('one@example.com')).toEqual([ids[0]]);
    expect(await found('owner@example.com')).toEqual([ids[1]]);
    expect(await found('eve@example.com')).toEqual([ids[2]]);
    expect(await found('amy@example.com', '&status=disabled')).toEqual([]);
    expect(await found('theirs@example.com')).toEqual([]);
  });

  it.each(['x'.repeat(200), '“Überaus ähnlich” — Gesellschaft für Öle & Übel GmbH'])(
    'finds by a text as long as a name may be: %s',
    async (company) => {
      const { service, tenant, ids } = await newTenantWith([{ company: company.slice(0, -1) }, { company }, {}]);
      const query = (typed: string) => `?q=${encodeURIComponent(typed)}`;
      expect(idsOf(await list(service, tenant, query(company)))).toEqual([ids[1]]);
      expect(idsOf(await list(service, tenant, query(company.slice(0, -1))))).toEqual([ids[1], ids[0]]);
    },
  );

  it('pages through what it found', async () => {
    const { service, tenant, ids } = await newTenantWith(Array.from({ length: 5 }, () => ({ company: 'Found' })));
    await changeCustomer(service, tenant, ids[2] ?? '', { status: 'disabled' });
    const query = '?limit=2&q=found&status=active';
    const first = await list(service, tenant, query);
    const second = await list(service, tenant, `${query}&cursor=${first.next}`);
    expect([...idsOf(first), ...idsOf(second)]).toEqual([ids[4], ids[3], ids[1], ids[0]]);
    expect(second.next).toBeNull();
  });

  it.each([
    '?limit=0',
    '?limit=1001',
    '?limit=1.5',
    '?limit=x',
    '?cursor=x',
    `?cursor=app_${'0'.repeat(26)}`,
    '?email=nobody',
    '?email=a@example.com,b@example.com',
    '?status=gone',
    '?status=',
    '?q=',
    `?q=${'x'.repeat(255)}`,
  ])('refuses %s', async (query) => {
    const service = createService();
    const response = await callAsOperator(service, 'GET', customersOf(await newTenant(service), query));
    expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'validation_failed' });
  });
});

describe('DELETE /operator/v1/tenants/{slug}/customers/{cuid}', () => {
  it('leaves nothing of the customer but ids in the log, and frees its address', async () => {
    const service = createService();
    const member = await newMember(service);
    const { tenant, app, person, token, pair } = member;
    const neighbour = await newCustomer(service, app);
    service.clock.advance(31);
    await mailPasscode(service, app, person.email);
    const response = await callAsOperator(service, 'DELETE', customersOf(tenant, `/${person.cuid}`));
    expect([response.status, await response.text()]).toEqual([204, '']);

    const { events = [], rate_hits: _, ...others } = await rowsOf(tenant.id);
    for (const each of [person.cuid, person.userId, person.email, pair.key]) {
      expect(JSON.stringify(others)).not.toContain(each);
    }
    expect(JSON.stringify(events)).not.toContain(person.email);
    expect((await eventsAbout(person.cuid)).at(-1)).toEqual({ type: 'customer.deleted', actor: 'operator' });
    expect((await readSelf(service, tenant, token)).status).toBe(401);
    const withPair = await service.call('GET', `/customer/${person.cuid}`, { headers: customerHeaders(pair) });
    expect(await refusalOf(withPair)).toMatchObject({ status: 404, code: 'unknown_key' });
    const { email, password } = person;
    const login = await service.call('POST', `${tenant.host}/customers/login`, { body: { email, password } });
    expect(login.status).toBe(401);
    expect(idsOf(await list(service, tenant))).toEqual([neighbour.cuid]);

    const again = await newCustomer(service, app, { email });
    expect(again.cuid).not.toBe(person.cuid);
    expect(await readCustomer(service, app, again.cuid)).toMatchObject({ email, name: null });
  });
});

describe('a customer', () => {
  it.each([
    ['GET', undefined],
    ['PATCH', { status: 'disabled' }],
    ['DELETE', undefined],
  ])('that there is not is not found by %s, nor one of no tenant', async (method, body) => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    const before = await rowsOf(tenant.id);
    for (const id of [UNKNOWN_CUID, 'x', app.id, tenant.id, customer.email, customer.cuid.toUpperCase()]) {
      const response = await callAsOperator(service, method, customersOf(tenant, `/${encodeURIComponent(id)}`), body);
      expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'customer_not_found' });
    }
    const elsewhere = await callAsOperator(
      service,
      method,
      customersOf({ slug: 'nobodys' }, `/${customer.cuid}`),
      body,
    );
    expect(await refusalOf(elsewhere)).toMatchObject({ status: 404, code: 'tenant_not_found' });
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it.each([
    ['PATCH', { status: 'disabled' }],
    ['DELETE', undefined],
  ])('is not changed by half by %s when the database fails', async (method, body) => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const { tenant, person } = await newMember(service);
    const before = await rowsOf(tenant.id);
    storage.failWhen((operation) => (operation === 'D1 batch' ? 'before' : null));
    const refused = await callAsOperator(service, method, customersOf(tenant, `/${person.cuid}`), body);
    expect(await refusalOf(refused)).toMatchObject({ status: 503, code: 'storage_unavailable' });
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  const ofItself = routes.filter(({ template }) => !template.includes('{id}'));

  it.each(ofItself.map((route) => [nameOf(route), route] as const))(
    'is told without secrets by %s',
    async (_, route) => {
      const service = createService();
      const { tenant, app, person, token, pair } = await newMember(service);
      service.clock.advance(31);
      const passcode = await mailPasscode(service, app, person.email);
      const { users = [], api_keys = [], app_credentials = [], signing_keys = [] } = await rowsOf(tenant.id);
      const secrets = [
        ...users.map(({ password_hash }) => password_hash),
        ...[...api_keys, ...app_credentials].map(({ token_hash }) => token_hash),
        ...signing_keys.map(({ sealed_private_jwk }) => sealed_private_jwk),
        ...[app.supertoken, pair.token, token, person.password, passcode, env.OPERATOR_TOKEN, env.MASTER_KEY],
      ].map(String);
      const names = { cuid: person.cuid, email: person.email, identifier: person.cuid, slug: tenant.slug, id: app.id };
      const { path, call } = callTo(route, names);
      const response = await service.call(route.method, path, {
        headers: { ...typeOf(call), ...operatorHeaders },
        ...call,
      });
      expect(response.status).toBeLessThan(400);
      expect(response.headers.get('Cache-Control')).toBe('no-store');
      const told = JSON.stringify([...response.headers]) + (await response.text());
      for (const secret of secrets) {
        expect(secret.length).toBeGreaterThan(5);
        expect(told).not.toContain(secret);
      }
      expect(told.replaceAll('"has_password"', '')).not.toMatch(/hash|password|secret|argon2|token"/i);
    },
  );
});
