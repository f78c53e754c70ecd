import { and, asc, desc, eq, lt, lte, type SQL, sql } from 'drizzle-orm';
import type { EventId, TenantId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { type NewEvent, recordEventIf } from './events.ts';
import { type DeliveryStatus, deliveries, events, webhooks } from './schema.ts';
import type { Webhook } from './webhooks.ts';

/**
 * Something that a webhook is to be told of, or was: an event of this id and type. `nextAttemptAt`: null where it is done,
 * and while the webhook is disabled.
 */
export type Delivery = Omit<typeof deliveries.$inferSelect, 'tenantId' | 'eventId' | 'dueAt'> & {
  id: EventId;
  type: string;
  nextAttemptAt: number | null;
};

/** Which one it is, of a tenant's. */
export type DeliveryKey = { webhook: string; eventId: EventId };

/** A delivery of which one attempt is ours alone: it is the `attempts`-th. */
export type ClaimedDelivery = {
  attempts: number;
  webhook: Webhook;
  event: Pick<NewEvent, 'id' | 'at' | 'type' | 'actor' | 'subject' | 'data'>;
};

/** What came of an attempt. One that is still pending is due again at `dueAt`. */
export type Attempt = { attempts: number; lastStatus: number | null; lastError: string | null } & (
  | { status: 'delivered' | 'failed' }
  | { status: 'pending'; dueAt: number }
);

export type DeliveryQuery = { webhook: string; status: DeliveryStatus | null; limit: number; before: EventId | null };

export const createDeliveryStore = (db: Database, tenantId: TenantId) => {
  const ofKey = ({ webhook, eventId }: DeliveryKey) =>
    and(eq(deliveries.tenantId, tenantId), eq(deliveries.webhook, webhook), eq(deliveries.eventId, eventId));

  const isActive = (name: string): SQL => sql`exists (select 1 from ${webhooks}
    where ${webhooks.tenantId} = ${tenantId} and ${webhooks.name} = ${name} and ${webhooks.status} = 'active')`;

  const isToldOf = (eventId: EventId): SQL =>
    sql`exists (select 1 from ${events} where ${events.tenantId} = ${tenantId} and ${events.id} = ${eventId})`;

  const isAwaited = and(eq(deliveries.status, 'pending'), eq(webhooks.status, 'active'));

  const selectDeliveries = () =>
    db
      .select({
        webhook: deliveries.webhook,
        id: deliveries.eventId,
        type: events.type,
        status: deliveries.status,
        attempts: deliveries.attempts,
        nextAttemptAt: sql<number | null>`case when ${isAwaited} then ${deliveries.dueAt} end`.as('next_attempt_at'),
        lastAttemptAt: deliveries.lastAttemptAt,
        lastStatus: deliveries.lastStatus,
        lastError: deliveries.lastError,
        createdAt: deliveries.createdAt,
      })
      .from(deliveries)
      .innerJoin(events, and(eq(events.tenantId, tenantId), eq(events.id, deliveries.eventId)))
      .innerJoin(webhooks, and(eq(webhooks.tenantId, tenantId), eq(webhooks.name, deliveries.webhook)));

  return {
    /**
     * Takes an attempt of a delivery that is due at `at`; null if it is not, or another one took it. However many claim
     * it at once, one has it, until `leaseEndsAt`. A delivery whose event was taken back is forgotten.
     */
    claim: async (key: DeliveryKey, at: number, leaseEndsAt: number): Promise<ClaimedDelivery | null> => {
      const isDue = and(ofKey(key), eq(deliveries.status, 'pending'), lte(deliveries.dueAt, at), isActive(key.webhook));
      const [, [claimed], [webhook], [event]] = await db.batch([
        db.delete(deliveries).where(and(ofKey(key), sql`not ${isToldOf(key.eventId)}`)),
        db
          .update(deliveries)
          .set({ attempts: sql`${deliveries.attempts} + 1`, dueAt: leaseEndsAt, lastAttemptAt: at })
          .where(isDue)
          .returning({ attempts: deliveries.attempts }),
        db
          .select()
          .from(webhooks)
          .where(and(eq(webhooks.tenantId, tenantId), eq(webhooks.name, key.webhook))),
        db
          .select()
          .from(events)
          .where(and(eq(events.tenantId, tenantId), eq(events.id, key.eventId))),
      ]);
      return claimed && webhook && event ? { attempts: claimed.attempts, webhook, event } : null;
    },

    /** Writes down what came of an attempt, unless the delivery was begun anew meanwhile. */
    settle: async (key: DeliveryKey, { attempts, ...outcome }: Attempt): Promise<void> => {
      const isOurs = and(ofKey(key), eq(deliveries.status, 'pending'), eq(deliveries.attempts, attempts));
      await db.update(deliveries).set(outcome).where(isOurs);
    },

    /** Newest first; `before`: only those of events that are older than this one. */
    list: ({ webhook, status, limit, before }: DeliveryQuery): Promise<Delivery[]> =>
      selectDeliveries()
        .where(
          and(
            eq(deliveries.tenantId, tenantId),
            eq(deliveries.webhook, webhook),
            status ? eq(deliveries.status, status) : undefined,
            before ? lt(deliveries.eventId, before) : undefined,
          ),
        )
        .orderBy(desc(deliveries.eventId))
        .limit(limit),

    /** Makes it pending again, as if no attempt had been made; null if there is none. */
    beginAnew: async (key: DeliveryKey, event: NewEvent): Promise<Delivery | null> => {
      const isThere = sql`exists (select 1 from ${deliveries} where ${ofKey(key)})`;
      const [, , [delivery]] = await db.batch([
        recordEventIf(db, tenantId, event, sql`${isThere} and ${isToldOf(key.eventId)}`),
        db.update(deliveries).set({ status: 'pending', attempts: 0, dueAt: event.at }).where(ofKey(key)),
        selectDeliveries().where(ofKey(key)),
      ]);
      return delivery ?? null;
    },
  };
};

export type DeliveryStore = ReturnType<typeof createDeliveryStore>;

/** The deliveries of all tenants of a database: a store that is not bound to one of them. */
export const createOverdueDeliveryStore = (db: Database) => ({
  /** What was due then and is not done, the longest due first. What disabled webhooks wait for is not. */
  list: (dueBefore: number, limit: number): Promise<(DeliveryKey & { tenantId: TenantId })[]> =>
    db
      .select({ tenantId: deliveries.tenantId, webhook: deliveries.webhook, eventId: deliveries.eventId })
      .from(deliveries)
      .innerJoin(webhooks, and(eq(webhooks.tenantId, deliveries.tenantId), eq(webhooks.name, deliveries.webhook)))
      .where(and(eq(deliveries.status, 'pending'), lte(deliveries.dueAt, dueBefore), eq(webhooks.status, 'active')))
      .orderBy(asc(deliveries.dueAt))
      .limit(limit),
});

export type OverdueDeliveryStore = ReturnType<typeof createOverdueDeliveryStore>;
