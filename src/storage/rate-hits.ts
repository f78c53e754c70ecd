import { and, desc, eq, inArray, lte, type SQL, sql } from 'drizzle-orm';
import * as z from 'zod';
import type { TenantId } from '../crypto/ids.ts';
import { type Database, unindexed } from './database.ts';
import { rateHits } from './schema.ts';

/**
 * At most `limit` hits within any `windowMs` milliseconds. With a `lock`, a bucket that is full opens again, for one hit,
 * when nothing was counted in it for that long: `firstMs` at the limit, twice as long with each hit more, at most
 * `longestMs`.
 */
export type Limit = { limit: number; windowMs: number; lock?: { firstMs: number; longestMs: number } };

/** Beyond any lock's longest time, and within what an integer can be shifted by. */
const MOST_DOUBLINGS = 20;

/** A hit to be counted in a bucket. A bucket is a keyed hash of what is limited and for whom. */
export type Hit = { bucket: string; id: string; at: number };

/** A hit, and what it is counted against. */
export type Counted = { hit: Hit; limits: readonly Limit[] };

/** The condition that every limit allows this hit. */
export const allows = (tenantId: TenantId, hit: Hit, limits: readonly Limit[]): SQL =>
  sql.join(
    limits.map(({ limit, windowMs, lock = { firstMs: windowMs, longestMs: windowMs } }) => {
      const isWithin = sql`${ofBucket(tenantId, hit.bucket)} and ${rateHits.at} > ${hit.at - windowMs}`;
      const doublings = sql`min(max(count(*) - ${limit}, 0), ${MOST_DOUBLINGS})`;
      const lockMs = sql`min(${lock.longestMs}, ${lock.firstMs} << ${doublings})`;
      return sql`(select count(*) < ${limit} or max(${rateHits.at}) <= ${hit.at} - ${lockMs}
        from ${rateHits} where ${isWithin})`;
    }),
    sql` and `,
  );

/** Counts the hit where the condition holds. One statement, so that simultaneous hits cannot pass a limit together. */
export const countHit = (db: Database, tenantId: TenantId, hit: Hit, condition: SQL) =>
  db.insert(rateHits).select(sql`select ${tenantId}, ${hit.bucket}, ${hit.at}, ${hit.id} where ${condition}`);

/**
 * Counts several hits of one attempt, each only if the ones before it were counted: what one limit refuses does not use
 * up what the next allows.
 */
export const countInTurn = (db: Database, tenantId: TenantId, counted: readonly Counted[]) =>
  counted.flatMap(({ hit, limits }, i) => {
    const earlier = counted.slice(0, i).map((each) => isCounted(tenantId, each.hit));
    return [
      forgetOldHits(db, tenantId, hit, limits),
      countHit(db, tenantId, hit, sql.join([...earlier, allows(tenantId, hit, limits)], sql` and `)),
    ];
  });

/** The condition that an earlier statement of the batch counted this hit. */
export const isCounted = (tenantId: TenantId, { bucket, id }: Pick<Hit, 'bucket' | 'id'>): SQL =>
  sql`exists (select 1 from ${rateHits} where ${ofBucket(tenantId, bucket)} and ${rateHits.id} = ${id})`;

/** Deletes what no limit looks at any more. */
export const forgetOldHits = (db: Database, tenantId: TenantId, hit: Hit, limits: readonly Limit[]) =>
  db
    .delete(rateHits)
    .where(
      and(ofBucket(tenantId, hit.bucket), lte(rateHits.at, hit.at - Math.max(...limits.map((each) => each.windowMs)))),
    );

/** Forgets all hits of a bucket. */
export const clearHits = (db: Database, tenantId: TenantId, bucket: string) =>
  db.delete(rateHits).where(ofBucket(tenantId, bucket));

/** Takes a hit back: what was limited did not happen. */
export const uncountHit = (db: Database, tenantId: TenantId, hit: Hit) =>
  db.delete(rateHits).where(and(ofBucket(tenantId, hit.bucket), eq(rateHits.id, hit.id)));

/** The hits of a bucket, newest first. */
export const hitsOf = (db: Database, tenantId: TenantId, bucket: string) =>
  db
    .select({ id: rateHits.id, at: rateHits.at })
    .from(rateHits)
    .where(ofBucket(tenantId, bucket))
    .orderBy(desc(rateHits.at));

/** The hits of several buckets, newest first, for `waitForAll`. */
export const hitsOfAll = (db: Database, tenantId: TenantId, counted: readonly Counted[]) =>
  db
    .select({ bucket: rateHits.bucket, id: rateHits.id, at: rateHits.at })
    .from(rateHits)
    .where(
      and(
        eq(rateHits.tenantId, tenantId),
        inArray(
          rateHits.bucket,
          counted.map(({ hit }) => hit.bucket),
        ),
      ),
    )
    .orderBy(desc(unindexed(rateHits.at)));

const hitRows = z.array(z.object({ bucket: z.string(), id: z.string(), at: z.number() }));

/** How many milliseconds until the attempt may be made again: 0 if all of its hits were counted. */
export const waitForAll = (rows: unknown, counted: readonly Counted[]): number => {
  const all = hitRows.parse(rows);
  const waits = counted.map(({ hit, limits }) => {
    const hits = all.filter(({ bucket }) => bucket === hit.bucket);
    return hits.some(({ id }) => id === hit.id) ? 0 : waitFor(hits, limits, hit.at);
  });
  return Math.max(0, ...waits);
};

/** Whether one of the hits, all of which were counted, is the last that its bucket takes for now: a lock begins. */
export const beginsLock = (rows: unknown, counted: readonly Counted[]): boolean => {
  const all = hitRows.parse(rows);
  return counted.some((each) =>
    isLastOf(
      all.filter(({ bucket }) => bucket === each.hit.bucket),
      each,
    ),
  );
};

/** As `beginsLock`, for one hit. `hits` are those of its bucket, newest first. */
export const isLastOf = (hits: readonly { at: number }[], { hit, limits }: Counted): boolean =>
  limits.some((limit) => limit.lock !== undefined && waitFor(hits, [limit], hit.at) > 0);

/** How many milliseconds from `now` until every limit allows another hit. `hits` are newest first. */
export const waitFor = (hits: readonly { at: number }[], limits: readonly Limit[], now: number): number =>
  Math.max(
    0,
    ...limits.map(({ limit, windowMs, lock = { firstMs: windowMs, longestMs: windowMs } }) => {
      const within = hits.filter(({ at }) => at > now - windowMs);
      const [newest] = within;
      const decisive = within[limit - 1];
      if (!newest || !decisive) return 0;
      const doublings = Math.min(within.length - limit, MOST_DOUBLINGS);
      const lockMs = Math.min(lock.longestMs, lock.firstMs * 2 ** doublings);
      return Math.min(decisive.at + windowMs, newest.at + lockMs) - now;
    }),
  );

const ofBucket = (tenantId: TenantId, bucket: string) =>
  and(eq(rateHits.tenantId, tenantId), eq(rateHits.bucket, bucket));
