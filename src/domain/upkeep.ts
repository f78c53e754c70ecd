import { firstIdAt, type TenantId } from '../crypto/ids.ts';
import type { TenantSettings } from '../storage/schema.ts';
import type { TenantDataStore, TenantStore } from '../storage/tenants.ts';
import type { Past, PastKind, RemovedTenant, TenantDue, UpkeepSchedule, UpkeepStore } from '../storage/upkeep.ts';
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

/** D1 allows a thousand queries an invocation, and these are not alone in it. */
const MOST_QUERIES = 650;

/** They take 13 queries each to begin with. The others are for those of which more is left. */
const MOST_TENANTS = 40;

/** Who still remembers a tenant when it is removed does so for a minute, and what began by then may go on for hours. */
const REMOVED_FROM_MS = 5 * MINUTE_MS;
const REMOVED_UNTIL_MS = DAY_MS;

/** These have 37 queries each: what is left of them is no second portion. */
const MOST_REMOVED = 8;

type Dependencies = {
  schedule: UpkeepSchedule;
  tenants: Pick<TenantStore, 'removeRest'>;
  dataOf: (tenant: RemovedTenant) => Pick<TenantDataStore, 'removeAll'>;
  storeOf: (tenant: TenantDue) => UpkeepStore;
  now: () => number;
};

type Report = (tenantId: TenantId, error: unknown) => void;

/** Deletes what nobody needs any more. Nothing rests on it: what has expired is refused wherever it is read. */
export const createUpkeep = ({ schedule, tenants, dataOf, storeOf, now }: Dependencies) => {
  /** Removes once more what was written for a tenant while it was removed, or later where it was still remembered. */
  const clearRemoved = async (minutes: number, report: Report): Promise<void> => {
    const at = now();
    const removed = await schedule.listRemoved(minutes % 60, at - REMOVED_UNTIL_MS, at - REMOVED_FROM_MS);
    for (const tenant of inTurn(removed, minutes, MOST_REMOVED).slice(0, MOST_REMOVED)) {
      try {
        await dataOf(tenant).removeAll();
        await tenants.removeRest(tenant.id);
      } catch (error) {
        report(tenant.id, error);
      }
    }
  };

  const deletePast = async (minutes: number, report: Report): Promise<void> => {
    const due = inTurn(await schedule.listDue(minutes % 60), minutes, MOST_TENANTS).slice(0, MOST_TENANTS);
    const waiting: { tenant: TenantDue; kinds?: PastKind[] }[] = due.map((tenant) => ({ tenant }));
    let queries = 0;
    while (queries < MOST_QUERIES) {
      const turn = waiting.shift();
      if (!turn) return;
      const { tenant, kinds } = turn;
      try {
        const done = await storeOf(tenant).deletePast(pastFor(tenant.settings, now()), kinds);
        queries += done.queries;
        if (done.unfinished.length > 0) waiting.push({ tenant, kinds: done.unfinished });
      } catch (error) {
        report(tenant.id, error);
      }
    }
  };

  return {
    /**
     * Keeps up the tenants whose minute of the hour `at` is in, one after another. What is too much for one time waits for
     * the next hour, as does a tenant for which it failed: `report` is told of it.
     */
    run: async (at: number, report: Report): Promise<void> => {
      const minutes = Math.floor(at / MINUTE_MS);
      await clearRemoved(minutes, report);
      await deletePast(minutes, report);
    },
  };
};

/** The tenants, each hour with another one first: of what a run does at most, none is always among the last. */
const inTurn = <Tenant>(tenants: readonly Tenant[], minutes: number, most: number): Tenant[] => {
  const first = (Math.floor(minutes / 60) * most) % Math.max(1, tenants.length);
  return [...tenants.slice(first), ...tenants.slice(0, first)];
};

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
