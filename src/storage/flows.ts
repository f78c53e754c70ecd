import { and, asc, eq, sql } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { type NewEvent, recordEvent, recordEventIf } from './events.ts';
import { type FlowStep, flows } from './schema.ts';

export type Flow = { name: string; steps: FlowStep[] };

/** The flows that the operator has defined. */
export const createFlowStore = (db: Database, tenantId: TenantId) => {
  const ofName = (name: string) => and(eq(flows.tenantId, tenantId), eq(flows.name, name));
  return {
    /** By name. */
    list: (): Promise<Flow[]> =>
      db
        .select({ name: flows.name, steps: flows.steps })
        .from(flows)
        .where(eq(flows.tenantId, tenantId))
        .orderBy(asc(flows.name)),

    /** Defines the flow or replaces it. Whether it is new. */
    put: async ({ name, steps }: Flow, event: NewEvent): Promise<boolean> => {
      const { at } = event;
      const [inserted] = await db.batch([
        db
          .insert(flows)
          .values({ tenantId, name, steps, createdAt: at, updatedAt: at })
          .onConflictDoNothing()
          .returning({ name: flows.name }),
        db.update(flows).set({ steps, updatedAt: at }).where(ofName(name)),
        recordEvent(db, tenantId, event),
      ]);
      return inserted.length > 0;
    },

    /** False if there is none. */
    remove: async (name: string, event: NewEvent): Promise<boolean> => {
      const [, removed] = await db.batch([
        recordEventIf(db, tenantId, event, sql`exists (select 1 from ${flows} where ${ofName(name)})`),
        db.delete(flows).where(ofName(name)).returning({ name: flows.name }),
      ]);
      return removed.length > 0;
    },
  };
};

export type FlowStore = ReturnType<typeof createFlowStore>;
