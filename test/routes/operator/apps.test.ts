import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { breakable } from '../../support/bindings.ts';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import {
  type AppPair,
  appHeaders,
  customerHeaders,
  newApp,
  newCustomer,
  newTenant,
  newWorld,
  operatorHeaders,
  refusalOf,
  type TestTenant,
} from '../../support/tenants.ts';

type AppObject = { id: string; name: string; superkey: string; created_at: string; updated_at: string };
type Problem = { errors: { path: string; code: string }[] };

const UNKNOWN_APP = `app_${'0'.repeat(26)}`;

const pathOf = ({ slug }: Pick<TestTenant, 'slug'>, rest = ''): string => `/operator/v1/tenants/${slug}/apps${rest}`;

const call = (service: Service, method: string, path: string, body?: unknown): Promise<Response> =>
  service.call(method, path, { headers: operatorHeaders, body });

const list = async (service: Service, tenant: TestTenant, query = '') => {
  const response = await call(service, 'GET', pathOf(tenant, query));
  expect(response.status).toBe(200);
  return response.json<{ items: AppObject[]; next: string | null }>();
};

const readAsApp = (service: Service, app: Pick<AppPair, 'superkey' | 'supertoken'>) =>
  service.call('GET', '/customer', { headers: appHeaders({ id: '', ...app }) });

/** All that is at rest in either store, as text. */
const everythingAtRest = async (tenant: TestTenant): Promise<string> => {
  const { keys } = await env.KV.list();
  const values = await Promise.all(keys.map(({ name }) => env.KV.get(name)));
  return JSON.stringify([await rowsOf(tenant.id), keys, values]);
};

describe('POST /operator/v1/tenants/{slug}/apps', () => {
  it('registers an app, which can call at once', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const response = await call(service, 'POST', pathOf(tenant), { name: 'Shop' });
    expect(response.status).toBe(201);
    const made = await response.json<AppPair>();
    expect(Object.keys(made).toSorted()).toEqual(['id', 'superkey', 'supertoken']);
    expect(made.superkey).toContain(tenant.id.slice('ten_'.length));
    expect(made.supertoken).toMatch(/^[\w-]{43}$/);
    expect((await readAsApp(service, made)).status).toBe(200);
    const now = new Date(service.clock.now()).toISOString();
    expect((await list(service, tenant)).items).toEqual([
      {
        id: made.id,
        name: 'Shop',
        superkey: made.superkey,
        permissions: [],
        platforms: [],
        query_credentials: true,
        created_at: now,
        updated_at: now,
      },
    ]);
    expect(await eventsAbout(made.id)).toEqual([{ type: 'app.created', actor: 'operator' }]);
  });

  it('tells the token once: it is nowhere at rest, and in no other answer', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const app = await newApp(service, tenant);
    expect(await everythingAtRest(tenant)).toContain(app.superkey);
    expect(await everythingAtRest(tenant)).not.toContain(app.supertoken);
    expect(JSON.stringify(await list(service, tenant))).not.toContain(app.supertoken);
  });

  it('keeps each permission once', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    await newApp(service, tenant, { permissions: ['sso', 'passcode', 'sso'] });
    expect((await list(service, tenant)).items).toMatchObject([{ permissions: ['sso', 'passcode'] }]);
  });

  const faulty: Record<string, [unknown, string[]]> = {
    'without a name': [{}, ['name']],
    'with an unknown permission': [{ name: 'A', permissions: ['root'] }, ['permissions.0']],
    'with an unknown member': [{ name: 'A', superkey: 'mine' }, ['superkey']],
    'with platforms of one name': [
      {
        name: 'A',
        platforms: [
          { name: 'shop', url: 'https://a.example.com' },
          { name: 'shop', url: 'https://b.example.com' },
        ],
      },
      ['platforms'],
    ],
    'with platforms that are not safe to redirect to': [
      {
        name: 'A',
        platforms: [
          { name: 'a', url: 'http://shop.example.com' },
          { name: 'b', url: 'javascript:alert(1)' },
          { name: 'c', url: 'https://user:pass@shop.example.com' },
          { name: 'd', url: '//shop.example.com' },
        ],
      },
      ['platforms.0.url', 'platforms.1.url', 'platforms.2.url', 'platforms.3.url'],
    ],
    'with a switch that is a text': [{ name: 'A', query_credentials: 'no' }, ['query_credentials']],
  };
  for (const [what, [body, paths]] of Object.entries(faulty)) {
    it(`refuses an app ${what}, and registers none`, async () => {
      const service = createService();
      const tenant = await newTenant(service);
      const response = await call(service, 'POST', pathOf(tenant), body);
      expect(response.status).toBe(400);
      const { errors } = await response.json<Problem>();
      expect(errors.map(({ path }) => path).toSorted()).toEqual(paths);
      expect((await list(service, tenant)).items).toEqual([]);
    });
  }

  it('registers nothing by half when the database fails', async () => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const tenant = await newTenant(service);
    const before = await rowsOf(tenant.id);
    storage.failWhen((operation) => (operation === 'D1 batch' ? 'before' : null));
    const refused = await call(service, 'POST', pathOf(tenant), { name: 'Shop' });
    expect(await refusalOf(refused)).toMatchObject({ status: 503, code: 'storage_unavailable' });
    expect(await rowsOf(tenant.id)).toEqual(before);
  });
});

