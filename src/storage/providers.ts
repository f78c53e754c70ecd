import { and, asc, eq, lte } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { type NewEvent, recordEvent } from './events.ts';
import { identities, providers, usedNonces } from './schema.ts';

/** Whom people sign in with at a tenant's forms and apps. */
export type Provider = Omit<typeof providers.$inferSelect, 'tenantId'>;

export const createProviderStore = (db: Database, tenantId: TenantId) => {
  const ofName = (name: string) => and(eq(providers.tenantId, tenantId), eq(providers.name, name));

  /** The statement that forgets whom the provider knows: another one under the same name may mean others by them. */
  const forgetIdentities = (name: string) =>
    db.delete(identities).where(and(eq(identities.tenantId, tenantId), eq(identities.provider, `provider:${name}`)));

  return {
    /** By name. */
    list: async (): Promise<Provider[]> => {
      const rows = await db
        .select()
        .from(providers)
        .where(eq(providers.tenantId, tenantId))
        .orderBy(asc(providers.name));
      return rows.map(({ tenantId: _, ...provider }) => provider);
    },

    /** Makes the provider or replaces it. `isOther`: nobody whom the one before knew is known any more. */
    put: async (provider: Provider, isOther: boolean, event: NewEvent): Promise<void> => {
      const { settings, allowsSignup, updatedAt } = provider;
      await db.batch([
        db
          .insert(providers)
          .values({ tenantId, ...provider })
          .onConflictDoUpdate({
            target: [providers.tenantId, providers.name],
            set: { settings, allowsSignup, updatedAt },
          }),
        ...(isOther ? [forgetIdentities(provider.name)] : []),
        recordEvent(db, tenantId, event),
      ]);
    },

    /** Uses a nonce up; false if it was used before. */
    useNonce: async (hash: string, at: number, expiresAt: number): Promise<boolean> => {
      const [, inserted] = await db.batch([
        db.delete(usedNonces).where(and(eq(usedNonces.tenantId, tenantId), lte(usedNonces.expiresAt, at))),
        db
          .insert(usedNonces)
          .values({ tenantId, hash, expiresAt })
          .onConflictDoNothing()
          .returning({ hash: usedNonces.hash }),
      ]);
      return inserted.length > 0;
    },

    remove: async (name: string, event: NewEvent): Promise<void> => {
      await db.batch([
        forgetIdentities(name),
        db.delete(providers).where(ofName(name)),
        recordEvent(db, tenantId, event),
      ]);
    },
  };
};

export type ProviderStore = ReturnType<typeof createProviderStore>;
