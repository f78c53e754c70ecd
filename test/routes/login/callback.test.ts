import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { bearerHeaders } from '../../support/accounts.ts';
import { walkToCallback } from '../../support/browser.ts';
import {
  callbackWith,
  comeBack,
  failuresOf,
  identitiesOf,
  newCompany,
  newOnlineService,
  pathOf,
  peopleOf,
} from '../../support/companies.ts';
import { putConnection, redeemReturn, returnOf, startAtProvider, uniqueDomain } from '../../support/connections.ts';
import { logOf } from '../../support/log.ts';
import { newBrowser } from '../../support/logins.ts';
import { claimsInIdToken, claimsInUserInfo, clientSecret } from '../../support/oidc.ts';
import { atRest, eventsAbout } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { newCustomer } from '../../support/tenants.ts';

type Tokens = { id_token: string; access_token: string };

/** A service that keeps what it sends to a provider's token endpoint, and what it gets from there. */
const newOverheardService = () => {
  const asked: { url: string; parameters: URLSearchParams }[] = [];
  const told: Tokens[] = [];
  const service = createService({}, async (url, init) => {
    const response = await fetch(url, init);
    if (!init?.body) return response;
    asked.push({ url: String(url), parameters: new URLSearchParams(String(init.body)) });
    if (response.ok) told.push(await response.clone().json<Tokens>());
    return response;
  });
  return { service, asked, told };
};

describe('a sign-in at a company’s OpenID provider', () => {
  it.each([
    ['in the ID token', claimsInIdToken],
    ['at the UserInfo endpoint', claimsInUserInfo],
  ])('signs in the user whose address the provider tells %s', async (_, issuer) => {
    const service = newOnlineService();
    const { app, browser, tenant, emailOf } = await newCompany(service, issuer);
    const email = emailOf('ada');
    const { cuid } = await newCustomer(service, app, { email });
    const response = await comeBack(browser, email);
    service.clock.advance(1);
    const tokens = await redeemReturn(browser, response);
    expect(tokens.customer_id).toBe(cuid);
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      ...{ provider: 'connection:company', cid: cuid, sub: tokens.user_id },
    });
    expect(await identitiesOf(tenant.id)).toEqual([
      { provider: 'connection:company', subject: email, user_id: tokens.user_id },
    ]);
    const sessions = await browser.call('GET', '/v1/auth/sessions', { headers: bearerHeaders(tokens.access_token) });
    expect(await sessions.json()).toMatchObject([{ current: true, provider: 'connection:company' }]);
    expect((await eventsAbout(cuid)).slice(1)).toEqual([
      { type: 'user.linked', actor: `user:${tokens.user_id}` },
      { type: 'login.succeeded', actor: `user:${tokens.user_id}` },
      { type: 'session.created', actor: `user:${tokens.user_id}` },
    ]);
  });

  it('goes on to the redirect_uri of the sign-in, with the query that this was registered with, and says no more', async () => {
    const uris = ['https://shop.example.com/other', 'https://shop.example.com/in?lang=de&page=1'];
    const service = newOnlineService();
    const company = await newCompany(service, claimsInIdToken, { signup: true }, { redirect_uris: uris });
    const begin = { email_address: company.emailOf('ada'), redirect_uri: uris[1] };
    const started = await company.browser.call('POST', '/v1/auth/startlogin', { body: begin });
    const { idp_url, state } = await started.json<{ idp_url: string; state: string }>();
    const response = await company.browser.call('GET', pathOf(await walkToCallback(idp_url)));
    const url = new URL(response.headers.get('Location') ?? '');
    expect(url.origin + url.pathname).toBe('https://shop.example.com/in');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      ...{ lang: 'de', page: '1', state },
      code: expect.stringMatching(/^[\w-]{22,}$/),
    });
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(response.headers.get('Referrer-Policy')).toBe('no-referrer');
  });

  it('comes back to the host where it began, if that is the tenant’s own', async () => {
    const service = newOnlineService();
    const domain = uniqueDomain();
    const company = await newCompany(service, claimsInIdToken, { signup: true }, { domains: [domain] });
    const browser = newBrowser(service, `http://${domain}`);
    const { url } = await startAtProvider(browser, company.emailOf('ada'));
    expect(new URL(url).searchParams.get('redirect_uri')).toBe(`http://${domain}/v1/auth/callback`);
    const response = await browser.call('GET', pathOf(await walkToCallback(url)));
    expect((await redeemReturn(browser, response)).user_id).not.toBe('');
  });

  it('tells the provider where to come back, by PKCE, and shows it the address that was typed', async () => {
    const service = newOnlineService();
    const { browser, tenant, emailOf } = await newCompany(service, claimsInIdToken);
    const { url, state } = await startAtProvider(browser, emailOf('Ada'));
    const parameters = Object.fromEntries(new URL(url).searchParams);
    expect(new URL(url).origin).toBe(claimsInIdToken);
    expect(parameters).toMatchObject({
      ...{
        response_type: 'code',
        client_id: 'ES256',
        code_challenge_method: 'S256',
        login_hint: emailOf('Ada'),
        state,
      },
      redirect_uri: `${tenant.host}/v1/auth/callback`,
      nonce: expect.stringMatching(/^[\w-]{22,}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    });
  });

  it('is refused for an address that the provider has not verified, and leaves nothing but a word in the audit log', async () => {
    const service = newOnlineService();
    const { browser, tenant, emailOf } = await newCompany(service, claimsInIdToken, { signup: true });
    const before = await peopleOf(tenant.id);
    const { error, code } = returnOf(await comeBack(browser, emailOf('unverified-ada')));
    expect([error, code]).toEqual(['access_denied', undefined]);
    expect(await peopleOf(tenant.id)).toEqual(before);
    expect(await failuresOf(tenant.id)).toEqual([
      { subject: tenant.id, by: 'connection:company', reason: 'unverified_address' },
    ]);
  });
});

