import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { CustomerId, EventId, TenantId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { events } from './schema.ts';

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

/** The condition that an event tells of its tenant's deletion. As the index of these has it, or that would not be used. */
export const isOfDeletion = sql`${events.type} = 'tenant.deleted'`;

/** As `recordEvent`, but only where the condition holds. */
export const recordEventIf = (db: Database, tenantId: TenantId, event: NewEvent, condition: SQL) =>
  db.insert(events).select(
    sql`select ${tenantId}, ${event.id}, ${event.at}, ${event.type}, ${event.actor}, ${event.subject}, ${event.ip},
      ${event.userAgent}, ${JSON.stringify(event.data)} where ${condition}`,
  );

/**
 * Takes what could tell of a person out of the events about a customer that is deleted: that it was there, and what was
 * done and when, stays in the log.
 */
export const anonymiseEvents = (db: Database, tenantId: TenantId, customerId: CustomerId) =>
  db
    .update(events)
    .set({ ip: null, userAgent: null, data: {} })
    .where(and(eq(events.tenantId, tenantId), eq(events.subject, customerId)));

/** As `anonymiseEvents`, for what one user of a customer did. */
export const anonymiseEventsBy = (db: Database, tenantId: TenantId, customerId: CustomerId, actor: string) =>
  db
    .update(events)
    .set({ ip: null, userAgent: null })
    .where(and(eq(events.tenantId, tenantId), eq(events.subject, customerId), eq(events.actor, actor)));
