import { createMiddleware } from 'hono/factory';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv } from '../env.ts';
import type { TenantServices } from '../services.ts';
import { requestContextOf } from './platform.ts';

/** Finds the tenant that the host name stands for (contract 0, which tenant). No forwarded host is believed. */
export const hostTenant = createMiddleware<AppEnv>(async (c, next) => {
  const host = new URL(c.req.url).hostname.replace(/\.$/, '');
  const found = await c.get('platform').directory.findByHost(host);
  c.set('hostTenant', found);
  if (found) c.set('tenantId', found.tenant.id);
  await next();
});

/** What a route knows that is one tenant's, by the host or by the default. */
export type TenantEnv = AppEnv & { Variables: { services: TenantServices } };

/** Opens the services of the host's tenant. Refuses with `tenant_not_found` where there is none. */
export const tenantServices = createMiddleware<TenantEnv>(async (c, next) => {
  const found = c.get('hostTenant');
  if (!found) throw new Refusal('tenant_not_found');
  c.set('services', c.get('platform').servicesOf(found.tenant, requestContextOf(c)));
  await next();
});

/** As `tenantServices`, for the tenant that the path names by slug or id. */
export const pathTenantServices = createMiddleware<TenantEnv, '/:tenantId/*'>(async (c, next) => {
  const { platform, hostTenant: host } = c.var;
  const named = await platform.directory.findByName(c.req.param('tenantId'));
  if (!named || (host?.isNamed && host.tenant.id !== named.id)) throw new Refusal('tenant_not_found');
  c.set('tenantId', named.id);
  c.set('services', platform.servicesOf(named, requestContextOf(c)));
  await next();
});
