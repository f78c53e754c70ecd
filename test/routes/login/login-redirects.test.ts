import { env } from 'cloudflare:workers';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { disableCustomer } from '../../support/customers.ts';
import {
  ALIVE,
  type Browser,
  newBrowser,
  newLoginWorld,
  newSessionWorld,
  postLogin,
  redirectByApp,
  type SignedIn,
  startLogin,
} from '../../support/logins.ts';
import { atRest, eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { appHeaders, newCustomer, newTenant, refusalOf } from '../../support/tenants.ts';

const FAILED = { status: 401, code: 'login_failed', message: expect.any(String) };
const STRANGE = 'a'.repeat(43);

/** A world with a browser that an app has redirected, which has no cookies. */
const newRedirectedWorld = async () => {
  const world = await newLoginWorld(createService());
  const right = await redirectByApp(world.service, world.app, world.customer.email);
  const login = ({ code, state }: { code: string; state: string }, browser: Browser = world.browser) =>
    postLogin(browser, code, state);
  return { ...world, right, login };
};

describe('the code and state of an SSO redirect', () => {
  it('sign the customer’s owner in, in a browser without cookies', async () => {
    const { tenant, customer, right, login } = await newRedirectedWorld();
    const response = await login(right);
    expect(response.status).toBe(200);
    const tokens = await response.json<SignedIn>();
    expect(tokens).toMatchObject({ customer_id: customer.cuid, access_key: customer.key });
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      sub: tokens.user_id,
      cid: customer.cuid,
      provider: 'sso',
      amr: [],
    });
    expect((await rowsOf(tenant.id)).sessions).toMatchObject([{ user_id: tokens.user_id, provider: 'sso' }]);
  });

  it('prove nothing of the user’s address', async () => {
    const { tenant, right, login } = await newRedirectedWorld();
    expect((await login(right)).status).toBe(200);
    expect((await rowsOf(tenant.id)).users).toMatchObject([{ activated_at: null }]);
  });

  it('are good until 60 seconds are over', async () => {
    const { service, right, login } = await newRedirectedWorld();
    service.clock.advance(59.999);
    expect((await login(right)).status).toBe(200);
  });

  it.each([
    ['after 60 seconds', ({ service }: Awaited<ReturnType<typeof newRedirectedWorld>>) => service.clock.advance(60)],
    [
      'twice',
      async ({ right, login }: Awaited<ReturnType<typeof newRedirectedWorld>>) => {
        expect((await login(right)).status).toBe(200);
      },
    ],
    [
      'for a customer that was disabled',
      ({ customer }: Awaited<ReturnType<typeof newRedirectedWorld>>) => disableCustomer(customer.cuid),
    ],
    [
      'for a customer that was deleted',
      ({ service, app, customer }: Awaited<ReturnType<typeof newRedirectedWorld>>) =>
        service.call('DELETE', `/customer/${customer.cuid}`, { headers: appHeaders(app) }),
    ],
  ])('are refused %s', async (_, change) => {
    const world = await newRedirectedWorld();
    await change(world);
    const before = (await rowsOf(world.tenant.id)).sessions;
    const response = await world.login(world.right);
    expect(response.headers.get('Set-Cookie')).toBeNull();
    expect(await refusalOf(response)).toEqual(FAILED);
    expect((await rowsOf(world.tenant.id)).sessions).toEqual(before);
  });

  it('are refused apart, swapped, or each with another’s, and stay good', async () => {
    const { service, app, browser, customer, right, login } = await newRedirectedWorld();
    const other = await redirectByApp(service, app, customer.email);
    const begun = await startLogin(browser, customer.email);
    for (const each of [
      { ...right, state: other.state },
      { ...right, state: begun },
      { ...right, state: '' },
      { ...right, state: STRANGE },
      { ...right, code: STRANGE },
      { ...right, code: right.code.slice(0, -1) },
      { code: right.state, state: right.code },
    ]) {
      expect(await refusalOf(await login(each))).toEqual(FAILED);
    }
    expect([(await login(right)).status, (await login(other)).status]).toEqual([200, 200]);
  });

  it('are refused at another tenant, and stay good', async () => {
    const { service, right, login } = await newRedirectedWorld();
    const elsewhere = newBrowser(service, (await newTenant(service)).host);
    expect(await refusalOf(await login(right, elsewhere))).toEqual(FAILED);
    expect((await login(right)).status).toBe(200);
  });

  it('do not kill those of an earlier redirect', async () => {
    const { service, app, customer, right, login } = await newRedirectedWorld();
    const later = await redirectByApp(service, app, customer.email);
    expect([(await login(later)).status, (await login(right)).status]).toEqual([200, 200]);
  });

  it('are no other credential: neither token, passcode nor refresh token', async () => {
    const { service, tenant, app, customer, right, login } = await newRedirectedWorld();
    const self = `${tenant.host}/v1/auth/sessions`;
    for (const secret of [right.code, right.state]) {
      const bearer = await service.call('GET', self, { headers: { Authorization: `Bearer ${secret}` } });
      expect(await refusalOf(bearer)).toMatchObject({ status: 401, code: 'unauthenticated' });
      const headers = { 'x-access-key': customer.key, 'x-access-token': secret };
      const partner = await service.call('GET', `/customer/${customer.cuid}`, { headers });
      expect(await refusalOf(partner)).toMatchObject({ status: 403, code: 'invalid_token' });
      const path = `/customer/${customer.email}/auth?passcode=${secret}`;
      const passcode = await service.call('GET', path, { headers: appHeaders(app) });
      expect(await refusalOf(passcode)).toMatchObject({ status: 401, code: 'invalid_passcode' });
      const body = { refresh_token: secret };
      const refreshed = await service.call('POST', `${tenant.host}/v1/auth/refresh`, { body });
      expect(await refusalOf(refreshed)).toMatchObject({ status: 401, code: 'invalid_refresh_token' });
    }
    expect((await login(right)).status).toBe(200);
  });

  it('are at rest nowhere in the clear', async () => {
    const { tenant, right } = await newRedirectedWorld();
    const everything = await atRest(tenant.id);
    expect(everything).toContain('authorization_code');
    for (const secret of [right.code, right.state]) expect(everything).not.toContain(secret);
  });

  it('tell the audit log of the sign-in, and of one that is refused', async () => {
    const { service, customer, right, login } = await newRedirectedWorld();
    const { user_id } = await (await login(right)).json<SignedIn>();
    service.clock.advance(1);
    await login(right);
    expect((await eventsAbout(customer.cuid)).slice(-3)).toEqual([
      { type: 'login.succeeded', actor: `user:${user_id}` },
      { type: 'session.created', actor: `user:${user_id}` },
      { type: 'login.failed', actor: 'anonymous' },
    ]);
  });

  it('use up no other customer’s tries, nor the person’s wrong codes', async () => {
    const { service, app, customer, right, login } = await newRedirectedWorld();
    for (let i = 0; i < 21; i++) expect((await login({ ...right, code: `${STRANGE}${i}` })).status).toBe(401);
    expect((await login(right)).status).toBe(200);
    expect((await login(await redirectByApp(service, app, customer.email))).status).toBe(200);
    const neighbour = await newCustomer(service, app);
    expect((await login(await redirectByApp(service, app, neighbour.email))).status).toBe(200);
  });
});

describe('the tokens of a sign-in', () => {
  it('are no codes, passcodes or states', async () => {
    const { service, app, customer, browser, tokens, statusesOf } = await newSessionWorld(createService());
    const { code, state } = await redirectByApp(service, app, customer.email);
    for (const token of [tokens.refresh_token, tokens.access_key]) {
      expect(await refusalOf(await postLogin(browser, token, state))).toEqual(FAILED);
      expect(await refusalOf(await postLogin(browser, code, token))).toEqual(FAILED);
    }
    const long = await browser.call('POST', '/v1/auth/login', { body: { code: tokens.access_token, state } });
    expect([400, 401]).toContain(long.status);
    expect(await statusesOf(tokens)).toEqual(ALIVE);
    const codes = await env.KV.list({ prefix: 'authorization_code:' });
    expect(JSON.stringify(codes.keys)).not.toContain(code);
  });
});
