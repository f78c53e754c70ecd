import { describe, expect, it } from 'vitest';
import { type CustomerObject, DETAILS, listCustomers } from '../../support/customers.ts';
import { createService } from '../../support/service.ts';
import {
  appHeaders,
  newApp,
  newCustomer,
  newTenant,
  newWorld,
  operatorHeaders,
  refusalOf,
  uniqueEmail,
} from '../../support/tenants.ts';

/** An app with customers of these details, made one after another: the last one is the newest. */
const newAppWith = async (details: Record<string, unknown>[], settings: Record<string, unknown> = {}) => {
  const service = createService();
  const tenant = await newTenant(service);
  const app = await newApp(service, tenant, settings);
  const cuids: string[] = [];
  for (const each of details) {
    service.clock.advance(1);
    cuids.push((await newCustomer(service, app, each)).cuid);
  }
  const list = (query = '') => service.call('GET', `/customer${query}`, { headers: appHeaders(app) });
  return { service, tenant, app, list, newestFirst: cuids.toReversed() };
};

const cuidsOf = (customers: CustomerObject[]): string[] => customers.map(({ cuid }) => cuid);

/** The address of the next page, as the Link header tells it. */
const nextOf = (response: Response): string | undefined =>
  /^<([^>]+)>; rel="next"$/.exec(response.headers.get('Link') ?? '')?.[1];

const many = (count: number) => Array.from({ length: count }, (_, i) => ({ company: `Company ${i}` }));

describe('GET /customer', () => {
  it('gives a bare array of customers, newest first', async () => {
    const email = uniqueEmail();
    const { service, list, newestFirst } = await newAppWith([...many(2), { company: 'Newest', email, ...DETAILS }]);
    const response = await list();
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toMatch(/^application\/json/);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(response.headers.get('Link')).toBeNull();
    const customers = await response.json<CustomerObject[]>();
    expect(cuidsOf(customers)).toEqual(newestFirst);
    const time = new Date(service.clock.now()).toISOString();
    expect(customers[0]).toEqual({
      cuid: newestFirst[0],
      company: 'Newest',
      email,
      ...DETAILS,
      created_at: time,
      updated_at: time,
    });
  });

  it('gives an empty array to an app without customers', async () => {
    const { list } = await newAppWith([]);
    expect(await (await list()).json()).toEqual([]);
  });

  it('is the same with a slash at the end', async () => {
    const { list } = await newAppWith(many(2));
    expect(await (await list('/')).text()).toBe(await (await list()).text());
  });

  it.each(['0', '-1', '1001', '1.5', 'ten', ''])('refuses the limit %j', async (limit) => {
    const { list } = await newAppWith([]);
    expect(await refusalOf(await list(`?limit=${limit}`))).toMatchObject({ status: 400, code: 'validation_failed' });
  });

  it('takes limits from 1 to 1000', async () => {
    const { list, newestFirst } = await newAppWith(many(2));
    expect(cuidsOf(await (await list('?limit=1')).json())).toEqual(newestFirst.slice(0, 1));
    expect(cuidsOf(await (await list('?limit=1000')).json())).toEqual(newestFirst);
  });

  it('gives 100 customers unless told otherwise', async () => {
    const { list, newestFirst } = await newAppWith(many(101));
    const response = await list();
    expect(cuidsOf(await response.json())).toEqual(newestFirst.slice(0, 100));
    expect(nextOf(response)).toBeDefined();
  });

  it.each([
    [7, [3, 3, 1]],
    [6, [3, 3]],
    [3, [3]],
  ])('pages through %i customers by the Link header, without gaps or repeats', async (count, sizes) => {
    const { service, app, newestFirst } = await newAppWith(many(count));
    const pages: string[][] = [];
    let next: string | undefined = '/customer?limit=3';
    while (next !== undefined && pages.length <= sizes.length) {
      const response: Response = await service.call('GET', next, { headers: appHeaders(app) });
      pages.push(cuidsOf(await response.json()));
      next = nextOf(response);
    }
    expect(pages.map((page) => page.length)).toEqual(sizes);
    expect(pages.flat()).toEqual(newestFirst);
  });

  it('goes on where it was when customers come and go in between', async () => {
    const { service, app, list, newestFirst } = await newAppWith(many(4));
    const first = await list('?limit=2');
    service.clock.advance(1);
    await newCustomer(service, app);
    await service.call('DELETE', `/customer/${newestFirst[1]}`, { headers: appHeaders(app) });
    const second = await service.call('GET', nextOf(first) ?? '', { headers: appHeaders(app) });
    expect(cuidsOf(await second.json())).toEqual(newestFirst.slice(2));
  });

  it.each(['cus_1', 'abc', `usr_${'0'.repeat(26)}`])('refuses the cursor %j', async (cursor) => {
    const { list } = await newAppWith([]);
    expect(await refusalOf(await list(`?cursor=${cursor}`))).toMatchObject({ status: 400, code: 'validation_failed' });
  });

  it.each([
    ['superkey', 'supertoken'],
    ['superKey', 'SUPERTOKEN'],
  ])('keeps credentials that came as %s and %s out of the Link header', async (keyName, tokenName) => {
    const { service, app } = await newAppWith(many(2));
    const query = new URLSearchParams({ [keyName]: app.superkey, [tokenName]: app.supertoken, limit: '1' });
    const response = await service.call('GET', `/customer?${query}`);
    expect(response.status).toBe(200);
    const link = response.headers.get('Link') ?? '';
    expect(link).toContain('cursor=');
    expect(link.toLowerCase()).not.toContain('super');
    expect(link).not.toContain(app.superkey);
    expect(link).not.toContain(app.supertoken);
  });

  it('does not show deleted customers', async () => {
    const { service, app, newestFirst } = await newAppWith(many(2));
    await service.call('DELETE', `/customer/${newestFirst[0]}`, { headers: appHeaders(app) });
    expect(cuidsOf(await listCustomers(service, app))).toEqual(newestFirst.slice(1));
  });
});

