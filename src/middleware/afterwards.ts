import { createMiddleware } from 'hono/factory';
import { createAfterwork } from '../afterwork.ts';
import type { AppEnv } from '../env.ts';
import { logDeferredFailure } from './request-log.ts';

/** Lets a request leave work to be done after its answer. */
export const afterwards = createMiddleware<AppEnv>(async (c, next) => {
  const afterwork = createAfterwork(
    (work) => c.executionCtx.waitUntil(work),
    (error) => logDeferredFailure(c.get('requestId'), error),
  );
  c.set('afterwork', afterwork);
  await next();
  afterwork.goOn();
});
