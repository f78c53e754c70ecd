import { and, eq, gt, lt, lte, sql } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { heldChanges } from './schema.ts';

export type HeldChange = Omit<typeof heldChanges.$inferSelect, 'tenantId'>;

/** Changes that wait for the answer to a challenge. They are written once: nobody can put another one in their place. */
export const createHeldChangeStore = (db: Database, tenantId: TenantId) => ({
  /** Holds a change, and forgets those that have expired. */
  put: async (held: HeldChange, at: number): Promise<void> => {
    await db.batch([
      db.delete(heldChanges).where(and(eq(heldChanges.tenantId, tenantId), lte(heldChanges.expiresAt, at))),
      db.insert(heldChanges).values({ tenantId, ...held }),
    ]);
  },

  /** Forgets what else was held for the subject: its challenge is no longer the newest. */
  supersede: async ({ id, subject }: Pick<HeldChange, 'id' | 'subject'>): Promise<void> => {
    await db
      .delete(heldChanges)
      .where(and(eq(heldChanges.tenantId, tenantId), eq(heldChanges.subject, subject), lt(heldChanges.id, id)));
  },

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