describe('GET /customer?q', () => {
  const PEOPLE = [
    { company: 'Analytical Engines', name: 'Ada Lovelace', email: 'countess@example.com' },
    { company: 'Bletchley', name: 'Alan Turing', email: 'Alan@Example.com' },
    { company: 'Adastra', name: null, email: 'office@adastra.example' },
  ];

  it.each([
    ['an email address', 'countess@', ['Analytical Engines']],
    ['an email address in another case', 'ALAN@example', ['Bletchley']],
    ['a company', 'Bletch', ['Bletchley']],
    ['a name', 'Alan T', ['Bletchley']],
    ['a name or a company', 'Ada', ['Adastra', 'Analytical Engines']],
    ['nothing', 'Zuse', []],
  ])('finds by the beginning of %s', async (_, q, companies) => {
    const { list } = await newAppWith(PEOPLE);
    const found = await (await list(`?q=${encodeURIComponent(q)}`)).json<CustomerObject[]>();
    expect(found.map(({ company }) => company)).toEqual(companies);
  });

  it.each(['Engines', 'Turing', 'example.com'])('does not find by %j, which begins nothing', async (q) => {
    const { list } = await newAppWith(PEOPLE);
    expect(await (await list(`?q=${q}`)).json()).toEqual([]);
  });

  it.each([
    ['100%', ['100% Wool']],
    ['%', []],
    ['a_b', ['a_b Ltd']],
    ['_', []],
    ['back\\', ['back\\slash']],
    ['\\', []],
  ])('takes %j literally', async (q, companies) => {
    const names = ['100% Wool', '1000 Sheep', 'a_b Ltd', 'axb Ltd', 'back\\slash', 'backslash'];
    const { list } = await newAppWith(names.map((company) => ({ company })));
    const found = await (await list(`?q=${encodeURIComponent(q)}`)).json<CustomerObject[]>();
    expect(found.map(({ company }) => company)).toEqual(companies);
  });

  it('is kept by the Link header', async () => {
    const { service, app, list, newestFirst } = await newAppWith([
      { company: '50% Ada' },
      { company: 'Other' },
      { company: '50% Ada' },
    ]);
    const first = await list(`?limit=1&q=${encodeURIComponent('50% A')}`);
    const second = await service.call('GET', nextOf(first) ?? '', { headers: appHeaders(app) });
    expect(cuidsOf(await first.json())).toEqual([newestFirst[0]]);
    expect(cuidsOf(await second.json())).toEqual([newestFirst[2]]);
    expect(nextOf(second)).toBeUndefined();
  });
});

describe('the customers that an app sees', () => {
  it('are the ones that it created', async () => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    const other = await newApp(service, tenant);
    const theirs = await newCustomer(service, other);
    expect(cuidsOf(await listCustomers(service, app))).toEqual([customer.cuid]);
    expect(cuidsOf(await listCustomers(service, other))).toEqual([theirs.cuid]);
    expect(await listCustomers(service, other, `?q=${customer.email}`)).toEqual([]);
  });

  it('are all of its tenant’s, and no other’s, with the permission all_customers', async () => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    await newWorld(service);
    service.clock.advance(1);
    const own = await newCustomer(service, app);
    const seeing = await newApp(service, tenant, { permissions: ['all_customers'] });
    expect(cuidsOf(await listCustomers(service, seeing))).toEqual([own.cuid, customer.cuid]);
    expect(cuidsOf(await listCustomers(service, seeing, `?q=${customer.email}`))).toEqual([customer.cuid]);
  });

  it('change with the permission', async () => {
    const service = createService();
    const { tenant, customer } = await newWorld(service);
    const other = await newApp(service, tenant);
    const changed = await service.call('PATCH', `/operator/v1/tenants/${tenant.slug}/apps/${other.id}`, {
      headers: operatorHeaders,
      body: { permissions: ['all_customers'] },
    });
    expect(changed.status).toBe(200);
    expect(cuidsOf(await listCustomers(service, other))).toEqual([customer.cuid]);
  });
});
