import { createMiddleware } from 'hono/factory';
import { isEqualInConstantTime } from '../crypto/hashing.ts';
import { rateLimited } from '../domain/limits.ts';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv } from '../env.ts';
import type { Platform } from '../platform.ts';

const LIMIT_PERIOD_MS = 60_000;

/** Lets only the operator through. Without an `OPERATOR_TOKEN` there is nothing here. */
export const operatorOnly = createMiddleware<AppEnv>(async (c, next) => {
  const { platform } = c.var;
  if (platform.settings.operatorToken === null) throw new Refusal('not_found');
  if (!(await isOperator(platform, c.req.header('Authorization')))) throw new Refusal('unauthenticated');
  if (!(await platform.isWithinKeyLimit('operator'))) throw rateLimited(LIMIT_PERIOD_MS);
  await next();
});

/** Whether an `Authorization` header carries the operator's token. */
export const isOperator = async ({ settings }: Platform, authorization: string | undefined): Promise<boolean> => {
  const token = /^Bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1];
  return token !== undefined && settings.operatorToken !== null && isEqualInConstantTime(token, settings.operatorToken);
};
