import { firstIdAt, type TenantId } from '../crypto/ids.ts';
import type { TenantSettings } from '../storage/schema.ts';
import type { Past, TenantDue, UpkeepSchedule, UpkeepStore } from '../storage/upkeep.ts';
import { LONGEST_WINDOW_MS } from './limits.ts';

/** For how many days a tenant's events are kept that has not said otherwise. */
export const DEFAULT_RETENTION_DAYS = 365;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;

/**
 * An access token can outlive its session by a day, and rests on the session's row until then. Refresh tokens need it no
 * longer than the session lasts. A session that was revoked or not used stays until it would have ended at the latest:
 * the log tells of it for longer anyway.
 */
const SESSIONS_MS = 7 * DAY_MS;
const DELIVERED_MS = 7 * DAY_MS;
const FAILED_MS = 30 * DAY_MS;

/** D1 allows a thousand queries an invocation: these have 13 each, and are not alone in it. */
const MOST_BATCHES = 40;

type Dependencies = {
  schedule: UpkeepSchedule;
  storeOf: (tenant: TenantDue) => UpkeepStore;
  now: () => number;
};

/** Deletes what nobody needs any more. Nothing rests on it: what has expired is refused wherever it is read. */
export const createUpkeep = ({ schedule, storeOf, now }: Dependencies) => ({
  /**
   * Keeps up the tenants whose minute of the hour `at` is in, one after another. What is too much for one time waits for
   * the next hour, as does a tenant for which it failed: `report` is told of it.
   */
  run: async (at: number, report: (tenantId: TenantId, error: unknown) => void): Promise<void> => {
    const minutes = Math.floor(at / MINUTE_MS);
    const due = await schedule.listDue(minutes % 60);
    // Each hour another one is the first, so that no tenant is always among the last.
    const first = (Math.floor(minutes / 60) * MOST_BATCHES) % Math.max(1, due.length);
    const waiting = [...due.slice(first), ...due.slice(0, first)];
    for (let batches = 0; batches < MOST_BATCHES; batches += 1) {
      const tenant = waiting.shift();
      if (!tenant) return;
      try {
        if (await storeOf(tenant).deletePast(pastFor(tenant.settings, now()))) waiting.push(tenant);
      } catch (error) {
        report(tenant.id, error);
      }
    }
  },
});

export type Upkeep = ReturnType<typeof createUpkeep>;

const pastFor = ({ eventsRetentionDays = DEFAULT_RETENTION_DAYS }: TenantSettings, at: number): Past => ({
  expired: at,
  rateHits: at - LONGEST_WINDOW_MS,
  sessions: at - SESSIONS_MS,
  delivered: at - DELIVERED_MS,
  failed: at - FAILED_MS,
  firstRecent: firstIdAt('evt', at - DELIVERED_MS),
  firstKept: firstIdAt('evt', at - eventsRetentionDays * DAY_MS),
});
