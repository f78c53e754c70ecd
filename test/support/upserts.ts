import { expect } from 'vitest';
import { bearerHeaders, newPerson, signIn } from './accounts.ts';
import { mailedCode } from './logins.ts';
import { callAsOperator } from './operator.ts';
import { createService, type Service } from './service.ts';
import { newApp, newTenant, type TestTenant, uniqueEmail } from './tenants.ts';
import { lastTextTo } from './texts.ts';

/** An answer of the tenant surface: members of a profile, of a challenge, or of a refusal. */
export type UpsertAnswer = {
  status: number;
  body: {
    id?: string;
    code?: string;
    challenge?: { id: string; type: string; destination: string; expiresAt: string };
    errors?: { path: string; code: string }[];
    [member: string]: unknown;
  };
};

type Options = { flow?: string; headers?: Record<string, string> };

/** A service whose texts reach the message API of the tests. */
export const createTextingService = (bindings: Parameters<typeof createService>[0] = {}): Service =>
  createService(bindings, (...request) => fetch(...request));

/** What a form or app of the tenant does. */
export const formsOf = (service: Service, tenant: TestTenant) => {
  const path = `/api/${tenant.slug}/customer`;
  const send = (body: unknown, { flow, headers = {} }: Options = {}): Promise<Response> =>
    service.call('POST', flow === undefined ? path : `${path}?${new URLSearchParams({ flow })}`, { headers, body });
  const post = async (body: unknown, options?: Options): Promise<UpsertAnswer> => {
    const response = await send(body, options);
    return { status: response.status, body: await response.json<UpsertAnswer['body']>() };
  };
  const expectStatus = async (status: number, body: unknown, options?: Options): Promise<UpsertAnswer['body']> => {
    const answer = await post(body, options);
    expect(answer, JSON.stringify(answer)).toMatchObject({ status });
    return answer.body;
  };
  return {
    path,
    send,
    post,
    /** What is sent is stored at once. */
    store: (body: unknown, options?: Options) => expectStatus(200, body, options),
    /** What is sent is held; gives the challenge's id. */
    hold: async (body: unknown, options?: Options): Promise<string> => {
      const { challenge } = await expectStatus(202, body, options);
      expect(challenge?.id).toMatch(/^chg_/);
      return challenge?.id ?? '';
    },
    answer: (id: string, code: string) => post({ challenge: { id, code } }),
    /** The profile of whoever has the token. */
    read: (token: string) => service.call('GET', path, { headers: bearerHeaders(token) }),
  };
};

/** A tenant with an app, and what forms do there. */
export const newUpsertWorld = async (settings: Record<string, unknown> = {}, service = createTextingService()) => {
  const tenant = await newTenant(service, { settings });
  const app = await newApp(service, tenant);
  return { service, tenant, app, ...formsOf(service, tenant) };
};

/** The same, with a person who is signed in. */
export const newPersonWorld = async (settings: Record<string, unknown> = {}, service = createTextingService()) => {
  const world = await newUpsertWorld(settings, service);
  const person = await newPerson(service, world.tenant, world.app);
  const token = await signIn(service, world.tenant, person);
  return { ...world, person, token, own: { headers: bearerHeaders(token) } };
};

/** The code that was sent last to a number. */
export const textedCode = async (number: string): Promise<string> => {
  const code = /\b\d{6}\b/.exec(JSON.stringify(await lastTextTo(number)))?.[0] ?? '';
  expect(code).not.toBe('');
  return code;
};

/** A new account with an address that it has proved. */
export const newProvenAccount = async (
  { store, hold, answer, service }: Awaited<ReturnType<typeof newUpsertWorld>>,
  members: Record<string, unknown> = {},
) => {
  const email = uniqueEmail();
  await store({ email, ...members });
  const id = await hold({ email });
  expect(await answer(id, await mailedCode(email))).toMatchObject({ status: 200, body: { emailVerified: true } });
  service.clock.advance(31);
  return email;
};

/** Defines a flow of the tenant. */
export const putFlow = async (service: Service, tenant: TestTenant, name: string, steps: unknown): Promise<void> => {
  const path = `/operator/v1/tenants/${tenant.slug}/flows/${name}`;
  const response = await callAsOperator(service, 'PUT', path, { steps });
  expect(response.ok, await response.text()).toBe(true);
};

/** From now on the tenant asks for an attribute which accounts that are there may not have. */
export const requireAttribute = async (service: Service, { slug }: TestTenant, name: string): Promise<void> => {
  const settings = { attributes_schema: { required: [name] } };
  const response = await callAsOperator(service, 'PUT', `/operator/v1/tenants/${slug}`, { name: slug, settings });
  expect(response.status, await response.text()).toBe(200);
};

/** The paths of the faults that a refusal names. */
export const faultsIn = ({ body }: UpsertAnswer): string[] => (body.errors ?? []).map(({ path }) => path).toSorted();
