import { expect } from 'vitest';
import { lastMailTo } from './mailbox.ts';
import { createService, type Service } from './service.ts';
import {
  type AppPair,
  appHeaders,
  type CustomerPair,
  newApp,
  newCustomer,
  newTenant,
  type TestTenant,
} from './tenants.ts';

/** A customer who signs in with a password. */
export type TestPerson = { cuid: string; email: string; userId: string; password: string };

/** The user and the secret of the link that a mail carries, e.g. of `…/activate/{user}/{secret}`. */
export const linkIn = (
  { text }: { text: string },
  path: string,
): { url: string; identifier: string; secret: string } => {
  const [url = '', identifier = '', secret = ''] =
    new RegExp(`https?://\\S+/${path}/([^/\\s]+)/([A-Z0-9]+)`).exec(text) ?? [];
  expect(secret).not.toBe('');
  return { url, identifier, secret };
};

/** A customer that has chosen a password by the mailed link. */
export const newPerson = async (
  service: Service,
  tenant: TestTenant,
  app: AppPair,
  details: Record<string, unknown> = {},
): Promise<TestPerson> => {
  const { cuid, email } = await newCustomer(service, app, { send_activation: true, ...details });
  const { identifier, secret } = linkIn(await lastMailTo(email), 'activate');
  const password = `correct horse ${crypto.randomUUID()}`;
  const activated = await service.call('POST', `${tenant.host}/customers/activate`, {
    body: { identifier, secret, password, password_check: password },
  });
  expect(activated.status).toBe(200);
  // Tokens that are issued in the very millisecond of the activation are dead.
  service.clock.advance(31);
  return { cuid, email, userId: identifier, password };
};

/** Signs in and gives the access token. */
export const signIn = async (
  service: Service,
  tenant: TestTenant,
  { email, password }: Pick<TestPerson, 'email' | 'password'>,
) => {
  const response = await service.call('POST', `${tenant.host}/customers/login`, { body: { email, password } });
  expect(response.status).toBe(200);
  const { token } = await response.json<{ token: string }>();
  return token;
};

export const bearerHeaders = (token: string) => ({ Authorization: `Bearer ${token}` });

/** A tenant with an app and a person who is signed in. */
export const newSignedInWorld = async (service: Service, profile: Record<string, unknown> = {}) => {
  const tenant = await newTenant(service, profile);
  const app = await newApp(service, tenant);
  const person = await newPerson(service, tenant, app);
  const token = await signIn(service, tenant, person);
  return { tenant, app, person, token };
};

/** As `newSignedInWorld`, with the key pair of the person's customer. */
export const newMember = async (service: Service, profile: Record<string, unknown> = {}) => {
  const world = await newSignedInWorld(service, profile);
  const renewed = await service.call('GET', `/customer/${world.person.cuid}/auth`, { headers: appHeaders(world.app) });
  expect(renewed.status).toBe(200);
  return { ...world, pair: await renewed.json<CustomerPair>() };
};

export const readSelf = (service: Service, { host }: TestTenant, token: string): Promise<Response> =>
  service.call('GET', `${host}/customers/self`, { headers: bearerHeaders(token) });

/** A signed-in person, and the calls on its own account. */
export const newAccountWorld = async (profile: Record<string, unknown> = {}, service = createService()) => {
  const world = await newSignedInWorld(service, profile);
  const { tenant, person, token } = world;
  const self = `${tenant.host}/customers/self`;
  const headersOf = (bearer: string, more: Record<string, string>) => ({ ...bearerHeaders(bearer), ...more });
  return {
    ...world,
    service,
    self,
    readSelf: (bearer = token) => service.call('GET', self, { headers: bearerHeaders(bearer) }),
    change: (body: unknown, headers: Record<string, string> = {}, bearer = token) =>
      service.call('PATCH', self, { headers: headersOf(bearer, headers), body }),
    remove: (headers: Record<string, string> = {}, bearer = token) =>
      service.call('DELETE', self, { headers: headersOf(bearer, headers) }),
    post: (path: string, body: unknown, host = tenant.host) =>
      service.call('POST', `${host}/customers/${path}`, { body }),
    /** The status of the answer to a login. */
    login: async (password = person.password, email = person.email) =>
      (await service.call('POST', `${tenant.host}/customers/login`, { body: { email, password } })).status,
  };
};

export type AccountWorld = Awaited<ReturnType<typeof newAccountWorld>>;
