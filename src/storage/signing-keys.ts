import { and, desc, eq, gt, isNull, or } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { type NewEvent, recordEvent } from './events.ts';
import { signingKeys } from './schema.ts';

/** A tenant's key pair for signing tokens. The private half is sealed with the tenant's data key. */
export type SigningKeyRow = Omit<typeof signingKeys.$inferSelect, 'tenantId'>;

export const createSigningKeyStore = (db: Database, tenantId: TenantId) => ({
  /** The keys that tokens may be signed with now: the current one, and retired ones that have not left yet. */
  listPublished: (now: number): Promise<SigningKeyRow[]> =>
    db
      .select()
      .from(signingKeys)
      .where(and(eq(signingKeys.tenantId, tenantId), or(isNull(signingKeys.expiresAt), gt(signingKeys.expiresAt, now))))
      .orderBy(desc(signingKeys.createdAt)),

  /** Makes this the current key. The one before leaves the published set at `oldKeysEndAt`. */
  rotate: async (key: SigningKeyRow, oldKeysEndAt: number, event: NewEvent): Promise<void> => {
    await db.batch([
      db
        .update(signingKeys)
        .set({ state: 'retired', expiresAt: oldKeysEndAt })
        .where(
          and(
            eq(signingKeys.tenantId, tenantId),
            or(isNull(signingKeys.expiresAt), gt(signingKeys.expiresAt, oldKeysEndAt)),
          ),
        ),
      db.insert(signingKeys).values({ tenantId, ...key }),
      recordEvent(db, tenantId, event),
    ]);
  },
});

export type SigningKeyStore = ReturnType<typeof createSigningKeyStore>;
