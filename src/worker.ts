import { createApp } from './app.ts';
import { runCron } from './cron.ts';
import { createPlatformOf, type Seams } from './platform.ts';
import { consume } from './queue.ts';

/** The Worker. `seams` is what it takes from the world. */
export const createWorker = (seams: Seams) => {
  const platformOf = createPlatformOf(seams);
  const app = createApp(platformOf);
  return {
    fetch: app.fetch,
    queue: async (batch, env, context) => consume(batch, await platformOf(env), (work) => context.waitUntil(work)),
    scheduled: async ({ scheduledTime }, env) => runCron(() => platformOf(env), scheduledTime),
  } satisfies ExportedHandler<Env>;
};
