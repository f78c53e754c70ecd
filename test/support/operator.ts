import { expect } from 'vitest';
import type { Service } from './service.ts';
import { operatorHeaders, type TestTenant } from './tenants.ts';

/** A customer as the operator sees it: what its changes touch. */
export type OperatedCustomer = { id: string; status: string; api_access: boolean; updated_at: string };

export const customersOf = ({ slug }: Pick<TestTenant, 'slug'>, rest = ''): string =>
  `/operator/v1/tenants/${slug}/customers${rest}`;

export const callAsOperator = (service: Service, method: string, path: string, body?: unknown): Promise<Response> =>
  service.call(method, path, { headers: operatorHeaders, body });

/** Disables a customer, enables it, or sets its access to the API. */
export const changeCustomer = async (
  service: Service,
  tenant: TestTenant,
  cuid: string,
  changes: { status?: string; api_access?: boolean },
): Promise<OperatedCustomer> => {
  const response = await callAsOperator(service, 'PATCH', customersOf(tenant, `/${cuid}`), changes);
  expect(response.status).toBe(200);
  return response.json<OperatedCustomer>();
};

/** Lets customers of the tenant subscribe to these. */
export const offerSubscriptions = async (service: Service, { slug }: TestTenant, ...ids: string[]): Promise<void> => {
  for (const id of ids) {
    const path = `/operator/v1/tenants/${slug}/subscriptions/${id}`;
    expect((await callAsOperator(service, 'PUT', path, { name: `All ${id}` })).status).toBe(201);
  }
};
