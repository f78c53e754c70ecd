import { env } from 'cloudflare:workers';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  ALIVE,
  cookieIn,
  DEAD,
  expectSessionOver,
  mailedCode,
  newBrowser,
  newLoginWorld,
  newSessionWorld,
  postLogin,
  redirectByApp,
  refreshCookieFor,
  type SignedIn,
  signInByCode,
  startLogin,
} from '../../support/logins.ts';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import { newCustomer, newTenant, operatorHeaders, refusalOf, type TestTenant } from '../../support/tenants.ts';

const DAY = 24 * 3600;

/** At least 128 bits, URL-safe. */
const SECRET = /^[\w-]{22,}$/;

/** The claims of an access token that the tenant's published keys have signed. */
const claimsOf = async (service: Service, tenant: TestTenant, token: string) => {
  const published = await service.call('GET', `${tenant.host}/.well-known/jwks.json`);
  const keys = createLocalJWKSet(await published.json<JSONWebKeySet>());
  const { payload, protectedHeader } = await jwtVerify(token, keys, { currentDate: new Date(service.clock.now()) });
  expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'at+jwt' });
  return payload;
};

const activatedAtOf = async (userId: string) =>
  env.DB.prepare('select activated_at from users where id = ?').bind(userId).first('activated_at');

describe('POST /v1/auth/login', () => {
  it('gives the tokens of a session, the customer’s key, and the refresh cookie', async () => {
    const { customer, browser } = await newLoginWorld(createService());
    const state = await startLogin(browser, customer.email);
    const response = await postLogin(browser, await mailedCode(customer.email), state);
    expect([response.status, response.headers.get('Cache-Control')]).toEqual([200, 'no-store']);
    const tokens = await response.json<SignedIn>();
    expect(tokens).toEqual({
      access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      refresh_token: expect.stringMatching(SECRET),
      access_key: customer.key,
      customer_id: customer.cuid,
      user_id: expect.stringMatching(/^usr_/),
    });
    const attributes = refreshCookieFor(30 * DAY);
    expect(cookieIn(response, '__Host-refresh')).toEqual({ value: tokens.refresh_token, attributes });
  });

  it('gives an access token of the session, for 15 minutes', async () => {
    const { service, tenant, customer, tokens } = await newSessionWorld(createService());
    const at = Math.floor(service.clock.now() / 1000);
    const [session, ...others] = (await rowsOf(tenant.id)).sessions ?? [];
    expect(others).toEqual([]);
    expect(await claimsOf(service, tenant, tokens.access_token)).toEqual({
      iss: `${tenant.host}:8787`,
      aud: tenant.id,
      sub: tokens.user_id,
      cid: customer.cuid,
      tid: tenant.id,
      sid: session?.id,
      provider: 'email',
      amr: ['otp'],
      auth_time: at,
      iat: at,
      exp: at + 15 * 60,
      jti: expect.stringMatching(/^tok_/),
    });
  });

  it('makes tokens that last as long as the tenant says', async () => {
    const lifetimes = { access_token_login: 120, refresh_idle: 3600, refresh_absolute: 7200 };
    const { service, tenant, customer, browser } = await newLoginWorld(createService(), { settings: { lifetimes } });
    const state = await startLogin(browser, customer.email);
    const response = await postLogin(browser, await mailedCode(customer.email), state);
    expect(cookieIn(response, '__Host-refresh')?.attributes).toEqual(refreshCookieFor(3600));
    const { access_token } = await response.json<SignedIn>();
    const { iat = 0, exp } = await claimsOf(service, tenant, access_token);
    expect(exp).toBe(iat + 120);
  });

  it('makes tokens that the account surface takes, too', async () => {
    const { service, tenant, customer, tokens } = await newSessionWorld(createService());
    const headers = { Authorization: `Bearer ${tokens.access_token}` };
    const self = await service.call('GET', `${tenant.host}/customers/self`, { headers });
    expect(await self.json()).toMatchObject({ id: customer.cuid, email: customer.email });
  });

  it('activates the user, who has proved to read mail at the address', async () => {
    const { service, customer, browser } = await newLoginWorld(createService());
    const at = service.clock.now();
    const { user_id } = await signInByCode(browser, customer.email);
    expect(await activatedAtOf(user_id)).toBe(at);
    service.clock.advance(30);
    await signInByCode(browser, customer.email);
    expect(await activatedAtOf(user_id)).toBe(at);
  });

  it('is written in the audit log', async () => {
    const { customer, tokens } = await newSessionWorld(createService());
    const actor = `user:${tokens.user_id}`;
    expect((await eventsAbout(customer.cuid)).slice(-2)).toEqual([
      { type: 'login.succeeded', actor },
      { type: 'session.created', actor },
    ]);
  });

  it.each([
    [{}, ['code required', 'state required']],
    [{ code: 123456, state: ['x'] }, ['code invalid', 'state invalid']],
    [{ code: null, state: { $ne: '' } }, ['code invalid', 'state invalid']],
    [{ code: '1'.repeat(201), state: 's'.repeat(201) }, ['code invalid', 'state invalid']],
    [{ code: '123456', state: 's', email: 'a@b.example' }, ['email unknown_member']],
  ])('refuses what it cannot read: %j', async (body, expected) => {
    const { browser } = await newLoginWorld(createService());
    const response = await browser.call('POST', '/v1/auth/login', { body });
    const problem = await response.json<{ code: string; errors: { path: string; code: string }[] }>();
    expect([response.status, problem.code]).toEqual([400, 'validation_failed']);
    expect(problem.errors.map(({ path, code }) => `${path} ${code}`)).toEqual(expected);
  });
});

