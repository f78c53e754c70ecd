import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { walkToCallback } from '../../support/browser.ts';
import { connectOidc } from '../../support/connections.ts';
import { type Browser, mailedCode, newBrowser, newLoginWorld, postLogin, REDIRECT_URI } from '../../support/logins.ts';
import { mailsTo } from '../../support/mailbox.ts';
import { claimsInIdToken } from '../../support/oidc.ts';
import { callAsOperator } from '../../support/operator.ts';
import { FORM_HEADERS, readPage } from '../../support/pages.ts';
import { locksOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { newCustomer, newTenant, uniqueEmail } from '../../support/tenants.ts';

const submit = (browser: Browser, path: string, fields: Record<string, string>): Promise<Response> =>
  browser.call('POST', path, { headers: FORM_HEADERS, rawBody: new URLSearchParams(fields).toString() });

const open = async (browser: Browser, path: string, headers: Record<string, string> = {}) =>
  readPage(await browser.call('GET', path, { headers }));

const locationOf = (response: Response): string => {
  expect(response.status).toBe(303);
  return response.headers.get('Location') ?? '';
};

/** Types an address, and gives the path of the page for the code. */
const typeAddress = async (browser: Browser, email: string, path = '/login'): Promise<string> => {
  const location = locationOf(await submit(browser, path, { email }));
  expect(location).toMatch(/^\/login\/code\?state=[\w-]{43}$/);
  return location;
};

const stateIn = (path: string): string => new URLSearchParams(path.split('?')[1]).get('state') ?? '';

describe('the login page', () => {
  it('asks for the address, then for the mailed code, and goes back to the registered URI with a code', async () => {
    const { browser, customer } = await newLoginWorld(createService(), { name: 'The Bakery' });
    const first = await open(browser, '/login');
    expect([first.status, first.textOf('title')]).toEqual([200, 'Sign in – The Bakery']);
    expect(first.all('input').map(({ attributes }) => [attributes.type, attributes.autocomplete])).toEqual([
      ['email', 'email'],
    ]);
    const path = await typeAddress(browser, customer.email);
    const second = await open(browser, path);
    expect(second.source).toContain(customer.email);
    expect(second.all('input').map(({ attributes }) => [attributes.inputmode, attributes.autocomplete])).toEqual([
      ['numeric', 'one-time-code'],
    ]);
    expect(second.headers.get('Content-Security-Policy')).toContain("form-action 'self' https://shop.example.com;");

    const code = await mailedCode(customer.email);
    const back = new URL(locationOf(await submit(browser, path, { code: `${code.slice(0, 3)} ${code.slice(3)}` })));
    expect(back.origin + back.pathname).toBe(REDIRECT_URI);
    expect(back.searchParams.get('state')).toBe(stateIn(path));
    expect(back.searchParams.get('code')).not.toBe(code);
    const signedIn = await postLogin(browser, back.searchParams.get('code') ?? '', stateIn(path));
    expect(signedIn.status).toBe(200);
    const { access_token } = await signedIn.json<{ access_token: string }>();
    expect(decodeJwt(access_token)).toMatchObject({ cid: customer.cuid, provider: 'email', amr: ['otp'] });
  });

  it('goes on with a sign-in that the API began', async () => {
    const { browser, customer } = await newLoginWorld(createService());
    const started = await browser.call('POST', '/v1/auth/startlogin', { body: { email_address: customer.email } });
    const { idp_url } = await started.json<{ idp_url: string }>();
    const { pathname, search } = new URL(idp_url);
    expect(pathname).toBe('/login');
    const path = locationOf(await browser.call('GET', pathname + search));
    const { status } = await submit(browser, path, { code: await mailedCode(customer.email) });
    expect(status).toBe(303);
  });

  it('takes only a registered redirect_uri', async () => {
    const registered = ['https://shop.example.com/a', 'https://shop.example.com/b?c=d'];
    const { browser, customer } = await newLoginWorld(createService(), { redirect_uris: registered });
    const query = (uri: string) => `/login?${new URLSearchParams({ redirect_uri: uri })}`;
    const refused = await submit(browser, query('https://shop.example.com/'), { email: customer.email });
    expect([refused.status, refused.headers.getSetCookie()]).toEqual([400, []]);
    const path = await typeAddress(browser, customer.email, query('https://shop.example.com/b?c=d'));
    const back = new URL(locationOf(await submit(browser, path, { code: await mailedCode(customer.email) })));
    expect(back.pathname).toBe('/b');
    expect([...back.searchParams.keys()].toSorted()).toEqual(['c', 'code', 'state']);
  });

  it('signs in by itself where a tenant has no front end, and out again', async () => {
    const { browser, customer } = await newLoginWorld(createService(), { redirect_uris: [] });
    const path = await typeAddress(browser, customer.email);
    const back = new URL(locationOf(await submit(browser, path, { code: await mailedCode(customer.email) })));
    expect(back.pathname).toBe('/login/done');
    const done = await open(browser, back.pathname + back.search);
    expect([done.status, done.textOf('h1')]).toEqual([200, 'You are signed in']);
    expect(done.all('form').map(({ attributes }) => attributes.action)).toEqual(['/logout']);
    expect((await browser.call('POST', '/v1/auth/refresh')).status).toBe(200);

    const again = await open(browser, back.pathname + back.search);
    expect([again.status, again.textOf('h1')]).toEqual([401, 'This sign-in cannot go on']);

    const out = await readPage(await submit(browser, '/logout', {}));
    expect(out.textOf('h1')).toBe('You are signed out');
    expect(out.headers.get('Refresh')).toMatch(/^0; url=http:\/\/t-[\w-]+\.localhost\/login$/);
    expect((await browser.call('POST', '/v1/auth/refresh')).status).toBe(401);
  });

  it('goes on from the sign-in to a page that can be loaded again, as long as the session lives', async () => {
    const service = createService();
    const { browser, customer } = await newLoginWorld(service, { redirect_uris: [] });
    const path = await typeAddress(browser, customer.email);
    const back = new URL(locationOf(await submit(browser, path, { code: await mailedCode(customer.email) })));
    const done = await open(browser, back.pathname + back.search);
    expect(done.headers.get('Refresh')).toBe('0; url=/login/done');
    for (let i = 0; i < 2; i += 1) {
      const again = await browser.call('GET', '/login/done');
      expect(again.headers.getSetCookie()).toEqual([]);
      const page = await readPage(again);
      expect([page.status, page.textOf('h1'), page.headers.get('Refresh')]).toEqual([200, 'You are signed in', null]);
      expect(page.all('form').map(({ attributes }) => attributes.action)).toEqual(['/logout']);
    }
    const elsewhere = newBrowser(service, (await newTenant(service)).host);
    expect(locationOf(await elsewhere.call('GET', '/login/done'))).toBe('/login');
    await submit(browser, '/logout', {});
    expect(locationOf(await browser.call('GET', '/login/done'))).toBe('/login');
  });

  it('says so no longer when the session has ended elsewhere, or by itself', async () => {
    const service = createService();
    const { browser, customer, tenant } = await newLoginWorld(service, { redirect_uris: [] });
    const signIn = async () => {
      const path = await typeAddress(browser, customer.email);
      const back = new URL(locationOf(await submit(browser, path, { code: await mailedCode(customer.email) })));
      await browser.call('GET', back.pathname + back.search);
      expect((await browser.call('GET', '/login/done')).status).toBe(200);
    };
    await signIn();
    const state = (status: string) =>
      callAsOperator(service, 'PATCH', `/operator/v1/tenants/${tenant.slug}/customers/${customer.cuid}`, { status });
    expect((await state('disabled')).status).toBe(200);
    expect(locationOf(await browser.call('GET', '/login/done'))).toBe('/login');
    expect((await state('active')).status).toBe(200);
    service.clock.advance(31);
    await signIn();
    service.clock.advance(30 * 24 * 3600);
    expect(locationOf(await browser.call('GET', '/login/done'))).toBe('/login');
  });

  it('says the same to whoever has no account, and sends no mail', async () => {
    const service = createService();
    const { browser, customer } = await newLoginWorld(service);
    const stranger = uniqueEmail();
    const pages = [];
    for (const email of [customer.email, stranger]) {
      const path = await typeAddress(browser, email);
      const { source, status } = await open(browser, path);
      const wrong = await readPage(await submit(browser, path, { code: '000000' }));
      pages.push([status, source.replaceAll(email, ''), wrong.status, wrong.source.replaceAll(email, '')]);
    }
    expect(pages[0]).toEqual(pages[1]);
    expect(await mailsTo(stranger)).toEqual([]);
  });

  it('lets a wrong code be typed again, five times, and keeps the state', async () => {
    const { browser, customer } = await newLoginWorld(createService());
    const path = await typeAddress(browser, customer.email);
    const code = await mailedCode(customer.email);
    const wrong = code === '111111' ? '222222' : '111111';
    for (let i = 0; i < 4; i += 1) {
      const page = await readPage(await submit(browser, path, { code: wrong }));
      expect([page.status, page.all('input').length]).toEqual([401, 1]);
      expect(page.faultOf('code')).toBe('The code is wrong, was used, or has expired.');
      expect(page.source).not.toContain(wrong);
    }
    expect((await submit(browser, path, { code })).status).toBe(303);
  });

  it('tells of the lock that too many wrong codes begin in the log, once', async () => {
    const { browser, customer } = await newLoginWorld(createService(), {
      settings: { rate_limits: { wrong_codes_per_hour: 5 } },
    });
    const path = await typeAddress(browser, customer.email);
    const code = await mailedCode(customer.email);
    const wrong = code === '111111' ? '222222' : '111111';
    for (let i = 0; i < 4; i += 1) await submit(browser, path, { code: wrong });
    expect(await locksOf(customer.cuid)).toEqual([]);
    for (let i = 0; i < 2; i += 1) await submit(browser, path, { code: wrong });
    expect(await locksOf(customer.cuid)).toEqual([{ actor: 'anonymous', data: '{"by":"email"}' }]);
  });

  it('takes no sixth try, even of the right code', async () => {
    const { browser, customer } = await newLoginWorld(createService());
    const path = await typeAddress(browser, customer.email);
    const code = await mailedCode(customer.email);
    const wrong = code === '111111' ? '222222' : '111111';
    for (let i = 0; i < 5; i += 1) await submit(browser, path, { code: wrong });
    expect((await submit(browser, path, { code })).status).toBe(401);
  });

  it.each(['', '12345', '1234567', 'abcdef', '１２３４５６'])(
    'tells what is wrong with “%s” as a code',
    async (code) => {
      const { browser, customer } = await newLoginWorld(createService());
      const path = await typeAddress(browser, customer.email);
      const page = await readPage(await submit(browser, path, { code }));
      expect([page.status, page.faultOf('code')]).toEqual([400, 'Enter the six digits of the code.']);
    },
  );

  it('tells what is wrong with an address, and keeps it', async () => {
    const { browser } = await newLoginWorld(createService());
    const page = await readPage(await submit(browser, '/login', { email: 'ada at example' }));
    expect(page.status).toBe(400);
    expect(page.faultOf('email')).toBe('Enter an email address, for example name@example.com.');
    expect(page.all('input')[0]?.attributes.value).toBe('ada at example');
  });

  it('shows nothing of a sign-in to another browser, and takes no code from it', async () => {
    const service = createService();
    const { browser, customer, tenant } = await newLoginWorld(service);
    const path = await typeAddress(browser, customer.email);
    const code = await mailedCode(customer.email);
    const other = newBrowser(service, tenant.host);
    await typeAddress(other, uniqueEmail());
    const shown = await open(other, path);
    expect([shown.status, shown.all('form').length]).toEqual([401, 0]);
    expect(shown.source).not.toContain(customer.email);
    expect((await submit(other, path, { code })).status).toBe(401);
    expect((await submit(browser, path, { code })).status).toBe(303);
  });

  it('redeems a code once, however many post it at once', async () => {
    const { browser, customer } = await newLoginWorld(createService());
    const path = await typeAddress(browser, customer.email);
    const code = await mailedCode(customer.email);
    const answers = await Promise.all(Array.from({ length: 10 }, () => submit(browser, path, { code })));
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
  });

  it('ends after ten minutes', async () => {
    const service = createService();
    const { browser, customer } = await newLoginWorld(service);
    const path = await typeAddress(browser, customer.email);
    service.clock.advance(600);
    expect((await open(browser, path)).status).toBe(401);
  });

  it('mails one code in 30 seconds, and says how long to wait', async () => {
    const { browser, customer } = await newLoginWorld(createService());
    await typeAddress(browser, customer.email);
    const page = await readPage(await submit(browser, '/login', { email: customer.email }));
    expect([page.status, page.headers.get('Retry-After')]).toEqual([429, '30']);
    expect(page.told('alert')).toContain('30 seconds');
  });

  it.each(['/login', '/login/code', '/logout'])('takes no form of another site at %s', async (path) => {
    const { browser } = await newLoginWorld(createService());
    for (const headers of [{ Origin: 'https://evil.example' }, { Origin: 'null', 'Sec-Fetch-Site': 'cross-site' }]) {
      const response = await browser.call('POST', path, {
        headers: { ...FORM_HEADERS, ...headers },
        rawBody: 'email=ada%40example.com&code=123456',
      });
      expect(response.status).toBe(403);
    }
  });

  it.each([
    ['de', 'Anmelden'],
    ['fr', 'Se connecter'],
    ['es', 'Iniciar sesión'],
  ])('speaks %s', async (language, title) => {
    const { browser } = await newLoginWorld(createService());
    expect((await open(browser, '/login', { 'Accept-Language': language })).textOf('h1')).toBe(title);
  });
});

describe('the login page for an address of a company with a provider of its own', () => {
  const newCompany = async (profile: Record<string, unknown> = {}) => {
    const service = createService({}, (...request) => fetch(...request));
    const world = await newLoginWorld(service, { redirect_uris: [], ...profile });
    const { domain } = await connectOidc(service, world.tenant, claimsInIdToken);
    const email = `ada@${domain}`;
    await newCustomer(service, world.app, { email });
    return { ...world, email };
  };

  const goToProvider = async (browser: Browser, email: string): Promise<string> => {
    const page = await readPage(await submit(browser, '/login', { email }));
    expect(page.status).toBe(200);
    const url = page.headers.get('Refresh')?.split('url=')[1] ?? '';
    expect(page.all('a').map(({ attributes }) => attributes.href?.replaceAll('&amp;', '&'))).toEqual([url]);
    return url;
  };

  it('leads there, and signs in whoever comes back', async () => {
    const { browser, email } = await newCompany();
    const callback = await walkToCallback(await goToProvider(browser, email));
    const back = new URL(locationOf(await browser.call('GET', callback.pathname + callback.search)));
    expect(back.pathname).toBe('/login/done');
    const done = await open(browser, back.pathname + back.search);
    expect(done.textOf('h1')).toBe('You are signed in');
  });

  it('says so when the provider says no', async () => {
    const { browser, email } = await newCompany();
    const callback = await walkToCallback(await goToProvider(browser, email), 'cancels');
    const back = new URL(locationOf(await browser.call('GET', callback.pathname + callback.search)));
    expect(back.searchParams.get('error')).toBe('access_denied');
    const page = await open(browser, back.pathname + back.search);
    expect([page.status, page.textOf('h1')]).toEqual([403, 'You were not signed in']);
  });

  it('says so when the provider does not answer, and keeps the address', async () => {
    const service = createService({}, () => Promise.reject(new TypeError('refused')));
    const { browser, tenant } = await newLoginWorld(service);
    const { domain } = await connectOidc(service, tenant, 'http://127.0.0.1:1');
    const page = await readPage(await submit(browser, '/login', { email: `ada@${domain}` }));
    expect(page.status).toBe(502);
    expect(page.told('alert')).toContain('Please try again in a few minutes.');
    expect(page.all('input')[0]?.attributes.value).toBe(`ada@${domain}`);
  });

  it('shows a page of its own when a browser comes back with what is no sign-in', async () => {
    const service = createService();
    const { host } = await newTenant(service);
    const browser = newBrowser(service, host);
    for (const path of ['/v1/auth/callback', '/v1/auth/callback?state=x&code=y', '/login/done?state=x&code=y']) {
      const page = await open(browser, path);
      expect([page.status, page.textOf('h1')]).toEqual([401, 'This sign-in cannot go on']);
    }
  });
});
