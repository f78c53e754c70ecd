import { and, desc, eq, lte, type SQL, sql } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { rateHits } from './schema.ts';

/**
 * At most `limit` hits within any `windowMs` milliseconds. With `lockMs`, a bucket that is full opens again when so long
 * nothing was counted in it, even when the window is longer.
 */
export type Limit = { limit: number; windowMs: number; lockMs?: number };

/** A hit to be counted in a bucket. A bucket is a keyed hash of what is limited and for whom. */
export type Hit = { bucket: string; id: string; at: number };

/** The condition that every limit allows this hit. */
export const allows = (tenantId: TenantId, hit: Hit, limits: readonly Limit[]): SQL =>
  sql.join(
    limits.map(({ limit, windowMs, lockMs = windowMs }) => {
      const isFull = sql`(select count(*) from ${rateHits} where ${since(tenantId, hit, windowMs)}) >= ${limit}`;
      const isRecent = sql`exists (select 1 from ${rateHits} where ${since(tenantId, hit, lockMs)})`;
      return sql`not (${isFull} and ${isRecent})`;
    }),
    sql` and `,
  );

/** Counts the hit where the condition holds. One statement, so that simultaneous hits cannot pass a limit together. */
export const countHit = (db: Database, tenantId: TenantId, hit: Hit, condition: SQL) =>
  db.insert(rateHits).select(sql`select ${tenantId}, ${hit.bucket}, ${hit.at}, ${hit.id} where ${condition}`);

/** Deletes what no limit looks at any more. */
export const forgetOldHits = (db: Database, tenantId: TenantId, hit: Hit, limits: readonly Limit[]) =>
  db
    .delete(rateHits)
    .where(
      and(ofBucket(tenantId, hit.bucket), lte(rateHits.at, hit.at - Math.max(...limits.map((each) => each.windowMs)))),
    );

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

/** How many milliseconds from `now` until every limit allows another hit. `hits` are newest first. */
export const waitFor = (hits: readonly { at: number }[], limits: readonly Limit[], now: number): number =>
  Math.max(
    0,
    ...limits.map(({ limit, windowMs, lockMs = windowMs }) => {
      const [newest] = hits;
      const decisive = hits[limit - 1];
      return newest && decisive ? Math.min(decisive.at + windowMs, newest.at + lockMs) - now : 0;
    }),
  );

const ofBucket = (tenantId: TenantId, bucket: string) =>
  and(eq(rateHits.tenantId, tenantId), eq(rateHits.bucket, bucket));

const since = (tenantId: TenantId, hit: Hit, windowMs: number) =>
  sql`${ofBucket(tenantId, hit.bucket)} and ${rateHits.at} > ${hit.at - windowMs}`;
