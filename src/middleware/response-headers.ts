import { createMiddleware } from 'hono/factory';
import { secureHeaders } from 'hono/secure-headers';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv } from '../env.ts';
/** The security headers that every response carries (contract 0, CORS and cookies). */
export const securityHeaders = secureHeaders({
  strictTransportSecurity: 'max-age=63072000; includeSubDomains',
  referrerPolicy: 'no-referrer',
  xFrameOptions: 'DENY',
  // The tenants' own sites call the API from their origins.
  crossOriginResourcePolicy: false,
  xXssProtection: false,
});

/** What holds unless a route says otherwise: nothing is kept by caches, nothing is loaded or framed by browsers. */
export const cautiousDefaults = createMiddleware<AppEnv>(async (c, next) => {
  await next();
  const defaults = {
    'Cache-Control': 'no-store',
    'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  };
  for (const [name, value] of Object.entries(defaults)) {
    if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  }
});

/** For GETs that have an effect: a HEAD, which promises none, is refused. */
export const refuseHead = createMiddleware<AppEnv>(async (c, next) => {
  if (c.req.method === 'HEAD') {
    c.header('Allow', 'GET');
    throw new Refusal('method_not_allowed');
  }
  await next();
});
