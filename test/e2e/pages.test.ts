import http from 'node:http';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { launchBrowser } from './browser.ts';
import { call } from './http.ts';
import { mailWith } from './mails.ts';
import { freePorts, newStateFolder, operatorHeaders, type Ports, portOf, start, untilPrinted } from './service.ts';

const LOGO = '<svg xmlns="http://www.w3.org/2000/svg" width="48" height="48"><circle cx="24" cy="24" r="24"/></svg>';

const HOST = 'bakery.localhost';

/** Another site: it serves the tenant's logo, and a page with a form that is posted to wherever its query says. */
const startOtherSite = async () => {
  const server = http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
    if (pathname === '/logo.svg') return response.setHeader('Content-Type', 'image/svg+xml').end(LOGO);
    return response.setHeader('Content-Type', 'text/html').end(
      `<form method="post" action="${searchParams.get('to')}">
         <input type="hidden" name="password" value="a password of the attacker">
         <input type="hidden" name="password_check" value="a password of the attacker">
         <button>Win a prize</button>
       </form>`,
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${portOf(server.address())}`,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

describe('a person with a browser in which no script runs', () => {
  let ports: Ports;
  let otherSite: Awaited<ReturnType<typeof startOtherSite>>;
  let page: Page;
  /** What is to be ended again, of what was begun. */
  const endings: (() => unknown)[] = [];
  let requested: string[];
  let complaints: string[];

  beforeAll(async () => {
    // First what can be missing on a machine.
    const browser = await launchBrowser();
    endings.push(() => browser.close());
    otherSite = await startOtherSite();
    endings.push(otherSite.stop);
    const state = await newStateFolder();
    endings.push(state.remove);
    ports = await freePorts();
    const run = start(ports, state.folder);
    endings.push(() => {
      run.process.kill('SIGINT');
      return run.ended;
    });
    await untilPrinted(run, 'Ctrl-C stops all of it.');
    const tenant = await call(ports.worker, 'localhost', '/operator/v1/tenants/bakery', {
      method: 'PUT',
      headers: operatorHeaders(),
      body: {
        name: 'The Bakery',
        // Without it the links would lead to the port where the service usually is.
        site_url: `http://${HOST}:${ports.worker}`,
        branding: { logo_url: `${otherSite.origin}/logo.svg`, primary_color: '#ffd400' },
        settings: { rate_limits: { mail_interval_seconds: 1 } },
      },
    });
    expect(tenant.status).toBe(201);

    const context = await browser.newContext({ javaScriptEnabled: false, locale: 'de-DE' });
    page = await context.newPage();
    requested = [];
    complaints = [];
    page.on('request', (request) => requested.push(request.url()));
    page.on('console', (message) => complaints.push(message.text()));
  });

  afterAll(async () => {
    for (const end of endings.reverse()) await end();
  });

  const invite = async (email: string): Promise<void> => {
    const app = await call(ports.worker, 'localhost', '/operator/v1/tenants/bakery/apps', {
      method: 'POST',
      headers: operatorHeaders(),
      body: { name: 'Shop' },
    });
    const { superkey, supertoken } = JSON.parse(app.text);
    const created = await call(ports.worker, HOST, '/customer', {
      method: 'POST',
      headers: { 'x-access-superkey': superkey, 'x-access-supertoken': supertoken },
      body: { company: 'Ada & Söhne', email, send_activation: true },
    });
    expect(created.status, created.text).toBe(201);
  };

  /** The newest link of this kind that was mailed to an address. */
  const linkTo = async (email: string, place: string): Promise<string> =>
    (await mailWith(ports, email, new RegExp(`http://\\S+/${place}/\\S+`))).match[0];

  const logIn = (email: string, password: string) =>
    call(ports.worker, HOST, '/customers/login', { method: 'POST', body: { email, password } });

  it('activates an account with the keyboard, from the mail to the first sign-in', async () => {
    const password = 'eine lange Geschichte, ßĳ';
    await invite('ada@example.com');
    await page.goto(await linkTo('ada@example.com', 'activate'));
    expect(await page.title()).toBe('Konto aktivieren – The Bakery');
    expect(await page.getByLabel('Neues Passwort', { exact: true }).getAttribute('autocomplete')).toBe('new-password');

    const type = async (first: string, second: string) => {
      await page.keyboard.type(first);
      await page.keyboard.press('Tab');
      await page.keyboard.type(second);
      await page.keyboard.press('Enter');
      await page.waitForLoadState();
    };
    await page.keyboard.press('Tab');
    await type('12345678', '12345678');
    await page.getByRole('alert').waitFor();
    expect(await page.title()).toBe('Fehler: Konto aktivieren – The Bakery');
    expect(await page.getByText('leicht zu erraten. Wählen').isVisible()).toBe(true);
    // The cursor is where the fault is.
    await type(password, password);
    await page.getByRole('status').waitFor();
    expect(await page.title()).toBe('Ihr Konto ist aktiviert – The Bakery');
    expect(await page.getByRole('link', { name: 'Anmelden' }).getAttribute('href')).toBe('/login');

    const answer = await logIn('ada@example.com', password);
    expect(answer.status, answer.text).toBe(200);
    expect(JSON.parse(answer.text).token).toMatch(/^eyJ/);
  });

  it('forgets the password and chooses another one', async () => {
    // Until a second after the mail before: there is no more than one in that time.
    await vi.waitFor(async () => {
      await page.goto(`http://${HOST}:${ports.worker}/reset`);
      await page.getByLabel('E-Mail-Adresse').fill('ada@example.com');
      const [response] = await Promise.all([
        page.waitForResponse((each) => each.request().method() === 'POST'),
        page.getByRole('button', { name: 'Link senden' }).click(),
      ]);
      expect(response.status()).toBe(200);
    }, 20_000);
    await page.getByRole('status').waitFor();

    await page.goto(await linkTo('ada@example.com', 'reset'));
    const password = 'noch eine lange Geschichte';
    await page.getByLabel('E-Mail-Adresse').fill('ada@example.com');
    await page.getByLabel('Neues Passwort', { exact: true }).fill(password);
    await page.getByLabel('Neues Passwort wiederholen').fill('eine andere Geschichte');
    await page.getByRole('button').click();
    await page.getByText('stimmt nicht mit dem Passwort').waitFor();
    expect(await page.getByLabel('E-Mail-Adresse').inputValue()).toBe('ada@example.com');
    expect(await page.getByLabel('Neues Passwort', { exact: true }).inputValue()).toBe('');
    await page.getByLabel('Neues Passwort', { exact: true }).fill(password);
    await page.getByLabel('Neues Passwort wiederholen').fill(password);
    await page.getByRole('button').click();
    await page.getByText('Ihr Passwort wurde geändert').waitFor();
    expect((await logIn('ada@example.com', password)).status).toBe(200);
  });

  it('confirms a new address', async () => {
    const { text } = await logIn('ada@example.com', 'noch eine lange Geschichte');
    const changed = await call(ports.worker, HOST, '/customers/self', {
      method: 'PATCH',
      headers: { Authorization: `Bearer ${JSON.parse(text).token}` },
      body: { email: 'lovelace@example.com' },
    });
    expect(changed.status, changed.text).toBe(200);
    await page.goto(await linkTo('lovelace@example.com', 'confirm-email'));
    await page.getByRole('button', { name: 'Adresse bestätigen' }).click();
    await page.getByText('Ihre E-Mail-Adresse wurde geändert').waitFor();
    expect((await logIn('lovelace@example.com', 'noch eine lange Geschichte')).status).toBe(200);
  });

  it('had nothing loaded but the pages and the tenant’s logo, and nothing that the policy forbids', () => {
    const allowed = [`http://${HOST}:${ports.worker}/`, `${otherSite.origin}/logo.svg`];
    expect(requested.filter((url) => !allowed.some((each) => url.startsWith(each)))).toEqual([]);
    expect(requested).toContain(`${otherSite.origin}/logo.svg`);
    expect(complaints.filter((text) => /Content.Security.Policy/i.test(text))).toEqual([]);
  });

  it('cannot be made to post a form by another site', async () => {
    await invite('grace@example.com');
    const link = await linkTo('grace@example.com', 'activate');
    await page.goto(`${otherSite.origin}/?to=${encodeURIComponent(link)}`);
    const [response] = await Promise.all([
      page.waitForResponse((each) => each.request().method() === 'POST'),
      page.getByRole('button').click(),
    ]);
    expect(response.status()).toBe(403);
    await page.getByRole('heading', { name: 'Das kam von einer anderen Website' }).waitFor();
    expect((await logIn('grace@example.com', 'a password of the attacker')).status).toBe(401);
  });
});
