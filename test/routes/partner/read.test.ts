import { describe, expect, it } from 'vitest';
import { DETAILS, UNKNOWN_CUID } from '../../support/customers.ts';
import { createService } from '../../support/service.ts';
import {
  appHeaders,
  customerHeaders,
  newApp,
  newCustomer,
  newTenant,
  newWorld,
  refusalOf,
} from '../../support/tenants.ts';

const NOT_FOUND = { status: 404, code: 'customer_not_found', message: 'User not found' };

describe('GET /customer/:cuid', () => {
  it('gives the customer to the app that created it', async () => {
    const service = createService();
    const app = await newApp(service, await newTenant(service));
    const { cuid, email } = await newCustomer(service, app, { company: 'Analytical', ...DETAILS });
    const response = await service.call('GET', `/customer/${cuid}`, { headers: appHeaders(app) });
    expect(response.status).toBe(200);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    const time = new Date(service.clock.now()).toISOString();
    expect(await response.json()).toEqual({
      cuid,
      company: 'Analytical',
      email,
      ...DETAILS,
      created_at: time,
      updated_at: time,
    });
  });

  it('gives the customer the same of itself', async () => {
    const service = createService();
    const { app, customer } = await newWorld(service);
    const path = `/customer/${customer.cuid}`;
    const own = await service.call('GET', path, { headers: customerHeaders(customer) });
    expect(own.status).toBe(200);
    expect(own.headers.get('Cache-Control')).toBe('no-store');
    expect(await own.text()).toBe(await (await service.call('GET', path, { headers: appHeaders(app) })).text());
  });

  it('has no other customer for a customer', async () => {
    const service = createService();
    const { app, customer } = await newWorld(service);
    const other = await newCustomer(service, app);
    for (const cuid of [other.cuid, UNKNOWN_CUID, customer.email]) {
      const response = await service.call('GET', `/customer/${cuid}`, { headers: customerHeaders(customer) });
      expect(await refusalOf(response)).toEqual(NOT_FOUND);
    }
  });

  it('has no customer of another app', async () => {
    const service = createService();
    const { tenant, customer } = await newWorld(service);
    const other = await newApp(service, tenant);
    const response = await service.call('GET', `/customer/${customer.cuid}`, { headers: appHeaders(other) });
    expect(await refusalOf(response)).toEqual(NOT_FOUND);
  });

  it('has every customer of the tenant for an app with the permission all_customers', async () => {
    const service = createService();
    const { tenant, customer } = await newWorld(service);
    const seeing = await newApp(service, tenant, { permissions: ['all_customers'] });
    const response = await service.call('GET', `/customer/${customer.cuid}`, { headers: appHeaders(seeing) });
    expect(response.status).toBe(200);
  });

  it('knows customers by their cuid alone', async () => {
    const service = createService();
    const { app, customer } = await newWorld(service);
    for (const identifier of [UNKNOWN_CUID, customer.email, customer.key, customer.cuid.toUpperCase(), 'x', '%20']) {
      const response = await service.call('GET', `/customer/${identifier}`, { headers: appHeaders(app) });
      expect(await refusalOf(response)).toEqual(NOT_FOUND);
    }
  });

  it('refuses a path that cannot be decoded', async () => {
    const service = createService();
    const { app } = await newWorld(service);
    const response = await service.call('GET', '/customer/%E0%A4%A', { headers: appHeaders(app) });
    expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'malformed_request' });
  });

  it('names its methods to one that it does not take', async () => {
    const service = createService();
    const { app, customer } = await newWorld(service);
    const response = await service.call('PUT', `/customer/${customer.cuid}`, { headers: appHeaders(app), body: {} });
    expect(response.status).toBe(405);
    const allowed = response.headers.get('Allow')?.split(', ').toSorted();
    expect(allowed).toEqual(['DELETE', 'GET', 'HEAD', 'PATCH']);
  });
});
