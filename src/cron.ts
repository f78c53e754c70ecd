import { logCronFailure } from './middleware/request-log.ts';
import type { Platform } from './platform.ts';

/**
 * Does what is to be done each minute, whatever of it fails. Throws in the end where something did, so that the platform
 * counts the run as failed: what it was, the log tells.
 */
export const runCron = async (platformOf: () => Promise<Platform>, at: number): Promise<void> => {
  let failures = 0;
  const report = (part: Readonly<Record<string, unknown>>, error: unknown): void => {
    failures += 1;
    logCronFailure(part, error);
  };
  const attempt = (part: string, work: () => Promise<unknown>): Promise<unknown> =>
    work().catch((error: unknown) => report({ [part]: true }, error));
  await attempt('cron', async () => {
    const { overdueDeliveries, upkeep } = await platformOf();
    await Promise.all([
      attempt('deliveries', () =>
        overdueDeliveries.handOver((shard, error) => report({ deliveries: true, shard }, error)),
      ),
      attempt('upkeep', () => upkeep.run(at, (tenant, error) => report({ upkeep: true, tenant }, error))),
    ]);
  });
  if (failures > 0) throw new Error(`The cron trigger had ${failures} failures, see the log`);
};
