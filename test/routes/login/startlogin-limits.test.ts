import { describe, expect, it } from 'vitest';
import { disableCustomer } from '../../support/customers.ts';
import { cookieIn, newBrowser, newLoginWorld, newStartWorld, startLogin } from '../../support/logins.ts';
import { mailsTo } from '../../support/mailbox.ts';
import { mailPasscode } from '../../support/passcodes.ts';
import { createService } from '../../support/service.ts';
import { appHeaders, refusalOf, uniqueEmail, uniqueName } from '../../support/tenants.ts';

type World = Awaited<ReturnType<typeof newStartWorld>>;

/** What can be told from an answer, but for what is random in any two. */
const shapeOf = async (response: Response) => {
  const headers = [...response.headers].filter(([name]) => name !== 'x-request-id' && name !== 'set-cookie');
  const text = (await response.text()).replace(/"urn:request:\w+"/, '""');
  const state = /"state":"([^"]*)"/.exec(text)?.[1] ?? 'none';
  const body = text.replaceAll(state, '*'.repeat(state.length));
  const cookie = cookieIn(response, '__Host-login');
  return { status: response.status, headers, body, cookie: [cookie?.value.length, cookie?.attributes] };
};

const expectLimited = async (response: Response, seconds: number): Promise<void> => {
  expect(await refusalOf(response.clone())).toMatchObject({ status: 429, code: 'rate_limited' });
  expect(response.headers.get('Retry-After')).toBe(String(seconds));
};

describe('a start for whom no mail goes out', () => {
  it.each([
    ['an address that nobody has', async () => uniqueEmail()],
    [
      'a customer that is disabled',
      async ({ customer }: World) => {
        await disableCustomer(customer.cuid);
        return customer.email;
      },
    ],
    ['a customer of another tenant', async ({ service }: World) => (await newLoginWorld(service)).customer.email],
  ])('answers the same for %s', async (_, emailOf) => {
    const world = await newStartWorld(createService());
    const expected = await shapeOf(await world.start({ email_address: world.customer.email }));
    world.service.clock.advance(30);
    const email = await emailOf(world);
    const before = (await mailsTo(email)).length;
    expect(await shapeOf(await world.start({ email_address: email }))).toEqual(expected);
    const limited = await world.start({ email_address: email });
    await expectLimited(limited, 30);
    expect(await mailsTo(email)).toHaveLength(before);
  });

  it('says the same when the mail is refused, and counts it', async () => {
    const { service, app, customer, start } = await newStartWorld(createService());
    const expected = await shapeOf(await start({ email_address: customer.email }));
    const email = `refused-${uniqueName('person')}@example.com`;
    await service.call('POST', '/customer', { headers: appHeaders(app), body: { company: 'A company', email } });
    expect(await shapeOf(await start({ email_address: email }))).toEqual(expected);
    await expectLimited(await start({ email_address: email }), 30);
  });
});
describe('the limits on starts', () => {
  it.each(['a customer', 'nobody'])('allow one mail in 30 seconds to an address of %s', async (whose) => {
    const { service, customer, start } = await newStartWorld(createService());
    const email_address = whose === 'nobody' ? uniqueEmail() : customer.email;
    expect((await start({ email_address })).status).toBe(200);
    const refused = await start({ email_address: email_address.toUpperCase() });
    await expectLimited(refused, 30);
    expect(refused.headers.get('Set-Cookie')).toBeNull();
    service.clock.advance(29);
    await expectLimited(await start({ email_address }), 1);
    service.clock.advance(1);
    expect((await start({ email_address })).status).toBe(200);
    expect(await mailsTo(email_address)).toHaveLength(whose === 'nobody' ? 0 : 2);
  });

  it.each(['a customer', 'nobody'])('allow five mails an hour to an address of %s', async (whose) => {
    const { service, customer, start } = await newStartWorld(createService());
    const email_address = whose === 'nobody' ? uniqueEmail() : customer.email;
    for (let i = 0; i < 5; i++) {
      expect((await start({ email_address })).status).toBe(200);
      service.clock.advance(60);
    }
    await expectLimited(await start({ email_address }), 3600 - 5 * 60);
    service.clock.advance(3600 - 5 * 60);
    expect((await start({ email_address })).status).toBe(200);
  });

  it('hold for passcodes and login codes together', async () => {
    const { service, app, customer, start } = await newStartWorld(createService());
    await mailPasscode(service, app, customer.email);
    await expectLimited(await start({ email_address: customer.email }), 30);
    service.clock.advance(30);
    expect((await start({ email_address: customer.email })).status).toBe(200);
    const path = `/customer/${customer.email}/passcode`;
    await expectLimited(await service.call('GET', path, { headers: appHeaders(app) }), 30);
  });

  it('allow 30 attempts a minute from one address of the internet, by CF-Connecting-IP alone', async () => {
    const { service, start } = await newStartWorld(createService());
    const from = (ip: string, others: Record<string, string> = {}) =>
      start({ email_address: uniqueEmail() }, { 'CF-Connecting-IP': ip, ...others });
    for (let i = 0; i < 30; i++)
      expect((await from('203.0.113.7', { 'X-Forwarded-For': `10.0.0.${i}` })).status).toBe(200);
    await expectLimited(await from('203.0.113.7', { 'X-Forwarded-For': '10.0.0.99', 'X-Real-IP': '10.0.0.99' }), 60);
    expect((await from('203.0.113.8')).status).toBe(200);
    service.clock.advance(60);
    expect((await from('203.0.113.7')).status).toBe(200);
  });

  it('count an IPv6 network of 64 bits as one, however it is written', async () => {
    const { start } = await newStartWorld(createService(), {
      settings: { rate_limits: { auth_per_ip_per_minute: 3 } },
    });
    const from = (ip: string) => start({ email_address: uniqueEmail() }, { 'CF-Connecting-IP': ip });
    for (const ip of ['2001:db8:0:1::1', '2001:DB8::1:ffff:0:0:2', '2001:0db8:0000:0001:1:2:3:4']) {
      expect((await from(ip)).status).toBe(200);
    }
    await expectLimited(await from('2001:db8:0:1:ffff::'), 60);
    expect((await from('2001:db8:0:2::1')).status).toBe(200);
  });

  it('take nothing from a person for what is refused to an address of the internet', async () => {
    const { service, customer, start } = await newStartWorld(createService(), {
      settings: { rate_limits: { auth_per_ip_per_minute: 1 } },
    });
    const headers = { 'CF-Connecting-IP': '203.0.113.7' };
    await start({ email_address: uniqueEmail() }, headers);
    await expectLimited(await start({ email_address: customer.email }, headers), 60);
    expect((await start({ email_address: customer.email })).status).toBe(200);
    service.clock.advance(1);
    await expectLimited(await start({ email_address: customer.email }), 29);
  });

  it('are each tenant’s own', async () => {
    const { service, customer, start } = await newStartWorld(createService());
    await start({ email_address: customer.email });
    const elsewhere = await newLoginWorld(service);
    await startLogin(newBrowser(service, elsewhere.tenant.host), customer.email);
  });
});
