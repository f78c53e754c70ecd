import { and, gt, isNull, type SQL, sql } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import { type Database, unindexed } from './database.ts';
import { customers, sessions, users } from './schema.ts';

/** The condition that a session lives: its user may sign in, and nothing has ended it. */
export const isOpen = (tenantId: TenantId, at: number) =>
  and(
    isNull(sessions.revokedAt),
    gt(sessions.idleExpiresAt, at),
    gt(unindexed(sessions.expiresAt), at),
    sql`exists (select 1 from ${users} join ${customers}
      on ${customers.tenantId} = ${users.tenantId} and ${customers.id} = ${users.customerId}
      where ${users.tenantId} = ${tenantId} and ${users.id} = ${sessions.userId}
      and ${users.validAfter} < ${sessions.createdAt} and ${customers.status} = 'active')`,
  );

/** The statement that ends sessions. */
export const revokeSessions = (db: Database, which: SQL | undefined, at: number) =>
  db
    .update(sessions)
    .set({ revokedAt: at, sealedLogoutHint: null })
    .where(and(which, isNull(sessions.revokedAt)));

/** The condition that one of the sessions has not been ended. */
export const isUnrevoked = (which: SQL | undefined) =>
  sql`exists (select 1 from ${sessions} where ${and(which, isNull(sessions.revokedAt))})`;
