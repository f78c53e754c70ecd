import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { breakable } from '../support/bindings.ts';
import { lastMailTo, mailsTo } from '../support/mailbox.ts';
import { passcodeIn } from '../support/passcodes.ts';
import { createService } from '../support/service.ts';
import {
  appHeaders,
  customerHeaders,
  newApp,
  newTenant,
  newWorld,
  refusalOf,
  uniqueEmail,
  uniqueName,
} from '../support/tenants.ts';

const newBreakableWorld = async () => {
  const storage = breakable(env);
  const service = createService(storage.bindings);
  const world = await newWorld(service);
  return { storage, service, ...world };
};

const expectUnavailable = async (response: Response): Promise<void> => {
  expect(await refusalOf(response)).toMatchObject({ status: 503, code: 'storage_unavailable' });
  expect(response.headers.get('Retry-After')).toBe('5');
};

/** Every row that the tenant has, by table. */
const rowsOf = async (tenantId: string): Promise<Record<string, number>> => {
  const tables = ['customers', 'users', 'api_keys', 'challenges', 'events', 'idempotency', 'rate_hits'];
  const counts = await env.DB.batch<{ count: number }>(
    tables.map((table) => env.DB.prepare(`select count(*) as count from ${table} where tenant_id = ?`).bind(tenantId)),
  );
  return Object.fromEntries(tables.map((table, i) => [table, counts[i]?.results[0]?.count ?? 0]));
};

describe('a database that fails', () => {
  for (const operation of [1, 2]) {
    it(`leaves no half customer when the creation’s statement ${operation} is not done`, async () => {
      const { storage, service, tenant, app } = await newBreakableWorld();
      const before = await rowsOf(tenant.id);
      const body = { company: 'A company', email: uniqueEmail() };
      storage.failWhen((name, count) => (name.startsWith('D1') && count === operation ? 'before' : null));
      await expectUnavailable(await service.call('POST', '/customer', { headers: appHeaders(app), body }));
      expect(await rowsOf(tenant.id)).toEqual(before);
      storage.failWhen(null);
      const retried = await service.call('POST', '/customer', { headers: appHeaders(app), body });
      expect(retried.status).toBe(201);
    });

    it(`keeps a passcode good when the redemption’s statement ${operation} is not done`, async () => {
      const { storage, service, app, customer } = await newBreakableWorld();
      await service.call('GET', `/customer/${customer.email}/passcode`, { headers: appHeaders(app) });
      const path = `/customer/${customer.email}/auth?passcode=${passcodeIn(await lastMailTo(customer.email))}`;
      let statements = 0;
      storage.failWhen((name) => {
        if (name.startsWith('D1')) statements += 1;
        return name.startsWith('D1') && statements === operation ? 'before' : null;
      });
      await expectUnavailable(await service.call('GET', path, { headers: appHeaders(app) }));
      storage.failWhen(null);
      expect((await service.call('GET', path, { headers: appHeaders(app) })).status).toBe(200);
    });
  }

  it('gives the answer of a creation whose answer was lost to the same Idempotency-Key', async () => {
    const { storage, service, app } = await newBreakableWorld();
    const call = {
      headers: { ...appHeaders(app), 'Idempotency-Key': 'lost-answer' },
      body: { company: 'A company', email: uniqueEmail() },
    };
    storage.failWhen((_, count) => (count === 2 ? 'after' : null));
    await expectUnavailable(await service.call('POST', '/customer', call));
    storage.failWhen(null);
    const retried = await service.call('POST', '/customer', call);
    expect(retried.status).toBe(201);
    const pair = await retried.json<{ cuid: string; key: string; token: string }>();
    const read = await service.call('GET', `/customer/${pair.cuid}`, { headers: customerHeaders(pair) });
    expect(read.status).toBe(200);
  });

  it('mails no passcode that cannot be redeemed', async () => {
    const { storage, service, tenant, app, customer } = await newBreakableWorld();
    const before = await rowsOf(tenant.id);
    storage.failWhen((name, count) => (name === 'D1 batch' && count > 1 ? 'before' : null));
    await expectUnavailable(
      await service.call('GET', `/customer/${customer.email}/passcode`, { headers: appHeaders(app) }),
    );
    expect(await mailsTo(customer.email)).toEqual([]);
    expect(await rowsOf(tenant.id)).toEqual(before);
  });
});

describe('a key-value store that fails', () => {
  it('mails no passcode that cannot be found', async () => {
    const { storage, service, app, customer } = await newBreakableWorld();
    storage.failWhen((name) => (name === 'KV put' ? 'before' : null));
    await expectUnavailable(
      await service.call('GET', `/customer/${customer.email}/passcode`, { headers: appHeaders(app) }),
    );
    expect(await mailsTo(customer.email)).toEqual([]);
  });

  it('counts no try against a person', async () => {
    const { storage, service, tenant, app, customer } = await newBreakableWorld();
    await service.call('GET', `/customer/${customer.email}/passcode`, { headers: appHeaders(app) });
    const before = await rowsOf(tenant.id);
    storage.failWhen((name) => (name === 'KV get' ? 'before' : null));
    await expectUnavailable(
      await service.call('GET', `/customer/${customer.email}/auth?passcode=123456`, { headers: appHeaders(app) }),
    );
    expect(await rowsOf(tenant.id)).toEqual(before);
  });
});

describe('a mail server that fails', () => {
  const askAndExpectRefusal = async (mailUrl?: string) => {
    const service = createService(mailUrl === undefined ? {} : { MAIL_URL: mailUrl });
    const tenant = await newTenant(service);
    const app = await newApp(service, tenant);
    const email = `refused-${uniqueName('person')}@example.com`;
    const body = { company: 'A company', email };
    expect((await service.call('POST', '/customer', { headers: appHeaders(app), body })).status).toBe(201);
    const before = await rowsOf(tenant.id);
    const asked = await service.call('GET', `/customer/${email}/passcode`, { headers: appHeaders(app) });
    expect(await refusalOf(asked)).toMatchObject({ status: 500, code: 'mail_refused' });
    expect(await rowsOf(tenant.id)).toEqual(before);
  };

  it('leaves nothing of a passcode when it refuses the recipient', () => askAndExpectRefusal());

  it('leaves nothing of a passcode when it is down', () => askAndExpectRefusal('smtp://127.0.0.1:1'));

  it('leaves no customer whose activation mail it refuses', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const app = await newApp(service, tenant);
    const body = { company: 'A company', email: `refused-${uniqueName('person')}@example.com`, send_activation: true };
    const refused = await service.call('POST', '/customer', { headers: appHeaders(app), body });
    expect(await refusalOf(refused)).toMatchObject({ status: 500, code: 'mail_refused' });
    expect(await rowsOf(tenant.id)).toMatchObject({ customers: 0, users: 0, api_keys: 0, challenges: 0, rate_hits: 0 });
    const again = await service.call('POST', '/customer', {
      headers: appHeaders(app),
      body: { ...body, send_activation: false },
    });
    expect(again.status).toBe(201);
  });
});
