import { expect } from 'vitest';
import { bearerHeaders } from './accounts.ts';
import { lastMailTo } from './mailbox.ts';
import type { Service } from './service.ts';
import { type AppPair, appHeaders, newApp, newCustomer, newTenant, type TestTenant } from './tenants.ts';

export const REDIRECT_URI = 'https://shop.example.com/signed-in';

type Call = { headers?: Record<string, string>; body?: unknown; rawBody?: string };

/** What a browser does: it keeps the cookies of a host, sends them along, and says where a page calls from. */
export const newBrowser = (service: Service, host: string) => {
  const cookies = new Map<string, string>();
  const keep = (response: Response): void => {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split('; ');
      const [name = '', value = ''] = pair.split(/=(.*)/s);
      if (attributes.includes('Max-Age=0')) cookies.delete(name);
      else cookies.set(name, value);
    }
  };
  return {
    cookies,
    call: async (method: string, path: string, { headers = {}, ...call }: Call = {}): Promise<Response> => {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await service.call(method, `${host}${path}`, {
        ...call,
        headers: { ...(cookie !== '' && { Cookie: cookie }), ...headers },
      });
      keep(response);
      return response;
    },
  };
};

export type Browser = ReturnType<typeof newBrowser>;

export type SignedIn = {
  access_token: string;
  refresh_token: string;
  access_key: string;
  customer_id: string;
  user_id: string;
};

/** Begins a sign-in, and gives its state. */
export const startLogin = async (browser: Browser, email: string, redirect_uri?: string): Promise<string> => {
  const body = { email_address: email, ...(redirect_uri !== undefined && { redirect_uri }) };
  const response = await browser.call('POST', '/v1/auth/startlogin', { body });
  expect(response.status).toBe(200);
  const { state } = await response.json<{ state: string }>();
  return state;
};

/** The code that was mailed last to an address. */
export const mailedCode = async (email: string): Promise<string> => {
  const code = /\b\d{6}\b/.exec((await lastMailTo(email)).text)?.[0] ?? '';
  expect(code).not.toBe('');
  return code;
};

export const postLogin = (browser: Browser, code: string, state: string): Promise<Response> =>
  browser.call('POST', '/v1/auth/login', { body: { code, state } });

/** Signs in by a mailed code. */
export const signInByCode = async (browser: Browser, email: string): Promise<SignedIn> => {
  const state = await startLogin(browser, email);
  const response = await postLogin(browser, await mailedCode(email), state);
  expect(response.status).toBe(200);
  return response.json<SignedIn>();
};

/** A tenant with a front end, a customer with an address of its own, and a browser that is at the tenant's host. */
export const newLoginWorld = async (service: Service, profile: Record<string, unknown> = {}) => {
  const tenant: TestTenant = await newTenant(service, { redirect_uris: [REDIRECT_URI], ...profile });
  const app = await newApp(service, tenant);
  const customer = await newCustomer(service, app);
  return { service, tenant, app, customer, browser: newBrowser(service, tenant.host) };
};

/** What a partner's SSO redirect brings to the platform. */
export const redirectByApp = async (
  service: Service,
  app: AppPair,
  email: string,
): Promise<{ code: string; state: string }> => {
  const response = await service.call('GET', `/customer/${email}/sso`, { headers: appHeaders(app) });
  expect(response.status).toBe(302);
  const { searchParams } = new URL(response.headers.get('Location') ?? '');
  return { code: searchParams.get('code') ?? '', state: searchParams.get('state') ?? '' };
};

/** A cookie that an answer sets: its value, and its attributes in alphabetical order. Null if it does not set it. */
export const cookieIn = (response: Response, name: string): { value: string; attributes: string[] } | null => {
  const lines = response.headers.getSetCookie().filter((line) => line.startsWith(`${name}=`));
  expect(lines.length).toBeLessThanOrEqual(1);
  const [pair = '', ...attributes] = lines[0]?.split('; ') ?? [];
  return pair === '' ? null : { value: pair.slice(name.length + 1), attributes: attributes.toSorted() };
};

/** The attributes of the refresh cookie (contract 2, login). */
export const refreshCookieFor = (seconds: number): string[] =>
  ['HttpOnly', `Max-Age=${seconds}`, 'Path=/', 'SameSite=Strict', 'Secure'].toSorted();

/** Fails unless a refresh token is refused as one that is not good, and the browser is told to forget its cookie. */
export const expectSessionOver = async (response: Response): Promise<void> => {
  expect([response.status, (await response.json<{ code: string }>()).code]).toEqual([401, 'invalid_refresh_token']);
  expect(cookieIn(response, '__Host-refresh')).toEqual({ value: '', attributes: refreshCookieFor(0) });
};

/** A world whose customer is signed in by a mailed code, and what may be done with its tokens. */
export const newSessionWorld = async (service: Service, profile: Record<string, unknown> = {}) => {
  const world = await newLoginWorld(service, profile);
  const { tenant, customer, browser } = world;
  const tokens = await signInByCode(browser, customer.email);
  const post = (path: string, body?: unknown) =>
    service.call('POST', `${tenant.host}/v1/auth/${path}`, body === undefined ? {} : { body });
  return {
    ...world,
    tokens,
    post,
    /** Signs in in a browser of its own, when the next mail may go out. */
    signInElsewhere: async (email = customer.email) => {
      service.clock.advance(30);
      const other = newBrowser(service, tenant.host);
      return { browser: other, tokens: await signInByCode(other, email) };
    },
    /** Refreshes as a client without cookies does. */
    refresh: (refresh_token: string) => post('refresh', { refresh_token }),
    /** The same, and it succeeds. */
    rotate: async (refresh_token: string): Promise<SignedIn> => {
      const response = await post('refresh', { refresh_token });
      expect(response.status).toBe(200);
      return response.json<SignedIn>();
    },
    /** What the access token opens: the list of sessions here, and the customer on the partner surface. */
    statusesOf: async ({ access_token, access_key, customer_id }: SignedIn): Promise<[number, number]> => {
      const headers = { 'x-access-key': access_key, 'x-access-token': access_token };
      const [own, partner] = await Promise.all([
        service.call('GET', `${tenant.host}/v1/auth/sessions`, { headers: bearerHeaders(access_token) }),
        service.call('GET', `${tenant.host}/customer/${customer_id}`, { headers }),
      ]);
      return [own.status, partner.status];
    },
  };
};

/** `statusesOf` a token that is good, and of one that is dead. */
export const ALIVE = [200, 200];
export const DEAD = [401, 403];

/** A world, and the bare call that begins a sign-in. */
export const newStartWorld = async (service: Service, profile: Record<string, unknown> = {}) => {
  const world = await newLoginWorld(service, profile);
  const start = (body: unknown, headers: Record<string, string> = {}) =>
    service.call('POST', `${world.tenant.host}/v1/auth/startlogin`, { headers, body });
  return { ...world, start };
};
