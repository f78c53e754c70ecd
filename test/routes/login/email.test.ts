import { describe, expect, it } from 'vitest';
import { createService } from '../../support/service.ts';
import { faultsOf, newOwner } from '../../support/signups.ts';
import { newTenant, newWorld, refusalOf, uniqueEmail } from '../../support/tenants.ts';

const newTenantWithQuestion = async () => {
  const service = createService();
  const tenant = await newTenant(service);
  const ask = (body: unknown, headers: Record<string, string> = {}, host = tenant.host) =>
    service.call('POST', `${host}/v1/auth/customers/email`, { body, headers });
  return { service, tenant, ask };
};

describe('POST /v1/auth/customers/email', () => {
  it('answers 200 with an empty body for the address of a customer and for the one of a user', async () => {
    const { service, tenant, ask } = await newTenantWithQuestion();
    const email_address = uniqueEmail();
    const owner = await newOwner(service, tenant, { customer: { email_address } });
    for (const each of [email_address, owner.email]) {
      const response = await ask({ email_address: each });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('');
      expect(response.headers.get('Cache-Control')).toBe('no-store');
    }
  });

  it('compares without regard to case and surrounding white space', async () => {
    const { service, tenant, ask } = await newTenantWithQuestion();
    const { email } = await newOwner(service, tenant);
    expect((await ask({ email_address: `  ${email.toUpperCase()} ` })).status).toBe(200);
  });

  it('knows a customer that an app created', async () => {
    const service = createService();
    const { tenant, customer } = await newWorld(service);
    const response = await service.call('POST', `${tenant.host}/v1/auth/customers/email`, {
      body: { email_address: customer.email },
    });
    expect(response.status).toBe(200);
  });

  it('answers 404 for an address that nobody has', async () => {
    const { ask } = await newTenantWithQuestion();
    expect(await refusalOf(await ask({ email_address: uniqueEmail() }))).toMatchObject({
      status: 404,
      code: 'customer_not_found',
    });
  });

  it('does not know the customers of another tenant', async () => {
    const { service, tenant, ask } = await newTenantWithQuestion();
    const other = await newTenant(service);
    const { email } = await newOwner(service, other);
    expect((await ask({ email_address: email })).status).toBe(404);
    expect((await ask({ email_address: email }, {}, other.host)).status).toBe(200);
    expect(tenant.id).not.toBe(other.id);
  });

  it.each([
    [{}, { email_address: 'required' }],
    [{ email_address: 'nobody' }, { email_address: 'invalid' }],
    [{ email_address: null }, { email_address: 'invalid' }],
    [{ email_address: ['a@example.com'] }, { email_address: 'invalid' }],
    [
      { email: 'a@example.com', extra: 1 },
      { email_address: 'required', email: 'unknown_member', extra: 'unknown_member' },
    ],
  ])('refuses %j', async (body, faults) => {
    const { ask } = await newTenantWithQuestion();
    expect(await faultsOf(await ask(body))).toEqual(faults);
  });

  it('answers 30 times a minute to one address of the internet, whatever is asked', async () => {
    const { service, tenant, ask } = await newTenantWithQuestion();
    const { email } = await newOwner(service, tenant);
    const from = (ip: string) => ({ 'CF-Connecting-IP': ip });
    for (let i = 0; i < 30; i += 1) {
      const email_address = i % 2 === 0 ? email : uniqueEmail();
      expect((await ask({ email_address }, from('192.0.2.1'))).status).not.toBe(429);
    }
    const refused = await ask({ email_address: email }, from('192.0.2.1'));
    expect(refused.headers.get('Retry-After')).toBe('60');
    expect(await refusalOf(refused)).toMatchObject({ status: 429, code: 'rate_limited' });
    expect((await ask({ email_address: email }, from('192.0.2.2'))).status).toBe(200);
    service.clock.advance(60);
    expect((await ask({ email_address: email }, from('192.0.2.1'))).status).toBe(200);
  });
});
