import { createApp } from './app.ts';
import { logUpkeepFailure } from './middleware/request-log.ts';
import { createPlatformOf, type Seams } from './services.ts';

/** The Worker. `seams` is what it takes from the world. */
export const createWorker = (seams: Seams) => {
  const platformOf = createPlatformOf(seams);
  const app = createApp(platformOf);
  return {
    fetch: app.fetch,
    scheduled: async ({ scheduledTime }, env) => {
      const platform = await platformOf(env);
      await platform.upkeep.run(scheduledTime, logUpkeepFailure);
    },
  } satisfies ExportedHandler<Env>;
};
