import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import {
  APP,
  CUSTOMER,
  describeCredentials,
  MISSING_KEY,
  MISSING_TOKEN,
  UNKNOWN_KEY,
} from '../../support/credential-contract.ts';
import { listCustomers } from '../../support/customers.ts';
import { callTo, type DocumentedRoute, nameOf, namesCustomer, routesWith, servedRoutes } from '../../support/routes.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import {
  type AppPair,
  appHeaders,
  customerHeaders,
  newWorld,
  operatorHeaders,
  refusalOf,
} from '../../support/tenants.ts';

/** The permission that a route wants of an app. Every other route wants none. */
const PERMISSIONS: Readonly<Record<string, string>> = {
  'GET /customer/{email}/sso': 'sso',
  'GET /customer/{email}/passcode': 'passcode',
  'GET /customer/{email}/auth/nopasscode': 'nopasscode',
};

const appRoutes = await routesWith(APP.scheme);
const customerRoutes = await routesWith(CUSTOMER.scheme);
const operatorRoutes = await routesWith('operator');

describe('the partner surface', () => {
  it('documents the credentials of every route that it has', () => {
    expect(appRoutes.map(nameOf).toSorted()).toEqual(servedRoutes('/customer'));
    expect(appRoutes.length).toBeGreaterThan(0);
  });

  it('wants permissions for routes that it has', () => {
    expect(appRoutes.map(nameOf)).toEqual(expect.arrayContaining(Object.keys(PERMISSIONS)));
  });

  it('lets a customer read and change itself, and do nothing else', () => {
    expect(customerRoutes.map(nameOf).toSorted()).toEqual(['GET /customer/{cuid}', 'PATCH /customer/{cuid}']);
  });
});

for (const route of appRoutes) describeCredentials(APP, route, PERMISSIONS[nameOf(route)] ?? null);
for (const route of customerRoutes) describeCredentials(CUSTOMER, route, null);

describe('a customer’s pair', () => {
  const appOnly = appRoutes.filter((route) => !customerRoutes.map(nameOf).includes(nameOf(route)));

  it.each(appOnly.map((route) => [nameOf(route), route] as const))('does not open %s', async (_, route) => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    const before = await rowsOf(tenant.id);
    const { path, call } = callTo(route, {
      ...customer,
      identifier: customer.cuid,
      slug: tenant.slug,
      id: app.id,
    });
    const response = await service.call(route.method, path, { headers: customerHeaders(customer), ...call });
    expect(await refusalOf(response)).toEqual(MISSING_KEY);
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it.each(customerRoutes.filter(namesCustomer).map((route) => [nameOf(route), route] as const))(
    'does not count beside any trace of an app’s for %s',
    async (_, route) => {
      const service = createService();
      const { tenant, app, customer } = await newWorld(service);
      const { path, call } = callTo(route, { ...customer, identifier: customer.cuid, slug: tenant.slug, id: app.id });
      const own = customerHeaders(customer);
      const withKey = { ...own, 'x-access-superkey': app.superkey };
      expect(await refusalOf(await service.call(route.method, path, { headers: withKey, ...call }))).toEqual(
        MISSING_TOKEN,
      );
      const withToken = { ...own, 'x-access-supertoken': app.supertoken };
      expect(await refusalOf(await service.call(route.method, path, { headers: withToken, ...call }))).toEqual(
        MISSING_KEY,
      );
      const withQuery = await service.call(route.method, `${path}?superkey=unknown&supertoken=wrong`, {
        headers: own,
        ...call,
      });
      expect(await refusalOf(withQuery)).toEqual(UNKNOWN_KEY);
    },
  );
});

describe('an app’s pair that was rotated with an overlap', () => {
  it('stays good beside the new one until the overlap is over', async () => {
    const service = createService();
    const { tenant, app } = await newWorld(service);
    const rotated = await service.call('POST', `/operator/v1/tenants/${tenant.slug}/apps/${app.id}/rotate`, {
      headers: operatorHeaders,
      body: { overlap: 60 },
    });
    const fresh = await rotated.json<AppPair>();
    service.clock.advance(59);
    expect(await listCustomers(service, app)).toEqual(await listCustomers(service, fresh));
    service.clock.advance(1);
    expect(await refusalOf(await service.call('GET', '/customer', { headers: appHeaders(app) }))).toEqual(UNKNOWN_KEY);
    expect(await listCustomers(service, fresh)).toHaveLength(1);
  });
});

describe('a pair whose app was removed', () => {
  it('is unknown, the app’s and its customers’', async () => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    const path = `/operator/v1/tenants/${tenant.slug}/apps/${app.id}`;
    expect((await service.call('DELETE', path, { headers: operatorHeaders })).status).toBe(204);
    for (const headers of [appHeaders(app), customerHeaders(customer)]) {
      const response = await service.call('GET', `/customer/${customer.cuid}`, { headers });
      expect(await refusalOf(response)).toEqual(UNKNOWN_KEY);
    }
  });
});

