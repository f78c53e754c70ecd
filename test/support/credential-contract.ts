import { describe, expect, it } from 'vitest';
import { disableCustomer, withholdApiAccess } from './customers.ts';
import { mailsTo } from './mailbox.ts';
import { callTo, type DocumentedRoute, nameOf, namesCustomer } from './routes.ts';
import { rowsOf } from './rows.ts';
import { createService, type Service } from './service.ts';
import {
  type AppPair,
  appHeaders,
  type CustomerPair,
  newApp,
  newCustomer,
  newTenant,
  newWorld,
  operatorHeaders,
  refusalOf,
  type TestTenant,
} from './tenants.ts';

type Pair = { key: string; token: string };

type World = { service: Service; tenant: TestTenant; app: AppPair; customer: CustomerPair & { email: string } };

type Expected = { status: number; code: string; message: string };

/** One of the two kinds of credentials of the partner surface. */
type Level = {
  name: string;
  /** The scheme of the OpenAPI document. */
  scheme: string;
  headers: Pair;
  parameters: Pair;
  pairOf: (world: Pick<World, 'app' | 'customer'>) => Pair;
  /** Replaces the pair. `refusal` is what the one from before meets then. */
  replace: (world: World) => Promise<{ pair: Pair; refusal: Expected }>;
};

export const MISSING_KEY = { status: 403, code: 'missing_key', message: 'Missing key' };
export const MISSING_TOKEN = { status: 403, code: 'missing_token', message: 'Missing token' };
export const UNKNOWN_KEY = { status: 404, code: 'unknown_key', message: 'No matching key' };
const INVALID_TOKEN = { status: 403, code: 'invalid_token', message: 'Invalid token' };
const DENIED = { status: 401, code: 'api_access_denied', message: 'User not allowed for API access' };

export const APP: Level = {
  name: 'an app’s pair',
  scheme: 'superkey',
  headers: { key: 'x-access-superkey', token: 'x-access-supertoken' },
  parameters: { key: 'superkey', token: 'supertoken' },
  pairOf: ({ app }) => ({ key: app.superkey, token: app.supertoken }),
  replace: async ({ service, tenant, app }) => {
    const path = `/operator/v1/tenants/${tenant.slug}/apps/${app.id}/rotate`;
    const rotated = await service.call('POST', path, { headers: operatorHeaders, body: {} });
    const { superkey, supertoken } = await rotated.json<AppPair>();
    return { pair: { key: superkey, token: supertoken }, refusal: UNKNOWN_KEY };
  },
};

export const CUSTOMER: Level = {
  name: 'a customer’s pair',
  scheme: 'key',
  headers: { key: 'x-access-key', token: 'x-access-token' },
  parameters: { key: 'key', token: 'token' },
  pairOf: ({ customer }) => customer,
  replace: async ({ service, app, customer }) => {
    const renewed = await service.call('GET', `/customer/${customer.cuid}/auth`, { headers: appHeaders(app) });
    return { pair: await renewed.json<CustomerPair>(), refusal: INVALID_TOKEN };
  },
};

/** What a call presents, and at which host. */
type Presented = { headers?: Record<string, string>; query?: [string, string][]; host?: string };

const newCase = async (route: DocumentedRoute, settings: Record<string, unknown> = {}) => {
  const service = createService();
  const tenant = await newTenant(service);
  const app = await newApp(service, tenant, settings);
  const customer = await newCustomer(service, app);
  const send = ({ headers = {}, query = [], host = 'http://localhost' }: Presented): Promise<Response> => {
    const { cuid, email } = customer;
    const { path, call } = callTo(route, { cuid, email, identifier: cuid, slug: tenant.slug, id: app.id });
    const url = new URL(path, host);
    for (const [name, value] of query) url.searchParams.append(name, value);
    return service.call(route.method, url.href, { headers, ...call });
  };
  return {
    world: { service, tenant, app, customer },
    admits: async (presented: Presented): Promise<void> => {
      expect((await send(presented)).status).toBeLessThan(400);
    },
    /** Fails unless the call is refused so, and had no effect. */
    refuses: async (presented: Presented, expected: Partial<Expected>): Promise<void> => {
      const before = await rowsOf(tenant.id);
      const response = await send(presented);
      expect(await refusalOf(response)).toMatchObject(expected);
      expect(response.headers.get('Location')).toBeNull();
      expect(await rowsOf(tenant.id)).toEqual(before);
      expect(await mailsTo(customer.email)).toEqual([]);
    },
  };
};

/**
 * What every route that takes such a pair does with a right one, and with every other (contract 1, credentials).
 * @param permission the one that an app needs for the route.
 */
