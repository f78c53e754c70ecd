import { expect } from 'vitest';
import { bearerHeaders, linkIn, signIn } from './accounts.ts';
import { lastMailTo } from './mailbox.ts';
import type { Service } from './service.ts';
import { newTenant, type TestTenant, uniqueEmail } from './tenants.ts';

/** The ids that clients know the phone types by. */
export const PHONE_TYPE = {
  mobile: '3b1d7bea-9700-46de-ab9f-f5fcc481b1a8',
  home: 'a3818c2b-1b82-4b9b-831e-c4ca30c16e63',
  work: '9ff570db-28c7-4b62-b1f1-8d897f48b132',
  fax: 'db53efdf-3160-49c4-99d9-3c18cdc71591',
  other: 'f999f536-8898-4481-9509-4623cd446d4b',
};

export const ADDRESS = {
  country: 'GB',
  address_1: '12 St James’s Square',
  address_2: 'Flat 3',
  city: 'London',
  state_province_region: 'Greater London',
  zip_postal_code: 'SW1Y 4JH',
};

export const AWS_USER = {
  access_key: 'AKIAEXAMPLE',
  secret_access: 'secret/access+key',
  cmk_id: 'cmk-1',
  region: 'eu-west-2',
  private_key: '-----BEGIN PRIVATE KEY-----\nMIIB private\n-----END PRIVATE KEY-----\n',
  public_key: '-----BEGIN PUBLIC KEY-----\nMIIB public\n-----END PUBLIC KEY-----\n',
  user_arn: 'arn:aws:iam::123456789012:user/ada',
};

/** A phone as an object of the login surface has it. */
type WirePhone = { id: string; phone_number: string; phone_type: string };

/** A user as the login surface tells it. */
export type UserObject = {
  id: string;
  first_name: string | null;
  last_name: string | null;
  user_name: string;
  pending_user_name?: string;
  phones: WirePhone[];
  aws_user: Record<string, string | null> | null;
};

export type SelfObject = {
  customer: { id: string; phones: WirePhone[]; [member: string]: unknown };
  user: UserObject;
};

/** The customer of a signup, complete but for phones. */
export const newCustomerBody = (members: Record<string, unknown> = {}) => ({
  name: 'Analytical Engines',
  email_address: uniqueEmail(),
  customer_type: 'business',
  address: ADDRESS,
  ...members,
});

/** A user as it is sent, with what is required. */
export const newUserBody = (members: Record<string, unknown> = {}) => ({
  first_name: 'Ada',
  last_name: 'Lovelace',
  user_name: uniqueEmail(),
  ...members,
});

/** A user of a customer, who is signed in. */
export type SignedInUser = { id: string; email: string; password: string; token: string };

/** Activates a user by the mailed link, and signs in. */
export const activate = async (service: Service, tenant: TestTenant, email: string): Promise<SignedInUser> => {
  const { identifier, secret } = linkIn(await lastMailTo(email), 'activate');
  const password = `correct horse ${crypto.randomUUID()}`;
  const activated = await service.call('POST', `${tenant.host}/customers/activate`, {
    body: { identifier, secret, password, password_check: password },
  });
  expect(activated.status).toBe(200);
  // Tokens that are issued in the very millisecond of the activation are dead.
  service.clock.advance(1);
  return { id: identifier, email, password, token: await signIn(service, tenant, { email, password }) };
};

/** A customer that signs up with this, and its owner, who is signed in. */
export const newOwner = async (
  service: Service,
  tenant: TestTenant,
  { customer = {}, user = {} }: { customer?: Record<string, unknown>; user?: Record<string, unknown> } = {},
): Promise<SignedInUser & { customerId: string }> => {
  const body = { customer: newCustomerBody(customer), user: newUserBody(user) };
  const response = await service.call('POST', `${tenant.host}/v1/auth/signup`, { body });
  expect(response.status).toBe(200);
  const { customer_id } = await response.json<{ customer_id: string }>();
  return { customerId: customer_id, ...(await activate(service, tenant, body.user.user_name)) };
};

/** A further user of the owner's customer, who is signed in. */
export const newColleague = async (
  service: Service,
  tenant: TestTenant,
  owner: SignedInUser,
  members: Record<string, unknown> = {},
): Promise<SignedInUser> => {
  const body = newUserBody({ first_name: 'Charles', last_name: 'Babbage', ...members });
  const added = await service.call('POST', `${tenant.host}/v1/auth/users`, {
    headers: bearerHeaders(owner.token),
    body,
  });
  expect(added.status).toBe(201);
  return activate(service, tenant, body.user_name);
};

/** A tenant with a customer that signed up, and a call that its owner makes. */
export const newOwnerWorld = async (
  service: Service,
  signup: { customer?: Record<string, unknown>; user?: Record<string, unknown> } = {},
) => {
  const tenant = await newTenant(service);
  const owner = await newOwner(service, tenant, signup);
  const callAs = ({ token }: Pick<SignedInUser, 'token'>, method: string, path: string, body?: unknown) =>
    service.call(method, `${tenant.host}/v1/auth${path}`, {
      headers: bearerHeaders(token),
      ...(body !== undefined && { body }),
    });
  return {
    service,
    tenant,
    owner,
    callAs,
    call: (method: string, path: string, body?: unknown) => callAs(owner, method, path, body),
  };
};

/** The faults that a refusal names, by path. */
export const faultsOf = async (response: Response): Promise<Record<string, string>> => {
  expect(response.status).toBe(400);
  const { code, errors } = await response.json<{
    code: string;
    errors: { path: string; code: string; message: string }[];
  }>();
  expect(code).toBe('validation_failed');
  for (const { message } of errors) expect(message).not.toBe('');
  return Object.fromEntries(errors.map((each) => [each.path, each.code]));
};
