import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  ALIVE,
  cookieIn,
  DEAD,
  expectSessionOver,
  newBrowser,
  newSessionWorld,
  refreshCookieFor,
  type SignedIn,
} from '../../support/logins.ts';
import { atRest, eventsAbout } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { appHeaders, newTenant, operatorHeaders, refusalOf } from '../../support/tenants.ts';

const DAY = 24 * 3600;
const STRANGE = 'a'.repeat(43);

const newWorld = (profile: Record<string, unknown> = {}) => newSessionWorld(createService(), profile);

/** How often a theft was noticed. */
const thefts = async (customerId: string) =>
  (await eventsAbout(customerId)).filter(({ type }) => type === 'session.reuse_detected').length;

describe('POST /v1/auth/refresh', () => {
  it('trades the cookie for a new one, and gives the members of a login', async () => {
    const { service, customer, browser, tokens } = await newWorld();
    service.clock.advance(600);
    const response = await browser.call('POST', '/v1/auth/refresh');
    expect([response.status, response.headers.get('Cache-Control')]).toEqual([200, 'no-store']);
    const next = await response.json<SignedIn>();
    expect(next).toEqual({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      refresh_token: expect.stringMatching(/^[\w-]{22,}$/),
      access_key: customer.key,
      customer_id: customer.cuid,
      user_id: tokens.user_id,
    });
    expect(next.refresh_token).not.toBe(tokens.refresh_token);
    const attributes = refreshCookieFor(30 * DAY);
    expect(cookieIn(response, '__Host-refresh')).toEqual({ value: next.refresh_token, attributes });
  });

  it('gives an access token of the same session, which says when and how the user signed in', async () => {
    const { service, tokens, rotate } = await newWorld();
    const before = decodeJwt(tokens.access_token);
    service.clock.advance(3600);
    const { iat = 0, exp, jti, ...same } = decodeJwt((await rotate(tokens.refresh_token)).access_token);
    expect(iat).toBe(Math.floor(service.clock.now() / 1000));
    expect(exp).toBe(iat + 15 * 60);
    expect(jti).not.toBe(before.jti);
    const { iat: _, exp: __, jti: ___, ...expected } = before;
    expect(same).toEqual(expected);
  });

  it('leaves the access token from before good', async () => {
    const { tokens, rotate, statusesOf } = await newWorld();
    const next = await rotate(tokens.refresh_token);
    expect(await statusesOf(tokens)).toEqual(ALIVE);
    expect(await statusesOf(next)).toEqual(ALIVE);
  });

  it('goes on from token to token', async () => {
    const { service, tokens, rotate } = await newWorld();
    let latest = tokens;
    const seen = new Set([latest.refresh_token]);
    for (let i = 0; i < 5; i++) {
      service.clock.advance(60);
      latest = await rotate(latest.refresh_token);
      seen.add(latest.refresh_token);
    }
    expect(seen.size).toBe(6);
  });

  it('takes the token of the body before the cookie’s', async () => {
    const { browser, signInElsewhere } = await newWorld();
    const elsewhere = await signInElsewhere();
    const body = { refresh_token: elsewhere.tokens.refresh_token };
    const response = await browser.call('POST', '/v1/auth/refresh', { body });
    const { access_token } = await response.json<SignedIn>();
    expect(decodeJwt(access_token).sid).toBe(decodeJwt(elsewhere.tokens.access_token).sid);
  });

  it.each([{ body: {} }, { headers: { 'Content-Type': 'application/json' }, rawBody: '{}' }])(
    'takes the cookie where the body names no token: %j',
    async (call) => {
      const { browser } = await newWorld();
      expect((await browser.call('POST', '/v1/auth/refresh', call)).status).toBe(200);
    },
  );

  it.each([
    [{ refresh_token: 5 }, 'refresh_token invalid'],
    [{ refresh_token: null }, 'refresh_token invalid'],
    [{ refresh_token: ['x'] }, 'refresh_token invalid'],
    [{ refresh_token: 'x'.repeat(201) }, 'refresh_token invalid'],
    [{ token: 'x' }, 'token unknown_member'],
  ])('refuses the body %j, and keeps the cookie', async (body, expected) => {
    const { browser, rotate, tokens } = await newWorld();
    const response = await browser.call('POST', '/v1/auth/refresh', { body });
    const problem = await response.json<{ code: string; errors: { path: string; code: string }[] }>();
    expect([response.status, problem.code]).toEqual([400, 'validation_failed']);
    expect(problem.errors.map(({ path, code }) => `${path} ${code}`)).toEqual([expected]);
    expect(response.headers.get('Set-Cookie')).toBeNull();
    await rotate(tokens.refresh_token);
  });

  it('is no GET: nothing is rotated', async () => {
    const { browser, tokens, rotate } = await newWorld();
    const [get, head] = [await browser.call('GET', '/v1/auth/refresh'), await browser.call('HEAD', '/v1/auth/refresh')];
    expect([get.status, head.status]).toEqual([405, 405]);
    await rotate(tokens.refresh_token);
  });
});

