import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { appHeaders, newApp, newCustomer, newTenant, newWorld, refusalOf, uniqueEmail } from '../../support/tenants.ts';

const SHOP = { name: 'shop', url: 'https://shop.example.com/in?lang=de&page=1' };
const LABEL = { name: 'White Label', url: 'https://label.example.com/' };

/** An app with these platforms, and a customer of it. */
const newAppFor = async (platforms: { name: string; url: string }[]) => {
  const service = createService();
  const tenant = await newTenant(service);
  const app = await newApp(service, tenant, { permissions: ['sso'], platforms });
  const customer = await newCustomer(service, app);
  const signOn = (query = '', email = customer.email) =>
    service.call('GET', `/customer/${email}/sso${query}`, { headers: appHeaders(app) });
  return { service, tenant, app, customer, signOn };
};

const locationOf = (response: Response): URL => {
  expect(response.status).toBe(302);
  return new URL(response.headers.get('Location') ?? '');
};

/** At least 128 bits, URL-safe. */
const SECRET = /^[\w-]{22,}$/;

describe('GET /customer/:email/sso', () => {
  it('redirects to the registered URL, keeping its own query, with a code and a state', async () => {
    const { signOn } = await newAppFor([SHOP]);
    const response = await signOn();
    const { origin, pathname, searchParams } = locationOf(response);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(`${origin}${pathname}`).toBe('https://shop.example.com/in');
    const { code, state, ...own } = Object.fromEntries(searchParams);
    expect(own).toEqual({ lang: 'de', page: '1' });
    expect(code).toMatch(SECRET);
    expect(state).toMatch(SECRET);
    expect(state).not.toBe(code);
  });

  it('gives another code and state each time', async () => {
    const { signOn } = await newAppFor([SHOP]);
    const [first, second] = [locationOf(await signOn()).searchParams, locationOf(await signOn()).searchParams];
    expect(first.get('code')).not.toBe(second.get('code'));
    expect(first.get('state')).not.toBe(second.get('state'));
  });

  it('issues a code of the customer that lives 60 seconds, and keeps it nowhere in the clear', async () => {
    const { service, tenant, customer, signOn } = await newAppFor([SHOP]);
    const code = locationOf(await signOn()).searchParams.get('code') ?? '';
    const { challenges, ...others } = await rowsOf(tenant.id);
    expect(challenges).toHaveLength(1);
    expect(challenges?.[0]).toMatchObject({
      purpose: 'authorization_code',
      customer_id: customer.cuid,
      consumed_at: null,
      expires_at: service.clock.now() + 60_000,
    });
    expect(JSON.stringify([challenges, others])).not.toContain(code);
    const { keys } = await env.KV.list({ prefix: 'authorization_code:' });
    expect(JSON.stringify(keys)).not.toContain(code);
  });

  it('goes to the first platform unless one is named', async () => {
    const { signOn } = await newAppFor([LABEL, SHOP]);
    expect(locationOf(await signOn()).origin).toBe('https://label.example.com');
  });

  it('goes to the platform that is named', async () => {
    const { signOn } = await newAppFor([SHOP, LABEL]);
    expect(locationOf(await signOn('?platform=White%20Label')).origin).toBe('https://label.example.com');
    expect(locationOf(await signOn('?platform=shop')).origin).toBe('https://shop.example.com');
  });

  it.each(['other', '', 'https%3A%2F%2Fevil.example.com'])(
    'never redirects to the platform %j, which is not registered',
    async (platform) => {
      const { tenant, signOn } = await newAppFor([SHOP]);
      const response = await signOn(`?platform=${platform}`);
      expect(response.headers.get('Location')).toBeNull();
      expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'unknown_platform' });
      expect((await rowsOf(tenant.id)).challenges).toEqual([]);
    },
  );

  it('does not know the platforms of another app', async () => {
    const { service, tenant, signOn } = await newAppFor([SHOP]);
    await newApp(service, tenant, { platforms: [LABEL] });
    const response = await signOn('?platform=White%20Label');
    expect(response.headers.get('Location')).toBeNull();
    expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'unknown_platform' });
  });

  it('refuses an app without platforms', async () => {
    const { signOn } = await newAppFor([]);
    const response = await signOn();
    expect(response.headers.get('Location')).toBeNull();
    expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'unknown_platform' });
  });

  it('knows the customer by its address in any case', async () => {
    const { customer, signOn } = await newAppFor([SHOP]);
    expect((await signOn('', encodeURIComponent(customer.email.toUpperCase()))).status).toBe(302);
  });

  it('has no customer that the app may not see', async () => {
    const { service, tenant, customer, signOn } = await newAppFor([SHOP]);
    const theirs = await newCustomer(service, await newApp(service, tenant));
    for (const identifier of [theirs.email, uniqueEmail(), customer.cuid]) {
      const response = await signOn('', identifier);
      expect(response.headers.get('Location')).toBeNull();
      expect(await refusalOf(response)).toEqual({
        status: 404,
        code: 'customer_not_found',
        message: 'User not found',
      });
    }
  });

  it('refuses an app without the permission sso', async () => {
    const service = createService();
    const app = await newApp(service, await newTenant(service), { permissions: ['passcode', 'nopasscode'] });
    const { email } = await newCustomer(service, app);
    const response = await service.call('GET', `/customer/${email}/sso`, { headers: appHeaders(app) });
    expect(response.headers.get('Location')).toBeNull();
    expect(await refusalOf(response)).toEqual({
      status: 401,
      code: 'api_access_denied',
      message: 'User not allowed for API access',
    });
  });

  it('refuses HEAD, which issues nothing', async () => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    const response = await service.call('HEAD', `/customer/${customer.email}/sso`, { headers: appHeaders(app) });
    expect(response.status).toBe(405);
    expect(response.headers.get('Allow')).toBe('GET');
    expect(response.headers.get('Location')).toBeNull();
    expect((await rowsOf(tenant.id)).challenges).toEqual([]);
  });

  it('is written in the audit log', async () => {
    const { app, customer, signOn } = await newAppFor([SHOP]);
    await signOn();
    expect((await eventsAbout(customer.cuid)).at(-1)).toEqual({ type: 'sso.redirected', actor: `app:${app.id}` });
  });
});
