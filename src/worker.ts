import { createApp } from './app.ts';
import { logUpkeepFailure } from './middleware/request-log.ts';
import { createPlatformOf, type Seams } from './platform.ts';
import { consume } from './queue.ts';

/** The Worker. `seams` is what it takes from the world. */
export const createWorker = (seams: Seams) => {
  const platformOf = createPlatformOf(seams);
  const app = createApp(platformOf);
  return {
    fetch: app.fetch,
    queue: async (batch, env, context) => consume(batch, await platformOf(env), (work) => context.waitUntil(work)),
    scheduled: async ({ scheduledTime }, env, context) => {
      const platform = await platformOf(env);
      // Apart, so that neither keeps the other from its work.
      context.waitUntil(platform.handOverOverdue());
      context.waitUntil(platform.upkeep.run(scheduledTime, logUpkeepFailure));
    },
  } satisfies ExportedHandler<Env>;
};
