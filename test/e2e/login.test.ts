import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startOidcProviders } from '../peers/oidc.ts';
import { launchBrowser } from './browser.ts';
import { startFrontEnd } from './front-end.ts';
import { call } from './http.ts';
import { mailWith } from './mails.ts';
import { freePorts, newStateFolder, operatorHeaders, type Ports, start, untilPrinted } from './service.ts';

describe('a person at the hosted login page', () => {
  let ports: Ports;
  let browser: Browser;
  let frontEnd: Awaited<ReturnType<typeof startFrontEnd>>;
  let providers: Awaited<ReturnType<typeof startOidcProviders>>;
  /** What is to be ended again, of what was begun. */
  const endings: (() => unknown)[] = [];
  /** What pages had the browser load, and what the browser had to say of pages. */
  const requested: { by: string; url: string }[] = [];
  const complaints: { by: string; text: string }[] = [];

  beforeAll(async () => {
    // First what can be missing on a machine.
    browser = await launchBrowser();
    endings.push(() => browser.close());
    frontEnd = await startFrontEnd();
    endings.push(frontEnd.stop);
    providers = await startOidcProviders();
    endings.push(providers.close);
    const state = await newStateFolder();
    endings.push(state.remove);
    ports = await freePorts();
    const run = start(ports, state.folder);
    endings.push(() => {
      run.process.kill('SIGINT');
      return run.ended;
    });
    await untilPrinted(run, 'Ctrl-C stops all of it.');
  });

  afterAll(async () => {
    for (const end of endings.reverse()) await end();
  });

  const operate = async (method: string, path: string, body: unknown): Promise<string> => {
    const headers = operatorHeaders();
    const answer = await call(ports.worker, 'localhost', `/operator/v1/tenants/${path}`, { method, headers, body });
    expect(answer.status, answer.text).toBe(201);
    return answer.text;
  };

  /** A tenant with a customer whose address is `ada@{slug}.example`, and with a front end or without one. */
  const newTenant = async (slug: string, profile: Record<string, unknown> = {}) => {
    await operate('PUT', slug, { name: `The ${slug}`, ...profile });
    const { superkey, supertoken } = JSON.parse(await operate('POST', `${slug}/apps`, { name: 'Shop' }));
    const [host, email] = [`${slug}.localhost`, `ada@${slug}.example`];
    const created = await call(ports.worker, host, '/customer', {
      method: 'POST',
      headers: { 'x-access-superkey': superkey, 'x-access-supertoken': supertoken },
      body: { company: 'Ada & Söhne', email },
    });
    expect(created.status, created.text).toBe(201);
    const cuid: string = JSON.parse(created.text).cuid;
    return { host, site: `http://${host}:${ports.worker}`, email, cuid };
  };

  /** The front end is beside our pages: of another origin, but of the same site. */
  const newTenantWithFrontEnd = async (slug: string) => {
    const origin = `http://app.${slug}.localhost:${frontEnd.port}`;
    const [redirectUri, logoutUri] = [`${origin}/signed-in`, `${origin}/goodbye`];
    const profile = { origins: [origin], redirect_uris: [redirectUri], logout_uri: logoutUri };
    return { ...(await newTenant(slug, profile)), origin, redirectUri, logoutUri };
  };

  /** Whoever has an address of `{slug}-works.example` signs in at an OpenID provider. */
  const newTenantWithProvider = async (slug: string) => {
    const tenant = await newTenant(slug);
    const domain = `${slug}-works.example`;
    const { claimsInUserInfo: issuer, clientSecret } = providers.peers;
    await operate('PUT', `${slug}/connections/works`, {
      ...{ type: 'oidc', issuer, client_id: 'ES256', client_secret: clientSecret },
      ...{ domains: [domain], signup: true },
    });
    return { ...tenant, worker: `grace@${domain}`, issuer };
  };

  const newPage = async (options: BrowserContextOptions = {}): Promise<Page> => {
    const context = await browser.newContext({ javaScriptEnabled: false, locale: 'en-GB', ...options });
    const page = await context.newPage();
    page.on('request', (request) => requested.push({ by: page.url(), url: request.url() }));
    page.on('console', (message) => complaints.push({ by: message.location().url, text: message.text() }));
    return page;
  };

  const mailedCode = async (email: string): Promise<string> => (await mailWith(ports, email, /\b\d{6}\b/)).match[0];

  const typeAddress = async (page: Page, site: string, email: string): Promise<void> => {
    await page.goto(`${site}/login`);
    await page.getByLabel('Email address').fill(email);
    await page.getByRole('button', { name: 'Continue' }).click();
  };

  const typeCode = async (page: Page, code: string): Promise<void> => {
    await page.getByLabel('Code').fill(code);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };

  const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name, exact: true }).waitFor();

  /** At the page that a sign-in ends at, which the one before goes on to by itself. */
  const atSignedIn = async (page: Page, site: string): Promise<void> => {
    await page.waitForURL(`${site}/login/done`);
    await heading(page, 'You are signed in');
  };

  /** What the browser would send to a site, as it does. */
  const cookieHeader = async (page: Page, site: string): Promise<string> =>
    (await page.context().cookies(site)).map(({ name, value }) => `${name}=${value}`).join('; ');

  const refresh = (host: string, cookies: string) =>
    call(ports.worker, host, '/v1/auth/refresh', { method: 'POST', headers: { Cookie: cookies } });

  /** How the browser keeps the cookies of a site. */
  const cookiesOf = async (page: Page, site: string) =>
    (await page.context().cookies(site))
      .map(({ name, path, domain, secure, httpOnly, sameSite }) => ({ name, path, domain, secure, httpOnly, sameSite }))
      .toSorted((a, b) => a.name.localeCompare(b.name));

  const loginCookie = { name: '__Host-login', path: '/', secure: true, httpOnly: true, sameSite: 'Lax' };
  const refreshCookie = { name: '__Host-refresh', path: '/', secure: true, httpOnly: true, sameSite: 'Strict' };

  it('lands at the tenant’s front end with a code for tokens, in a browser that runs no script', async () => {
    const { host, site, email, cuid, redirectUri } = await newTenantWithFrontEnd('bakery');
    const page = await newPage();
    await typeAddress(page, site, email);
    await heading(page, 'Enter the code');
    expect(await cookiesOf(page, site)).toEqual([{ ...loginCookie, domain: host }]);
    await typeCode(page, await mailedCode(email));
    await heading(page, 'The shop');
    const landed = new URL(page.url());
    expect(landed.origin + landed.pathname).toBe(redirectUri);

    const redeemed = await call(ports.worker, host, '/v1/auth/login', {
      method: 'POST',
      headers: { Cookie: await cookieHeader(page, site) },
      body: Object.fromEntries(landed.searchParams),
    });
    expect(redeemed.status, redeemed.text).toBe(200);
    const { access_token: token, access_key: key } = JSON.parse(redeemed.text);
    const self = await call(ports.worker, host, '/v1/auth/self', { headers: { Authorization: `Bearer ${token}` } });
    expect(JSON.parse(self.text)).toMatchObject({ user: { user_name: email } });
    const headers = { 'x-access-key': key, 'x-access-token': token };
    const customer = await call(ports.worker, host, `/customer/${cuid}`, { headers });
    expect(JSON.parse(customer.text)).toMatchObject({ cuid, email });
  });

  it('is signed in, kept so and signed out by the front end’s own script, by cookies that it cannot read', async () => {
    const { host, site, email, logoutUri } = await newTenantWithFrontEnd('florist');
    const page = await newPage({ javaScriptEnabled: true });
    const post = (path: string, body: unknown = {}): Promise<{ status: number; answer: Record<string, string> }> =>
      page.evaluate(
        async ([url, text]) => {
          const headers = { 'Content-Type': 'application/json' };
          const response = await fetch(url, { method: 'POST', credentials: 'include', headers, body: text });
          const answer: Record<string, string> = JSON.parse(await response.text());
          return { status: response.status, answer };
        },
        [`${site}/v1/auth/${path}`, JSON.stringify(body)] as const,
      );
    await typeAddress(page, site, email);
    await typeCode(page, await mailedCode(email));
    await heading(page, 'The shop');

    const { answer } = await post('login', Object.fromEntries(new URL(page.url()).searchParams));
    expect(answer).toMatchObject({ access_token: expect.stringMatching(/^eyJ/) });
    expect(await cookiesOf(page, site)).toEqual([
      { ...loginCookie, domain: host },
      { ...refreshCookie, domain: host },
    ]);
    expect(await page.evaluate('document.cookie')).toBe('');
    const refreshed = await post('refresh');
    expect(refreshed).toMatchObject({ status: 200, answer: { user_id: answer.user_id } });
    expect(await post('logout')).toEqual({ status: 200, answer: { logout_url: logoutUri } });
    expect(await cookiesOf(page, site)).toEqual([{ ...loginCookie, domain: host }]);
    expect((await post('refresh', { refresh_token: refreshed.answer.refresh_token })).status).toBe(401);
  });

  it('signs in and out where there is no front end, and neither going back nor reloading signs in again', async () => {
    const { host, site, email } = await newTenant('library');
    const page = await newPage();
    await typeAddress(page, site, email);
    await typeCode(page, await mailedCode(email));
    await atSignedIn(page, site);
    expect(await page.title()).toBe('You are signed in – The library');
    const whileSignedIn = await cookieHeader(page, site);
    expect(await cookiesOf(page, site)).toContainEqual({ ...refreshCookie, domain: host });

    await page.getByRole('button', { name: 'Sign out' }).click();
    await heading(page, 'Sign in');
    expect(page.url()).toBe(`${site}/login`);
    expect((await refresh(host, whileSignedIn)).status).toBe(401);
    await page.goBack();
    await heading(page, 'Sign in');
    expect(page.url()).toBe(`${site}/login`);
    await page.reload();
    await heading(page, 'Sign in');
    expect(await cookiesOf(page, site)).toEqual([{ ...loginCookie, domain: host }]);
  });

  it('stays signed in, and is not signed in anew, when the last page is loaded again', async () => {
    const { host, site, email } = await newTenant('theatre');
    const page = await newPage();
    await typeAddress(page, site, email);
    await typeCode(page, await mailedCode(email));
    await atSignedIn(page, site);
    const cookies = await cookieHeader(page, site);
    await page.reload();
    await atSignedIn(page, site);
    expect(await cookieHeader(page, site)).toBe(cookies);
    expect((await refresh(host, cookies)).status).toBe(200);
  });

  it('signs in at the own company, and out there, too', async () => {
    const { host, site, worker, issuer } = await newTenantWithProvider('museum');
    const page = await newPage();
    await typeAddress(page, site, worker);
    await page.getByPlaceholder('and password').fill('whatever');
    expect(page.url()).toContain(issuer);
    expect(await page.getByPlaceholder('Enter any login').inputValue()).toBe(worker);
    await page.getByRole('button', { name: 'Sign-in' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await atSignedIn(page, site);
    expect(await cookiesOf(page, site)).toContainEqual({ ...refreshCookie, domain: host });

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('button', { name: 'Yes, sign me out' }).click();
    await heading(page, 'Sign in');
    expect(page.url()).toBe(`${site}/login`);
    expect(await cookiesOf(page, site)).toEqual([{ ...loginCookie, domain: host }]);
  });

  it('is told when the company says no, and can begin again', async () => {
    const { host, site, worker } = await newTenantWithProvider('orchestra');
    const page = await newPage();
    await typeAddress(page, site, worker);
    await page.getByRole('link', { name: 'Cancel' }).click();
    await heading(page, 'You were not signed in');
    expect(await cookiesOf(page, site)).toEqual([{ ...loginCookie, domain: host }]);
    await page.getByRole('link', { name: 'Begin again' }).click();
    await heading(page, 'Sign in');
  });

  it('types a wrong code, then the right one, with the keyboard alone', async () => {
    const { site, email } = await newTenant('garden');
    const page = await newPage();
    const type = async (text: string): Promise<void> => {
      await page.keyboard.type(text);
      await page.keyboard.press('Enter');
    };
    await page.goto(`${site}/login`);
    await page.keyboard.press('Tab');
    await type(email);
    await heading(page, 'Enter the code');
    const code = await mailedCode(email);
    await type(code === '123456' ? '654321' : '123456');
    await page.getByRole('alert').filter({ hasText: 'The code is wrong' }).waitFor();
    expect(await page.title()).toBe('Error: Enter the code – The garden');
    expect(await page.locator(':focus').getAttribute('name')).toBe('code');
    // As it stands in some mails.
    await type(`${code.slice(0, 3)} ${code.slice(3)}`);
    await atSignedIn(page, site);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await heading(page, 'Sign in');
  });

  it('cannot go on with the same link in another browser', async () => {
    const { site, email } = await newTenant('school');
    const page = await newPage();
    await typeAddress(page, site, email);
    await heading(page, 'Enter the code');
    const other = await newPage();
    await other.goto(page.url());
    await heading(other, 'This sign-in cannot go on');
    expect(await other.getByLabel('Code').count()).toBe(0);
    await typeCode(page, await mailedCode(email));
    await atSignedIn(page, site);
  });

  it('had nothing loaded from elsewhere, and saw nothing that the policies of pages forbid', () => {
    const isOfProvider = (url: string) => url.startsWith(`${providers.peers.claimsInUserInfo}/`);
    const isLocal = (url: string) => /^http:\/\/([\w-]+\.)+localhost:\d+\//.test(url) || isOfProvider(url);
    const byOurs = requested.filter(({ by }) => !isOfProvider(by));
    expect(byOurs.length).toBeGreaterThan(20);
    expect(byOurs.filter(({ url }) => !isLocal(url))).toEqual([]);
    // Chromium says so of every page whose status is an error’s.
    const isStatus = (text: string) => text.startsWith('Failed to load resource: the server responded with a status');
    expect(complaints.filter(({ by, text }) => isLocal(by) && !isOfProvider(by) && !isStatus(text))).toEqual([]);
  });
});