describe('a person who is not let in by the provider', () => {
  it('goes back to where the sign-in began, which may ask again', async () => {
    const service = newOnlineService();
    const { app, browser, tenant, emailOf } = await newCompany(service, claimsInIdToken);
    const { cuid } = await newCustomer(service, app, { email: emailOf('ada') });
    const response = await comeBack(browser, emailOf('ada'), 'cancels');
    expect(returnOf(response)).toEqual({ error: 'access_denied', state: expect.stringMatching(/^[\w-]{22,}$/) });
    expect(await failuresOf(tenant.id)).toEqual([
      { subject: cuid, by: 'connection:company', reason: 'callback_error' },
    ]);
    expect((await peopleOf(tenant.id)).sessions).toEqual([]);
  });

  it('takes nothing of the provider’s words along', async () => {
    const { browser, tenant, emailOf } = await newCompany(newOnlineService(), claimsInUserInfo);
    const { state } = await startAtProvider(browser, emailOf('ada'));
    const said = { error: 'evil"><script>', error_description: 'click here', error_uri: 'https://evil.example.com' };
    const response = await browser.call('GET', callbackWith({ state, iss: claimsInUserInfo, ...said }));
    expect(returnOf(response)).toEqual({ error: 'access_denied', state });
    expect(JSON.stringify(await failuresOf(tenant.id))).not.toContain('script');
  });
});

