import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { newId } from '../../../src/crypto/ids.ts';
import { newMember } from '../../support/accounts.ts';
import { countRoundTrips } from '../../support/bindings.ts';
import { callAsOperator, changeCustomer, customersOf } from '../../support/operator.ts';
import { insertRow } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import { newTenant, newWorld, operatorHeaders, refusalOf, type TestTenant } from '../../support/tenants.ts';

type Event = {
  id: string;
  at: string;
  type: string;
  actor: string;
  subject: string;
  ip: string | null;
  user_agent: string | null;
  data: Record<string, unknown>;
};
type Page = { items: Event[]; next: string | null };

const eventsOf = ({ slug }: TestTenant, query = ''): string => `/operator/v1/tenants/${slug}/events${query}`;

const list = async (service: Service, tenant: TestTenant, query = ''): Promise<Page> => {
  const response = await callAsOperator(service, 'GET', eventsOf(tenant, query));
  expect(response.status).toBe(200);
  expect(response.headers.get('Cache-Control')).toBe('no-store');
  return response.json<Page>();
};

const idsIn = ({ items }: Page): string[] => items.map(({ id }) => id);

/** A tenant whose log has these beside its creation, one second after another. `ids` are in that order. */
const newLog = async (written: [type: string, subject: string][]) => {
  const service = createService();
  const tenant = await newTenant(service);
  const begunAt = service.clock.now();
  const ids: string[] = [];
  for (const [type, subject] of written) {
    service.clock.advance(1);
    const at = service.clock.now();
    const id = newId('evt', at);
    ids.push(id);
    await insertRow('events', { tenant_id: tenant.id, id, at, type, subject, actor: 'system', data: '{}' });
  }
  return { service, tenant, ids, begunAt };
};

