import { describe, expect, it } from 'vitest';
import { bearerHeaders } from '../../support/accounts.ts';
import { callbackWith, newStaffedCompany, peopleOf } from '../../support/companies.ts';
import { redeemReturn, returnOf } from '../../support/connections.ts';
import { type Browser, cookieIn, newBrowser, postLogin, startLogin } from '../../support/logins.ts';
import { newTenant, refusalOf } from '../../support/tenants.ts';

type Company = Awaited<ReturnType<typeof newStaffedCompany>>;

const UNKNOWN = 'A'.repeat(43);

/** Fails unless the callback is refused by a page, the provider is not asked, and nothing is stored. */
const expectNoReturn = async (company: Company, answer: () => Promise<Response>): Promise<void> => {
  const before = await peopleOf(company.tenant.id);
  const response = await answer();
  expect(response.status).toBe(401);
  expect(response.headers.get('Location')).toBeNull();
  expect(response.headers.get('Content-Type')).toMatch(/^text\/html/);
  expect(cookieIn(response, '__Host-refresh')).toBeNull();
  expect(await peopleOf(company.tenant.id)).toEqual(before);
};

const cookieOf = ({ cookies }: Browser): string => `__Host-login=${cookies.get('__Host-login')}`;

describe('the state of a sign-in', () => {
  it('is good once', async () => {
    const company = await newStaffedCompany();
    const { state, code } = await company.prepare();
    const comeBack = () => company.browser.call('GET', callbackWith({ state, code }));
    expect(returnOf(await comeBack())).toMatchObject({ state });
    await expectNoReturn(company, comeBack);
    expect(await company.provider.calls(`/token/${code}`)).toBe(1);
  });

  it('is good once, of twenty callbacks at once', async () => {
    const company = await newStaffedCompany();
    const { state, code } = await company.prepare();
    const responses = await Promise.all(
      Array.from({ length: 20 }, () => company.browser.call('GET', callbackWith({ state, code }))),
    );
    expect(responses.map(({ status }) => status).toSorted()).toEqual([303, ...Array<number>(19).fill(401)]);
    expect(await company.provider.calls(`/token/${code}`)).toBe(1);
  });

  it.each([
    [599, 303],
    [600, 401],
  ])('after %i seconds is answered with %i', async (seconds, status) => {
    const company = await newStaffedCompany();
    const prepared = await company.prepare();
    company.service.clock.advance(seconds);
    expect((await company.browser.call('GET', callbackWith(prepared))).status).toBe(status);
  });

  const wrong: [string, (state: string) => string][] = [
    ['is unknown', () => UNKNOWN],
    ['is empty', () => ''],
    ['is in capitals', (state) => state.toUpperCase()],
    ['is cut short', (state) => state.slice(0, -1)],
    ['is very long', (state) => state.repeat(100)],
  ];
  it.each(wrong)('leads nowhere when it %s', async (_, change) => {
    const company = await newStaffedCompany();
    const { state, code } = await company.prepare();
    await expectNoReturn(company, () => company.browser.call('GET', callbackWith({ state: change(state), code })));
    expect(await company.provider.calls(`/token/${code}`)).toBe(0);
    expect((await company.browser.call('GET', callbackWith({ state, code }))).status).toBe(303);
  });

  it.each(['', '?code=code', '?error=access_denied', '?error=access_denied&state='])(
    'is missed in a callback with %j',
    async (query) => {
      const company = await newStaffedCompany();
      await company.prepare();
      await expectNoReturn(company, () => company.browser.call('GET', `/v1/auth/callback${query}`));
    },
  );

  it('is one, not two', async () => {
    const company = await newStaffedCompany();
    const { state, code } = await company.prepare();
    const twice = `${callbackWith({ state, code })}&state=${UNKNOWN}`;
    expect(returnOf(await company.browser.call('GET', twice))).toEqual({ error: 'access_denied', state });
    expect(await company.provider.calls(`/token/${code}`)).toBe(0);
  });

  it('is of no use in another browser, nor in none', async () => {
    const company = await newStaffedCompany();
    const { service, tenant } = company;
    const other = newBrowser(service, tenant.host);
    await company.prepare({}, { browser: other });
    for (const browser of [other, newBrowser(service, tenant.host)]) {
      const { state, code } = await company.prepare();
      await expectNoReturn(company, () => browser.call('GET', callbackWith({ state, code })));
      expect(await company.provider.calls(`/token/${code}`)).toBe(0);
    }
  });

  it('is of no use at another tenant', async () => {
    const company = await newStaffedCompany();
    const { service, browser } = company;
    const elsewhere = await newTenant(service);
    const { state, code } = await company.prepare();
    const headers = { Cookie: cookieOf(browser) };
    await expectNoReturn(company, () =>
      service.call('GET', `${elsewhere.host}${callbackWith({ state, code })}`, { headers }),
    );
    expect((await browser.call('GET', callbackWith({ state, code }))).status).toBe(303);
  });

  it('of a mailed code is of no use at the callback', async () => {
    const company = await newStaffedCompany();
    const state = await startLogin(company.browser, 'nobody@example.com');
    await expectNoReturn(company, () => company.browser.call('GET', callbackWith({ state, code: 'code' })));
  });

  it('is not used up by a HEAD, which has no side effects', async () => {
    const company = await newStaffedCompany();
    const { state, code } = await company.prepare();
    expect((await company.browser.call('HEAD', callbackWith({ state, code }))).status).toBe(405);
    expect((await company.browser.call('GET', callbackWith({ state, code }))).status).toBe(303);
  });
});

