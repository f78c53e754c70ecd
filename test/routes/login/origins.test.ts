import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { bearerHeaders } from '../../support/accounts.ts';
import {
  ALIVE,
  mailedCode,
  newBrowser,
  newSessionWorld,
  postLogin,
  redirectByApp,
  type SignedIn,
  startLogin,
} from '../../support/logins.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { newTenant, refusalOf, uniqueEmail } from '../../support/tenants.ts';

const SHOP = 'https://shop.example.com';

/** A world whose browser is signed in, has begun another sign-in, and makes every call with both cookies. */
const newWorld = async () => {
  const world = await newSessionWorld(createService(), { origins: [SHOP] });
  const { service, browser, customer, tokens } = world;
  const redirect = await redirectByApp(service, world.app, customer.email);
  const signedIn = await postLogin(newBrowser(service, world.tenant.host), redirect.code, redirect.state);
  const elsewhere = await signedIn.json<SignedIn>();
  service.clock.advance(30);
  const body = { code: '', state: await startLogin(browser, customer.email) };
  body.code = await mailedCode(customer.email);
  const sibling = await newTenant(service, { origins: ['https://other.example.com'] });
  const bearer = bearerHeaders(tokens.access_token);
  const calls: Record<string, (headers: Record<string, string>) => Promise<Response>> = {
    'POST /startlogin': (headers) =>
      browser.call('POST', '/v1/auth/startlogin', { headers, body: { email_address: uniqueEmail() } }),
    'POST /login': (headers) => browser.call('POST', '/v1/auth/login', { headers, body }),
    'POST /refresh': (headers) => browser.call('POST', '/v1/auth/refresh', { headers }),
    'POST /logout': (headers) => browser.call('POST', '/v1/auth/logout', { headers }),
    'DELETE /sessions': (headers) =>
      browser.call('DELETE', '/v1/auth/sessions', { headers: { ...headers, ...bearer } }),
    'DELETE /sessions/:id': (headers) => {
      const path = `/v1/auth/sessions/${decodeJwt(elsewhere.access_token).sid}`;
      return browser.call('DELETE', path, { headers: { ...headers, ...bearer } });
    },
  };
  return { ...world, sibling, calls };
};

type World = Awaited<ReturnType<typeof newWorld>>;

const FOREIGN: [string, (world: World) => Record<string, string>][] = [
  ['another site', () => ({ Origin: 'https://evil.example.com' })],
  [
    'another site, which claims to be ours',
    () => ({ Origin: 'https://evil.example.com', 'Sec-Fetch-Site': 'same-origin' }),
  ],
  ['a sibling tenant', ({ sibling }) => ({ Origin: sibling.host, 'Sec-Fetch-Site': 'same-site' })],
  ['a sibling tenant’s own site', () => ({ Origin: 'https://other.example.com' })],
  ['the domain above', () => ({ Origin: 'http://localhost' })],
  ['our host with TLS, which this is not', ({ tenant }) => ({ Origin: tenant.host.replace('http:', 'https:') })],
  ['a port of our host', ({ tenant }) => ({ Origin: `${tenant.host}:8787` })],
  ['a name that begins as ours', ({ tenant }) => ({ Origin: `${tenant.host}.evil.example` })],
  ['the tenant’s site without TLS', () => ({ Origin: 'http://shop.example.com' })],
  ['a page without an origin', () => ({ Origin: 'null' })],
  ['a page without an origin on another site', () => ({ Origin: 'null', 'Sec-Fetch-Site': 'cross-site' })],
  ['another site, by Sec-Fetch-Site alone', () => ({ 'Sec-Fetch-Site': 'cross-site' })],
  ['a sibling, by Sec-Fetch-Site alone', () => ({ 'Sec-Fetch-Site': 'same-site' })],
  ['what Sec-Fetch-Site does not know', () => ({ 'Sec-Fetch-Site': 'other' })],
];