describe('a refresh is refused, and the cookie cleared,', () => {
  it('without a token', async () => {
    const { post } = await newWorld();
    await expectSessionOver(await post('refresh'));
    await expectSessionOver(await post('refresh', {}));
  });

  it.each(['', 'x', STRANGE, `${STRANGE}a`, 'null', "' or 1=1 --"])('with a token that is none: %j', async (token) => {
    const { refresh } = await newWorld();
    await expectSessionOver(await refresh(token));
  });

  it('with a token that is not quite it, which does not count as theft', async () => {
    const { tokens, refresh, rotate } = await newWorld();
    const { refresh_token } = tokens;
    for (const token of [refresh_token.slice(0, -1), `${refresh_token} `, refresh_token.toUpperCase()]) {
      await expectSessionOver(await refresh(token));
    }
    await rotate(refresh_token);
  });

  it('with a cookie of a name that siblings can set', async () => {
    const { service, tenant, tokens } = await newWorld();
    const value = tokens.refresh_token;
    const headers = { Cookie: `refresh=${value}; __Secure-refresh=${value}` };
    await expectSessionOver(await service.call('POST', `${tenant.host}/v1/auth/refresh`, { headers }));
  });

  it('at another tenant, where the token stays good at its own', async () => {
    const { service, browser, tokens, rotate } = await newWorld();
    const elsewhere = newBrowser(service, (await newTenant(service)).host);
    for (const [name, value] of browser.cookies) elsewhere.cookies.set(name, value);
    await expectSessionOver(await elsewhere.call('POST', '/v1/auth/refresh'));
    expect(elsewhere.cookies.has('__Host-refresh')).toBe(false);
    await rotate(tokens.refresh_token);
  });

  it('with another credential in the place of the token', async () => {
    const { browser, customer, tokens, refresh } = await newWorld();
    const sid = decodeJwt(tokens.access_token).sid;
    const others = [tokens.access_key, customer.token, browser.cookies.get('__Host-login') ?? '', String(sid)];
    for (const each of others) await expectSessionOver(await refresh(each));
    // It is longer than any of ours.
    expect((await refresh(tokens.access_token)).status).toBe(400);
    browser.cookies.set('__Host-refresh', tokens.access_token);
    await expectSessionOver(await browser.call('POST', '/v1/auth/refresh'));
  });
});