describe('GET /operator/v1/tenants/{slug}/apps', () => {
  it('lists the apps newest first, page by page', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const made: string[] = [];
    for (let count = 0; count < 3; count++) {
      service.clock.advance(1);
      made.unshift((await newApp(service, tenant)).id);
    }
    const first = await list(service, tenant, '?limit=2');
    const second = await list(service, tenant, `?limit=2&cursor=${first.next}`);
    expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(made);
    expect([first.next, second.next]).toEqual([made[1], null]);
  });

  it.each(['?limit=0', '?limit=1001', '?cursor=x', `?cursor=ten_${'0'.repeat(26)}`])('refuses %s', async (query) => {
    const service = createService();
    const response = await call(service, 'GET', pathOf(await newTenant(service), query));
    expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'validation_failed' });
  });
});

describe('PATCH /operator/v1/tenants/{slug}/apps/{id}', () => {
  it('changes what is named and leaves the rest, the pair included', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const app = await newApp(service, tenant);
    const [before] = (await list(service, tenant)).items;
    service.clock.advance(10);
    const response = await call(service, 'PATCH', pathOf(tenant, `/${app.id}`), { name: 'Renamed' });
    const changed = await response.json<AppObject>();
    const updated_at = new Date(service.clock.now()).toISOString();
    expect(changed).toEqual({ ...before, name: 'Renamed', updated_at });
    expect((await list(service, tenant)).items).toEqual([changed]);
    expect((await readAsApp(service, app)).status).toBe(200);
    expect((await eventsAbout(app.id)).map(({ type }) => type)).toEqual(['app.created', 'app.updated']);
  });

  it('changes nothing where nothing is named, and answers with what is', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const app = await newApp(service, tenant);
    const [{ items }, before] = [await list(service, tenant), await rowsOf(tenant.id)];
    service.clock.advance(10);
    const response = await call(service, 'PATCH', pathOf(tenant, `/${app.id}`), {});
    expect([response.status, await response.json()]).toEqual([200, items[0]]);
    expect(await rowsOf(tenant.id)).toEqual(before);
    const unknown = await call(service, 'PATCH', pathOf(tenant, `/${UNKNOWN_APP}`), {});
    expect(await refusalOf(unknown)).toMatchObject({ status: 404, code: 'app_not_found' });
  });

  it('takes a permission away at once', async () => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    const auth = () => service.call('GET', `/customer/${customer.email}/auth/nopasscode`, { headers: appHeaders(app) });
    expect((await auth()).status).toBe(200);
    await call(service, 'PATCH', pathOf(tenant, `/${app.id}`), { permissions: ['passcode'] });
    expect(await refusalOf(await auth())).toMatchObject({ status: 401, code: 'api_access_denied' });
  });

  it('gives the sight of all customers with its permission, and takes it with it', async () => {
    const service = createService();
    const { tenant, customer } = await newWorld(service);
    const other = await newApp(service, tenant, { permissions: [] });
    const seen = async () =>
      (await (await readAsApp(service, other)).json<{ cuid: string }[]>()).map(({ cuid }) => cuid);
    expect(await seen()).toEqual([]);
    await call(service, 'PATCH', pathOf(tenant, `/${other.id}`), { permissions: ['all_customers'] });
    expect(await seen()).toEqual([customer.cuid]);
    await call(service, 'PATCH', pathOf(tenant, `/${other.id}`), { permissions: [] });
    expect(await seen()).toEqual([]);
  });

  it('refuses faulty changes and makes none of them', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const app = await newApp(service, tenant);
    const before = await rowsOf(tenant.id);
    const response = await call(service, 'PATCH', pathOf(tenant, `/${app.id}`), {
      name: 'Fine',
      permissions: ['root'],
      supertoken: 'mine',
    });
    expect(response.status).toBe(400);
    const { errors } = await response.json<Problem>();
    expect(errors.map(({ path }) => path).toSorted()).toEqual(['permissions.0', 'supertoken']);
    expect(await rowsOf(tenant.id)).toEqual(before);
  });
});

