import type { Context } from 'hono';
import type { AppEnv } from '../../env.ts';
import { requestContextOf } from '../../middleware/platform.ts';
import type { TenantServices } from '../../services.ts';

export const tenantsOf = (c: Context<AppEnv>) => c.var.platform.tenants(requestContextOf(c));

/** The services of the tenant that the path names as `:slug`, a disabled one's included. */
export const servicesOf = async (c: Context<AppEnv>): Promise<TenantServices> => {
  const tenant = await tenantsOf(c).get(c.req.param('slug') ?? '');
  c.set('tenantId', tenant.id);
  return c.var.platform.servicesOf(tenant, requestContextOf(c));
};
