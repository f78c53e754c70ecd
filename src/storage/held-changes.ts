import { and, eq, gt, lte, type SQL, sql } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import { type Database, insertIf } from './database.ts';
import { heldChanges } from './schema.ts';

export type HeldChange = Omit<typeof heldChanges.$inferSelect, 'tenantId'>;

/** Changes that wait for the answer to a challenge. They are written once: nobody can put another one in their place. */
export const createHeldChangeStore = (db: Database, tenantId: TenantId) => ({
  /** Null for one that is unknown or has expired. */
  find: async (id: string, at: number): Promise<HeldChange | null> => {
    const [found] = await db
      .select()
      .from(heldChanges)
      .where(and(eq(heldChanges.tenantId, tenantId), sql`${heldChanges.id} = ${id}`, gt(heldChanges.expiresAt, at)));
    return found ?? null;
  },
});

export type HeldChangeStore = ReturnType<typeof createHeldChangeStore>;

/**
 * The statements that hold a change where the condition holds, in the place of what was held for its subject: as its
 * challenge takes the place of the one before. They forget what has expired.
 */
export const holdIf = (db: Database, tenantId: TenantId, held: HeldChange, at: number, condition: SQL) => [
  db.delete(heldChanges).where(and(eq(heldChanges.tenantId, tenantId), lte(heldChanges.expiresAt, at))),
  db
    .delete(heldChanges)
    .where(and(eq(heldChanges.tenantId, tenantId), eq(heldChanges.subject, held.subject), condition)),
  insertIf(db, heldChanges, { tenantId, ...held }, condition),
];
