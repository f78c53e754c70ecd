import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, linkIn, signIn } from './support/accounts.ts';
import { breakable, countRoundTrips } from './support/bindings.ts';
import { lastMailTo } from './support/mailbox.ts';
import { createService, type Service } from './support/service.ts';
import { newApp, newCustomer, newTenant, uniqueEmail } from './support/tenants.ts';

const PASSWORD = 'a password of my own';

/** A customer with a key pair and a password, signed in, in an isolate that knows its tenant and its keys. */
const newKnownWorld = async (service: Service) => {
  const tenant = await newTenant(service);
  const app = await newApp(service, tenant);
  const customer = await newCustomer(service, app, { send_activation: true });
  const { identifier, secret } = linkIn(await lastMailTo(customer.email), 'activate');
  const body = { identifier, secret, password: PASSWORD, password_check: PASSWORD };
  const activated = await service.call('POST', `${tenant.host}/customers/activate`, { body });
  expect(activated.status).toBe(200);
  service.clock.advance(31);
  const token = await signIn(service, tenant, { email: customer.email, password: PASSWORD });
  return { tenant, customer, token };
};

describe('sequential round trips to D1 and KV', () => {
  it('are one for a read of the account or the profile, none for the keys and the issuer, one for a partner read with an access token', async () => {
    const counter = countRoundTrips(env);
    const service = createService(counter.bindings);
    const { tenant, customer, token } = await newKnownWorld(service);
    const depthOf = async (path: string, headers: Record<string, string> = {}) => {
      const { depth } = await counter.during(async () => {
        expect((await service.call('GET', `${tenant.host}${path}`, { headers })).status).toBe(200);
      });
      return depth;
    };
    expect(await depthOf('/customers/self', bearerHeaders(token))).toBe(1);
    expect(await depthOf(`/api/${tenant.slug}/customer`, bearerHeaders(token))).toBe(1);
    expect(await depthOf('/.well-known/jwks.json')).toBe(0);
    expect(await depthOf('/.well-known/openid-configuration')).toBe(0);
    const pair = { 'x-access-key': customer.key, 'x-access-token': token };
    expect(await depthOf(`/customer/${customer.cuid}`, pair)).toBe(1);
  });

  it.each([
    ['a login', 'login', { password: PASSWORD }, 200],
    ['a login with a wrong password', 'login', { password: 'another password' }, 401],
    ['a request for a reset code', 'password_reset', { reset_uri: '/reset' }, 200],
  ])('are one for the answer to %s, whether there is such a person or not', async (_, path, body, status) => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const { tenant, customer } = await newKnownWorld(service);
    for (const email of [customer.email, uniqueEmail()]) {
      // What is done after the answer fails: the answer needs none of it.
      storage.failWhen((__, count) => (count > 1 ? 'before' : null));
      const response = await service.call('POST', `${tenant.host}/customers/${path}`, { body: { email, ...body } });
      const isKnown = email === customer.email;
      expect(response.status).toBe(isKnown || path === 'password_reset' ? status : 401);
      expect(storage.operations()).toBeGreaterThanOrEqual(isKnown ? 2 : 1);
      storage.failWhen(null);
    }
  });
});