describe('a refresh token', () => {
  it('is accepted as nothing else', async () => {
    const { service, tenant, app, customer, tokens, rotate } = await newWorld();
    const { refresh_token } = tokens;
    const headers = { Authorization: `Bearer ${refresh_token}` };
    for (const path of ['/v1/auth/sessions', '/customers/self']) {
      const bearer = await service.call('GET', `${tenant.host}${path}`, { headers });
      expect(await refusalOf(bearer)).toMatchObject({ status: 401, code: 'unauthenticated' });
    }
    const partner = await service.call('GET', `/customer/${customer.cuid}`, {
      headers: { 'x-access-key': tokens.access_key, 'x-access-token': refresh_token },
    });
    expect(await refusalOf(partner)).toMatchObject({ status: 403, code: 'invalid_token' });
    const path = `/customer/${customer.email}/auth?passcode=${refresh_token}`;
    const passcode = await service.call('GET', path, { headers: appHeaders(app) });
    expect(await refusalOf(passcode)).toMatchObject({ status: 401, code: 'invalid_passcode' });
    await rotate(refresh_token);
  });

  it('is taken from no query string or other header', async () => {
    const { service, tenant, tokens } = await newWorld();
    const { refresh_token } = tokens;
    const url = `${tenant.host}/v1/auth/refresh?refresh_token=${refresh_token}`;
    const headers = { Authorization: `Bearer ${refresh_token}`, 'x-refresh-token': refresh_token };
    await expectSessionOver(await service.call('POST', url, { headers }));
  });

  it('is at rest nowhere in the clear, nor is its successor or an access token', async () => {
    const { tenant, tokens, rotate } = await newWorld();
    const next = await rotate(tokens.refresh_token);
    const everything = await atRest(tenant.id);
    expect(everything).toContain('refresh_token:');
    for (const { access_token, refresh_token } of [tokens, next]) {
      expect(everything).not.toContain(refresh_token);
      expect(everything).not.toContain(access_token);
    }
  });
});

describe('a refresh token that comes again', () => {
  it('within ten seconds of its rotation gets the very same successor, as often as it comes', async () => {
    const { service, customer, tokens, rotate, statusesOf } = await newWorld();
    const { refresh_token } = await rotate(tokens.refresh_token);
    for (const seconds of [0, 4, 5.999]) {
      service.clock.advance(seconds);
      const again = await rotate(tokens.refresh_token);
      expect(again.refresh_token).toBe(refresh_token);
      expect(await statusesOf(again)).toEqual(ALIVE);
    }
    expect(await thefts(customer.cuid)).toBe(0);
    service.clock.advance(60);
    const next = await rotate(refresh_token);
    expect(next.refresh_token).not.toBe(refresh_token);
  });

  it('within ten seconds gets its successor even if that one was rotated already', async () => {
    const { service, customer, tokens, rotate, statusesOf } = await newWorld();
    const second = await rotate(tokens.refresh_token);
    service.clock.advance(3);
    const third = await rotate(second.refresh_token);
    service.clock.advance(3);
    expect((await rotate(tokens.refresh_token)).refresh_token).toBe(second.refresh_token);
    expect((await rotate(second.refresh_token)).refresh_token).toBe(third.refresh_token);
    expect(await statusesOf(third)).toEqual(ALIVE);
    expect(await thefts(customer.cuid)).toBe(0);
  });

  it('sets the cookie of the successor', async () => {
    const { browser, tokens, rotate } = await newWorld();
    const { refresh_token } = await rotate(tokens.refresh_token);
    const response = await browser.call('POST', '/v1/auth/refresh');
    expect(cookieIn(response, '__Host-refresh')).toEqual({
      value: refresh_token,
      attributes: refreshCookieFor(30 * DAY),
    });
  });

  it.each([10, 11, 3600])('%d seconds after its rotation ends the whole session', async (seconds) => {
    const { service, customer, browser, tokens, refresh, rotate, statusesOf } = await newWorld();
    const next = await rotate(tokens.refresh_token);
    // An access token that is not old.
    service.clock.advance(seconds);
    const stolen = await browser.call('POST', '/v1/auth/refresh');
    await expectSessionOver(stolen);
    await expectSessionOver(await refresh(next.refresh_token));
    expect(await statusesOf(next)).toEqual(DEAD);
    expect(await statusesOf(tokens)).toEqual(DEAD);
    for (const { refresh_token } of [tokens, next, tokens]) await expectSessionOver(await refresh(refresh_token));
    expect(await thefts(customer.cuid)).toBe(1);
  });

  it('ends the session whichever generation it is of', async () => {
    const { service, customer, tokens, refresh, rotate, statusesOf } = await newWorld();
    const second = await rotate(tokens.refresh_token);
    service.clock.advance(60);
    const third = await rotate(second.refresh_token);
    await expectSessionOver(await refresh(tokens.refresh_token));
    await expectSessionOver(await refresh(third.refresh_token));
    expect(await statusesOf(third)).toEqual(DEAD);
    expect(await thefts(customer.cuid)).toBe(1);
  });

  it('ends no other session of the user', async () => {
    const { service, tokens, refresh, rotate, signInElsewhere, statusesOf } = await newWorld();
    const elsewhere = await signInElsewhere();
    await rotate(tokens.refresh_token);
    service.clock.advance(11);
    await expectSessionOver(await refresh(tokens.refresh_token));
    expect(await statusesOf(elsewhere.tokens)).toEqual(ALIVE);
    await rotate(elsewhere.tokens.refresh_token);
  });

  it('can be brought to a sign-in, which does not give its successor away', async () => {
    const { service, tenant, tokens, rotate } = await newWorld();
    await rotate(tokens.refresh_token);
    const headers = { Cookie: `__Host-refresh=${tokens.refresh_token}` };
    const body = { code: '123456', state: STRANGE };
    const response = await service.call('POST', `${tenant.host}/v1/auth/login`, { headers, body });
    expect(response.headers.get('Set-Cookie')).toBeNull();
    expect(await refusalOf(response)).toMatchObject({ status: 401, code: 'login_failed' });
  });
});

