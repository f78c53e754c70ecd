import { createMiddleware } from 'hono/factory';
import { matchedRoutes } from 'hono/route';
import type { AppEnv } from '../env.ts';
import { refusalOf } from './problems.ts';

/**
 * One line of JSON a request. It names the route, never the path or the query, which can carry addresses, codes and
 * credentials; of an error it tells the code, and where in our code a bug is, never the message.
 */
export const requestLog = createMiddleware<AppEnv>(async (c, next) => {
  const startedAt = Date.now();
  await next();
  const line = {
    level: c.res.status >= 500 ? 'error' : 'info',
    request_id: c.get('requestId'),
    method: c.req.method,
    route: matchedRoutes(c).find(({ method }) => method !== 'ALL')?.path,
    status: c.res.status,
    duration_ms: Date.now() - startedAt,
    tenant: c.get('tenantId'),
    ...(c.error && describe(c.error)),
  };
  write(line);
});

/** The line for work that failed after its answer was sent. */
export const logDeferredFailure = (requestId: string, error: unknown): void =>
  write({ level: 'error', request_id: requestId, deferred: true, ...(error instanceof Error && describe(error)) });

/** The line for a part of what the cron trigger does, and for whom or what it failed. */
export const logCronFailure = (part: Readonly<Record<string, unknown>>, error: unknown): void =>
  write({ level: 'error', ...part, ...(error instanceof Error && describe(error)) });

// biome-ignore lint/suspicious/noConsole: the platform collects what is written to the console
const write = (line: Record<string, unknown>): void => console.log(JSON.stringify(line));

const describe = (error: Error) => {
  const { code } = refusalOf(error);
  if (code === 'internal_error') return { code, error: error.name, at: stackOf(error) };
  // A StorageError's message is the database's own and quotes no values.
  if (code === 'storage_unavailable') return { code, error: error.message };
  return { code };
};

const stackOf = (error: Error): string[] =>
  (error.stack ?? '')
    .split('\n')
    .map((each) => each.trim())
    .filter((each) => each.startsWith('at '));
