import { and, eq, gt, lt, lte, not, or, type SQL, sql } from 'drizzle-orm';
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { EventId, TenantId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { isOfDeletion } from './events.ts';
import {
  appCredentials,
  challenges,
  deliveries,
  events,
  heldChanges,
  idempotency,
  loginStates,
  rateHits,
  sessions,
  signingKeys,
  tenants,
  usedNonces,
  users,
  webhooks,
} from './schema.ts';

/** A tenant, as far as its upkeep needs it. */
export type TenantDue = Pick<typeof tenants.$inferSelect, 'id' | 'shard' | 'settings'>;

export type RemovedTenant = Pick<TenantDue, 'id' | 'shard'>;

/** Up to which moments, in milliseconds, things are past. Of deliveries: before which. */
export type Past = {
  expired: number;
  rateHits: number;
  sessions: number;
  delivered: number;
  failed: number;
  /** The first event of which a delivery can be that recent. */
  firstRecent: EventId;
  /** The first event that stays. */
  firstKept: EventId;
};

/** What goes, or is taken back, when it is past. */
const PAST_KINDS = [
  ...(['rateHits', 'challenges', 'idempotency', 'loginStates', 'heldChanges', 'usedNonces', 'signingKeys'] as const),
  ...(['appCredentials', 'sessions', 'pendingEmails', 'oldSecrets', 'deliveries', 'events'] as const),
];

export type PastKind = (typeof PAST_KINDS)[number];

type ExpiringTable =
  | typeof challenges
  | typeof idempotency
  | typeof loginStates
  | typeof heldChanges
  | typeof usedNonces
  | typeof signingKeys
  | typeof appCredentials;

/** Of each kind so many rows go at a time: a statement stays short, and lets others in between. */
const CHUNK = 1000;

/** Which tenants' turn it is: a store that is not bound to one of them. */
export const createUpkeepSchedule = (db: Database) => ({
  /** The tenants of this minute of the hour. Which one is a tenant's follows from its id, the same number for each. */
  listDue: (minute: number): Promise<TenantDue[]> =>
    db
      .select({ id: tenants.id, shard: tenants.shard, settings: tenants.settings })
      .from(tenants)
      .where(isOfMinute(tenants.id, minute))
      .orderBy(tenants.id),

  /** The tenants of this minute that were removed between these moments. */
  listRemoved: (minute: number, after: number, until: number): Promise<RemovedTenant[]> =>
    db
      .select({ id: events.tenantId, shard: sql<string>`${events.data} ->> '$.shard'` })
      .from(events)
      .where(and(isOfDeletion, gt(events.at, after), lte(events.at, until), isOfMinute(events.tenantId, minute)))
      .orderBy(events.tenantId),
});

export type UpkeepSchedule = ReturnType<typeof createUpkeepSchedule>;

const isOfMinute = (tenantId: SQLiteColumn, minute: number): SQL =>
  sql`(unicode(substr(${tenantId}, -1)) * 7 + unicode(substr(${tenantId}, -2, 1))) % 60 = ${minute}`;

/** What a tenant no longer needs. */
export const createUpkeepStore = (db: Database, tenantId: TenantId) => {
  const chunkOf = (table: SQLiteTable, condition: SQL | undefined) =>
    sql`rowid in (select rowid from ${table} where ${condition} limit ${CHUNK})`;

  const deleteFrom = (table: SQLiteTable, condition: SQL | undefined) =>
    db.delete(table).where(chunkOf(table, condition));

  const deleteExpired = (table: ExpiringTable, past: Past) =>
    deleteFrom(table, and(eq(table.tenantId, tenantId), lte(table.expiresAt, past.expired)));

  const statementsFor = (past: Past) => ({
    rateHits: deleteFrom(rateHits, and(eq(rateHits.tenantId, tenantId), lte(rateHits.at, past.rateHits))),
    challenges: deleteExpired(challenges, past),
    idempotency: deleteExpired(idempotency, past),
    loginStates: deleteExpired(loginStates, past),
    heldChanges: deleteExpired(heldChanges, past),
    usedNonces: deleteExpired(usedNonces, past),
    signingKeys: deleteExpired(signingKeys, past),
    appCredentials: deleteExpired(appCredentials, past),
    sessions: deleteFrom(sessions, and(eq(sessions.tenantId, tenantId), lte(sessions.expiresAt, past.sessions))),
    pendingEmails: db
      .update(users)
      .set({ pendingEmail: null, pendingEmailExpiresAt: null })
      .where(chunkOf(users, and(eq(users.tenantId, tenantId), lte(users.pendingEmailExpiresAt, past.expired)))),
    oldSecrets: db
      .update(webhooks)
      .set({ sealedOldSecret: null, oldSecretExpiresAt: null })
      .where(and(eq(webhooks.tenantId, tenantId), lte(webhooks.oldSecretExpiresAt, past.expired))),
    deliveries: db.delete(deliveries).where(sql`rowid in ${pastDeliveries(tenantId, past)}`),
    events: deleteFrom(
      events,
      and(eq(events.tenantId, tenantId), lt(events.id, past.firstKept), not(isStillDue(tenantId))),
    ),
  });

  return {
    /** Deletes a chunk of what is past: of these kinds, or of all. Gives those of which there may be more. */
    deletePast: async (
      past: Past,
      kinds: readonly PastKind[] = PAST_KINDS,
    ): Promise<{ queries: number; unfinished: PastKind[] }> => {
      const statements = statementsFor(past);
      const [first, ...rest] = kinds.map((kind) => statements[kind]);
      const results = first ? await db.batch([first, ...rest]) : [];
      const unfinished = kinds.filter((_, i) => (results[i]?.meta.changes ?? 0) >= CHUNK);
      return { queries: kinds.length, unfinished };
    },
  };
};

export type UpkeepStore = ReturnType<typeof createUpkeepStore>;

/** By way of the webhooks, since the deliveries' index begins with them. A cross join keeps the order. */
const ofWebhooks = (tenantId: TenantId, condition: SQL | undefined) =>
  sql`from ${webhooks} cross join ${deliveries}
    on ${deliveries.tenantId} = ${webhooks.tenantId} and ${deliveries.webhook} = ${webhooks.name}
    where ${webhooks.tenantId} = ${tenantId} and ${condition}`;

/**
 * The deliveries that are over: those that were made, those that failed for good, and those whose event goes. A webhook
 * that is disabled waits for none that long.
 */
const pastDeliveries = (tenantId: TenantId, past: Past) => {
  // What waited too long for its webhook to be enabled has failed without an attempt.
  const failedAt = sql`coalesce(${deliveries.lastAttemptAt}, ${deliveries.createdAt})`;
  const isOver = or(
    and(eq(deliveries.status, 'delivered'), lt(deliveries.lastAttemptAt, past.delivered)),
    and(eq(deliveries.status, 'failed'), lt(failedAt, past.failed)),
    and(lt(deliveries.eventId, past.firstKept), not(isAwaited)),
  );
  const condition = and(lt(deliveries.eventId, past.firstRecent), isOver);
  return sql`(select ${deliveries}.rowid ${ofWebhooks(tenantId, condition)} limit ${CHUNK})`;
};

/** The condition that a webhook is yet to be told of the event. */
const isStillDue = (tenantId: TenantId) =>
  sql`exists (select 1 ${ofWebhooks(tenantId, sql`${deliveries.eventId} = ${events.id} and ${isAwaited}`)})`;

/** The condition that a delivery is pending for an active webhook. By the plus, not all that is pending is gone through. */
const isAwaited = sql`(+${deliveries.status} = 'pending' and ${webhooks.status} = 'active')`;
