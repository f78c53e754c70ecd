import { and, eq, gt, isNull, lte, type SQL } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { type Counted, countInTurn, hitsOfAll, waitForAll } from './rate-hits.ts';
import { loginStates } from './schema.ts';

export type LoginState = Pick<typeof loginStates.$inferSelect, 'hash' | 'browserHash' | 'sealedDetails' | 'expiresAt'>;

/**
 * Sign-ins that were begun. In D1 rather than in KV: a person can be back from an identity provider before KV shows
 * everywhere what was written, and a state is good once.
 */
export const createLoginStateStore = (db: Database, tenantId: TenantId) => ({
  /** Keeps a state, and forgets those that have expired. */
  put: async (state: LoginState, at: number): Promise<void> => {
    await db.batch([
      db.delete(loginStates).where(and(eq(loginStates.tenantId, tenantId), lte(loginStates.expiresAt, at))),
      db.insert(loginStates).values({ tenantId, ...state, consumedAt: null }),
    ]);
  },

  /** Counts an attempt, unless a limit forbids it, and reads the state if it is still good. */
  attempt: async (
    hash: string,
    counted: readonly Counted[],
    at: number,
  ): Promise<{ state: LoginState | null; waitMs: number }> => {
    const [found, ...counts] = await db.batch([
      db
        .select()
        .from(loginStates)
        .where(isGood(tenantId, hash, at)),
      ...countInTurn(db, tenantId, counted),
      hitsOfAll(db, tenantId, counted),
    ]);
    return { state: found[0] ?? null, waitMs: waitForAll(counts.at(-1), counted) };
  },

  find: async (hash: string, at: number): Promise<LoginState | null> => {
    const [found] = await db
      .select()
      .from(loginStates)
      .where(isGood(tenantId, hash, at));
    return found ?? null;
  },

  /** Uses the state up and gives it; null if it is unknown, expired or was used before. */
  consume: async (hash: string, at: number): Promise<LoginState | null> => {
    const [consumed] = await db
      .update(loginStates)
      .set({ consumedAt: at })
      .where(isGood(tenantId, hash, at))
      .returning();
    return consumed ?? null;
  },
});

export type LoginStateStore = ReturnType<typeof createLoginStateStore>;

/** The statement that uses a state up, where the condition holds. */
export const consumeLoginState = (db: Database, tenantId: TenantId, hash: string, at: number, condition: SQL) =>
  db
    .update(loginStates)
    .set({ consumedAt: at })
    .where(and(isGood(tenantId, hash, at), condition));

const isGood = (tenantId: TenantId, hash: string, at: number) =>
  and(
    eq(loginStates.tenantId, tenantId),
    eq(loginStates.hash, hash),
    isNull(loginStates.consumedAt),
    gt(loginStates.expiresAt, at),
  );