export const describeCredentials = (level: Level, route: DocumentedRoute, permission: string | null): void => {
  const inHeaders = ({ key, token }: Pair) => ({ [level.headers.key]: key, [level.headers.token]: token });
  const inQuery = ({ key, token }: Pair): [string, string][] => [
    [level.parameters.key, key],
    [level.parameters.token, token],
  ];
  const newLevelCase = async (settings: Record<string, unknown> = {}) => {
    const aCase = await newCase(route, settings);
    return { ...aCase, pair: level.pairOf(aCase.world) };
  };

  describe(`${nameOf(route)} with ${level.name}`, () => {
    it('is open to the right one', async () => {
      const { admits, pair } = await newLevelCase();
      await admits({ headers: inHeaders(pair) });
    });

    it('is open to the right one at the tenant’s own host', async () => {
      const { admits, pair, world } = await newLevelCase();
      await admits({ headers: inHeaders(pair), host: world.tenant.host });
    });

    it('wants a key first', async () => {
      const { refuses, pair } = await newLevelCase();
      await refuses({}, MISSING_KEY);
      await refuses({ headers: inHeaders({ key: '', token: '' }) }, MISSING_KEY);
      await refuses({ headers: { [level.headers.token]: pair.token } }, MISSING_KEY);
      await refuses({ headers: operatorHeaders }, MISSING_KEY);
    });

    it('wants a token then', async () => {
      const { refuses, pair } = await newLevelCase();
      await refuses({ headers: { [level.headers.key]: pair.key } }, MISSING_TOKEN);
      await refuses({ headers: inHeaders({ ...pair, token: '' }) }, MISSING_TOKEN);
      await refuses({ headers: { [level.headers.key]: 'unknown' } }, MISSING_TOKEN);
    });

    it('knows no key that was never given, whatever the token', async () => {
      const { refuses, pair } = await newLevelCase();
      const unknown = `${pair.key.slice(0, -22)}${'A'.repeat(22)}`;
      await refuses({ headers: inHeaders({ ...pair, key: unknown }) }, UNKNOWN_KEY);
      await refuses({ headers: inHeaders({ key: unknown, token: 'wrong' }) }, UNKNOWN_KEY);
    });

    it('knows no key of another form', async () => {
      const { refuses, pair, world } = await newLevelCase();
      const [prefix = '', , unique = ''] = /^(..)_([^_]+)_(.+)$/.exec(pair.key)?.slice(1) ?? [];
      const others = [
        'x',
        "' or 1=1 --",
        pair.key.slice(0, -1),
        `${pair.key}x`,
        pair.key.toUpperCase(),
        `${prefix}_${'0'.repeat(26)}_${unique}`,
        world.customer.cuid,
        world.app.id,
        (level === APP ? CUSTOMER : APP).pairOf(world).key,
      ];
      for (const key of others) await refuses({ headers: inHeaders({ ...pair, key }) }, UNKNOWN_KEY);
    });

    it('refuses a wrong token', async () => {
      const { refuses, pair, world } = await newLevelCase();
      const app = await newApp(world.service, world.tenant);
      const customer = await newCustomer(world.service, world.app);
      const others = [
        'wrong',
        `${pair.token}x`,
        pair.token.slice(0, -1),
        pair.token.toLowerCase(),
        level.pairOf({ app, customer }).token,
        (level === APP ? CUSTOMER : APP).pairOf(world).token,
      ];
      for (const token of others) await refuses({ headers: inHeaders({ ...pair, token }) }, INVALID_TOKEN);
    });

    it('knows no key of another tenant at a tenant’s host', async () => {
      const { refuses, admits, pair, world } = await newLevelCase();
      const other = await newWorld(world.service);
      await refuses({ headers: inHeaders(level.pairOf(other)), host: world.tenant.host }, UNKNOWN_KEY);
      await refuses({ headers: inHeaders(pair), host: other.tenant.host }, UNKNOWN_KEY);
      await refuses({ headers: inHeaders({ ...pair, token: 'wrong' }), host: other.tenant.host }, UNKNOWN_KEY);
      await admits({ headers: { ...inHeaders(pair), 'X-Forwarded-Host': new URL(other.tenant.host).host } });
    });

    it('is not there at a sub-domain that names no tenant', async () => {
      const { refuses, pair } = await newLevelCase();
      await refuses({ headers: inHeaders(pair), host: 'http://nobody.localhost' }, TENANT_NOT_FOUND);
    });

    it('is not there for a disabled tenant', async () => {
      const { refuses, pair, world } = await newLevelCase();
      const disabled = await world.service.call('PUT', `/operator/v1/tenants/${world.tenant.slug}`, {
        headers: operatorHeaders,
        body: { name: 'A tenant', status: 'disabled' },
      });
      expect(disabled.status).toBe(200);
      for (const host of ['http://localhost', world.tenant.host]) {
        await refuses({ headers: inHeaders(pair), host }, TENANT_NOT_FOUND);
      }
    });

    it('is open to the new pair alone when there is one', async () => {
      const { refuses, admits, pair, world } = await newLevelCase();
      const replaced = await level.replace(world);
      await refuses({ headers: inHeaders(pair) }, replaced.refusal);
      await refuses({ headers: inHeaders({ key: replaced.pair.key, token: pair.token }) }, INVALID_TOKEN);
      await admits({ headers: inHeaders(replaced.pair) });
    });

    it.each([
      ['as documented', (name: string) => name],
      ['in capitals', (name: string) => name.toUpperCase()],
      [
        'in camel case',
        (name: string) => name.replace(/key|token/, (word) => word.replace(/^./, (letter) => letter.toUpperCase())),
      ],
    ])('takes it from the query, with names %s', async (_, written) => {
      const { admits, pair } = await newLevelCase();
      await admits({ query: inQuery(pair).map(([name, value]) => [written(name), value]) });
    });

    it('takes half of it from the query', async () => {
      const { admits, pair } = await newLevelCase();
      const [, token] = inQuery(pair);
      await admits({ headers: { [level.headers.key]: pair.key }, query: token ? [token] : [] });
    });

    it('refuses a wrong one in the query as in the headers', async () => {
      const { refuses, pair } = await newLevelCase();
      const [key] = inQuery(pair);
      await refuses({ query: key ? [key] : [] }, MISSING_TOKEN);
      await refuses({ query: inQuery({ ...pair, key: 'unknown' }) }, UNKNOWN_KEY);
      await refuses({ query: inQuery({ ...pair, token: 'wrong' }) }, INVALID_TOKEN);
    });

    it('prefers the headers to the query', async () => {
      const { refuses, admits, pair } = await newLevelCase();
      await refuses({ headers: inHeaders({ ...pair, key: 'unknown' }), query: inQuery(pair) }, UNKNOWN_KEY);
      await refuses({ headers: inHeaders({ ...pair, token: 'wrong' }), query: inQuery(pair) }, INVALID_TOKEN);
      await admits({ headers: inHeaders(pair), query: inQuery({ key: 'unknown', token: 'wrong' }) });
    });

    it('refuses a query that repeats it', async () => {
      const { refuses, pair } = await newLevelCase();
      for (const [name, value] of inQuery(pair)) {
        for (const again of [name, name.toUpperCase()]) {
          const query: [string, string][] = [...inQuery(pair), [again, value]];
          await refuses({ query }, { status: 400, code: 'malformed_request' });
        }
      }
    });

    it('refuses it in the query where the app wants none there, once it is known to be right', async () => {
      const { refuses, admits, pair } = await newLevelCase({ query_credentials: false });
      const refused = { status: 403, code: 'query_credentials_refused' };
      await refuses({ query: inQuery({ ...pair, token: 'wrong' }) }, INVALID_TOKEN);
      await refuses({ query: inQuery(pair) }, refused);
      for (const [name, value] of Object.entries(inHeaders(pair))) {
        await refuses({ headers: { [name]: value }, query: inQuery(pair) }, refused);
      }
      await admits({ headers: inHeaders(pair) });
    });

    if (level === APP) {
      it(`is open to an app with ${permission ? `the permission ${permission} alone` : 'no permission'}`, async () => {
        const { admits, pair } = await newLevelCase({ permissions: permission ? [permission] : [] });
        await admits({ headers: inHeaders(pair) });
      });
    }

    if (level === APP && permission !== null) {
      it(`refuses an app without the permission ${permission}, once it is known to be right`, async () => {
        const permissions = PERMISSIONS.filter((each) => each !== permission);
        const { refuses, pair } = await newLevelCase({ permissions });
        await refuses({ headers: inHeaders({ ...pair, token: 'wrong' }) }, INVALID_TOKEN);
        await refuses({ headers: inHeaders(pair) }, DENIED);
      });
    }

    for (const [kind, bar] of [
      ['without access to the API', withholdApiAccess],
      ['that is disabled', disableCustomer],
    ] as const) {
      if (!namesCustomer(route)) continue;
      it(`refuses a customer ${kind}, once the pair is known to be right`, async () => {
        const { refuses, pair, world } = await newLevelCase();
        await bar(world.customer.cuid);
        await refuses({ headers: inHeaders({ ...pair, token: 'wrong' }) }, INVALID_TOKEN);
        await refuses({ headers: inHeaders(pair) }, DENIED);
      });
    }
  });
};

const TENANT_NOT_FOUND = { status: 404, code: 'tenant_not_found' };
const PERMISSIONS = ['passcode', 'nopasscode', 'sso', 'all_customers'];
