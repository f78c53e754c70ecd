import { env } from 'cloudflare:workers';
import { exportPKCS8, generateKeyPair } from 'jose';
import { expect } from 'vitest';
import { linkIn } from './accounts.ts';
import { newIssuer } from './authentications.ts';
import { uniqueDomain } from './connections.ts';
import { mailedCode, newBrowser, REDIRECT_URI, signInByCode, startLogin } from './logins.ts';
import { lastMailTo } from './mailbox.ts';
import { clientSecret } from './oidc.ts';
import { callAsOperator } from './operator.ts';
import { mailPasscode } from './passcodes.ts';
import { rowsOf } from './rows.ts';
import { samlMembers } from './saml-companies.ts';
import { createService, type Service } from './service.ts';
import { AWS_USER, newOwner } from './signups.ts';
import { appHeaders, newApp, newCustomer, newTenant, uniqueEmail } from './tenants.ts';
import { formsOf } from './upserts.ts';
import { createHeldQueue } from './webhooks.ts';

const HOOK_URL = 'https://hook.example.com/';

const HOOK_SECRET = `whsec_${btoa('canary of a webhook 4711, padded')}`;

const HTTP_SECRET = `whsec_${btoa('canary of http 4711, padded')}`;

const APPLE_KEY = await exportPKCS8((await generateKeyPair('ES256', { extractable: true })).privateKey);

/** What the operator sets with `PUT`, by its path below the tenant: with a secret wherever there can be one. */
const profilesFor = (issuer: string) => ({
  'webhooks/hook': { url: HOOK_URL, events: ['*'], secret: HOOK_SECRET },
  'webhooks/ours': { url: HOOK_URL, events: ['*'] },
  'connections/company': {
    ...{ type: 'oidc', issuer, client_id: 'ES256', client_secret: clientSecret },
    ...{ domains: [uniqueDomain()], signup: false },
  },
  'connections/saml': samlMembers({ sign_requests: true, domains: [uniqueDomain()] }),
  'providers/google': {
    ...{ type: 'google', signup: false, client_ids: ['web'], client_secret: 'canary of google 4711' },
  },
  'providers/apple': {
    ...{ type: 'apple', signup: false, client_ids: ['web'] },
    signing_key: { team_id: 'TEAM', key_id: 'KEY', private_key: APPLE_KEY },
  },
  'providers/facebook': { type: 'facebook', signup: false, app_id: '42', app_secret: 'canary of facebook 4711' },
  'providers/oidc': {
    ...{ type: 'oidc', signup: false, issuer: 'https://idp.example.com' },
    ...{ client_ids: ['us'], client_secret: 'canary of oidc 4711' },
  },
  'providers/http': { type: 'http', signup: false, url: 'https://idp.example.com', secret: HTTP_SECRET },
  'flows/welcome': { steps: [{ kind: 'send_activation' }] },
  'subscriptions/news': { name: 'All news' },
});

/** An answer of the operator's API, with what was asked. */
export type OperatorAnswer = {
  method: string;
  path: string;
  asked: unknown;
  status: number;
  head: string;
  text: string;
};

/** A service that keeps every answer that it gives the operator. */
const createRecordedService = (answers: OperatorAnswer[]): Service => {
  const receive: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    return request.url === HOOK_URL ? new Response(null, { status: 204 }) : fetch(request);
  };
  const service = createService({ DELIVERIES: createHeldQueue().queue }, receive);
  return {
    ...service,
    call: async (method, url, call = {}) => {
      const response = await service.call(method, url, call);
      const { pathname } = new URL(url, 'http://localhost');
      if (pathname.startsWith('/operator/')) {
        const text = new TextDecoder().decode(await response.clone().arrayBuffer());
        const head = JSON.stringify([...response.headers]);
        answers.push({ method, path: pathname, asked: call.body, status: response.status, head, text });
      }
      return response;
    },
  };
};

/** A tenant that holds one of everything, with every secret as it was told and as it is kept. */
export const newTenantOfSecrets = async () => {
  const answers: OperatorAnswer[] = [];
  const service = createRecordedService(answers);
  const tenant = await newTenant(service, { redirect_uris: [REDIRECT_URI] });
  const at = (path: string) => `/operator/v1/tenants/${tenant.slug}/${path}`;
  const profiles: Readonly<Record<string, unknown>> = Object.fromEntries(
    Object.entries(profilesFor((await newIssuer(service)).url)).map(([path, profile]) => [at(path), profile]),
  );
  for (const [path, profile] of Object.entries(profiles)) {
    expect((await callAsOperator(service, 'PUT', path, profile)).status, path).toBe(201);
  }
  expect((await callAsOperator(service, 'POST', at('webhooks/hook/rotate'), {})).status).toBe(201);
  const app = await newApp(service, tenant);
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
    ...['google', 'facebook', 'oidc', 'http'].map((name) => `canary of ${name} 4711`),
    ...[HOOK_SECRET, HTTP_SECRET, APPLE_KEY],
  ];
  return {
    service,
    tenant,
    /** The operator's requests for all of it, by path. */
    profiles,
    answers,
    /** Has not answered its activation. */
    newcomer,
    told,
    readKept: () => keptSecretsOf(tenant.id),
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
