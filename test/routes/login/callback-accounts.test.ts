import { describe, expect, it } from 'vitest';
import {
  callbackWith,
  expectRefused,
  identitiesOf,
  newScriptedCompany,
  newStaffedCompany,
  peopleOf,
  signInAs,
  userOf,
} from '../../support/companies.ts';
import { connectOidc, putConnection, redeemReturn, returnOf, uniqueDomain } from '../../support/connections.ts';
import { disableCustomer } from '../../support/customers.ts';
import { newBrowser, postLogin, REDIRECT_URI } from '../../support/logins.ts';
import { clientSecret } from '../../support/oidc.ts';
import { eventsAbout } from '../../support/rows.ts';
import { appHeaders, newTenant, operatorHeaders } from '../../support/tenants.ts';

describe('a person who has no account', () => {
  it('gets one where the connection says so, with what the provider tells', async () => {
    const company = await newScriptedCompany({ signup: true });
    const { service, tenant, emailOf } = company;
    const { customer_id, user_id } = await signInAs(company, { email: emailOf('Ada') });
    const path = `/operator/v1/tenants/${tenant.slug}/customers/${customer_id}`;
    const read = await service.call('GET', path, { headers: operatorHeaders });
    expect(await read.json()).toMatchObject({
      ...{
        id: customer_id,
        email: emailOf('Ada'),
        name: 'Ada Lovelace',
        status: 'active',
        api_access: true,
        app: null,
      },
    });
    expect(await userOf(customer_id)).toMatchObject({
      ...{ id: user_id, email: emailOf('Ada'), email_key: emailOf('ada'), is_owner: 1, password_hash: null },
      ...{ given_name: 'Ada', family_name: 'Lovelace', activated_at: expect.any(Number) },
    });
    expect(await identitiesOf(tenant.id)).toEqual([{ provider: 'connection:company', subject: 'person-1', user_id }]);
    expect((await eventsAbout(customer_id))[0]).toEqual({ type: 'customer.created', actor: `user:${user_id}` });
  });

  it('gets one with its name as its script has it', async () => {
    const company = await newScriptedCompany({ signup: true });
    const { customer_id } = await signInAs(company, { given_name: '太郎', family_name: '山田' });
    const { customers } = await peopleOf(company.tenant.id);
    expect(customers).toContainEqual(expect.objectContaining({ id: customer_id, name: '山田 太郎' }));
  });

  it('gets one without a name, if the provider tells none', async () => {
    const company = await newScriptedCompany({ signup: true });
    const nobody = { given_name: undefined, family_name: undefined };
    const { customer_id } = await signInAs(company, nobody);
    expect(await userOf(customer_id)).toMatchObject({ given_name: null, family_name: null });
  });

  it('gets none where the connection does not', async () => {
    await expectRefused(await newScriptedCompany({ signup: false }), {}, 'unknown_address');
  });

  it('gets one account, however many sign-ins come back at once', async () => {
    const company = await newScriptedCompany({ signup: true });
    const { service, tenant } = company;
    const { customers } = await peopleOf(tenant.id);
    const browsers = Array.from({ length: 50 }, () => newBrowser(service, tenant.host));
    const prepared = await Promise.all(
      browsers.map(async (browser) => ({ browser, ...(await company.prepare({}, { browser })) })),
    );
    const responses = await Promise.all(
      prepared.map(({ browser, state, code }) => browser.call('GET', callbackWith({ state, code }))),
    );
    service.clock.advance(1);
    const signedIn = await Promise.all(
      responses.map(async (response, i) => redeemReturn(browsers[i] ?? company.browser, response)),
    );
    expect(new Set(signedIn.map(({ user_id }) => user_id)).size).toBe(1);
    expect(await identitiesOf(tenant.id)).toHaveLength(1);
    expect((await peopleOf(tenant.id)).customers).toHaveLength((customers?.length ?? 0) + 1);
  });
});

describe('a customer who may not sign in', () => {
  it.each([
    ['before the first sign-in', false],
    ['after one', true],
  ])('is refused when it was disabled %s', async (_, isLinked) => {
    const company = await newStaffedCompany({ signup: true });
    if (isLinked) await signInAs(company);
    await disableCustomer(company.customer.cuid);
    await expectRefused(company, {}, 'disabled');
  });

  it('gets no session by a code from before it was disabled', async () => {
    const company = await newStaffedCompany();
    const { code = '', state = '' } = returnOf(await company.comeBackAs());
    await disableCustomer(company.customer.cuid);
    company.service.clock.advance(1);
    expect((await postLogin(company.browser, code, state)).status).toBe(401);
    expect((await peopleOf(company.tenant.id)).sessions).toEqual([]);
  });

  it('is a stranger after it was deleted', async () => {
    const company = await newStaffedCompany({ signup: true });
    const { service, app, customer, tenant } = company;
    const before = await signInAs(company);
    const deleted = await service.call('DELETE', `/customer/${customer.cuid}`, { headers: appHeaders(app) });
    expect(deleted.status).toBeLessThan(300);
    expect(await identitiesOf(tenant.id)).toEqual([]);
    const after = await signInAs(company);
    expect(after.customer_id).not.toBe(before.customer_id);
    expect(await identitiesOf(tenant.id)).toMatchObject([{ user_id: after.user_id }]);
  });
});

describe('the same subject', () => {
  it('is somebody else in another tenant', async () => {
    const company = await newScriptedCompany({ signup: true });
    const { service, provider, domain } = company;
    const here = await signInAs(company);
    const tenant = await newTenant(service, { redirect_uris: [REDIRECT_URI] });
    await connectOidc(service, tenant, provider.issuer, { domains: [domain], signup: true });
    const browser = newBrowser(service, tenant.host);
    const response = await company.comeBackAs({}, browser);
    const there = await redeemReturn(browser, response);
    expect(there.user_id).not.toBe(here.user_id);
    expect(await identitiesOf(tenant.id)).toMatchObject([{ user_id: there.user_id }]);
    expect(await identitiesOf(company.tenant.id)).toMatchObject([{ user_id: here.user_id }]);
  });

  it('is somebody else by another connection', async () => {
    const company = await newScriptedCompany({ signup: true });
    const { service, tenant, browser, provider } = company;
    const here = await signInAs(company);
    const domain = uniqueDomain();
    const other = { type: 'oidc', issuer: provider.issuer, client_id: 'ES256', client_secret: clientSecret };
    await putConnection(service, tenant, 'other', { ...other, domains: [domain], signup: true });
    const email = `ada@${domain}`;
    const prepared = await company.prepare({ email }, { typed: email });
    const there = await redeemReturn(browser, await browser.call('GET', callbackWith(prepared)));
    expect(there.user_id).not.toBe(here.user_id);
    expect(await identitiesOf(tenant.id)).toEqual([
      { provider: 'connection:company', subject: 'person-1', user_id: here.user_id },
      { provider: 'connection:other', subject: 'person-1', user_id: there.user_id },
    ]);
  });
});
