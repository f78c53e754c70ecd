import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { logOf } from '../../support/log.ts';
import {
  cookieIn,
  mailedCode,
  newStartWorld,
  postLogin,
  REDIRECT_URI,
  type SignedIn,
  startLogin,
} from '../../support/logins.ts';
import { lastMailTo, mailsTo } from '../../support/mailbox.ts';
import { atRest, eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { appHeaders, newTenant, refusalOf, uniqueEmail, uniqueName } from '../../support/tenants.ts';

/** At least 128 bits, URL-safe. */
const SECRET = /^[\w-]{22,}$/;

const COOKIE = ['HttpOnly', 'Max-Age=600', 'Path=/', 'SameSite=Lax', 'Secure'];

describe('POST /v1/auth/startlogin', () => {
  it('answers with a state and our own page for it, and mails a code', async () => {
    const { tenant, customer, start } = await newStartWorld(createService());
    const response = await start({ email_address: customer.email });
    expect([response.status, response.headers.get('Cache-Control')]).toEqual([200, 'no-store']);
    const { state, ...others } = await response.json<{ state: string }>();
    expect(state).toMatch(SECRET);
    expect(others).toEqual({ has_idp: false, idp_url: `${tenant.host}/login?state=${state}` });
    expect(await mailsTo(customer.email)).toHaveLength(1);
  });

  it('gives another state each time, and tells a browser which one it is', async () => {
    const { service, customer, start } = await newStartWorld(createService());
    const first = await start({ email_address: customer.email });
    service.clock.advance(30);
    const second = await start({ email_address: customer.email });
    const [one, other] = [first, second].map((response) => cookieIn(response, '__Host-login'));
    for (const cookie of [one, other]) {
      expect(cookie?.value).toMatch(SECRET);
      expect(cookie?.attributes).toEqual(COOKIE);
    }
    expect(one?.value).not.toBe(other?.value);
    const states = await Promise.all([first, second].map((response) => response.json<{ state: string }>()));
    expect(states[0]?.state).not.toBe(states[1]?.state);
    expect(states.map(({ state }) => state)).not.toContain(one?.value);
  });

  it('keeps the browser that it knows, for ten minutes more', async () => {
    const { service, customer, browser } = await newStartWorld(createService());
    await startLogin(browser, customer.email);
    const known = browser.cookies.get('__Host-login');
    service.clock.advance(30);
    const response = await browser.call('POST', '/v1/auth/startlogin', { body: { email_address: customer.email } });
    expect(cookieIn(response, '__Host-login')).toEqual({ value: known, attributes: COOKIE });
  });

  it.each([
    '',
    'x',
    'a'.repeat(42),
    'a'.repeat(44),
    `${'a'.repeat(42)}.`,
    `${'a'.repeat(42)}%0A`,
    `"${'a'.repeat(41)}"`,
  ])('puts another in the place of a browser’s name that is not ours: %j', async (value) => {
    const { customer, start } = await newStartWorld(createService());
    const response = await start({ email_address: customer.email }, { Cookie: `__Host-login=${value}` });
    const cookie = cookieIn(response, '__Host-login');
    expect(cookie?.value).toMatch(SECRET);
    expect(cookie?.value).not.toBe(value);
  });

  it('takes no name of a browser from a cookie that siblings can set', async () => {
    const { customer, start } = await newStartWorld(createService());
    const value = 'a'.repeat(43);
    const response = await start(
      { email_address: customer.email },
      { Cookie: `login=${value}; __Secure-login=${value}` },
    );
    expect(cookieIn(response, '__Host-login')?.value).not.toBe(value);
  });

  it('knows the address in any case, by both of its names, also by both at once', async () => {
    const { service, customer, start } = await newStartWorld(createService());
    const written = `  ${customer.email.toUpperCase()} `;
    for (const body of [
      { email_address: written },
      { user_name: written },
      { user_name: customer.email, email_address: written },
    ]) {
      expect((await start(body)).status).toBe(200);
      service.clock.advance(30);
    }
    expect(await mailsTo(customer.email)).toHaveLength(3);
  });

  it.each([
    ['no address', {}, 'email_address required'],
    ['two addresses', { email_address: 'a@b.example', user_name: 'c@d.example' }, 'email_address invalid'],
    ['what is no address', { email_address: 'nobody' }, 'email_address invalid'],
    ['several in one', { email_address: 'a@b.example,c@d.example' }, 'email_address invalid'],
    ['a header in it', { user_name: 'a@b.example\r\nBcc: c@d.example' }, 'user_name invalid'],
    ['another type', { email_address: ['a@b.example'] }, 'email_address invalid'],
    ['members that there are not', { email_address: 'a@b.example', state: 'x' }, 'state unknown_member'],
    [
      'a redirect_uri of another type',
      { email_address: 'a@b.example', redirect_uri: [REDIRECT_URI] },
      'redirect_uri invalid',
    ],
  ])('refuses %s', async (_, body, expected) => {
    const { tenant, start } = await newStartWorld(createService());
    const response = await start(body);
    const problem = await response.json<{ code: string; errors: { path: string; code: string }[] }>();
    expect([response.status, problem.code]).toEqual([400, 'validation_failed']);
    expect(problem.errors.map(({ path, code }) => `${path} ${code}`)).toEqual([expected]);
    expect(response.headers.get('Set-Cookie')).toBeNull();
    expect(await rowsOf(tenant.id)).toMatchObject({ login_states: [], rate_hits: [], challenges: [] });
  });

  it('says at which host the page is that was asked', async () => {
    const service = createService();
    const { slug } = await newTenant(service);
    const url = `http://${slug.toUpperCase()}.localhost:8787/v1/auth/startlogin`;
    const response = await service.call('POST', url, {
      body: { email_address: uniqueEmail() },
      headers: { 'X-Forwarded-Host': 'evil.example', Forwarded: 'host=evil.example' },
    });
    const { idp_url, state } = await response.json<{ idp_url: string; state: string }>();
    expect(idp_url).toBe(`http://${slug}.localhost:8787/login?state=${state}`);
  });

  it('never says that the page is at a host that is not ours', async () => {
    const { slug } = await newTenant(createService());
    const response = await createService({ DEFAULT_TENANT: slug }).call(
      'POST',
      'https://evil.example/v1/auth/startlogin',
      {
        body: { email_address: uniqueEmail() },
      },
    );
    const { idp_url } = await response.json<{ idp_url: string }>();
    expect(new URL(idp_url).host).toBe(`${slug}.localhost:8787`);
  });

  it('is no GET', async () => {
    const { tenant, service } = await newStartWorld(createService());
    for (const method of ['GET', 'HEAD', 'PUT']) {
      const response = await service.call(method, `${tenant.host}/v1/auth/startlogin`);
      expect([response.status, response.headers.get('Allow')]).toEqual([405, 'POST']);
    }
  });
});

describe('the redirect_uri', () => {
  it.each([REDIRECT_URI, 'http://localhost:3000/in?tenant=1'])(
    'is taken as it was registered: %s',
    async (redirect_uri) => {
      const { customer, start } = await newStartWorld(createService(), {
        redirect_uris: [REDIRECT_URI, 'http://localhost:3000/in?tenant=1'],
      });
      expect((await start({ email_address: customer.email, redirect_uri })).status).toBe(200);
    },
  );

  it.each([
    'https://shop.example.com/signed-i',
    'https://shop.example.com/signed-in/',
    'https://shop.example.com/signed-in/more',
    'https://shop.example.com/signed-in?x=1',
    'https://shop.example.com/signed-in#x',
    'https://shop.example.com/SIGNED-IN',
    'HTTPS://SHOP.EXAMPLE.COM/signed-in',
    'http://shop.example.com/signed-in',
    'https://shop.example.com:443/signed-in',
    'https://shop.example.com./signed-in',
    'https://shop.example.com@evil.example/signed-in',
    'https://shop.example.com.evil.example/signed-in',
    'https://evil.example/?https://shop.example.com/signed-in',
    '//shop.example.com/signed-in',
    '/signed-in',
    'https://shop.example.com/x/../signed-in',
    ' https://shop.example.com/signed-in',
    'https://shop.example.com/signed-in\r\nSet-Cookie: a=b',
    'javascript:alert(1)',
    '',
  ])('is refused, and nothing is done, when it is %j', async (redirect_uri) => {
    const { tenant, customer, start } = await newStartWorld(createService());
    const response = await start({ email_address: customer.email, redirect_uri });
    const problem = await response.clone().json<{ errors: { path: string }[] }>();
    expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'validation_failed' });
    expect(problem.errors.map(({ path }) => path)).toEqual(['redirect_uri']);
    expect(await rowsOf(tenant.id)).toMatchObject({ login_states: [], rate_hits: [], challenges: [] });
    expect(await mailsTo(customer.email)).toEqual([]);
  });

  it('is not one that another tenant has registered, nor the URL of an app’s platform', async () => {
    const { service, customer, start } = await newStartWorld(createService(), { redirect_uris: [] });
    await newTenant(service, { redirect_uris: ['https://other.example.com/in'] });
    for (const redirect_uri of ['https://other.example.com/in', 'https://shop.example.com/signed-in']) {
      expect((await start({ email_address: customer.email, redirect_uri })).status).toBe(400);
    }
  });
});

