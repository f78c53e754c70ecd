import type { Context } from 'hono';
import { cors } from 'hono/cors';
import { createMiddleware } from 'hono/factory';
import type { AppEnv } from '../env.ts';
import { requestTenant } from './tenant.ts';

/** The origins whose pages may call the API of the request's tenant. */
export const allowedOrigins = <E extends AppEnv>(c: Context<E>): readonly string[] => {
  const tenant = requestTenant(c);
  return tenant ? (tenant.settings.corsOrigins ?? tenant.origins) : [];
};

const perTenant = cors({
  origin: (origin, c) => (allowedOrigins(c).includes(origin) ? origin : null),
  credentials: true,
  allowMethods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  allowHeaders: [
    'Authorization',
    'Content-Type',
    'Idempotency-Key',
    'If-Match',
    'x-access-key',
    'x-access-superkey',
    'x-access-supertoken',
    'x-access-token',
  ],
  exposeHeaders: ['ETag', 'Link', 'Location', 'Retry-After', 'x-request-id'],
  maxAge: 600,
});

/** Lets the tenant's own origins in, with credentials. An OPTIONS request that is no preflight goes on to its route. */
export const tenantCors = createMiddleware<AppEnv>(async (c, next) => {
  const isPlainOptions = c.req.method === 'OPTIONS' && !c.req.header('Access-Control-Request-Method');
  return isPlainOptions ? next() : perTenant(c, next);
});
