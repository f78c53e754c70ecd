import { env } from 'cloudflare:workers';
import { expect } from 'vitest';
import { linkIn } from './accounts.ts';
import { newIssuer } from './authentications.ts';
import { connectOidc, putConnection, uniqueDomain } from './connections.ts';
import { mailedCode, newBrowser, REDIRECT_URI, signInByCode, startLogin } from './logins.ts';
import { lastMailTo } from './mailbox.ts';
import { clientSecret } from './oidc.ts';
import { callAsOperator, offerSubscriptions } from './operator.ts';
import { mailPasscode } from './passcodes.ts';
import { insertRow, rowsOf } from './rows.ts';
import { samlMembers } from './saml-companies.ts';
import { createService } from './service.ts';
import { AWS_USER, newOwner } from './signups.ts';
import { appHeaders, newApp, newCustomer, newTenant, uniqueEmail } from './tenants.ts';
import { formsOf, putFlow } from './upserts.ts';

const PROVIDERS = {
  google: { type: 'google', client_ids: ['web'], client_secret: 'canary of google 4711' },
  apple: {
    ...{ type: 'apple', client_ids: ['web'] },
    signing_key: { team_id: 'TEAM', key_id: 'KEY', private_key: 'canary of apple 4711' },
  },
  facebook: { type: 'facebook', app_id: '42', app_secret: 'canary of facebook 4711' },
  oidc: { type: 'oidc', issuer: 'https://idp.example.com', client_ids: ['us'], client_secret: 'canary of oidc 4711' },
  http: { type: 'http', url: 'https://idp.example.com', secret: `whsec_${btoa('canary of http 4711, padded')}` },
};

/** A tenant that holds one of everything, with every secret as it was told and as it is kept. */
export const newTenantOfSecrets = async () => {
  const service = createService({}, (...request) => fetch(...request));
  const tenant = await newTenant(service, { redirect_uris: [REDIRECT_URI] });
  const app = await newApp(service, tenant);
  const at = (path: string) => `/operator/v1/tenants/${tenant.slug}/${path}`;

  await connectOidc(service, tenant, (await newIssuer(service)).url, { client_secret: clientSecret });
  const saml = samlMembers({ sign_requests: true, domains: [uniqueDomain()] });
  expect((await putConnection(service, tenant, 'saml', saml)).status).toBe(201);
  for (const [name, body] of Object.entries(PROVIDERS)) {
    expect((await callAsOperator(service, 'PUT', at(`providers/${name}`), { signup: false, ...body })).status).toBe(
      201,
    );
  }
  await putFlow(service, tenant, 'welcome', [{ kind: 'send_activation' }]);
  await offerSubscriptions(service, tenant, 'news');
  await insertRow('webhooks', {
    ...{ tenant_id: tenant.id, name: 'hook', url: 'https://hook.example.com', events: '["*"]', status: 'active' },
    ...{ sealed_secret: 'canary of a sealed secret', sealed_old_secret: 'canary of an older one' },
    ...{ old_secret_expires_at: service.clock.now() + 1000, created_at: 0, updated_at: 0 },
  });
  for (const overlap of [0, 3600]) {
    expect((await callAsOperator(service, 'POST', at('keys/rotate'), { retire: overlap === 0 })).status).toBe(201);
  }
  const rotated = await callAsOperator(service, 'POST', at(`apps/${app.id}/rotate`), { overlap: 3600 });
  const { supertoken } = await rotated.json<{ supertoken: string }>();

  const owner = await newOwner(service, tenant, { user: { aws_user: AWS_USER } });
  const headers = { ...appHeaders(app), 'Idempotency-Key': 'one' };
  const created = await service.call('POST', '/customer', { headers, body: { company: 'A', email: uniqueEmail() } });
  const { token: apiToken } = await created.json<{ token: string }>();
  const newcomer = await newCustomer(service, app, { send_activation: true });
  const activation = linkIn(await lastMailTo(newcomer.email), 'activate').secret;
  const signedIn = await newCustomer(service, app);
  const browser = newBrowser(service, tenant.host);
  const tokens = await signInByCode(browser, signedIn.email);
  const [passcodeOf, coded, challenged] = [
    await newCustomer(service, app),
    await newCustomer(service, app),
    uniqueEmail(),
  ];
  const passcode = await mailPasscode(service, app, passcodeOf.email);
  const state = await startLogin(newBrowser(service, tenant.host), coded.email);
  const loginCode = await mailedCode(coded.email);
  const forms = formsOf(service, tenant);
  await forms.store({ email: challenged });
  await forms.hold({ email: challenged, name: 'canary of a held change' });
  const challengeCode = await mailedCode(challenged);
  service.clock.advance(31);
  await service.call('POST', `${tenant.host}/customers/password_reset`, {
    body: { email: owner.email, reset_uri: '/reset' },
  });
  const resetCode = /\/reset\/([A-Z0-9]{10})\s/.exec((await lastMailTo(owner.email)).text)?.[1] ?? '';
  const newEmail = uniqueEmail();
  const changed = await service.call('PATCH', `${tenant.host}/customers/self`, {
    headers: { Authorization: `Bearer ${owner.token}` },
    body: { email: newEmail },
  });
  expect(changed.status).toBe(200);
  const emailKey = linkIn(await lastMailTo(newEmail), 'confirm-email').secret;

  const told = [
    ...[env.MASTER_KEY, env.OPERATOR_TOKEN, clientSecret, app.supertoken, supertoken, apiToken, newcomer.token],
    ...[owner.password, owner.token, tokens.access_token, tokens.refresh_token, ...browser.cookies.values()],
    ...[activation, passcode, state, loginCode, challengeCode, resetCode, emailKey, 'canary of a held change'],
    ...[AWS_USER.secret_access, AWS_USER.private_key],
    ...['google', 'apple', 'facebook', 'oidc', 'http'].map((name) => `canary of ${name} 4711`),
    PROVIDERS.http.secret,
  ];
  return {
    service,
    tenant,
    owner,
    told,
    kept: await keptSecretsOf(tenant.id),
    passwordHashes: await passwordHashesOf(tenant.id),
  };
};

const KEPT = /hash|sealed|bucket|nonce|consumed_by/;

/** Every value at rest that stands for a secret, by the names of what holds it; passwords’ hashes are apart. */
const keptSecretsOf = async (tenantId: string): Promise<string[]> => {
  const rows = Object.entries(await rowsOf(tenantId)).flatMap(([, found]) => found);
  const tenant = await env.DB.prepare('select sealed_data_key from tenants where id = ?').bind(tenantId).first();
  return [...rows, tenant ?? {}].flatMap((row) => secretsIn(row)).filter((value) => !value.startsWith('$argon2'));
};

/** Settings are JSON, and hold sealed values at any depth. */
const secretsIn = (value: unknown, name = ''): string[] => {
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([member, each]) => secretsIn(each, member));
  }
  if (typeof value !== 'string' || value === '') return [];
  if (KEPT.test(name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`))) return [value];
  return name === 'settings' ? secretsIn(JSON.parse(value)) : [];
};

const passwordHashesOf = async (tenantId: string): Promise<string[]> =>
  ((await rowsOf(tenantId)).users ?? []).flatMap(({ password_hash }) =>
    password_hash === null ? [] : [String(password_hash)],
  );