describe('the mailed code', () => {
  it('stands in a mail that says nothing of the state', async () => {
    const { tenant, customer, browser } = await newStartWorld(createService());
    const state = await startLogin(browser, customer.email);
    const mail = await lastMailTo(customer.email);
    const code = await mailedCode(customer.email);
    expect(mail.from.name).toBe(`Tenant ${tenant.slug}`);
    expect(mail.html).toContain(code);
    expect(mail.subject).not.toContain(code);
    expect(mail.text).toContain('10 minutes');
    for (const part of [mail.text, mail.html, mail.subject]) {
      expect(part).not.toContain(state);
      expect(part).not.toContain(browser.cookies.get('__Host-login'));
    }
  });

  it('goes to the address as it was first written', async () => {
    const email = `${uniqueName('Ada.Lovelace')}@example.com`;
    const { service, app, start } = await newStartWorld(createService());
    await service.call('POST', '/customer', { headers: appHeaders(app), body: { company: 'A company', email } });
    await start({ email_address: email.toLowerCase() });
    expect(await mailsTo(email)).toHaveLength(1);
  });

  it.each([
    ['the tenant’s', null, /^Ihr Zugangscode/],
    ['the user’s own', 'fr-CA', /^Votre code/],
  ])('is mailed in %s language', async (_, locale, subject) => {
    const { customer, start } = await newStartWorld(createService(), { locale: 'de' });
    await env.DB.prepare('update users set locale = ? where customer_id = ?').bind(locale, customer.cuid).run();
    await start({ email_address: customer.email });
    expect((await lastMailTo(customer.email)).subject).toMatch(subject);
  });

  it('kills the one that was mailed before', async () => {
    const { service, customer, browser } = await newStartWorld(createService());
    const [older, olderCode] = [await startLogin(browser, customer.email), await mailedCode(customer.email)];
    service.clock.advance(30);
    const [newer, newerCode] = [await startLogin(browser, customer.email), await mailedCode(customer.email)];
    expect((await postLogin(browser, olderCode, older)).status).toBe(401);
    expect((await postLogin(browser, newerCode, newer)).status).toBe(200);
  });

  it('is written in the audit log, as sent by nobody we know', async () => {
    const { customer, start } = await newStartWorld(createService());
    await start({ email_address: customer.email });
    expect((await eventsAbout(customer.cuid)).at(-1)).toEqual({ type: 'user.login_code_sent', actor: 'anonymous' });
  });

  it('is at rest nowhere in the clear, nor is its state, the browser or an address that nobody has', async () => {
    const { tenant, customer, browser } = await newStartWorld(createService());
    const unknown = uniqueEmail();
    const states = [await startLogin(browser, customer.email), await startLogin(browser, unknown)];
    const code = await mailedCode(customer.email);
    const everything = await atRest(tenant.id);
    for (const secret of [...states, browser.cookies.get('__Host-login'), unknown]) {
      expect(everything).not.toContain(secret);
    }
    expect(everything).not.toMatch(new RegExp(`(?<![\\d.])${code}(?!\\d)`));
    expect(await atRest(tenant.id, ['customers', 'users'])).not.toContain(customer.email);
  });

  it('is in no line of the log, nor is anything else that is secret or personal', async () => {
    const { customer, browser } = await newStartWorld(createService());
    const unknown = uniqueEmail();
    let secrets: string[] = [];
    const log = await logOf(async () => {
      const state = await startLogin(browser, customer.email, REDIRECT_URI);
      const code = await mailedCode(customer.email);
      const name = browser.cookies.get('__Host-login') ?? '';
      secrets = [customer.email, unknown, REDIRECT_URI, state, code, name, await startLogin(browser, unknown)];
      const { access_token, refresh_token } = await (await postLogin(browser, code, state)).json<SignedIn>();
      secrets.push(access_token, refresh_token);
    });
    expect(log).toContain('/v1/auth/startlogin');
    for (const secret of secrets) expect(log).not.toContain(secret);
  });
});