describe('POST /operator/v1/tenants/{slug}/apps/{id}/rotate', () => {
  const rotate = async (service: Service, tenant: TestTenant, id: string, body: unknown = {}): Promise<AppPair> => {
    const response = await call(service, 'POST', pathOf(tenant, `/${id}/rotate`), body);
    expect(response.status).toBe(201);
    return response.json<AppPair>();
  };

  it('gives a new pair, and ends the old one at once', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const app = await newApp(service, tenant);
    const rotated = await rotate(service, tenant, app.id);
    expect(rotated.id).toBe(app.id);
    expect(rotated.superkey).not.toBe(app.superkey);
    expect((await readAsApp(service, rotated)).status).toBe(200);
    expect(await refusalOf(await readAsApp(service, app))).toMatchObject({ status: 404, code: 'unknown_key' });
    expect((await list(service, tenant)).items).toMatchObject([{ id: app.id, superkey: rotated.superkey }]);
    expect(await everythingAtRest(tenant)).not.toContain(rotated.supertoken);
    expect((await eventsAbout(app.id)).map(({ type }) => type)).toEqual(['app.created', 'app.rotated']);
  });

  it('keeps the old pair valid for the overlap, and not a second longer', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const app = await newApp(service, tenant);
    const rotated = await rotate(service, tenant, app.id, { overlap: 3600 });
    service.clock.advance(3599);
    expect((await readAsApp(service, app)).status).toBe(200);
    expect((await readAsApp(service, { ...rotated, supertoken: app.supertoken })).status).toBe(403);
    service.clock.advance(1);
    expect(await refusalOf(await readAsApp(service, app))).toMatchObject({ status: 404, code: 'unknown_key' });
    expect((await readAsApp(service, rotated)).status).toBe(200);
  });

  it('cuts an overlap short by another rotation, and never prolongs one', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const first = await newApp(service, tenant);
    const second = await rotate(service, tenant, first.id, { overlap: 60 });
    const third = await rotate(service, tenant, first.id, { overlap: 3600 });
    service.clock.advance(60);
    const statuses = [first, second, third].map(async (pair) => (await readAsApp(service, pair)).status);
    expect(await Promise.all(statuses)).toEqual([404, 200, 200]);
    await rotate(service, tenant, first.id);
    expect((await readAsApp(service, second)).status).toBe(404);
  });

  it('leaves what the app’s customers have', async () => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    const rotated = await rotate(service, tenant, app.id);
    const path = `/customer/${customer.cuid}`;
    expect((await service.call('GET', path, { headers: customerHeaders(customer) })).status).toBe(200);
    expect((await service.call('GET', path, { headers: appHeaders(rotated) })).status).toBe(200);
  });

  it('leaves one pair for good when it happens ten times at once', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const app = await newApp(service, tenant);
    const pairs = await Promise.all(Array.from({ length: 10 }, () => rotate(service, tenant, app.id)));
    const statuses = await Promise.all(pairs.map(async (pair) => (await readAsApp(service, pair)).status));
    expect(statuses.toSorted()).toEqual([200, ...Array<number>(9).fill(404)]);
    expect((await list(service, tenant)).items).toHaveLength(1);
  });

  it.each([-1, 1.5, '60', 30 * 24 * 3600 + 1])('refuses an overlap of %j, and keeps the old pair', async (overlap) => {
    const service = createService();
    const tenant = await newTenant(service);
    const app = await newApp(service, tenant);
    const response = await call(service, 'POST', pathOf(tenant, `/${app.id}/rotate`), { overlap });
    expect(response.status).toBe(400);
    expect((await readAsApp(service, app)).status).toBe(200);
  });
});

