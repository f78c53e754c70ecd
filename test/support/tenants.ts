import { env } from 'cloudflare:workers';
import { expect } from 'vitest';
import type { Service } from './service.ts';

export type AppPair = { id: string; superkey: string; supertoken: string };
export type CustomerPair = { cuid: string; key: string; token: string };

export type TestTenant = {
  id: string;
  slug: string;
  /** The tenant's own host, e.g. `http://t1.localhost`. */
  host: string;
};

export const operatorHeaders = { Authorization: `Bearer ${env.OPERATOR_TOKEN}` };

let made = 0;

/** A name that no other test has: storage is shared by all tests of a run. */
export const uniqueName = (kind: string): string => {
  made += 1;
  return `${kind}-${made}-${crypto.randomUUID().slice(0, 8)}`;
};

export const uniqueEmail = (): string => `${uniqueName('person')}@example.com`;

/** A tenant of the test's own. */
export const newTenant = async (service: Service, profile: Record<string, unknown> = {}): Promise<TestTenant> => {
  const slug = uniqueName('t');
  const response = await service.call('PUT', `/operator/v1/tenants/${slug}`, {
    headers: operatorHeaders,
    body: { name: `Tenant ${slug}`, ...profile },
  });
  expect(response.status).toBe(201);
  const { id } = await response.json<{ id: string }>();
  return { id, slug, host: `http://${slug}.localhost` };
};

/** An app of the tenant, by default with every permission but `all_customers`. */
export const newApp = async (
  service: Service,
  tenant: TestTenant,
  settings: Record<string, unknown> = {},
): Promise<AppPair> => {
  const response = await service.call('POST', `/operator/v1/tenants/${tenant.slug}/apps`, {
    headers: operatorHeaders,
    body: {
      name: 'An app',
      permissions: ['passcode', 'nopasscode', 'sso'],
      platforms: [{ name: 'shop', url: 'https://shop.example.com/signed-in' }],
      ...settings,
    },
  });
  expect(response.status).toBe(201);
  return response.json<AppPair>();
};

export const appHeaders = ({ superkey, supertoken }: AppPair) => ({
  'x-access-superkey': superkey,
  'x-access-supertoken': supertoken,
});

export const customerHeaders = ({ key, token }: CustomerPair) => ({ 'x-access-key': key, 'x-access-token': token });

/** A customer that the app creates. */
export const newCustomer = async (
  service: Service,
  app: AppPair,
  details: Record<string, unknown> = {},
): Promise<CustomerPair & { email: string }> => {
  const email = typeof details.email === 'string' ? details.email : uniqueEmail();
  const response = await service.call('POST', '/customer', {
    headers: appHeaders(app),
    body: { company: 'A company', ...details, email },
  });
  expect(response.status).toBe(201);
  return { email, ...(await response.json<CustomerPair>()) };
};

/** A tenant with an app and a customer of it. */
export const newWorld = async (service: Service, profile: Record<string, unknown> = {}) => {
  const tenant = await newTenant(service, profile);
  const app = await newApp(service, tenant);
  const customer = await newCustomer(service, app);
  return { tenant, app, customer };
};

/** The code and message of a refusal. */
export const refusalOf = async (response: Response): Promise<{ status: number; code: string; message: string }> => {
  const { code, message } = await response.json<{ code: string; message: string }>();
  return { status: response.status, code, message };
};
