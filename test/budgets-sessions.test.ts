import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders } from './support/accounts.ts';
import { countRoundTrips } from './support/bindings.ts';
import {
  type Browser,
  mailedCode,
  newBrowser,
  newSessionWorld,
  redirectByApp,
  type SignedIn,
  startLogin,
} from './support/logins.ts';
import { offerSubscriptions } from './support/operator.ts';
import { createService } from './support/service.ts';
import { uniqueEmail } from './support/tenants.ts';

/** A customer who is signed in, in an isolate that knows its tenant, keys and webhooks, behind counted bindings. */
const newCountedWorld = async () => {
  const counter = countRoundTrips(env);
  const world = await newSessionWorld(createService(counter.bindings));
  world.service.clock.advance(30);
  await offerSubscriptions(world.service, world.tenant, 'news');
  const during = async (work: () => Promise<Response>, status = 200): Promise<number> => {
    const { depth } = await counter.during(async () => expect((await work()).status).toBe(status));
    return depth;
  };
  const start = (email: string, browser: Browser = world.browser) =>
    browser.call('POST', '/v1/auth/startlogin', { body: { email_address: email } });
  const login = (code: string, state: string, browser: Browser = world.browser) =>
    browser.call('POST', '/v1/auth/login', { body: { code, state } });
  return { ...world, during, start, login };
};

describe('sequential round trips to D1 and KV', () => {
  it('are two for a start of a sign-in, and one more after the answer if a mail goes out', async () => {
    const { customer, during, start } = await newCountedWorld();
    expect(await during(() => start(uniqueEmail()))).toBe(2);
    expect(await during(() => start(customer.email))).toBe(3);
  });

  it.each(['with', 'without'])('are two for a login with a mailed code, %s a session brought along', async (how) => {
    const { service, tenant, customer, browser, during, login } = await newCountedWorld();
    const each = how === 'with' ? browser : newBrowser(service, tenant.host);
    const state = await startLogin(each, customer.email);
    const code = await mailedCode(customer.email);
    expect(await during(() => login(code, state, each))).toBe(2);
  });

  it('are two for a login that an app has redirected', async () => {
    const { service, app, customer, during, login } = await newCountedWorld();
    const { code, state } = await redirectByApp(service, app, customer.email);
    expect(await during(() => login(code, state))).toBe(2);
  });

  it('are two at most for a login that is refused', async () => {
    const { customer, browser, during, login } = await newCountedWorld();
    const state = await startLogin(browser, customer.email);
    const code = await mailedCode(customer.email);
    expect(await during(() => login(code === '000000' ? '000001' : '000000', state), 401)).toBe(2);
    expect(await during(() => login('000000', 'a'.repeat(43)), 401)).toBe(1);
    const unknown = await startLogin(browser, uniqueEmail());
    expect(await during(() => login('000000', unknown), 401)).toBe(2);
  });

  it('are two for a refresh, and one for what is no token', async () => {
    const { service, tokens, browser, refresh, during } = await newCountedWorld();
    expect(await during(() => refresh(tokens.refresh_token))).toBe(2);
    service.clock.advance(11);
    expect(await during(() => refresh('a'.repeat(43)), 401)).toBe(1);
    expect(await during(() => refresh(tokens.refresh_token), 401)).toBe(2);
    expect(await during(() => browser.call('POST', '/v1/auth/refresh'), 401)).toBe(2);
  });

  it('are one for a read with a session’s token, its own list of sessions and the partner surface included', async () => {
    const { service, tenant, customer, tokens, during } = await newCountedWorld();
    const get = (path: string, headers: Record<string, string>) =>
      during(() => service.call('GET', `${tenant.host}${path}`, { headers }));
    const bearer = bearerHeaders(tokens.access_token);
    expect(await get('/customers/self', bearer)).toBe(1);
    expect(await get('/v1/auth/sessions', bearer)).toBe(1);
    const { access_key, access_token }: SignedIn = tokens;
    const pair = { 'x-access-key': access_key, 'x-access-token': access_token };
    expect(await get(`/customer/${customer.cuid}`, pair)).toBe(1);
  });

  it('are two for a logout, and none without a session', async () => {
    const { post, tokens, during } = await newCountedWorld();
    expect(await during(() => post('logout', { refresh_token: tokens.refresh_token }))).toBe(2);
    expect(await during(() => post('logout'))).toBe(0);
  });
});