describe('the access_key', () => {
  it('opens the partner surface as that customer, together with the access token', async () => {
    const { service, app, customer, tokens } = await newSessionWorld(createService());
    const headers = { 'x-access-key': tokens.access_key, 'x-access-token': tokens.access_token };
    const path = `/customer/${customer.cuid}`;
    const changed = await service.call('PATCH', path, { headers, body: { city: 'Ulm' } });
    expect(await changed.json()).toMatchObject({ cuid: customer.cuid, city: 'Ulm' });
    const neighbour = await newCustomer(service, app);
    const other = await service.call('GET', `/customer/${neighbour.cuid}`, { headers });
    expect(await refusalOf(other)).toMatchObject({ status: 404, code: 'customer_not_found' });
    const mixed = { 'x-access-key': neighbour.key, 'x-access-token': tokens.access_token };
    const theirs = await service.call('GET', `/customer/${neighbour.cuid}`, { headers: mixed });
    expect(await refusalOf(theirs)).toMatchObject({ status: 403, code: 'invalid_token' });
  });

  it('is the one that an app has made, whose token stays good', async () => {
    const { service, customer, tokens } = await newSessionWorld(createService());
    expect(tokens.access_key).toBe(customer.key);
    const headers = { 'x-access-key': customer.key, 'x-access-token': customer.token };
    expect((await service.call('GET', `/customer/${customer.cuid}`, { headers })).status).toBe(200);
  });

  /** A customer whose key went with its app, signed in. */
  const newKeylessWorld = async () => {
    const world = await newLoginWorld(createService());
    const path = `/operator/v1/tenants/${world.tenant.slug}/apps/${world.app.id}`;
    expect((await world.service.call('DELETE', path, { headers: operatorHeaders })).status).toBe(204);
    return { ...world, tokens: await signInByCode(world.browser, world.customer.email) };
  };

  it('is made for a customer that has none, once', async () => {
    const { service, tenant, customer, browser, tokens } = await newKeylessWorld();
    expect(tokens.access_key).toMatch(/^ck_/);
    expect(tokens.access_key).not.toBe(customer.key);
    const headers = { 'x-access-key': tokens.access_key, 'x-access-token': tokens.access_token };
    const read = await service.call('GET', `/customer/${customer.cuid}`, { headers });
    expect(await read.json()).toMatchObject({ cuid: customer.cuid });
    service.clock.advance(30);
    expect((await signInByCode(browser, customer.email)).access_key).toBe(tokens.access_key);
    expect((await rowsOf(tenant.id)).api_keys).toHaveLength(1);
  });

  it('that was so made is no good in a query string', async () => {
    const { service, customer, tokens } = await newKeylessWorld();
    const query = new URLSearchParams({ key: tokens.access_key, token: tokens.access_token });
    const response = await service.call('GET', `/customer/${customer.cuid}?${query}`);
    expect(await refusalOf(response)).toMatchObject({ status: 403, code: 'query_credentials_refused' });
  });
});