describe('GET /operator/v1/tenants/{slug}/events', () => {
  it('tells who did what to whom, when and from where, newest first', async () => {
    const service = createService();
    const { tenant, customer, app } = await newWorld(service);
    service.clock.advance(5);
    const at = new Date(service.clock.now()).toISOString();
    const changed = await service.call('PATCH', customersOf(tenant, `/${customer.cuid}`), {
      headers: { ...operatorHeaders, 'CF-Connecting-IP': '203.0.113.7', 'User-Agent': 'curl/8' },
      body: { status: 'disabled' },
    });
    expect(changed.status).toBe(200);
    const { items, next } = await list(service, tenant);
    expect(items[0]).toEqual({
      ...{ id: expect.stringMatching(/^evt_/), at, type: 'customer.updated', actor: 'operator' },
      ...{ subject: customer.cuid, ip: '203.0.113.7', user_agent: 'curl/8', data: { status: 'disabled' } },
    });
    expect(
      items
        .map(({ type, subject }) => [type, subject])
        .slice(1)
        .toSorted(),
    ).toEqual([
      ['app.created', app.id],
      ['customer.created', customer.cuid],
      ['tenant.created', tenant.id],
    ]);
    expect(next).toBeNull();
  });

  it('gives pages of the size that is asked for, else of 100', async () => {
    const { service, tenant, ids } = await newLog(
      Array.from({ length: 100 }, (): [string, string] => ['passcode.sent', 'x']),
    );
    const newestFirst = ids.toReversed();
    const first = await list(service, tenant);
    expect(idsIn(first)).toEqual(newestFirst);
    const second = await list(service, tenant, `?cursor=${first.next}`);
    expect([second.items.map(({ type }) => type), second.next]).toEqual([['tenant.created'], null]);
    const exact = await list(service, tenant, '?limit=101');
    expect([exact.items.length, exact.next]).toEqual([101, null]);
    const one = await list(service, tenant, '?limit=1');
    expect([idsIn(one), one.next]).toEqual([newestFirst.slice(0, 1), newestFirst[0]]);
  });

  const WRITTEN: [string, string][] = [
    ['customer.created', 'cus_a'],
    ['customer.created', 'cus_b'],
    ['user.created', 'cus_a'],
    ['customer.updated', 'cus_a'],
    ['customer.deleted', 'cus_b'],
    ['customer.activated', 'cus_a'],
  ];

  it.each([
    ['?type=customer.created', [1, 0]],
    ['?type=customer.*', [5, 4, 3, 1, 0]],
    ['?type=user.*', [2]],
    ['?type=user.created', [2]],
    ['?type=webhook.*', []],
    ['?type=key.rotated', []],
    ['?subject=cus_a', [5, 3, 2, 0]],
    ['?subject=cus_', []],
    ['?subject=nobody', []],
    ['?subject=cus_a&type=customer.created', [0]],
    ['?subject=cus_a&type=customer.*', [5, 3, 0]],
    ['?subject=cus_b&type=user.*', []],
  ])('finds by %s what it names', async (query, expected) => {
    const { service, tenant, ids } = await newLog(WRITTEN);
    expect(idsIn(await list(service, tenant, query))).toEqual(expected.map((index) => ids[index]));
  });

  it('finds what was since a moment, that moment included', async () => {
    const { service, tenant, ids, begunAt } = await newLog(WRITTEN);
    const since = (ms: number) => encodeURIComponent(new Date(begunAt + ms).toISOString());
    const found = async (query: string) => idsIn(await list(service, tenant, query)).map((id) => ids.indexOf(id));
    expect(await found(`?since=${since(5000)}`)).toEqual([5, 4]);
    expect(await found(`?since=${since(5001)}`)).toEqual([5]);
    expect(await found(`?since=${since(6001)}`)).toEqual([]);
    expect(await found(`?type=customer.*&since=${since(2000)}`)).toEqual([5, 4, 3, 1]);
    expect(await found(`?type=customer.created&since=${since(2000)}`)).toEqual([1]);
    expect(await found(`?subject=cus_a&since=${since(3000)}`)).toEqual([5, 3, 2]);
    for (const early of ['1969-07-20T20:17:40Z', '0001-01-01', '2020-01-01', '2020-01-01T00:00:00%2B02:00']) {
      expect((await list(service, tenant, `?since=${early}`)).items).toHaveLength(7);
    }
    expect(await found('?since=9999-12-31T23:59:59.999Z')).toEqual([]);
  });

  it.each(['', '&type=customer.*', '&type=customer.created', '&subject=cus_a', '&subject=cus_a&type=customer.*'])(
    'pages through all that it found, each once, by ?limit=2%s',
    async (filter) => {
      const { service, tenant, begunAt } = await newLog([...WRITTEN, ...WRITTEN, ...WRITTEN]);
      const since = `&since=${new Date(begunAt + 2000).toISOString()}`;
      const whole = idsIn(await list(service, tenant, `?limit=1000${filter}${since}`));
      expect(whole.length).toBeGreaterThan(3);
      const paged: string[] = [];
      let cursor = '';
      for (;;) {
        const page = await list(service, tenant, `?limit=2${filter}${since}${cursor}`);
        paged.push(...idsIn(page));
        if (page.next === null) break;
        cursor = `&cursor=${page.next}`;
      }
      expect(paged).toEqual(whole);
    },
  );

  it('orders a kind as a whole, also where its types are of one moment', async () => {
    const { service, tenant, begunAt } = await newLog([]);
    const types = ['customer.created', 'customer.updated', 'customer.deleted'];
    for (const type of [...types, ...types]) {
      const id = newId('evt', begunAt);
      await insertRow('events', { tenant_id: tenant.id, id, at: begunAt, type, subject: 'x', actor: 'x', data: '{}' });
    }
    const ids = idsIn(await list(service, tenant, '?type=customer.*'));
    expect(ids).toHaveLength(6);
    expect(ids).toEqual(ids.toSorted().toReversed());
  });

  it('tells what happened to a customer by its subject: what it did, and what was done to it', async () => {
    const service = createService();
    const { tenant, person } = await newMember(service);
    await changeCustomer(service, tenant, person.cuid, { status: 'disabled' });
    const { items } = await list(service, tenant, `?subject=${person.cuid}`);
    expect(items.map(({ type }) => type)).toEqual(
      expect.arrayContaining([
        ...['customer.created', 'user.activation_sent', 'customer.activated', 'login.succeeded'],
        ...['api_key.renewed', 'customer.updated'],
      ]),
    );
    expect(JSON.stringify(items)).not.toContain(person.email);
  });

  it.each([
    ['?type=customer', 'type'],
    ['?type=*', 'type'],
    ['?type=', 'type'],
    ['?type=customers.*', 'type'],
    ['?type=customer.cre*', 'type'],
    ['?type=customer.made', 'type'],
    ['?type=Customer.created', 'type'],
    ['?type=*.created', 'type'],
    ['?type=customer.created&type=user.created', 'type'],
    ['?type=customer.%25', 'type'],
    ['?subject=', 'subject'],
    [`?subject=${'x'.repeat(101)}`, 'subject'],
    ['?since=yesterday', 'since'],
    ['?since=', 'since'],
    ['?since=2026-02-30', 'since'],
    ['?since=2026-01-01T00:00:00', 'since'],
    ['?since=1700000000000', 'since'],
    ['?limit=0', 'limit'],
    ['?limit=1001', 'limit'],
    ['?cursor=x', 'cursor'],
    [`?cursor=cus_${'0'.repeat(26)}`, 'cursor'],
  ])('refuses %s, and says what is wrong', async (query, path) => {
    const service = createService();
    const response = await callAsOperator(service, 'GET', eventsOf(await newTenant(service), query));
    expect(response.status).toBe(400);
    const { code, errors } = await response.json<{ code: string; errors: { path: string; message: string }[] }>();
    expect([code, errors.map((each) => each.path)]).toEqual(['validation_failed', [path]]);
    if (path === 'type' && !query.includes('&')) expect(errors[0]?.message).toContain('customer.*');
  });

  it('shows the events of the tenant alone, wherever the page begins', async () => {
    const { service, tenant } = await newLog(WRITTEN);
    service.clock.advance(60);
    const other = await newTenant(service);
    for (const query of ['?subject=cus_a', '?type=customer.*', '?type=customer.created', `?subject=${tenant.id}`]) {
      expect(await list(service, other, query)).toEqual({ items: [], next: null });
    }
    const { items } = await list(service, other, `?cursor=evt_${'z'.repeat(26)}`);
    expect(items.map(({ subject }) => subject)).toEqual([other.id]);
  });

  it('is not found for a tenant that there is not', async () => {
    const response = await callAsOperator(createService(), 'GET', '/operator/v1/tenants/nobodys/events');
    expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'tenant_not_found' });
  });

  it('is there for a disabled tenant', async () => {
    const service = createService();
    const tenant = await newTenant(service, { status: 'disabled' });
    expect((await list(service, tenant)).items).toHaveLength(1);
  });

  it.each(['', '?type=customer.*', '?type=customer.created&since=2020-01-01', '?subject=x&type=user.*'])(
    'needs one round trip beyond the look-up of the tenant, with the query “%s”',
    async (query) => {
      const counter = countRoundTrips(env);
      const service = createService(counter.bindings);
      const tenant = await newTenant(service);
      const { depth } = await counter.during(() => list(service, tenant, query));
      expect(depth).toBe(2);
    },
  );
});
