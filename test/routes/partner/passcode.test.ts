import { describe, expect, it } from 'vitest';
import { lastMailTo, mailsTo } from '../../support/mailbox.ts';
import { passcodeIn } from '../../support/passcodes.ts';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import {
  appHeaders,
  newApp,
  newCustomer,
  newTenant,
  newWorld,
  refusalOf,
  uniqueEmail,
  uniqueName,
} from '../../support/tenants.ts';

/** A customer that was just made, and the call that mails it a passcode. */
const newAskedCustomer = async ({ email = uniqueEmail(), profile = {} }: { email?: string; profile?: object } = {}) => {
  const service = createService();
  const tenant = await newTenant(service, { ...profile });
  const app = await newApp(service, tenant);
  const customer = await newCustomer(service, app, { email });
  const ask = (address = email) => service.call('GET', `/customer/${address}/passcode`, { headers: appHeaders(app) });
  return { service, tenant, app, customer: { ...customer, email }, ask };
};

const expectLimited = async (response: Response, seconds: number): Promise<void> => {
  expect(await refusalOf(response)).toMatchObject({ status: 429, code: 'rate_limited' });
  expect(response.headers.get('Retry-After')).toBe(String(seconds));
};

describe('GET /customer/:email/passcode', () => {
  it('mails six digits to the customer, and says so', async () => {
    const { tenant, customer, ask } = await newAskedCustomer();
    const response = await ask();
    expect(response.status).toBe(200);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    const body = await response.text();
    expect(JSON.parse(body)).toEqual({ message: `We have emailed the passcode to: ${customer.email}` });
    const mail = await lastMailTo(customer.email);
    expect(mail.to).toBe(customer.email);
    expect(mail.from.name).toBe(`Tenant ${tenant.slug}`);
    const passcode = passcodeIn(mail);
    expect(mail.html).toContain(passcode);
    expect(mail.subject).not.toContain(passcode);
    expect(body).not.toContain(passcode);
  });

  it('mails to the address as it was first written, whichever way it is asked for', async () => {
    const email = `${uniqueName('Ada.Lovelace')}@example.com`;
    const { ask } = await newAskedCustomer({ email });
    const response = await ask(encodeURIComponent(` ${email.toUpperCase()} `));
    expect(await response.json()).toEqual({ message: `We have emailed the passcode to: ${email}` });
    expect(await mailsTo(email)).toHaveLength(1);
  });

  it('keeps the passcode for ten minutes, and nowhere in the clear', async () => {
    const { service, tenant, customer, ask } = await newAskedCustomer();
    await ask();
    const { challenges } = await rowsOf(tenant.id);
    expect(challenges).toHaveLength(1);
    expect(challenges?.[0]).toMatchObject({
      purpose: 'passcode',
      customer_id: customer.cuid,
      attempts: 0,
      consumed_at: null,
      expires_at: service.clock.now() + 600_000,
    });
    const passcode = passcodeIn(await lastMailTo(customer.email));
    for (const row of challenges ?? []) expect(Object.values(row)).not.toContain(passcode);
  });

  it('refuses an app without the permission passcode', async () => {
    const service = createService();
    const app = await newApp(service, await newTenant(service), { permissions: ['nopasscode', 'sso'] });
    const { email } = await newCustomer(service, app);
    const response = await service.call('GET', `/customer/${email}/passcode`, { headers: appHeaders(app) });
    expect(await refusalOf(response)).toEqual({
      status: 401,
      code: 'api_access_denied',
      message: 'User not allowed for API access',
    });
    expect(await mailsTo(email)).toEqual([]);
  });

  it('has no customer that the app may not see', async () => {
    const { service, tenant, customer, ask } = await newAskedCustomer();
    const theirs = await newCustomer(service, await newApp(service, tenant));
    for (const identifier of [theirs.email, uniqueEmail(), customer.cuid, 'ada']) {
      expect(await refusalOf(await ask(identifier))).toEqual({
        status: 404,
        code: 'customer_not_found',
        message: 'User not found',
      });
    }
    expect(await mailsTo(theirs.email)).toEqual([]);
  });

  it('answers 500 to a refused mail: the passcode is void, and no limit is charged', async () => {
    const { tenant, ask } = await newAskedCustomer({ email: `refused-${uniqueName('person')}@example.com` });
    for (const _ of Array.from({ length: 6 })) {
      const response = await ask();
      const { status, code, message } = await refusalOf(response);
      expect({ status, code }).toEqual({ status: 500, code: 'mail_refused' });
      expect(message).toMatch(/mail/);
    }
    const { challenges, rate_hits } = await rowsOf(tenant.id);
    expect(challenges).toEqual([]);
    expect(rate_hits).toEqual([]);
  });

  it('refuses HEAD, which mails nothing', async () => {
    const service = createService();
    const { app, customer } = await newWorld(service);
    const response = await service.call('HEAD', `/customer/${customer.email}/passcode`, { headers: appHeaders(app) });
    expect(response.status).toBe(405);
    expect(response.headers.get('Allow')).toBe('GET');
    expect(await mailsTo(customer.email)).toEqual([]);
  });

  it('is written in the audit log', async () => {
    const { app, customer, ask } = await newAskedCustomer();
    await ask();
    expect((await eventsAbout(customer.cuid)).at(-1)).toEqual({ type: 'passcode.sent', actor: `app:${app.id}` });
  });
});

