import { expect } from 'vitest';
import { callAsOperator } from './operator.ts';
import { rowsOf } from './rows.ts';
import type { Service } from './service.ts';
import type { TestTenant } from './tenants.ts';

type Body = Record<string, unknown>;

/** What the operator does with things of a tenant that go by names, and what the audit log tells of it. */
export const collectionOf = (noun: 'flows' | 'providers') => {
  const pathOf = ({ slug }: Pick<TestTenant, 'slug'>, name?: string): string =>
    `/operator/v1/tenants/${slug}/${noun}${name === undefined ? '' : `/${name}`}`;
  return {
    pathOf,
    callsOf: (service: Service, tenant: Pick<TestTenant, 'slug'>) => ({
      put: (name: string, body: unknown) => callAsOperator(service, 'PUT', pathOf(tenant, name), body),
      read: (name: string) => callAsOperator(service, 'GET', pathOf(tenant, name)),
      remove: (name: string) => callAsOperator(service, 'DELETE', pathOf(tenant, name)),
      list: async () => {
        const response = await callAsOperator(service, 'GET', pathOf(tenant));
        expect(response.status).toBe(200);
        return response.json<{ items: Body[]; next: string | null }>();
      },
    }),
    /** The audit log of these things, oldest first. */
    eventsOf: async (tenantId: string): Promise<Body[]> =>
      ((await rowsOf(tenantId)).events ?? [])
        .filter(({ type }) => String(type).startsWith(`${noun.slice(0, -1)}.`))
        .toSorted((a, b) => Number(a.at) - Number(b.at))
        .map(({ type, actor, subject, data }) => ({ type, actor, subject, data: JSON.parse(String(data)) })),
  };
};
