import { env } from 'cloudflare:workers';
import { expect } from 'vitest';
import type { Service } from './service.ts';
import { type AppPair, appHeaders, type TestTenant } from './tenants.ts';

/** The customer object of the partner surface. */
export type CustomerObject = {
  cuid: string;
  company: string | null;
  email: string;
  name: string | null;
  address: string | null;
  country: string | null;
  city: string | null;
  zip: string | null;
  state: string | null;
  phone: string | null;
  website: string | null;
  created_at: string;
  updated_at: string;
};

/** The optional members of a customer, with values that are kept as they are. */
export const DETAILS = {
  name: 'Ada Lovelace',
  address: '12 St James’s Square',
  country: 'GB',
  city: 'London',
  zip: 'SW1Y 4JH',
  state: 'Greater London',
  phone: '+44 20 7946 0000',
  website: 'https://analytical.example.com',
};

/** The customer as the app reads it. */
export const readCustomer = async (service: Service, app: AppPair, cuid: string): Promise<CustomerObject> => {
  const response = await service.call('GET', `/customer/${cuid}`, { headers: appHeaders(app) });
  expect(response.status).toBe(200);
  return response.json<CustomerObject>();
};

/** The customers that the app sees, newest first. */
export const listCustomers = async (service: Service, app: AppPair, query = ''): Promise<CustomerObject[]> => {
  const response = await service.call('GET', `/customer${query}`, { headers: appHeaders(app) });
  expect(response.status).toBe(200);
  return response.json<CustomerObject[]>();
};

/** As many more customers as there is one of already, each with so many users: its owner, and others. */
export const copyCustomer = async ({ id }: TestTenant, count: number, users = 1): Promise<void> => {
  const numbers = 'with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ?2)';
  await env.DB.batch([
    env.DB.prepare(
      `insert into customers (tenant_id, id, email, email_key, status, has_api_access, version, created_at, updated_at)
       ${numbers}
       select tenant_id, printf('cus_%026d', n), n || '@example.com', n || '@example.com', status, 1, 1, 0, 0
       from customers, numbers where tenant_id = ?1`,
    ).bind(id, count),
    env.DB.prepare(
      `insert into users (tenant_id, id, customer_id, email, email_key, is_owner, created_at, updated_at)
       ${numbers}
       select tenant_id, printf('usr_%013d', n) || substr(id, 18), id, n || '.' || email, n || '.' || email, n = 1, 0, 0
       from customers, numbers where tenant_id = ?1 and created_at = 0`,
    ).bind(id, users),
  ]);
};

/** Takes a customer's access to the API away. */
export const withholdApiAccess = async (cuid: string): Promise<void> => {
  await env.DB.prepare('update customers set has_api_access = 0 where id = ?').bind(cuid).run();
};

/** Disables a customer. */
export const disableCustomer = async (cuid: string): Promise<void> => {
  await env.DB.prepare("update customers set status = 'disabled' where id = ?").bind(cuid).run();
};

/** A customer id that no customer has. */
export const UNKNOWN_CUID = `cus_${'0'.repeat(26)}`;
