import { describe, expect, it } from 'vitest';
import { readCustomer, UNKNOWN_CUID } from '../../support/customers.ts';
import { mailPasscode } from '../../support/passcodes.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { appHeaders, customerHeaders, newApp, newCustomer, newWorld, refusalOf } from '../../support/tenants.ts';

const NOT_FOUND = { status: 404, code: 'customer_not_found', message: 'User not found' };

describe('DELETE /customer/:cuid', () => {
  it('answers 204 without a body, and 404 from then on', async () => {
    const service = createService();
    const { app, customer } = await newWorld(service);
    const path = `/customer/${customer.cuid}`;
    const response = await service.call('DELETE', path, { headers: appHeaders(app) });
    expect(response.status).toBe(204);
    expect(await response.text()).toBe('');
    for (const method of ['GET', 'DELETE']) {
      expect(await refusalOf(await service.call(method, path, { headers: appHeaders(app) }))).toEqual(NOT_FOUND);
    }
    for (const call of ['auth', 'sso', 'passcode', 'auth/nopasscode']) {
      const response = await service.call('GET', `/customer/${customer.email}/${call}`, { headers: appHeaders(app) });
      expect(await refusalOf(response)).toEqual(NOT_FOUND);
    }
  });

  it('takes the keys of the customer away, with every app', async () => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    const seeing = await newApp(service, tenant, { permissions: ['all_customers'] });
    const renewed = await service.call('GET', `/customer/${customer.cuid}/auth`, { headers: appHeaders(seeing) });
    const second = await renewed.json<{ cuid: string; key: string; token: string }>();
    await service.call('DELETE', `/customer/${customer.cuid}`, { headers: appHeaders(app) });
    for (const pair of [customer, second]) {
      const read = await service.call('GET', `/customer/${customer.cuid}`, { headers: customerHeaders(pair) });
      expect(await refusalOf(read)).toEqual({ status: 404, code: 'unknown_key', message: 'No matching key' });
    }
  });

  it('leaves nothing of the customer but its anonymous trace in the audit log', async () => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    await newCustomer(service, app);
    await mailPasscode(service, app, customer.email);
    const path = `/customer/${customer.cuid}`;
    const person = { ...customerHeaders(customer), 'CF-Connecting-IP': '192.0.2.7', 'User-Agent': 'A browser' };
    await service.call('PATCH', path, { headers: person, body: { city: 'Ulm' } });
    expect(JSON.stringify((await rowsOf(tenant.id)).events)).toContain('192.0.2.7');
    await service.call('DELETE', path, { headers: appHeaders(app) });
    const { events, ...others } = await rowsOf(tenant.id);
    expect(JSON.stringify(others)).not.toContain(customer.cuid);
    expect(JSON.stringify(others)).not.toContain(customer.email);
    const trace = events?.filter(({ subject }) => subject === customer.cuid) ?? [];
    expect(trace.map(({ type }) => type).toSorted()).toEqual([
      'customer.created',
      'customer.deleted',
      'customer.updated',
      'passcode.sent',
    ]);
    for (const event of trace) expect(event).toMatchObject({ data: '{}', ip: null, user_agent: null });
  });

  it('makes the address free for another customer, whom an old passcode does not open', async () => {
    const service = createService();
    const { app, customer } = await newWorld(service);
    const passcode = await mailPasscode(service, app, customer.email);
    await service.call('DELETE', `/customer/${customer.cuid}`, { headers: appHeaders(app) });
    const successor = await newCustomer(service, app, { email: customer.email });
    expect(successor.cuid).not.toBe(customer.cuid);
    const path = `/customer/${customer.email}/auth?passcode=${passcode}`;
    const response = await service.call('GET', path, { headers: appHeaders(app) });
    expect(await refusalOf(response)).toMatchObject({ status: 401, code: 'invalid_passcode' });
  });

  it('forgets the answer that was kept for an Idempotency-Key', async () => {
    const service = createService();
    const { app } = await newWorld(service);
    const call = {
      headers: { ...appHeaders(app), 'Idempotency-Key': 'order-1' },
      body: { company: 'A company', email: 'ada@example.com' },
    };
    const first = await (await service.call('POST', '/customer', call)).json<{ cuid: string }>();
    await service.call('DELETE', `/customer/${first.cuid}`, { headers: appHeaders(app) });
    const again = await service.call('POST', '/customer', call);
    expect(again.status).toBe(201);
    expect((await again.json<{ cuid: string }>()).cuid).not.toBe(first.cuid);
  });

  it('refuses a customer’s own pair', async () => {
    const service = createService();
    const { app, customer } = await newWorld(service);
    const response = await service.call('DELETE', `/customer/${customer.cuid}`, { headers: customerHeaders(customer) });
    expect(await refusalOf(response)).toEqual({ status: 403, code: 'missing_key', message: 'Missing key' });
    expect((await readCustomer(service, app, customer.cuid)).cuid).toBe(customer.cuid);
  });

  it('has no customer of another app', async () => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    const other = await newApp(service, tenant);
    const response = await service.call('DELETE', `/customer/${customer.cuid}`, { headers: appHeaders(other) });
    expect(await refusalOf(response)).toEqual(NOT_FOUND);
    expect((await readCustomer(service, app, customer.cuid)).cuid).toBe(customer.cuid);
  });

  it('lets an app with the permission all_customers delete every customer of its tenant', async () => {
    const service = createService();
    const { tenant, customer } = await newWorld(service);
    const seeing = await newApp(service, tenant, { permissions: ['all_customers'] });
    const response = await service.call('DELETE', `/customer/${customer.cuid}`, { headers: appHeaders(seeing) });
    expect(response.status).toBe(204);
  });

  it('has no customer that there is not', async () => {
    const service = createService();
    const { app, customer } = await newWorld(service);
    for (const identifier of [UNKNOWN_CUID, customer.email]) {
      const response = await service.call('DELETE', `/customer/${identifier}`, { headers: appHeaders(app) });
      expect(await refusalOf(response)).toEqual(NOT_FOUND);
    }
  });
});