describe('the operator surface', () => {
  /** A world and a call to the route that concerns it, with these headers. */
  const newOperatorCase = async (route: DocumentedRoute) => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    const { path, call } = callTo(route, { ...customer, identifier: customer.cuid, slug: tenant.slug, id: app.id });
    const send = (headers: Record<string, string>, suffix = '', to: Service = service) =>
      to.call(route.method, `${path}${suffix}`, { headers, ...call });
    return { tenant, app, customer, send };
  };

  it('documents the credentials of every route that it has', () => {
    expect(operatorRoutes.map(nameOf).toSorted()).toEqual(servedRoutes('/operator'));
    expect(operatorRoutes.length).toBeGreaterThan(0);
  });

  const routes = operatorRoutes.map((route) => [nameOf(route), route] as const);

  it.each(routes)('opens %s to the operator alone', async (_, route) => {
    const { tenant, app, customer, send } = await newOperatorCase(route);
    const before = await rowsOf(tenant.id);
    const token = env.OPERATOR_TOKEN;
    for (const headers of [
      {},
      { Authorization: '' },
      { Authorization: token },
      { Authorization: 'Bearer' },
      { Authorization: 'Bearer wrong' },
      { Authorization: `Bearer ${token}x` },
      { Authorization: `Bearer ${token.slice(0, -1)}` },
      { Authorization: `Bearer ${token.toUpperCase()}` },
      { Authorization: `Bearer ${token} ${token}` },
      { Authorization: `Basic ${btoa(`operator:${token}`)}` },
      { Authorization: `Bearer ${app.supertoken}` },
      { ...appHeaders(app), ...customerHeaders(customer) },
    ]) {
      const response = await send(headers);
      expect(await refusalOf(response)).toMatchObject({ status: 401, code: 'unauthenticated' });
      expect(response.headers.get('WWW-Authenticate')).toBe('Bearer');
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
    expect((await send(operatorHeaders)).status).toBeLessThan(400);
  });

  it.each(routes)('takes no token for %s from the query', async (_, route) => {
    const { send } = await newOperatorCase(route);
    const query = new URLSearchParams({ access_token: env.OPERATOR_TOKEN, token: env.OPERATOR_TOKEN });
    expect((await send({}, `${route.method === 'DELETE' ? '&' : '?'}${query}`)).status).toBe(401);
  });

  it.each(routes)('has no %s without an OPERATOR_TOKEN', async (_, route) => {
    const { tenant, send } = await newOperatorCase(route);
    const before = await rowsOf(tenant.id);
    const bindings = { ...env, OPERATOR_TOKEN: undefined };
    const closed = createService(bindings);
    for (const headers of [{}, operatorHeaders, { Authorization: 'Bearer undefined' }]) {
      expect(await refusalOf(await send(headers, '', closed))).toMatchObject({ status: 404, code: 'not_found' });
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
  });
});