describe('the answer of another company’s provider', () => {
  const connectTwo = async () => {
    const overheard = newOverheardService();
    const { service } = overheard;
    const company = await newCompany(service, claimsInIdToken, { signup: true });
    const domain = uniqueDomain();
    const other = { type: 'oidc', issuer: claimsInUserInfo, client_id: 'ES256', client_secret: clientSecret };
    expect(
      (await putConnection(service, company.tenant, 'other', { ...other, domains: [domain], signup: true })).status,
    ).toBe(201);
    const { state } = await startAtProvider(company.browser, company.emailOf('ada'));
    const elsewhere = newBrowser(service, company.tenant.host);
    const { url } = await startAtProvider(elsewhere, `eve@${domain}`);
    return { ...company, ...overheard, state, theirs: (await walkToCallback(url)).searchParams };
  };

  it('is not taken for the one that was asked, and its code is not shown to that one', async () => {
    const { browser, tenant, asked, state, theirs } = await connectTwo();
    const before = await peopleOf(tenant.id);
    const mixedUp = callbackWith({ ...Object.fromEntries(theirs), state });
    expect(returnOf(await browser.call('GET', mixedUp))).toEqual({ error: 'access_denied', state });
    expect(asked).toEqual([]);
    expect(await peopleOf(tenant.id)).toEqual(before);
    expect(await failuresOf(tenant.id)).toMatchObject([
      { by: 'connection:company', reason: expect.stringMatching(/^callback_/) },
    ]);
  });

  it.each([
    ['said to be the one’s that was asked', claimsInIdToken],
    ['of nobody', ''],
  ])('signs nobody in when it is %s', async (_, iss) => {
    const { browser, tenant, state, theirs } = await connectTwo();
    const before = await peopleOf(tenant.id);
    const forged = { state, code: theirs.get('code') ?? '', ...(iss !== '' && { iss }) };
    expect(returnOf(await browser.call('GET', callbackWith(forged)))).toEqual({ error: 'access_denied', state });
    expect(await peopleOf(tenant.id)).toEqual(before);
  });
});

describe('the secrets of a sign-in', () => {
  it('are neither in the log nor at rest in the clear', async () => {
    const { service, asked, told } = newOverheardService();
    const company = await newCompany(service, claimsInUserInfo, { signup: true });
    const { browser, tenant, emailOf } = company;
    const secrets: string[] = [clientSecret];
    const log = await logOf(async () => {
      const { url, state } = await startAtProvider(browser, emailOf('ada'));
      const begun = await atRest(tenant.id);
      const nonce = new URL(url).searchParams.get('nonce') ?? '';
      for (const value of [nonce, state, clientSecret, ...browser.cookies.values()]) expect(begun).not.toContain(value);
      const response = await browser.call('GET', pathOf(await walkToCallback(url)));
      const { code = '' } = returnOf(response);
      secrets.push(nonce, state, code, ...browser.cookies.values());
      const answered = await atRest(tenant.id);
      expect(answered).not.toContain(code);
      const { access_token, refresh_token } = await redeemReturn(browser, response);
      secrets.push(access_token, refresh_token);
    });
    secrets.push(...told.flatMap(({ id_token, access_token }) => [id_token, access_token]));
    for (const { parameters } of asked) {
      secrets.push(parameters.get('code') ?? '', parameters.get('code_verifier') ?? '');
    }
    expect(secrets).not.toContain('');
    expect(secrets).toHaveLength(11);
    const stored = await atRest(tenant.id);
    expect(log).toContain('/v1/auth/callback');
    for (const secret of secrets) {
      expect(stored).not.toContain(secret);
      expect(log).not.toContain(secret);
    }
    for (const personal of [emailOf('ada'), encodeURIComponent(emailOf('ada')), 'Lovelace'])
      expect(log).not.toContain(personal);
  });

  it('that the provider made open nothing here', async () => {
    const { service, told } = newOverheardService();
    const { browser, tenant, app, emailOf } = await newCompany(service, claimsInIdToken);
    const customer = await newCustomer(service, app, { email: emailOf('ada') });
    const response = await comeBack(browser, emailOf('ada'));
    service.clock.advance(1);
    const { access_key } = await redeemReturn(browser, response);
    const [tokens] = told;
    for (const token of [tokens?.id_token ?? '', tokens?.access_token ?? '']) {
      expect(token).not.toBe('');
      const own = await service.call('GET', `${tenant.host}/v1/auth/sessions`, { headers: bearerHeaders(token) });
      expect(own.status).toBe(401);
      const self = await service.call('GET', `${tenant.host}/customers/self`, { headers: bearerHeaders(token) });
      expect(self.status).toBe(401);
      const headers = { 'x-access-key': access_key, 'x-access-token': token };
      expect((await service.call('GET', `${tenant.host}/customer/${customer.cuid}`, { headers })).status).toBe(403);
      const refreshed = await service.call('POST', `${tenant.host}/v1/auth/refresh`, {
        body: { refresh_token: token.slice(0, 200) },
      });
      expect(refreshed.status).toBe(401);
    }
  });
});
