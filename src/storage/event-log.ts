import { and, desc, eq, gte, inArray, lt, type SQL, sql } from 'drizzle-orm';
import type { EventId, TenantId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { events } from './schema.ts';

export type EventRow = typeof events.$inferSelect;

/** Which events to list: `before` a cursor, `from` the oldest; null for all. */
export type EventFilter = {
  limit: number;
  before: EventId | null;
  from: EventId | null;
  types: readonly string[] | null;
  subject: string | null;
};

/** The audit log, to be read. */
export const createEventLogStore = (db: Database, tenantId: TenantId) => ({
  /** Newest first. */
  list: async ({ limit, before, from, types, subject }: EventFilter): Promise<EventRow[]> => {
    const select = (condition?: SQL) =>
      db
        .select()
        .from(events)
        .where(
          and(
            eq(events.tenantId, tenantId),
            before ? lt(events.id, before) : undefined,
            from ? gte(events.id, from) : undefined,
            condition,
          ),
        )
        .orderBy(desc(events.id))
        .limit(limit);

    if (subject !== null) {
      // The plus keeps the database from going by the type: of one subject there is less than of one type.
      const isOfTypes = types ? inArray(sql`+${events.type}`, [...types]) : undefined;
      return select(and(eq(events.subject, subject), isOfTypes));
    }
    const [first, ...rest] = (types ?? []).map((type) => select(eq(events.type, type)));
    if (!first) return select();
    // One query a type, each in the order of its index: together they read no more than a page of each.
    const found = await db.batch([first, ...rest]);
    return found
      .flat()
      .toSorted((one, other) => (one.id < other.id ? 1 : -1))
      .slice(0, limit);
  },
});

export type EventLogStore = ReturnType<typeof createEventLogStore>;
