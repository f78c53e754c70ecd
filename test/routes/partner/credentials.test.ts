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
import { callTo, nameOf, namesCustomer, routesWith, servedRoutes } from '../../support/routes.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
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
