import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { CustomerId, EventId, TenantId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { challenges, events, rateHits } from './schema.ts';

/** An entry of the audit log, before it is known whose tenant it is. `at` is in milliseconds. */
export type NewEvent = {
  id: EventId;
  at: number;
  type: string;
  actor: string;
  subject: string;
  ip: string | null;
  userAgent: string | null;
  data: Record<string, string | number | boolean | null>;
};

/** The statement that writes an event, for the batch of the change that it tells of. */
export const recordEvent = (db: Database, tenantId: TenantId, event: NewEvent) =>
  db.insert(events).values({ tenantId, ...event });

/** As `recordEvent`, but only if the hit of this id was counted by an earlier statement of the batch. */
export const recordEventIfCounted = (
  db: Database,
  tenantId: TenantId,
  event: NewEvent,
  hit: { bucket: string; id: string },
) =>
  db.insert(events).select(
    db
      .select(constants(tenantId, event))
      .from(rateHits)
      .where(and(eq(rateHits.tenantId, tenantId), eq(rateHits.bucket, hit.bucket), eq(rateHits.id, hit.id))),
  );

/** As `recordEvent`, but only if an earlier statement of the batch redeemed a secret for this redemption. */
export const recordEventIfRedeemed = (db: Database, tenantId: TenantId, event: NewEvent, redeemed: SQL | undefined) =>
  db.insert(events).select(db.select(constants(tenantId, event)).from(challenges).where(redeemed));

/**
 * Takes what could tell of a person out of the events about a customer that is deleted: that it was there, and what was
 * done and when, stays in the log.
 */
export const anonymiseEvents = (db: Database, tenantId: TenantId, customerId: CustomerId) =>
  db
    .update(events)
    .set({ ip: null, userAgent: null, data: {} })
    .where(and(eq(events.tenantId, tenantId), eq(events.subject, customerId)));

const constants = (tenantId: TenantId, event: NewEvent) => ({
  tenantId: sql<TenantId>`${tenantId}`.as('tenant_id'),
  id: sql<EventId>`${event.id}`.as('id'),
  at: sql<number>`${event.at}`.as('at'),
  type: sql<string>`${event.type}`.as('type'),
  actor: sql<string>`${event.actor}`.as('actor'),
  subject: sql<string>`${event.subject}`.as('subject'),
  ip: sql<string | null>`${event.ip}`.as('ip'),
  userAgent: sql<string | null>`${event.userAgent}`.as('user_agent'),
  data: sql<NewEvent['data']>`${JSON.stringify(event.data)}`.as('data'),
});
