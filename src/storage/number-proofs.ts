import { and, eq, isNull, ne, type SQL, sql } from 'drizzle-orm';
import type { TenantId, UserId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import type { NewEvent } from './events.ts';
import { events, users } from './schema.ts';

/** A number that is proved; `told` is what is recorded of whoever loses it by that. */
export type ProvedNumber = { phone: string; told: Omit<NewEvent, 'subject'> };

/**
 * The statements that free a number for the user who proves it, where the condition holds: whoever is known by it without
 * having proved it is so no more.
 */
export const freeNumber = (
  db: Database,
  tenantId: TenantId,
  id: UserId,
  { phone, told }: ProvedNumber,
  condition: SQL,
) => {
  const isUnproved = and(
    eq(users.tenantId, tenantId),
    eq(users.phone, phone),
    isNull(users.phoneVerifiedAt),
    ne(users.id, id),
    condition,
  );
  return [
    db.insert(events).select(
      sql`select ${tenantId}, ${told.id}, ${told.at}, ${told.type}, ${told.actor}, ${users.customerId}, ${told.ip},
        ${told.userAgent}, ${JSON.stringify(told.data)} from ${users} where ${isUnproved}`,
    ),
    db.update(users).set({ phone: null, updatedAt: told.at }).where(isUnproved),
  ] as const;
};