describe('the limits on mails to an address', () => {
  it('allow one in 30 seconds', async () => {
    const { service, customer, ask } = await newAskedCustomer();
    expect((await ask()).status).toBe(200);
    await expectLimited(await ask(), 30);
    service.clock.advance(29);
    await expectLimited(await ask(), 1);
    expect(await mailsTo(customer.email)).toHaveLength(1);
    service.clock.advance(1);
    expect((await ask()).status).toBe(200);
    expect(await mailsTo(customer.email)).toHaveLength(2);
  });

  it('allow five in an hour', async () => {
    const { service, customer, ask } = await newAskedCustomer();
    for (const _ of Array.from({ length: 5 })) {
      expect((await ask()).status).toBe(200);
      service.clock.advance(60);
    }
    await expectLimited(await ask(), 3600 - 5 * 60);
    service.clock.advance(3600 - 5 * 60 - 1);
    await expectLimited(await ask(), 1);
    service.clock.advance(1);
    expect((await ask()).status).toBe(200);
    expect(await mailsTo(customer.email)).toHaveLength(6);
  });

  it('hold whichever app asks, and whichever way the address is written', async () => {
    const { service, tenant, customer, ask } = await newAskedCustomer();
    const other = await newApp(service, tenant, { permissions: ['passcode', 'all_customers'] });
    await ask();
    await expectLimited(await ask(customer.email.toUpperCase()), 30);
    const path = `/customer/${customer.email}/passcode`;
    await expectLimited(await service.call('GET', path, { headers: appHeaders(other) }), 30);
    expect(await mailsTo(customer.email)).toHaveLength(1);
  });

  it('hold for activation links and passcodes together', async () => {
    const service = createService();
    const { app } = await newWorld(service);
    const { email } = await newCustomer(service, app, { send_activation: true });
    const path = `/customer/${email}/passcode`;
    await expectLimited(await service.call('GET', path, { headers: appHeaders(app) }), 30);
    expect(await mailsTo(email)).toHaveLength(1);
  });

  it('leave other addresses alone', async () => {
    const { service, app, ask } = await newAskedCustomer();
    const { email } = await newCustomer(service, app);
    expect((await ask()).status).toBe(200);
    expect((await ask(email)).status).toBe(200);
  });

  it('are as the tenant’s settings say', async () => {
    const rate_limits = { mail_interval_seconds: 10, mail_per_hour: 2 };
    const { service, ask } = await newAskedCustomer({ profile: { settings: { rate_limits } } });
    expect((await ask()).status).toBe(200);
    await expectLimited(await ask(), 10);
    service.clock.advance(10);
    expect((await ask()).status).toBe(200);
    service.clock.advance(10);
    await expectLimited(await ask(), 3600 - 20);
  });
});
