import { createVerify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bearerHeaders } from '../../support/accounts.ts';
import { comeBack, newCompany, newOnlineService, newScriptedCompany, signInAs } from '../../support/companies.ts';
import { putConnection, redeemReturn } from '../../support/connections.ts';
import { type Browser, cookieIn, refreshCookieFor, type SignedIn } from '../../support/logins.ts';
import { claimsInIdToken, claimsInUserInfo, DISCOVERY } from '../../support/oidc.ts';
import { eventsAbout } from '../../support/rows.ts';
import { idp, pick } from '../../support/saml.ts';
import { messageIn, newSamlCompany, samlMembers } from '../../support/saml-companies.ts';
import { htmlAnswer, jsonAnswer } from '../../support/scripted.ts';
import { operatorHeaders } from '../../support/tenants.ts';

const AFTERWARDS = 'https://shop.example.com/goodbye';

/** Signs out, and fails unless the session is over here, whatever becomes of the provider’s. */
const signOut = async (browser: Browser, { access_token, customer_id }: SignedIn): Promise<string> => {
  const response = await browser.call('POST', '/v1/auth/logout');
  expect(response.status).toBe(200);
  expect(cookieIn(response, '__Host-refresh')).toEqual({ value: '', attributes: refreshCookieFor(0) });
  const headers = bearerHeaders(access_token);
  expect((await browser.call('GET', '/v1/auth/sessions', { headers })).status).toBe(401);
  expect((await eventsAbout(customer_id)).at(-1)?.type).toBe('session.revoked');
  return (await response.json<{ logout_url: string }>()).logout_url;
};

describe('a logout from a session that began at an OpenID provider', () => {
  it.each([claimsInIdToken, claimsInUserInfo])('leads to the provider’s own, which leads back: %s', async (issuer) => {
    const service = newOnlineService();
    const company = await newCompany(service, issuer, { signup: true }, { logout_uri: AFTERWARDS });
    const response = await comeBack(company.browser, company.emailOf('ada'));
    service.clock.advance(1);
    const url = await signOut(company.browser, await redeemReturn(company.browser, response));
    const { origin, searchParams } = new URL(url);
    expect(origin).toBe(issuer);
    expect(Object.fromEntries(searchParams)).toEqual({
      ...{ client_id: 'ES256', post_logout_redirect_uri: AFTERWARDS },
      id_token_hint: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
    });
    // The real provider takes the hint and the place, and asks whether to sign out there.
    const page = await (await fetch(url)).text();
    expect(page).toContain('form');
    expect(page).not.toMatch(/invalid_|error/i);
  });

  it('leads to the provider once: the second time there is no session', async () => {
    const company = await newScriptedCompany({ signup: true });
    const { browser, tenant, provider } = company;
    expect(await signOut(browser, await signInAs(company))).toContain(`${provider.issuer}/logout?`);
    const again = await browser.call('POST', '/v1/auth/logout');
    expect(await again.json()).toEqual({ logout_url: `${tenant.host}/login` });
  });

  it.each([
    ['is down', { status: 500 }],
    ['answers nonsense', htmlAnswer],
    ['tells of another issuer', jsonAnswer({ issuer: 'https://evil.example.com' })],
  ])('leads to our own page when the provider %s, and ends the session anyhow', async (_, answer) => {
    const company = await newScriptedCompany({ signup: true });
    const tokens = await signInAs(company);
    // What is remembered of the provider is an hour old by then, and the session goes on by refreshes.
    company.service.clock.advance(3601);
    await company.provider.answer(answer, DISCOVERY);
    const refreshed = await company.browser.call('POST', '/v1/auth/refresh');
    expect(refreshed.status).toBe(200);
    expect(await signOut(company.browser, tokens)).toBe(`${company.tenant.host}/login`);
  });

  it('leads to our own page when the provider has no logout', async () => {
    const company = await newScriptedCompany({ signup: true });
    const { end_session_endpoint: _, ...metadata } = company.provider.metadata;
    await company.provider.answer(jsonAnswer(metadata), DISCOVERY);
    expect(await signOut(company.browser, await signInAs(company))).toBe(`${company.tenant.host}/login`);
  });

  it('leads to our own page when there is no such connection any more', async () => {
    const company = await newScriptedCompany({ signup: true });
    const tokens = await signInAs(company);
    const path = `/operator/v1/tenants/${company.tenant.slug}/connections/company`;
    expect((await company.service.call('DELETE', path, { headers: operatorHeaders })).status).toBe(204);
    expect(await signOut(company.browser, tokens)).toBe(`${company.tenant.host}/login`);
  });
});

