import type { Context, HonoRequest } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Origin } from '../domain/audit.ts';
import { Refusal } from '../domain/refusal.ts';
import { type AppEnv, SettingsError } from '../env.ts';
import type { PlatformOf } from '../platform.ts';
import type { RequestContext } from '../services.ts';
import { commonWire, problem } from './problems.ts';

const LONGEST_USER_AGENT = 256;

/** Lets the request have the platform. With settings that are not in order none is served at all. */
export const platform = (platformOf: PlatformOf) =>
  createMiddleware<AppEnv>(async (c, next) => {
    try {
      c.set('platform', await platformOf(c.env));
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      // biome-ignore lint/suspicious/noConsole: the one line that tells the operator what is missing
      console.error(error.message);
      return problem(c, commonWire, new Refusal('misconfigured'), error.message);
    }
    return next();
  });

/** Where the request came from. The platform sets `CF-Connecting-IP`; no other header is believed. */
const originOf = (request: HonoRequest): Origin => ({
  ip: request.header('CF-Connecting-IP') ?? null,
  userAgent: request.header('User-Agent')?.slice(0, LONGEST_USER_AGENT) ?? null,
  place: [request.raw.cf?.city, request.raw.cf?.country].filter((part) => typeof part === 'string').join(', ') || null,
});

/** The origin that the request came in by, if its host names a tenant or is ours alone; any other could be anybody's. */
const ownOriginOf = <E extends AppEnv>(c: Context<E>): string | null => {
  const { origin, hostname } = new URL(c.req.url);
  const isOurs = c.get('hostTenant')?.isNamed || hostname === c.get('platform').settings.baseDomain;
  return isOurs ? origin : null;
};

/** What a tenant's services need of a request. */
export const requestContextOf = <E extends AppEnv>(c: Context<E>): RequestContext => ({
  origin: originOf(c.req),
  ownOrigin: ownOriginOf(c),
  defer: c.get('afterwork').defer,
  afterwards: c.get('afterwork').afterwards,
});
