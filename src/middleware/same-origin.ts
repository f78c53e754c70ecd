import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv } from '../env.ts';
import { allowedOrigins } from './cors.ts';

/*
 * Cookies and forms need more than SameSite: sibling tenants live on one site (contract 0, CORS and cookies). Browsers say
 * where a request was made, in `Origin` and in `Sec-Fetch-Site`, and pages cannot forge either. What sends neither is no
 * browser, and acts for nobody but itself.
 */

/** Refuses with `forbidden_origin` what a page of another site has a browser do. Needs the host's tenant. */
export const sameOrigin = createMiddleware<AppEnv>(async (c, next) => {
  if (!READING.has(c.req.method) && !isFromOwnSite(c)) throw new Refusal('forbidden_origin');
  await next();
});

const READING: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

const isFromOwnSite = (c: Context<AppEnv>): boolean => {
  const origin = c.req.header('Origin');
  const site = c.req.header('Sec-Fetch-Site');
  // Our own pages refer to nobody (`Referrer-Policy: no-referrer`), and a browser tells no origin for them either.
  if (origin === 'null') return site === 'same-origin';
  if (origin === undefined) return site === undefined || site === 'same-origin' || site === 'none';
  return origin === new URL(c.req.url).origin || allowedOrigins(c).includes(origin);
};
