import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { lastMailTo } from '../support/mailbox.ts';
import { passcodeIn } from '../support/passcodes.ts';
import { createService, type Service } from '../support/service.ts';
import { type AppPair, appHeaders, newApp, newTenant, newWorld, uniqueEmail } from '../support/tenants.ts';

const countOf = (responses: readonly Response[], status: number): number =>
  responses.filter((response) => response.status === status).length;

const mailPasscode = async (service: Service, app: AppPair, email: string): Promise<string> => {
  const asked = await service.call('GET', `/customer/${email}/passcode`, { headers: appHeaders(app) });
  expect(asked.status).toBe(200);
  return passcodeIn(await lastMailTo(email));
};

const redeem = (service: Service, app: AppPair, email: string, passcode: string): Promise<Response> =>
  service.call('GET', `/customer/${email}/auth?passcode=${passcode}`, { headers: appHeaders(app) });

describe('simultaneous calls', () => {
  it('redeem a right passcode once out of 50', async () => {
    const service = createService();
    const { app, customer } = await newWorld(service);
    const passcode = await mailPasscode(service, app, customer.email);
    const responses = await Promise.all(
      Array.from({ length: 50 }, () => redeem(service, app, customer.email, passcode)),
    );
    expect(countOf(responses, 200)).toBe(1);
    expect(countOf(responses, 401) + countOf(responses, 429)).toBe(49);
  });

  it('compare five of 200 wrong passcodes at most, with a right one among them', async () => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    const passcode = await mailPasscode(service, app, customer.email);
    const wrong = Array.from({ length: 200 }, (_, i) =>
      String((Number(passcode) + 1 + i) % 1_000_000).padStart(6, '0'),
    );
    const responses = await Promise.all(
      [...wrong.slice(0, 100), passcode, ...wrong.slice(100)].map((each) => redeem(service, app, customer.email, each)),
    );
    const state = await env.DB.prepare(
      'select attempts, consumed_at from challenges where tenant_id = ? and customer_id = ?',
    )
      .bind(tenant.id, customer.cuid)
      .first<{ attempts: number; consumed_at: number | null }>();
    expect(state?.attempts).toBeLessThanOrEqual(5);
    expect(countOf(responses, 200)).toBeLessThanOrEqual(1);
    expect(countOf(responses, 200)).toBe(state?.consumed_at ? 1 : 0);
    expect(countOf(responses, 200) + countOf(responses, 401) + countOf(responses, 429)).toBe(201);
  });

  it('create one customer of 20 with the same email address', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const app = await newApp(service, tenant);
    const email = uniqueEmail();
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        service.call('POST', '/customer', { headers: appHeaders(app), body: { company: `Company ${i}`, email } }),
      ),
    );
    expect(countOf(responses, 201)).toBe(1);
    expect(countOf(responses, 409)).toBe(19);
    expect(await rowsOf(tenant.id)).toEqual({ customers: 1, users: 1, apiKeys: 1, created: 1 });
  });

  it('answer 20 equal requests under one Idempotency-Key alike, with one customer', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const app = await newApp(service, tenant);
    const body = { company: 'A company', email: uniqueEmail() };
    const responses = await Promise.all(
      Array.from({ length: 20 }, () =>
        service.call('POST', '/customer', { headers: { ...appHeaders(app), 'Idempotency-Key': 'order-17' }, body }),
      ),
    );
    expect(countOf(responses, 201)).toBe(20);
    const answers = new Set(await Promise.all(responses.map((response) => response.text())));
    expect(answers.size).toBe(1);
    expect(await rowsOf(tenant.id)).toEqual({ customers: 1, users: 1, apiKeys: 1, created: 1 });
  });

  it('mail one passcode of 20 that are asked for', async () => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    const responses = await Promise.all(
      Array.from({ length: 20 }, () =>
        service.call('GET', `/customer/${customer.email}/passcode`, { headers: appHeaders(app) }),
      ),
    );
    expect(countOf(responses, 200)).toBe(1);
    expect(countOf(responses, 429)).toBe(19);
    const sent = await env.DB.prepare(
      "select count(*) as count from events where tenant_id = ? and type = 'passcode.sent'",
    )
      .bind(tenant.id)
      .first('count');
    expect(sent).toBe(1);
  });

  it('renew a key pair so that exactly the last token is good', async () => {
    const service = createService();
    const { app, customer } = await newWorld(service);
    const responses = await Promise.all(
      Array.from({ length: 10 }, () =>
        service.call('GET', `/customer/${customer.cuid}/auth`, { headers: appHeaders(app) }),
      ),
    );
    expect(countOf(responses, 200)).toBe(10);
    const pairs = await Promise.all(responses.map((response) => response.json<{ key: string; token: string }>()));
    expect(new Set(pairs.map(({ key }) => key))).toEqual(new Set([customer.key]));
    const reads = await Promise.all(
      pairs.map(({ key, token }) =>
        service.call('GET', `/customer/${customer.cuid}`, {
          headers: { 'x-access-key': key, 'x-access-token': token },
        }),
      ),
    );
    expect(countOf(reads, 200)).toBe(1);
    expect(countOf(reads, 403)).toBe(9);
  });
});

const rowsOf = (tenantId: string) =>
  env.DB.prepare(
    `select (select count(*) from customers where tenant_id = ?1) as customers,
      (select count(*) from users where tenant_id = ?1) as users,
      (select count(*) from api_keys where tenant_id = ?1) as apiKeys,
      (select count(*) from events where tenant_id = ?1 and type = 'customer.created') as created`,
  )
    .bind(tenantId)
    .first();
