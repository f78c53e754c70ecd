import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { countRoundTrips } from './support/bindings.ts';
import { lastMailTo } from './support/mailbox.ts';
import { passcodeIn } from './support/passcodes.ts';
import { createService } from './support/service.ts';
import { appHeaders, customerHeaders, newCustomer, newWorld, uniqueEmail } from './support/tenants.ts';

/** A world behind counted bindings, in an isolate that knows its tenant already. */
const newCountedWorld = async () => {
  const counter = countRoundTrips(env);
  const service = createService(counter.bindings);
  const world = await newWorld(service);
  await service.call('GET', `${world.tenant.host}/customer`, { headers: appHeaders(world.app) });
  const depthOf = async (method: string, path: string, call: Parameters<typeof service.call>[2], status = 200) => {
    const { depth, operations } = await counter.during(async () => {
      const response = await service.call(method, path, call);
      expect(response.status).toBe(status);
    });
    return { depth, operations };
  };
  return { service, counter, depthOf, ...world };
};

describe('sequential round trips to D1 and KV', () => {
  it('are one for a partner read by an app', async () => {
    const { depthOf, app, customer } = await newCountedWorld();
    const { depth } = await depthOf('GET', `/customer/${customer.cuid}`, { headers: appHeaders(app) });
    expect(depth).toBe(1);
  });

  it('are one for a partner read by the customer', async () => {
    const { depthOf, customer } = await newCountedWorld();
    const { depth } = await depthOf('GET', `/customer/${customer.cuid}`, { headers: customerHeaders(customer) });
    expect(depth).toBe(1);
  });

  it('are one for a partner read at the tenant’s own host', async () => {
    const { depthOf, tenant, app, customer } = await newCountedWorld();
    const { depth } = await depthOf('GET', `${tenant.host}/customer/${customer.cuid}`, { headers: appHeaders(app) });
    expect(depth).toBe(1);
  });

  it('are one for a list page, the first and the next', async () => {
    const { service, depthOf, app } = await newCountedWorld();
    await newCustomer(service, app);
    const first = await service.call('GET', '/customer?limit=1', { headers: appHeaders(app) });
    const next = /<([^>]+)>/.exec(first.headers.get('Link') ?? '')?.[1] ?? '';
    expect(next).toContain('cursor=');
    expect((await depthOf('GET', '/customer?limit=1', { headers: appHeaders(app) })).depth).toBe(1);
    expect((await depthOf('GET', next, { headers: appHeaders(app) })).depth).toBe(1);
  });

  it('are two for a passcode request and two for its redemption', async () => {
    const { depthOf, app, customer } = await newCountedWorld();
    const request = await depthOf('GET', `/customer/${customer.email}/passcode`, { headers: appHeaders(app) });
    expect(request.depth).toBe(2);
    const passcode = passcodeIn(await lastMailTo(customer.email));
    const redemption = await depthOf('GET', `/customer/${customer.email}/auth?passcode=${passcode}`, {
      headers: appHeaders(app),
    });
    expect(redemption.depth).toBe(2);
  });

  it('are two for the creation of a customer, with an Idempotency-Key too', async () => {
    const { depthOf, app } = await newCountedWorld();
    const create = (headers: Record<string, string> = {}) =>
      depthOf(
        'POST',
        '/customer',
        { headers: { ...appHeaders(app), ...headers }, body: { company: 'A company', email: uniqueEmail() } },
        201,
      );
    expect((await create()).depth).toBe(2);
    expect((await create({ 'Idempotency-Key': 'one' })).depth).toBe(2);
  });

  it('are two for a change, a renewal, an SSO redirect and a deletion', async () => {
    const { depthOf, app, customer } = await newCountedWorld();
    const headers = appHeaders(app);
    const path = `/customer/${customer.cuid}`;
    expect((await depthOf('PATCH', path, { headers, body: { city: 'Ulm' } })).depth).toBe(2);
    expect((await depthOf('GET', `${path}/auth`, { headers })).depth).toBe(2);
    expect((await depthOf('GET', `/customer/${customer.email}/auth/nopasscode`, { headers })).depth).toBe(2);
    expect((await depthOf('GET', `/customer/${customer.email}/sso`, { headers }, 302)).depth).toBe(2);
    expect((await depthOf('DELETE', path, { headers }, 204)).depth).toBe(2);
  });

  it('are none for the API document, the reference and the health of the service', async () => {
    const { depthOf } = await newCountedWorld();
    for (const path of ['/openapi.json', '/docs', '/healthz']) expect((await depthOf('GET', path, {})).depth).toBe(0);
  });

  it('are one more for a tenant that the isolate does not know yet', async () => {
    const counter = countRoundTrips(env);
    const { app, customer } = await newWorld(createService());
    const cold = createService(counter.bindings);
    const read = async () => {
      await cold.call('GET', `/customer/${customer.cuid}`, { headers: appHeaders(app) });
    };
    expect((await counter.during(read)).depth).toBe(2);
    expect((await counter.during(read)).depth).toBe(1);
  });
});
