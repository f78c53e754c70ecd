import { env } from 'cloudflare:workers';
import { expect } from 'vitest';
import { walkToCallback } from './browser.ts';
import { connectOidc, redeemReturn, returnOf, startAtProvider } from './connections.ts';
import { type Browser, newLoginWorld, type SignedIn } from './logins.ts';
import { newScriptedProvider, signClaims } from './oidc.ts';
import { rowsOf } from './rows.ts';
import { jsonAnswer } from './scripted.ts';
import { createService, type Service } from './service.ts';
import { newCustomer, uniqueName } from './tenants.ts';

/** The Worker with the tests' own network. */
export const newOnlineService = (): Service => createService({}, (...request) => fetch(...request));

/** A tenant where a company signs in at an OpenID provider, and a browser of somebody of that company. */
export const newCompany = async (
  service: Service,
  issuer: string,
  profile: Record<string, unknown> = {},
  tenantProfile: Record<string, unknown> = {},
) => {
  const world = await newLoginWorld(service, tenantProfile);
  const { domain } = await connectOidc(service, world.tenant, issuer, profile);
  return { ...world, service, domain, emailOf: (who: string) => `${who}@${domain}` };
};

/** The path with the query of a URL. */
export const pathOf = ({ pathname, search }: URL): string => pathname + search;

/** Signs in at the real provider, and gives what the callback answers. */
export const comeBack = async (
  browser: Browser,
  email: string,
  manner: 'agrees' | 'cancels' = 'agrees',
): Promise<Response> => {
  const { url } = await startAtProvider(browser, email);
  return browser.call('GET', pathOf(await walkToCallback(url, manner)));
};

export const callbackWith = (parameters: Record<string, string>): string =>
  `/v1/auth/callback?${new URLSearchParams(parameters)}`;

/**
 * A company whose provider says what a test wants of a person. The provider is asked about each code at a path of its
 * own, so that many people can sign in at once.
 */
export const newScriptedCompany = async (
  profile: Record<string, unknown> = {},
  bindings: Parameters<typeof createService>[0] = {},
) => {
  const provider = await newScriptedProvider();
  // What is not in the ID token is nowhere.
  await provider.answer(jsonAnswer({ sub: 'person-1' }), '/userinfo');
  let meanwhile = async (): Promise<unknown> => null;
  const service = createService(bindings, async (url, init) => {
    const code = new URLSearchParams(String(init?.body ?? '')).get('code');
    if (code !== null) await meanwhile();
    return fetch(code === null ? url : `${String(url)}/${code}`, init);
  });
  const company = await newCompany(service, provider.issuer, profile);

  /** Begins a sign-in and goes through it at the provider, up to what the browser brings to the callback. */
  const prepare = async (
    claims: Record<string, unknown> = {},
    { browser = company.browser, typed = company.emailOf('somebody') }: { browser?: Browser; typed?: string } = {},
  ) => {
    const { url, state } = await startAtProvider(browser, typed);
    const code = uniqueName('code');
    const seconds = Math.floor(service.clock.now() / 1000);
    const said = {
      ...{ iss: provider.issuer, aud: 'ES256', sub: 'person-1', nonce: new URL(url).searchParams.get('nonce') },
      ...{ iat: seconds, exp: seconds + 3600, email: company.emailOf('ada'), email_verified: true },
      ...{ given_name: 'Ada', family_name: 'Lovelace', ...claims },
    };
    const { alg, kid, privateKey } = provider.key;
    const idToken = await signClaims(said, privateKey, { alg, kid });
    const answer = { access_token: 'access', token_type: 'Bearer', id_token: idToken };
    await provider.answer(jsonAnswer(answer), `/token/${code}`);
    return { state, code };
  };

  return {
    ...company,
    provider,
    prepare,
    /** Has something done whenever the provider is asked about a code. */
    whileAsked: (work: typeof meanwhile): void => {
      meanwhile = work;
    },
    /** Signs in as whom the provider says it is, and gives what the callback answers. */
    comeBackAs: async (claims: Record<string, unknown> = {}, browser = company.browser): Promise<Response> =>
      browser.call('GET', callbackWith(await prepare(claims, { browser }))),
  };
};

export type ScriptedCompany = Awaited<ReturnType<typeof newScriptedCompany>>;

/** A company with a customer of the address that its provider tells of. */
export const newStaffedCompany = async (...parameters: Parameters<typeof newScriptedCompany>) => {
  const company = await newScriptedCompany(...parameters);
  const email = company.emailOf('ada');
  return { ...company, email, customer: await newCustomer(company.service, company.app, { email }) };
};

/** Signs in as whom the provider says it is. */
export const signInAs = async (company: ScriptedCompany, claims: Record<string, unknown> = {}): Promise<SignedIn> => {
  const response = await company.comeBackAs(claims);
  // Sessions that are opened in the very millisecond of a takeover are dead.
  company.service.clock.advance(1);
  return redeemReturn(company.browser, response);
};

/** Fails unless the sign-in is refused for this reason, and nothing is stored but the reason. */
export const expectRefused = async (
  company: ScriptedCompany,
  claims: Record<string, unknown>,
  reason: string,
): Promise<void> => {
  const before = await peopleOf(company.tenant.id);
  expect(returnOf(await company.comeBackAs(claims))).toEqual({ error: 'access_denied', state: expect.any(String) });
  expect(await peopleOf(company.tenant.id)).toEqual(before);
  expect((await failuresOf(company.tenant.id)).at(-1)?.reason).toBe(reason);
};

/** The row of a customer's only user. */
export const userOf = async (customerId: string): Promise<Record<string, unknown> | null> =>
  env.DB.prepare('select * from users where customer_id = ?').bind(customerId).first<Record<string, unknown>>();

/** Who is who for which provider. */
export const identitiesOf = async (
  tenantId: string,
): Promise<{ provider: string; subject: string; user_id: string }[]> =>
  (
    await env.DB.prepare('select provider, subject, user_id from identities where tenant_id = ? order by rowid')
      .bind(tenantId)
      .all<{ provider: string; subject: string; user_id: string }>()
  ).results;

/** Why sign-ins failed, as the audit log has it, oldest first. */
export const failuresOf = async (tenantId: string): Promise<{ subject: string; by: string; reason: string }[]> =>
  (
    await env.DB.prepare(
      `select subject, json_extract(data, '$.by') as "by", json_extract(data, '$.reason') as reason
       from events where tenant_id = ? and type = 'login.failed' order by at, rowid`,
    )
      .bind(tenantId)
      .all<{ subject: string; by: string; reason: string }>()
  ).results;

/** All that a sign-in could leave behind, but for its own state and the audit log. */
export const peopleOf = async (tenantId: string) => {
  const { customers, users, identities, sessions, challenges } = await rowsOf(tenantId);
  return { customers, users, identities, sessions, challenges };
};
