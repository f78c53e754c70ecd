import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../env.ts';

/** Finds the tenant that the host name stands for (contract 0, which tenant). No forwarded host is believed. */
export const hostTenant = createMiddleware<AppEnv>(async (c, next) => {
  const host = new URL(c.req.url).hostname.replace(/\.$/, '');
  const found = await c.get('platform').directory.findByHost(host);
  c.set('hostTenant', found);
  if (found) c.set('tenantId', found.tenant.id);
  await next();
});