describe('a logout from a session that began at a SAML provider', () => {
  const signInBySaml = async (profile: Record<string, unknown> = {}) => {
    const company = await newSamlCompany(profile, { logout_uri: AFTERWARDS });
    const { state, requestId } = await company.begin();
    const response = await company.post(await company.answerTo(requestId), state);
    company.service.clock.advance(1);
    return { ...company, tokens: await redeemReturn(company.browser, response) };
  };

  it('leads to the provider’s single logout, with the person and the session as it named them', async () => {
    const { browser, tokens, spEntityId } = await signInBySaml();
    const url = await signOut(browser, tokens);
    expect(url).toMatch(new RegExp(`^${idp.url}/slo\\?SAMLRequest=[^&]+$`));
    const message = await messageIn(url, 'SAMLRequest');
    expect(message).toMatch(/^<samlp:LogoutRequest /);
    expect(pick(message, /(?<=<saml:Issuer>)[^<]+/)).toBe(spEntityId);
    expect(pick(message, /<saml:NameID[^>]*>[^<]+/)).toMatch(/nameid-format:persistent">ada$/);
    expect(pick(message, /(?<=<samlp:SessionIndex>)[^<]+/)).toBe('session-1');
  });

  it('is signed where requests are, is taken by the real provider, and comes back to our after-logout page', async () => {
    const { service, tenant, browser, tokens } = await signInBySaml({ sign_requests: true });
    const path = `/operator/v1/tenants/${tenant.slug}/connections/company`;
    const read = await service.call('GET', path, { headers: operatorHeaders });
    const { signing_certificate: certificate } = await read.json<{ signing_certificate: string }>();
    const slo_url = `${idp.url}/slo?${new URLSearchParams({ certificate })}`;
    const told = samlMembers({ sign_requests: true, slo_url });
    expect((await putConnection(service, tenant, 'company', told)).status).toBe(200);
    const url = await signOut(browser, tokens);
    const [, content = '', signature = ''] = /&(SAMLRequest=.*)&Signature=(.*)$/.exec(url) ?? [];
    const verifier = createVerify('sha256').update(content);
    expect(verifier.verify(certificate, decodeURIComponent(signature), 'base64')).toBe(true);
    const answer = await fetch(url, { redirect: 'manual' });
    expect(answer.status).toBe(302);
    const { search } = new URL(answer.headers.get('Location') ?? '');
    expect(search).toContain('SAMLResponse=');
    const back = await browser.call('GET', `/v1/auth/saml/slo${search}`);
    expect(back.status).toBe(303);
    expect(back.headers.get('Location')).toBe(AFTERWARDS);
  });

  it('leads to our after-logout page when the provider has no single logout', async () => {
    const { browser, tokens } = await signInBySaml({ slo_url: null });
    expect(await signOut(browser, tokens)).toBe(AFTERWARDS);
  });
});

describe('GET /v1/auth/saml/slo', () => {
  it.each(['', '?SAMLResponse=x&RelayState=https%3A%2F%2Fevil.example.com', '?SAMLRequest=x'])(
    'leads to the after-logout page and nowhere else, with %j',
    async (query) => {
      const { browser } = await newSamlCompany({}, { logout_uri: AFTERWARDS });
      const response = await browser.call('GET', `/v1/auth/saml/slo${query}`);
      expect([response.status, response.headers.get('Location')]).toEqual([303, AFTERWARDS]);
    },
  );
});
