import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv } from '../env.ts';
import type { Tenant, TenantServices } from '../services.ts';
import { requestContextOf } from './platform.ts';

/** Finds the tenant that the host name stands for (contract 0, which tenant). No forwarded host is believed. */
export const hostTenant = createMiddleware<AppEnv>(async (c, next) => {
  const host = new URL(c.req.url).hostname.replace(/\.$/, '');
  const found = await c.get('platform').directory.findByHost(host);
  c.set('hostTenant', found);
  if (found) c.set('tenantId', found.tenant.id);
  await next();
});

/** Finds the tenant that the path names by slug or id. Refuses with `tenant_not_found`, also where the host names another. */
export const pathTenant = createMiddleware<AppEnv, '/api/:tenantId/*'>(async (c, next) => {
  const { platform, hostTenant: host } = c.var;
  const named = await platform.directory.findByName(c.req.param('tenantId'));
  if (!named || (host?.isNamed && host.tenant.id !== named.id)) throw new Refusal('tenant_not_found');
  c.set('pathTenant', named);
  c.set('tenantId', named.id);
  await next();
});

/** The tenant of a request: the one that its path names, else the one of its host. */
export const requestTenant = <E extends AppEnv>(c: Context<E>): Tenant | null =>
  c.get('pathTenant') ?? c.get('hostTenant')?.tenant ?? null;

/** What a route knows that is one tenant's: by the path, by the host or by the default. */
export type TenantEnv = AppEnv & { Variables: { services: TenantServices } };

/** Opens the services of the request's tenant. Refuses with `tenant_not_found` where there is none. */
export const tenantServices = createMiddleware<TenantEnv>(async (c, next) => {
  const tenant = requestTenant(c);
  if (!tenant) throw new Refusal('tenant_not_found');
  c.set('services', c.get('platform').servicesOf(tenant, requestContextOf(c)));
  await next();
});
