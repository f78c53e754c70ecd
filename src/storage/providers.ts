import { and, asc, eq, lte, not, sql } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { type NewEvent, recordEvent, recordEventIf } from './events.ts';
import { forgetIdentities, type IdentitySource, isSource } from './identity-sources.ts';
import { providers, usedNonces } from './schema.ts';

/** Whom people sign in with at a tenant's forms and apps. */
export type Provider = Omit<typeof providers.$inferSelect, 'tenantId'>;

export const createProviderStore = (db: Database, tenantId: TenantId) => {
  const ofName = (name: string) => and(eq(providers.tenantId, tenantId), eq(providers.name, name));

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

    /** Makes the provider or replaces it. Whom another one ever knew under this name is known no more. */
    put: async (
      { name, ...profile }: Omit<Provider, 'createdAt' | 'updatedAt'>,
      event: NewEvent,
    ): Promise<{ provider: Provider; isNew: boolean }> => {
      const { at } = event;
      const source: IdentitySource = { kind: 'provider', name, settings: profile.settings };
      const [, inserted, stored] = await db.batch([
        forgetIdentities(db, tenantId, source, not(isSource(tenantId, source))),
        db
          .insert(providers)
          .values({ tenantId, name, ...profile, createdAt: at, updatedAt: at })
          .onConflictDoNothing()
          .returning({ name: providers.name }),
        db
          .update(providers)
          .set({ ...profile, updatedAt: at })
          .where(ofName(name))
          .returning({ createdAt: providers.createdAt }),
        recordEvent(db, tenantId, event),
      ]);
      const provider = { name, ...profile, createdAt: stored[0]?.createdAt ?? at, updatedAt: at };
      return { provider, isNew: inserted.length > 0 };
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

    /** False if there is none. */
    remove: async (name: string, event: NewEvent): Promise<boolean> => {
      const [, , removed] = await db.batch([
        recordEventIf(db, tenantId, event, sql`exists (select 1 from ${providers} where ${ofName(name)})`),
        forgetIdentities(db, tenantId, { kind: 'provider', name }),
        db.delete(providers).where(ofName(name)).returning({ name: providers.name }),
      ]);
      return removed.length > 0;
    },
  };
};

export type ProviderStore = ReturnType<typeof createProviderStore>;