describe('a session lasts', () => {
  const lifetimes = { refresh_idle: 100, refresh_absolute: 250 };

  it('as long as it is used, until its absolute end', async () => {
    const { service, tokens, refresh, rotate } = await newWorld({ settings: { lifetimes } });
    let latest = tokens;
    for (const seconds of [99, 99]) {
      service.clock.advance(seconds);
      latest = await rotate(latest.refresh_token);
    }
    service.clock.advance(51.999);
    latest = await rotate(latest.refresh_token);
    service.clock.advance(0.001);
    await expectSessionOver(await refresh(latest.refresh_token));
  });

  it.each([
    ['its idle time', lifetimes, 100],
    ['30 days without use', {}, 30 * DAY],
    ['its absolute time', { refresh_idle: 365 * DAY, refresh_absolute: 200 }, 200],
    ['90 days', { refresh_idle: 365 * DAY }, 90 * DAY],
  ])('no longer than %s', async (_, lasting, seconds) => {
    for (const [late, status] of [
      [-0.001, 200],
      [0, 401],
    ]) {
      const { service, tokens, refresh } = await newWorld({ settings: { lifetimes: lasting } });
      service.clock.advance(seconds + (late ?? 0));
      expect((await refresh(tokens.refresh_token)).status).toBe(status);
    }
  });

  it('no longer for a token that came twice', async () => {
    const { service, tokens, refresh, rotate } = await newWorld({ settings: { lifetimes } });
    service.clock.advance(95);
    const next = await rotate(tokens.refresh_token);
    service.clock.advance(9);
    await rotate(tokens.refresh_token);
    service.clock.advance(91);
    await expectSessionOver(await refresh(next.refresh_token));
  });

  it('no longer than the operator lets the customer', async () => {
    const { service, tenant, customer, tokens, refresh, statusesOf } = await newWorld();
    const path = `/operator/v1/tenants/${tenant.slug}/customers/${customer.cuid}`;
    for (const status of ['disabled', 'active']) {
      await service.call('PATCH', path, { headers: operatorHeaders, body: { status } });
      service.clock.advance(1);
      await expectSessionOver(await refresh(tokens.refresh_token));
    }
    expect(await statusesOf(tokens)).toEqual(DEAD);
  });
});