describe('DELETE /operator/v1/tenants/{slug}/apps/{id}', () => {
  it('ends the app and the pairs that customers have with it, and leaves the customers', async () => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    const other = await newApp(service, tenant, { permissions: ['all_customers', 'nopasscode'] });
    const path = `/customer/${customer.cuid}`;
    const renewed = await service.call('GET', `${path}/auth`, { headers: appHeaders(other) });
    const otherPair = await renewed.json<{ key: string; token: string }>();

    expect((await call(service, 'DELETE', pathOf(tenant, `/${app.id}`))).status).toBe(204);
    expect(await refusalOf(await readAsApp(service, app))).toMatchObject({ status: 404, code: 'unknown_key' });
    const dead = await service.call('GET', path, { headers: customerHeaders(customer) });
    expect(await refusalOf(dead)).toMatchObject({ status: 404, code: 'unknown_key' });
    const headers = customerHeaders({ ...customer, ...otherPair });
    expect((await service.call('GET', path, { headers })).status).toBe(200);
    expect((await service.call('GET', path, { headers: appHeaders(other) })).status).toBe(200);
    expect((await list(service, tenant)).items.map(({ id }) => id)).toEqual([other.id]);
    expect((await eventsAbout(app.id)).map(({ type }) => type)).toEqual(['app.created', 'app.deleted']);
  });

  it('does nothing by half when the database fails', async () => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const { tenant, app } = await newWorld(service);
    await newCustomer(service, app);
    const before = await rowsOf(tenant.id);
    storage.failWhen((operation) => (operation === 'D1 batch' ? 'before' : null));
    expect((await call(service, 'DELETE', pathOf(tenant, `/${app.id}`))).status).toBe(503);
    expect(await rowsOf(tenant.id)).toEqual(before);
  });
});

describe('what names no app', () => {
  const rows: [string, string, unknown][] = [
    ['PATCH', '', { name: 'Changed' }],
    ['POST', '/rotate', {}],
    ['DELETE', '', undefined],
  ];
  for (const [method, rest, body] of rows) {
    it(`is told by ${method} …/apps/{id}${rest}`, async () => {
      const service = createService();
      const tenant = await newTenant(service);
      for (const id of [UNKNOWN_APP, 'x', tenant.id, `cus_${'0'.repeat(26)}`]) {
        const response = await call(service, method, pathOf(tenant, `/${id}${rest}`), body);
        expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'app_not_found' });
      }
    });
  }
});

describe('what names no tenant', () => {
  const rows: [string, string, unknown][] = [
    ['POST', '', { name: 'App' }],
    ['GET', '', undefined],
    ['PATCH', `/${UNKNOWN_APP}`, { name: 'Changed' }],
    ['POST', `/${UNKNOWN_APP}/rotate`, {}],
    ['DELETE', `/${UNKNOWN_APP}`, undefined],
  ];
  for (const [method, rest, body] of rows) {
    it(`is told by ${method} …/{slug}/apps${rest}`, async () => {
      const response = await call(createService(), method, pathOf({ slug: 'nobodys' }, rest), body);
      expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'tenant_not_found' });
    });
  }
});
