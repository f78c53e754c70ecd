import { describe, expect, it } from 'vitest';
import { bearerHeaders, newPerson, readSelf } from '../../support/accounts.ts';
import { newAuthenticationWorld, outcomeOf, tokenIn } from '../../support/authentications.ts';
import { mailedCode } from '../../support/logins.ts';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { newCustomer, newTenant, uniqueEmail } from '../../support/tenants.ts';

describe('POST /api/{tenantId}/customer/authenticate', () => {
  it('is refused without a provider, or with one that there is not', async () => {
    const { service, tenant, path, authenticate } = await newAuthenticationWorld();
    const before = await rowsOf(tenant.id);
    const body = { email: uniqueEmail(), password: 'x' };
    const without = await service.call('POST', `${path}/authenticate`, { body });
    expect(await outcomeOf(without)).toEqual([400, 'unknown_provider']);
    for (const name of ['', 'google', 'Password', 'password ', 'provider:password', '__proto__', 'toString', 'null']) {
      expect([name, ...(await outcomeOf(await authenticate(name, body)))]).toEqual([name, 400, 'unknown_provider']);
    }
    expect(await outcomeOf(await authenticate('x'.repeat(2000), body))).toEqual([400, 'unknown_provider']);
    const twice = await service.call('POST', `${path}/authenticate?provider=otp&provider=password`, { body });
    expect(await outcomeOf(twice)).toEqual([400, 'unknown_provider']);
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('is refused when its body cannot be read', async () => {
    const { service, path } = await newAuthenticationWorld();
    const post = (rawBody: BodyInit, type = 'application/json') =>
      service.call('POST', `${path}/authenticate?provider=password`, { headers: { 'Content-Type': type }, rawBody });
    for (const body of ['', '{', '[]', 'null', '"text"', '7', '[{"email":"a@example.com","password":"x"}]']) {
      expect([body, ...(await outcomeOf(await post(body)))]).toEqual([body, 400, 'malformed_request']);
    }
    expect(await outcomeOf(await post(new Uint8Array([0x7b, 0xff, 0x7d])))).toEqual([400, 'malformed_request']);
    expect((await post('email=a%40example.com', 'application/x-www-form-urlencoded')).status).toBe(415);
    expect((await post(JSON.stringify({ email: 'x'.repeat(70_000) }))).status).toBe(413);
  });

  it('says no more than that of whatever is wrong with the data', async () => {
    const { tenant, authenticate } = await newAuthenticationWorld();
    const before = await rowsOf(tenant.id);
    const email = uniqueEmail();
    const challenge = { id: 'chg_1', code: '123456' };
    const wrong: [string, unknown][] = [
      ['password', {}],
      ['password', { email }],
      ['password', { password: 'x' }],
      ['password', { email: 'nobody', password: 'x' }],
      ['password', { email, password: 7 }],
      ['password', { email: [email], password: 'x' }],
      ['password', { email, password: 'x'.repeat(1025) }],
      ['password', { email, password: 'x', more: 1 }],
      ['otp', {}],
      ['otp', { email: 'nobody' }],
      ['otp', { email: { address: email } }],
      ['otp', { email, phone: '+4915112345678' }],
      ['otp', { phone: 'abc' }],
      ['otp', { phone: '1' }],
      ['otp', { phone: 4915112345678 }],
      ['otp', { email, password: 'x' }],
      ['otp', { email, challenge }],
      ['otp', { challenge: { id: 'chg_1' } }],
      ['otp', { challenge: { ...challenge, code: 123_456 } }],
      ['otp', { challenge: { ...challenge, more: 1 } }],
      ['otp', { challenge: null }],
      ['otp', { id_token: 'x' }],
    ];
    for (const [provider, body] of wrong) {
      const outcome = await outcomeOf(await authenticate(provider, body));
      expect([provider, body, ...outcome]).toEqual([provider, body, 422, 'authentication_failed']);
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('gives an access token of the tenant for a day, and nothing else', async () => {
    const { service, tenant, app, authenticate, challenge, answer, claimsOf } = await newAuthenticationWorld();
    const { cuid, email, userId, password } = await newPerson(service, tenant, app);
    const pending = await challenge({ email });
    const responses = {
      password: await authenticate('password', { email, password }),
      otp: await answer(pending, await mailedCode(email)),
    };
    for (const [provider, amr] of [['password', 'pwd'] as const, ['otp', 'otp'] as const]) {
      const response = responses[provider];
      expect(response.headers.get('Cache-Control')).toBe('no-store');
      expect(response.headers.get('Content-Type')).toMatch(/^application\/json\b/);
      expect(response.headers.get('Set-Cookie')).toBeNull();
      const at = Math.floor(service.clock.now() / 1000);
      expect(await claimsOf(await tokenIn(response))).toEqual({
        iss: `${tenant.host}:8787`,
        aud: tenant.id,
        sub: userId,
        cid: cuid,
        tid: tenant.id,
        provider,
        amr: [amr],
        auth_time: at,
        iat: at,
        exp: at + 24 * 3600,
        jti: expect.stringMatching(/^tok_/),
      });
    }
    const succeeded = { type: 'login.succeeded', actor: `user:${userId}` };
    expect((await eventsAbout(cuid)).filter(({ type }) => type === 'login.succeeded')).toEqual([succeeded, succeeded]);
  });

  it('gives a token for as long as the tenant wants', async () => {
    const profile = { settings: { lifetimes: { access_token_tenant: 600 } } };
    const { service, app, signInByMail, claimsOf } = await newAuthenticationWorld(profile);
    const { email } = await newCustomer(service, app);
    const { iat = 0, exp = 0 } = await claimsOf(await signInByMail(email));
    expect(exp - iat).toBe(600);
  });

  it('gives a token that is good on every surface of the tenant', async () => {
    const { service, tenant, app, signInByMail, profileOf } = await newAuthenticationWorld();
    const { cuid, email, key } = await newCustomer(service, app);
    const token = await signInByMail(email);
    expect(await profileOf(token)).toMatchObject({ id: cuid, email, emailVerified: true, provider: 'otp' });
    expect(await (await readSelf(service, tenant, token)).json()).toMatchObject({ id: cuid, email });
    const partner = await service.call('GET', `/customer/${cuid}`, {
      headers: { 'x-access-key': key, 'x-access-token': token },
    });
    expect(await partner.json()).toMatchObject({ cuid, email });
    const sessions = await service.call('GET', `${tenant.host}/v1/auth/sessions`, { headers: bearerHeaders(token) });
    expect(sessions.status).toBe(200);
  });

  it('gives a token that is good in no other tenant', async () => {
    const { service, app, signInByMail } = await newAuthenticationWorld();
    const { email } = await newCustomer(service, app);
    const token = await signInByMail(email);
    const other = await newTenant(service);
    const read = await service.call('GET', `/api/${other.slug}/customer`, { headers: bearerHeaders(token) });
    expect(await outcomeOf(read)).toEqual([401, 'unauthenticated']);
    expect((await readSelf(service, other, token)).status).toBe(401);
  });

  it('knows the tenant by its id, too, but not one that the host does not name', async () => {
    const { service, tenant, app } = await newAuthenticationWorld();
    const other = await newTenant(service);
    const body = { ...(await newPerson(service, tenant, app)) };
    const credentials = { email: body.email, password: body.password };
    const post = async (host: string, name: string) => {
      const url = `${host}/api/${name}/customer/authenticate?provider=password`;
      return outcomeOf(await service.call('POST', url, { body: credentials }));
    };
    expect(await post('', tenant.id)).toEqual([200, '']);
    expect(await post(tenant.host, tenant.slug)).toEqual([200, '']);
    expect(await post('', other.slug)).toEqual([422, 'authentication_failed']);
    expect(await post(other.host, tenant.slug)).toEqual([404, 'tenant_not_found']);
    expect(await post('', 'nothing')).toEqual([404, 'tenant_not_found']);
  });
});
