import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { expect } from 'vitest';
import { bearerHeaders } from './accounts.ts';
import { mailedCode } from './logins.ts';
import { DISCOVERY, metadataOf, signClaims } from './oidc.ts';
import { callAsOperator } from './operator.ts';
import { CLIENT_ID, keyNamed } from './provider-checks.ts';
import { rowsOf } from './rows.ts';
import { jsonAnswer, newScriptedPath } from './scripted.ts';
import { createService, type Service } from './service.ts';
import { newApp, newTenant, refusalOf, type TestTenant } from './tenants.ts';
import { lastTextTo } from './texts.ts';

/** A challenge as the tenant surface tells it. */
export type Challenge = { id: string; type: string; destination: string; expiresAt: string };

/** The service as deployed, with the servers that it calls. */
const newOutgoingService = (bindings: Parameters<typeof createService>[0] = {}): Service =>
  createService(bindings, (...request) => fetch(...request));

/** Says whom people may sign in with. */
const putProvider = async (
  service: Service,
  { slug }: TestTenant,
  name: string,
  profile: Record<string, unknown>,
): Promise<void> => {
  const path = `/operator/v1/tenants/${slug}/providers/${name}`;
  const response = await callAsOperator(service, 'PUT', path, { signup: false, ...profile });
  expect([200, 201], await response.clone().text()).toContain(response.status);
};

/** A tenant with an app, and the calls of its forms and apps. */
export const newAuthenticationWorld = async (
  profile: Record<string, unknown> = {},
  service: Service = newOutgoingService(),
) => {
  const tenant = await newTenant(service, profile);
  const app = await newApp(service, tenant);
  const path = `/api/${tenant.slug}/customer`;
  const authenticate = (provider: string, body: unknown, headers: Record<string, string> = {}) =>
    service.call('POST', `${path}/authenticate?provider=${encodeURIComponent(provider)}`, { headers, body });
  const challenge = async (body: unknown): Promise<Challenge> => challengeIn(await authenticate('otp', body));
  const answer = ({ id }: Pick<Challenge, 'id'>, code: string): Promise<Response> =>
    authenticate('otp', { challenge: { id, code } });
  return {
    service,
    tenant,
    app,
    path,
    authenticate,
    /** Begins a sign-in by a code. */
    challenge,
    answer,
    /** Signs in by a mailed code. */
    signInByMail: async (email: string): Promise<string> =>
      tokenIn(await answer(await challenge({ email }), await mailedCode(email))),
    /** Signs in by a code that is texted. */
    signInByText: async (phone: string): Promise<string> =>
      tokenIn(await answer(await challenge({ phone }), await textedCode(phone))),
    put: (name: string, provider: Record<string, unknown>) => putProvider(service, tenant, name, provider),
    upsert: (body: unknown, headers: Record<string, string> = {}) => service.call('POST', path, { headers, body }),
    /** The profile that a token opens. */
    profileOf: async (token: string): Promise<Record<string, unknown>> => {
      const response = await service.call('GET', path, { headers: bearerHeaders(token) });
      expect(response.status).toBe(200);
      return response.json<Record<string, unknown>>();
    },
    /** The claims of a token that the tenant signed. */
    claimsOf: async (token: string) => {
      const published = await service.call('GET', `${tenant.host}/.well-known/jwks.json`);
      const keys = createLocalJWKSet(await published.json<JSONWebKeySet>());
      return (await jwtVerify(token, keys, { currentDate: new Date(service.clock.now()) })).payload;
    },
  };
};

export type AuthenticationWorld = Awaited<ReturnType<typeof newAuthenticationWorld>>;

/** The token that an answer gives. */
export const tokenIn = async (response: Response): Promise<string> => {
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json<string>();
};

/** The challenge that an answer gives. */
export const challengeIn = async (response: Response): Promise<Challenge> => {
  expect(response.status, await response.clone().text()).toBe(202);
  return (await response.json<{ challenge: Challenge }>()).challenge;
};

/** The status and the code of a refusal. */
export const outcomeOf = async (response: Response): Promise<[number, string]> => {
  if (response.status < 300) return [response.status, ''];
  const { status, code } = await refusalOf(response);
  return [status, code];
};

/** The code that was texted last to a number. */
export const textedCode = async (phone: string): Promise<string> =>
  /\b\d{6}\b/.exec(JSON.stringify(await lastTextTo(phone)))?.[0] ?? '';

/** A code that is not this one. */
export const otherThan = (code: string, by = 1): string => String((Number(code) + by) % 1_000_000).padStart(6, '0');

/** Everybody of a tenant, and how providers know them. */
export const peopleOf = async ({ id }: TestTenant) => {
  const { customers = [], users = [], identities = [] } = await rowsOf(id);
  return { customers, users, identities };
};

/** A local OpenID provider whose tokens and codes say what a test wants, of a person without a name. */
export const newIssuer = async (service: Service, alg = 'RS256') => {
  const path = newScriptedPath();
  const key = await keyNamed('first', alg);
  await Promise.all([
    path.answer(jsonAnswer(metadataOf(path.url)), DISCOVERY),
    path.answer(jsonAnswer({ keys: [key.jwk] }), '/keys'),
  ]);
  const newToken = (claims: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> => {
    const iat = Math.floor(service.clock.now() / 1000);
    const all = { iss: path.url, aud: CLIENT_ID, iat, exp: iat + 3600, ...claims };
    return signClaims(all, key.privateKey, { alg, kid: key.kid, ...header });
  };
  return {
    ...path,
    key,
    newToken,
    /** Has every code be worth these claims. */
    giveFor: async (claims: Record<string, unknown>): Promise<void> => {
      const token = { access_token: 'access', token_type: 'Bearer', id_token: await newToken(claims) };
      await path.answer(jsonAnswer(token), '/token');
    },
  };
};

export type Issuer = Awaited<ReturnType<typeof newIssuer>>;
