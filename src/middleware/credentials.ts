import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { type TenantId, tenantOfCredentialKey } from '../crypto/ids.ts';
import type { Credentials } from '../domain/access.ts';
import { rateLimited } from '../domain/limits.ts';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv } from '../env.ts';
import type { Platform } from '../platform.ts';
import type { TenantServices } from '../services.ts';
import { requestContextOf } from './platform.ts';

type Level = 'app' | 'customer';

/** What a partner route knows of its caller. Whether the credentials are right shows with the first read. */
export type PartnerEnv = AppEnv & {
  Variables: { level: Level; credentials: Credentials; services: TenantServices };
};

const NAMES = {
  app: { prefix: 'sk', key: ['x-access-superkey', 'superkey'], token: ['x-access-supertoken', 'supertoken'] },
  customer: { prefix: 'ck', key: ['x-access-key', 'key'], token: ['x-access-token', 'token'] },
} as const;

/** Reads an app's pair, and opens the services of the tenant that its key names. */
export const appCaller = createMiddleware<PartnerEnv>(async (c, next) => {
  await admit(c, 'app');
  await next();
});

/** As `appCaller`, but takes a customer's pair where there is no trace of an app's. */
export const appOrCustomerCaller = createMiddleware<PartnerEnv>(async (c, next) => {
  const isApp = find(c, NAMES.app.key) !== null || find(c, NAMES.app.token) !== null;
  await admit(c, isApp ? 'app' : 'customer');
  await next();
});

const admit = async (c: Context<PartnerEnv>, level: Level): Promise<void> => {
  const names = NAMES[level];
  const [key, token] = [find(c, names.key), find(c, names.token)];
  if (!key) throw new Refusal('missing_key');
  if (!token) throw new Refusal('missing_token');
  const { platform, hostTenant } = c.var;
  const tenantId = tenantOfCredentialKey(names.prefix, key.value);
  const isElsewhere = hostTenant?.isNamed && hostTenant.tenant.id !== tenantId;
  if (tenantId === null || isElsewhere) throw new Refusal('unknown_key');
  await countCall(platform, key.value, token.value);
  const tenant = await platform.directory.findById(tenantId);
  if (!tenant) throw new Refusal('unknown_key');
  c.set('tenantId', tenantId);
  c.set('level', level);
  c.set('services', platform.servicesOf(tenant, requestContextOf(c)));
  c.set('credentials', {
    key: key.value,
    token: token.value,
    isFromQuery: key.isFromQuery || token.isFromQuery,
  });
};

/** By key and token: whoever knows only the key cannot use up its limit. Refuses with `rate_limited`. */
const countCall = async (platform: Platform, key: string, token: string): Promise<void> => {
  if (!(await platform.isWithinKeyLimit(`${key} ${token}`))) throw rateLimited(LIMIT_PERIOD_MS);
};

/**
 * An app's pair, by headers alone, where a caller may be an app among others: null without a trace of one. Refuses with
 * `missing_key`, `missing_token`, `unknown_key` for a key of another tenant, and `rate_limited`.
 */
export const readAppCredentials = async <E extends AppEnv>(
  c: Context<E>,
  tenantId: TenantId,
): Promise<Credentials | null> => {
  const [key, token] = [c.req.header(NAMES.app.key[0]), c.req.header(NAMES.app.token[0])];
  if (key === undefined && token === undefined) return null;
  if (!key) throw new Refusal('missing_key');
  if (!token) throw new Refusal('missing_token');
  if (tenantOfCredentialKey(NAMES.app.prefix, key) !== tenantId) throw new Refusal('unknown_key');
  await countCall(c.get('platform'), key, token);
  return { key, token, isFromQuery: false };
};

const LIMIT_PERIOD_MS = 60_000;

type Presented = { value: string; isFromQuery: boolean };

/** A header wins over the query parameter, whose name is matched without case and must not be repeated. */
const find = (c: Context<PartnerEnv>, [header, parameter]: readonly [string, string]): Presented | null => {
  const value = c.req.header(header);
  if (value) return { value, isFromQuery: false };
  const [inQuery, ...others] = [...new URL(c.req.url).searchParams].filter(
    ([name]) => name.toLowerCase() === parameter,
  );
  if (others.length > 0) throw new Refusal('malformed_request');
  return inQuery?.[1] ? { value: inQuery[1], isFromQuery: true } : null;
};