/** A browser that is back from the provider, with a code that it has not redeemed yet. */
const newReturn = async () => {
  const company = await newStaffedCompany();
  const response = await company.comeBackAs();
  const { code = '', state = '' } = returnOf(response);
  company.service.clock.advance(1);
  return { ...company, response, code, state };
};

const expectLoginFailed = async (response: Response): Promise<void> => {
  expect(await refusalOf(response)).toMatchObject({ status: 401, code: 'login_failed' });
  expect(cookieIn(response, '__Host-refresh')).toBeNull();
};

describe('the code that a callback gives', () => {
  it('opens no session before it is traded, and is no token of any kind', async () => {
    const { service, tenant, response, code, state } = await newReturn();
    expect(cookieIn(response, '__Host-refresh')).toBeNull();
    expect((await peopleOf(tenant.id)).sessions).toEqual([]);
    for (const secret of [code, state]) {
      const read = await service.call('GET', `${tenant.host}/v1/auth/sessions`, { headers: bearerHeaders(secret) });
      expect(read.status).toBe(401);
      const body = { refresh_token: secret };
      expect((await service.call('POST', `${tenant.host}/v1/auth/refresh`, { body })).status).toBe(401);
    }
  });

  it.each([
    [58, 200],
    [59, 401],
  ])('lives 60 seconds: %i s later it is answered with %i', async (seconds, status) => {
    const { service, browser, code, state } = await newReturn();
    service.clock.advance(seconds);
    expect((await postLogin(browser, code, state)).status).toBe(status);
  });

  it('is good once, of twenty logins at once', async () => {
    const { browser, tenant, code, state } = await newReturn();
    const responses = await Promise.all(Array.from({ length: 20 }, () => postLogin(browser, code, state)));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([200, ...Array<number>(19).fill(401)]);
    expect((await peopleOf(tenant.id)).sessions).toHaveLength(1);
  });

  it('is good with its own state alone', async () => {
    const { browser, prepare, code, state } = await newReturn();
    const other = await prepare();
    for (const wrong of [other.state, UNKNOWN, '', state.toLowerCase()]) {
      await expectLoginFailed(await postLogin(browser, code, wrong));
    }
    expect((await postLogin(browser, code, state)).status).toBe(200);
  });

  it('is good in its own browser alone', async () => {
    const { service, tenant, browser, prepare, code, state, response } = await newReturn();
    const other = newBrowser(service, tenant.host);
    await expectLoginFailed(await postLogin(other, code, state));
    await prepare({}, { browser: other });
    await expectLoginFailed(await postLogin(other, code, state));
    expect((await redeemReturn(browser, response)).access_token).not.toBe('');
  });

  it('is good at its own tenant alone', async () => {
    const { service, browser, code, state } = await newReturn();
    const elsewhere = await newTenant(service);
    const call = { headers: { Cookie: cookieOf(browser) }, body: { code, state } };
    await expectLoginFailed(await service.call('POST', `${elsewhere.host}/v1/auth/login`, call));
    expect((await postLogin(browser, code, state)).status).toBe(200);
  });

  it('is not what the provider gave, nor can that be traded here', async () => {
    const company = await newStaffedCompany();
    const prepared = await company.prepare();
    const { code, state = '' } = returnOf(await company.browser.call('GET', callbackWith(prepared)));
    expect(code).not.toBe(prepared.code);
    await expectLoginFailed(await postLogin(company.browser, prepared.code, state));
  });

  it('begins a session of its own, and ends the one that the browser brought along', async () => {
    const { browser, comeBackAs, code, state } = await newReturn();
    expect((await postLogin(browser, code, state)).status).toBe(200);
    const first = browser.cookies.get('__Host-refresh') ?? '';
    const { access_token } = await redeemReturn(browser, await comeBackAs());
    expect(browser.cookies.get('__Host-refresh')).not.toBe(first);
    const sessions = await browser.call('GET', '/v1/auth/sessions', { headers: bearerHeaders(access_token) });
    expect(await sessions.json()).toMatchObject([{ current: true }]);
  });
});
