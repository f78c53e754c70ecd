import { and, eq, isNull, type SQL, sql } from 'drizzle-orm';
import type { TenantId, UserId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { identities, users } from './schema.ts';
import type { UserChanges } from './users.ts';

/**
 * The statements by which a user proves its address for the first time, where the condition holds: it changes, and is
 * known by none of its identities any more but `kept`. Of a user who has proved it before they change nothing.
 */
export const proveAddress = (
  db: Database,
  tenantId: TenantId,
  id: UserId,
  changes: UserChanges,
  condition: SQL,
  kept: SQL = sql`false`,
) => {
  const isFirst = and(eq(users.tenantId, tenantId), eq(users.id, id), isNull(users.activatedAt), condition);
  return [
    db
      .delete(identities)
      .where(
        and(
          eq(identities.tenantId, tenantId),
          eq(identities.userId, id),
          sql`not (${kept})`,
          sql`exists (select 1 from ${users} where ${isFirst})`,
        ),
      ),
    db.update(users).set(changes).where(isFirst),
  ] as const;
};