describe('a sign-in with a session brought along', () => {
  it('makes another session, and ends that one', async () => {
    const { service, customer, tenant, browser, tokens, refresh, statusesOf } = await newSessionWorld(createService());
    service.clock.advance(30);
    const next = await signInByCode(browser, customer.email);
    const [before, after] = await Promise.all(
      [tokens, next].map(({ access_token }) => claimsOf(service, tenant, access_token)),
    );
    expect(after?.sid).not.toBe(before?.sid);
    expect(next.refresh_token).not.toBe(tokens.refresh_token);
    expect(await statusesOf(tokens)).toEqual(DEAD);
    await expectSessionOver(await refresh(tokens.refresh_token));
    expect(await statusesOf(next)).toEqual(ALIVE);
    expect(browser.cookies.get('__Host-refresh')).toBe(next.refresh_token);
    expect((await eventsAbout(customer.cuid)).map(({ type }) => type)).toContain('session.revoked');
  });

  it.each(['of another user', 'by an older token'])('ends one that was brought %s', async (how) => {
    const { service, app, browser, tokens, rotate, statusesOf } = await newSessionWorld(createService());
    const latest = how === 'by an older token' ? await rotate(tokens.refresh_token) : tokens;
    const neighbour = await newCustomer(service, app);
    const next = await signInByCode(browser, neighbour.email);
    expect(next.customer_id).toBe(neighbour.cuid);
    expect(await statusesOf(latest)).toEqual(DEAD);
    expect(await statusesOf(next)).toEqual(ALIVE);
  });

  it('ends it for an authorization code as well', async () => {
    const { service, app, customer, browser, tokens, statusesOf } = await newSessionWorld(createService());
    const { code, state } = await redirectByApp(service, app, customer.email);
    expect((await postLogin(browser, code, state)).status).toBe(200);
    expect(await statusesOf(tokens)).toEqual(DEAD);
  });

  it('leaves it alone when the sign-in fails', async () => {
    const { service, customer, browser, tokens, statusesOf } = await newSessionWorld(createService());
    service.clock.advance(30);
    const state = await startLogin(browser, customer.email);
    const code = await mailedCode(customer.email);
    expect((await postLogin(browser, code === '000000' ? '000001' : '000000', state)).status).toBe(401);
    expect(await statusesOf(tokens)).toEqual(ALIVE);
    expect(browser.cookies.get('__Host-refresh')).toBe(tokens.refresh_token);
  });

  it('leaves the user’s sessions in other browsers alone', async () => {
    const { tokens, signInElsewhere, statusesOf } = await newSessionWorld(createService());
    const elsewhere = await signInElsewhere();
    expect(await statusesOf(tokens)).toEqual(ALIVE);
    expect(await statusesOf(elsewhere.tokens)).toEqual(ALIVE);
  });

  it('cannot end a session of another tenant', async () => {
    const { service, tokens, statusesOf } = await newSessionWorld(createService());
    const other = await newLoginWorld(service);
    other.browser.cookies.set('__Host-refresh', tokens.refresh_token);
    await signInByCode(other.browser, other.customer.email);
    expect(await statusesOf(tokens)).toEqual(ALIVE);
  });
});

describe('an access token of a session', () => {
  it('is good in its tenant alone', async () => {
    const { service, tokens } = await newSessionWorld(createService());
    const elsewhere = newBrowser(service, (await newTenant(service)).host);
    const headers = { Authorization: `Bearer ${tokens.access_token}` };
    const response = await elsewhere.call('GET', '/v1/auth/sessions', { headers });
    expect(await refusalOf(response)).toMatchObject({ status: 401, code: 'unauthenticated' });
  });

  it('ends with its 15 minutes', async () => {
    const { service, tokens, statusesOf } = await newSessionWorld(createService());
    service.clock.advance(15 * 60 - 1);
    expect(await statusesOf(tokens)).toEqual(ALIVE);
    service.clock.advance(6);
    expect(await statusesOf(tokens)).toEqual(DEAD);
  });
});
