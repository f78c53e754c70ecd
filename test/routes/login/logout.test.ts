import { describe, expect, it } from 'vitest';
import {
  ALIVE,
  cookieIn,
  DEAD,
  expectSessionOver,
  newBrowser,
  newSessionWorld,
  refreshCookieFor,
  signInByCode,
} from '../../support/logins.ts';
import { eventsAbout } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { newTenant } from '../../support/tenants.ts';

const CLEARED = { value: '', attributes: refreshCookieFor(0) };

const newWorld = (profile: Record<string, unknown> = {}) => newSessionWorld(createService(), profile);

const revocations = async (customerId: string) =>
  (await eventsAbout(customerId)).filter(({ type }) => type === 'session.revoked');

describe('POST /v1/auth/logout', () => {
  it('ends the session of the cookie at once, everywhere, and clears the cookie', async () => {
    const { browser, customer, tokens, refresh, statusesOf } = await newWorld();
    expect(await statusesOf(tokens)).toEqual(ALIVE);
    const response = await browser.call('POST', '/v1/auth/logout');
    expect([response.status, response.headers.get('Cache-Control')]).toEqual([200, 'no-store']);
    expect(cookieIn(response, '__Host-refresh')).toEqual(CLEARED);
    expect(await statusesOf(tokens)).toEqual(DEAD);
    await expectSessionOver(await refresh(tokens.refresh_token));
    expect(await revocations(customer.cuid)).toEqual([{ type: 'session.revoked', actor: `user:${tokens.user_id}` }]);
  });

  it('ends the session of the body’s token, for clients without cookies', async () => {
    const { post, tokens, refresh, statusesOf } = await newWorld();
    const response = await post('logout', { refresh_token: tokens.refresh_token });
    expect(response.status).toBe(200);
    expect(await statusesOf(tokens)).toEqual(DEAD);
    await expectSessionOver(await refresh(tokens.refresh_token));
  });

  it('takes the token of the body before the cookie’s', async () => {
    const { browser, tokens, signInElsewhere, statusesOf } = await newWorld();
    const elsewhere = await signInElsewhere();
    const body = { refresh_token: elsewhere.tokens.refresh_token };
    expect((await browser.call('POST', '/v1/auth/logout', { body })).status).toBe(200);
    expect(await statusesOf(elsewhere.tokens)).toEqual(DEAD);
    expect(await statusesOf(tokens)).toEqual(ALIVE);
  });

  it('ends the session by any of its tokens, however old', async () => {
    const { service, post, customer, tokens, refresh, rotate, statusesOf } = await newWorld();
    const second = await rotate(tokens.refresh_token);
    service.clock.advance(60);
    const third = await rotate(second.refresh_token);
    await post('logout', { refresh_token: tokens.refresh_token });
    for (const each of [tokens, second, third]) {
      expect(await statusesOf(each)).toEqual(DEAD);
      await expectSessionOver(await refresh(each.refresh_token));
    }
    expect((await eventsAbout(customer.cuid)).map(({ type }) => type)).not.toContain('session.reuse_detected');
  });

  it('leaves the user’s other sessions alone', async () => {
    const { browser, signInElsewhere, statusesOf, rotate } = await newWorld();
    const elsewhere = await signInElsewhere();
    await browser.call('POST', '/v1/auth/logout');
    expect(await statusesOf(elsewhere.tokens)).toEqual(ALIVE);
    await rotate(elsewhere.tokens.refresh_token);
  });

  it('answers the same without a session, with one that is over, and with what is no token', async () => {
    const { service, tenant, browser, customer, tokens, post } = await newWorld();
    const first = await browser.call('POST', '/v1/auth/logout');
    const expected = await first.json();
    for (const answer of [
      await newBrowser(service, tenant.host).call('POST', '/v1/auth/logout'),
      await post('logout', {}),
      await post('logout', { refresh_token: 'a'.repeat(43) }),
      await post('logout', { refresh_token: '' }),
      await post('logout', { refresh_token: tokens.refresh_token }),
    ]) {
      expect(answer.status).toBe(200);
      expect(cookieIn(answer, '__Host-refresh')).toEqual(CLEARED);
      expect(await answer.json()).toEqual(expected);
    }
    expect(await revocations(customer.cuid)).toHaveLength(1);
  });

  it('ends no session of another tenant', async () => {
    const { service, tokens, statusesOf } = await newWorld();
    const elsewhere = await newTenant(service);
    const body = { refresh_token: tokens.refresh_token };
    expect((await service.call('POST', `${elsewhere.host}/v1/auth/logout`, { body })).status).toBe(200);
    expect(await statusesOf(tokens)).toEqual(ALIVE);
  });

  it('ends a session that can be refreshed no longer, too', async () => {
    const lifetimes = { refresh_idle: 60, refresh_absolute: 60, access_token_login: 900 };
    const { service, browser, tokens, statusesOf } = await newWorld({ settings: { lifetimes } });
    service.clock.advance(61);
    await browser.call('POST', '/v1/auth/logout');
    expect(await statusesOf(tokens)).toEqual(DEAD);
  });

  it('lets the user sign in again', async () => {
    const { service, browser, customer, statusesOf } = await newWorld();
    await browser.call('POST', '/v1/auth/logout');
    service.clock.advance(30);
    expect(await statusesOf(await signInByCode(browser, customer.email))).toEqual(ALIVE);
  });

  it('is no GET: nothing ends', async () => {
    const { browser, tokens, statusesOf } = await newWorld();
    for (const method of ['GET', 'HEAD']) expect((await browser.call(method, '/v1/auth/logout')).status).toBe(405);
    expect(await statusesOf(tokens)).toEqual(ALIVE);
  });

  it.each([
    [
      'the tenant’s page for it',
      { logout_uri: 'https://shop.example.com/bye', site_url: 'https://shop.example.com/home' },
      'https://shop.example.com/bye',
    ],
    ['else its site', { site_url: 'https://shop.example.com/home' }, 'https://shop.example.com/home'],
  ])('sends the browser on to %s', async (_, profile, expected) => {
    const { browser, post } = await newWorld(profile);
    const response = await browser.call('POST', '/v1/auth/logout');
    expect(await response.json()).toEqual({ logout_url: expected });
    expect(await (await post('logout')).json()).toEqual({ logout_url: expected });
  });

  it('sends the browser on to our own page where the tenant has none', async () => {
    const { tenant, browser } = await newWorld();
    const { logout_url } = await (await browser.call('POST', '/v1/auth/logout')).json<{ logout_url: string }>();
    expect(new URL(logout_url).hostname).toBe(new URL(tenant.host).hostname);
  });
});
