import { expect } from 'vitest';
import type { Browser, SignedIn } from './logins.ts';
import { postLogin, REDIRECT_URI } from './logins.ts';
import { clientSecret } from './oidc.ts';
import type { Service } from './service.ts';
import { operatorHeaders, type TestTenant, uniqueName } from './tenants.ts';

/** A domain that no other test has. */
export const uniqueDomain = (): string => `${uniqueName('company')}.example`;

export const putConnection = (service: Service, tenant: TestTenant, name: string, body: unknown): Promise<Response> =>
  service.call('PUT', `/operator/v1/tenants/${tenant.slug}/connections/${name}`, { headers: operatorHeaders, body });

/** Connects an OpenID provider for a domain of its own. */
export const connectOidc = async (
  service: Service,
  tenant: TestTenant,
  issuer: string,
  profile: Record<string, unknown> = {},
  name = 'company',
): Promise<{ name: string; domain: string }> => {
  const domain = uniqueDomain();
  const body = {
    ...{ type: 'oidc', issuer, client_id: 'ES256', client_secret: clientSecret },
    ...{ domains: [domain], signup: false, ...profile },
  };
  expect((await putConnection(service, tenant, name, body)).status).toBe(201);
  return { name, domain };
};

/** Begins a sign-in that goes on at an identity provider. */
export const startAtProvider = async (browser: Browser, email: string): Promise<{ url: string; state: string }> => {
  const body = { email_address: email, redirect_uri: REDIRECT_URI };
  const response = await browser.call('POST', '/v1/auth/startlogin', { body });
  expect(response.status).toBe(200);
  const started = await response.json<{ idp_url: string; has_idp: boolean; state: string }>();
  expect(started.has_idp).toBe(true);
  return { url: started.idp_url, state: started.state };
};

/** Where a callback sends the browser on to, with the parameters of it. */
export const returnOf = (response: Response): Record<string, string> => {
  expect(response.status).toBe(303);
  const url = new URL(response.headers.get('Location') ?? '');
  expect(url.origin + url.pathname).toBe(REDIRECT_URI);
  return Object.fromEntries(url.searchParams);
};

/** Redeems what the browser was sent on with. */
export const redeemReturn = async (browser: Browser, response: Response): Promise<SignedIn> => {
  const { code = '', state = '' } = returnOf(response);
  const signedIn = await postLogin(browser, code, state);
  expect(signedIn.status).toBe(200);
  return signedIn.json<SignedIn>();
};