const OWN: [string, (world: World) => Record<string, string>][] = [
  ['its own host', ({ tenant }) => ({ Origin: tenant.host, 'Sec-Fetch-Site': 'same-origin' })],
  ['the tenant’s site', () => ({ Origin: SHOP, 'Sec-Fetch-Site': 'cross-site' })],
  ['a page of ours that tells no origin', () => ({ Origin: 'null', 'Sec-Fetch-Site': 'same-origin' })],
  ['a page of ours, by Sec-Fetch-Site alone', () => ({ 'Sec-Fetch-Site': 'same-origin' })],
  ['the person directly', () => ({ 'Sec-Fetch-Site': 'none' })],
  ['what is no browser', () => ({})],
];

/** In an order in which each can succeed after the ones before it. */
const ROUTES = [
  'POST /startlogin',
  'POST /refresh',
  'DELETE /sessions/:id',
  'DELETE /sessions',
  'POST /login',
  'POST /logout',
];

describe('a call with our cookies', () => {
  it.each(FOREIGN)('from %s is refused on every route, and does nothing', async (_, headersOf) => {
    const world = await newWorld();
    const before = [await rowsOf(world.tenant.id), [...world.browser.cookies]];
    for (const route of ROUTES) {
      const response = await world.calls[route]?.(headersOf(world));
      if (!response) throw new Error(`There is no ${route}`);
      expect(response.headers.get('Set-Cookie')).toBeNull();
      expect(await refusalOf(response)).toMatchObject({ status: 403, code: 'forbidden_origin' });
    }
    expect([await rowsOf(world.tenant.id), [...world.browser.cookies]]).toEqual(before);
  });

  it.each(OWN)('from %s is taken on every route', async (_, headersOf) => {
    const world = await newWorld();
    for (const route of ROUTES) {
      const response = await world.calls[route]?.(headersOf(world));
      expect([route, response?.ok]).toEqual([route, true]);
    }
  });

  it.each(['__Host-login', '__Host-refresh'])('is refused from another site with %s alone', async (name) => {
    const world = await newWorld();
    for (const each of ['__Host-login', '__Host-refresh']) if (each !== name) world.browser.cookies.delete(each);
    const response = await world.calls['POST /logout']?.({ Origin: 'https://evil.example.com' });
    expect(response?.status).toBe(403);
  });
});

describe('a call without our cookies', () => {
  it.each([
    ['POST /startlogin', 200],
    ['POST /login', 401],
    ['POST /refresh', 401],
    ['POST /logout', 200],
  ])('from another site to %s acts for nobody, and is read by none of its pages', async (route, status) => {
    const { browser, tokens, calls, statusesOf } = await newWorld();
    browser.cookies.clear();
    const response = await calls[route]?.({ Origin: 'https://evil.example.com', 'Sec-Fetch-Site': 'cross-site' });
    expect(response?.status).toBe(status);
    expect(response?.headers.get('Access-Control-Allow-Origin')).toBeNull();
    expect(await statusesOf(tokens)).toEqual(ALIVE);
  });

  it('from the tenant’s site is read by its pages, with credentials', async () => {
    const { calls } = await newWorld();
    const response = await calls['POST /refresh']?.({ Origin: SHOP, 'Sec-Fetch-Site': 'cross-site' });
    expect(response?.headers.get('Access-Control-Allow-Origin')).toBe(SHOP);
    expect(response?.headers.get('Access-Control-Allow-Credentials')).toBe('true');
  });
});

describe('a form of another site', () => {
  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json, text/plain',
  ])('is not read as JSON when it is posted as %s', async (type) => {
    const { service, tenant, tokens } = await newWorld();
    const rawBody = JSON.stringify({ refresh_token: tokens.refresh_token });
    for (const path of ['startlogin', 'login', 'refresh', 'logout']) {
      const call = { headers: { 'Content-Type': type }, rawBody };
      const response = await service.call('POST', `${tenant.host}/v1/auth/${path}`, call);
      expect(await refusalOf(response)).toMatchObject({ status: 415, code: 'unsupported_media_type' });
    }
  });
});
