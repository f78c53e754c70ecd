import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { countRowsRead } from '../../support/bindings.ts';
import { createService } from '../../support/service.ts';
import { appHeaders, newApp, newTenant, type TestTenant } from '../../support/tenants.ts';

const CUSTOMERS = 100_000;
const PAGE = 1000;

/** Writes customers as `POST /customer` would, but all in a few statements. */
const writeCustomers = async (tenant: TestTenant, appId: string): Promise<void> => {
  const write = (sql: string, from: number, to: number) =>
    env.DB.prepare(`with recursive n(i) as (select ?1 union all select i + 1 from n where i + 1 < ?2) ${sql}`).bind(
      from,
      to,
      tenant.id,
      appId,
    );
  for (let from = 0; from < CUSTOMERS; from += 20_000) {
    await env.DB.batch([
      write(
        `insert into customers (tenant_id, id, company, email, email_key, status, has_api_access, created_by_app, version,
           created_at, updated_at)
         select ?3, 'cus_' || printf('%026d', i), 'Company ' || i, i || '@example.com', i || '@example.com', 'active', 1,
           ?4, 1, i, i from n`,
        from,
        from + 20_000,
      ),
      write(
        `insert into users (tenant_id, id, customer_id, email, email_key, is_owner, created_at, updated_at)
         select ?3, 'usr_' || printf('%026d', i), 'cus_' || printf('%026d', i), i || '@example.com',
           i || '@example.com', 1, i, i from n where ?4 is not null`,
        from,
        from + 20_000,
      ),
    ]);
  }
};

describe('a list of 100,000 customers', () => {
  for (const permissions of [['all_customers'], []]) {
    const whose = permissions.length > 0 ? 'all of the tenant’s' : 'the app’s own';
    it(`pages through ${whose} without gaps, at a steady cost`, { timeout: 120_000 }, async () => {
      const rows = countRowsRead(env.DB);
      const service = createService({ DB: rows.database });
      const tenant = await newTenant(service);
      const app = await newApp(service, tenant, { permissions });
      await writeCustomers(tenant, app.id);

      const seen: string[] = [];
      const costs: number[] = [];
      let path: string | undefined = `/customer?limit=${PAGE}`;
      while (path !== undefined) {
        rows.reset();
        const response: Response = await service.call('GET', path, { headers: appHeaders(app) });
        expect(response.status).toBe(200);
        costs.push(rows.read());
        const page = await response.json<{ cuid: string }[]>();
        seen.push(...page.map(({ cuid }) => cuid));
        path = /<([^>]+)>; rel="next"/.exec(response.headers.get('Link') ?? '')?.[1];
      }

      const expected = Array.from(
        { length: CUSTOMERS },
        (_, i) => `cus_${String(CUSTOMERS - 1 - i).padStart(26, '0')}`,
      );
      expect(seen).toEqual(expected);
      expect(costs).toHaveLength(CUSTOMERS / PAGE);
      expect(costs[0]).toBeLessThanOrEqual(2 * PAGE);
      expect(costs.at(-1)).toBeLessThanOrEqual(2 * PAGE);
    });
  }
});
