import { and, desc, eq, gt, isNull, lt, or, sql } from 'drizzle-orm';
import type { AppId, TenantId } from '../crypto/ids.ts';
import { type Database, insertIf } from './database.ts';
import { type NewEvent, recordEvent, recordEventIf } from './events.ts';
import { apiKeys, appCredentials, apps } from './schema.ts';

export type App = Omit<typeof apps.$inferSelect, 'tenantId'>;

/** An app with the super key that it should use: the newest. */
export type AppWithKey = App & { superKey: string };

/** What changes of an app; what is undefined stays. */
export type AppChanges = {
  [Member in 'name' | 'permissions' | 'platforms' | 'acceptsQueryCredentials']?: App[Member] | undefined;
};

export type NewCredential = Omit<typeof appCredentials.$inferSelect, 'tenantId' | 'expiresAt'>;

export const createAppStore = (db: Database, tenantId: TenantId) => ({
  create: async (app: App, credential: NewCredential, event: NewEvent): Promise<void> => {
    await db.batch([
      db.insert(apps).values({ tenantId, ...app }),
      db.insert(appCredentials).values({ tenantId, ...credential, expiresAt: null }),
      recordEvent(db, tenantId, event),
    ]);
  },

  /** Newest first; `before`: only apps older than this one. */
  list: (limit: number, before: AppId | null): Promise<AppWithKey[]> =>
    selectApps(db, tenantId)
      .where(and(eq(apps.tenantId, tenantId), before ? lt(apps.id, before) : undefined))
      .orderBy(desc(apps.id))
      .limit(limit),

  find: async (id: AppId): Promise<AppWithKey | null> => {
    const [app] = await selectApps(db, tenantId).where(ofApp(tenantId, id));
    return app ?? null;
  },

  /** The app after the change, or null when there is none. */
  update: async (id: AppId, changes: AppChanges, event: NewEvent): Promise<AppWithKey | null> => {
    const seesAllCustomers = changes.permissions?.includes('all_customers');
    const [, , [app]] = await db.batch([
      db
        .update(apps)
        .set({ ...changes, seesAllCustomers, updatedAt: event.at })
        .where(ofApp(tenantId, id)),
      recordEventIf(db, tenantId, event, isApp(tenantId, id)),
      selectApps(db, tenantId).where(ofApp(tenantId, id)),
    ]);
    return app ?? null;
  },

  /**
   * Adds a pair and lets the ones before end at `oldPairsEndAt`, or at their own end if that is earlier. False if there
   * is no such app.
   */
  rotate: async (credential: NewCredential, oldPairsEndAt: number, event: NewEvent): Promise<boolean> => {
    const isThere = isApp(tenantId, credential.appId);
    const [, added] = await db.batch([
      db
        .update(appCredentials)
        .set({ expiresAt: oldPairsEndAt })
        .where(
          and(
            ofCredentials(tenantId, credential.appId),
            or(isNull(appCredentials.expiresAt), gt(appCredentials.expiresAt, oldPairsEndAt)),
          ),
        ),
      insertIf(db, appCredentials, { tenantId, ...credential, expiresAt: null }, isThere).returning({
        superKey: appCredentials.superKey,
      }),
      recordEventIf(db, tenantId, event, isThere),
    ]);
    return added.length > 0;
  },

  /** Removes the app and the keys that customers had with it; its customers stay. False if there is none. */
  remove: async (id: AppId, event: NewEvent): Promise<boolean> => {
    const [, , , removed] = await db.batch([
      recordEventIf(db, tenantId, event, isApp(tenantId, id)),
      db.delete(apiKeys).where(and(eq(apiKeys.tenantId, tenantId), eq(apiKeys.appId, id))),
      db.delete(appCredentials).where(ofCredentials(tenantId, id)),
      db.delete(apps).where(ofApp(tenantId, id)).returning({ id: apps.id }),
    ]);
    return removed.length > 0;
  },
});

export type AppStore = ReturnType<typeof createAppStore>;

const ofApp = (tenantId: TenantId, id: AppId) => and(eq(apps.tenantId, tenantId), eq(apps.id, id));

const isApp = (tenantId: TenantId, id: AppId) => sql`exists (select 1 from ${apps} where ${ofApp(tenantId, id)})`;

const ofCredentials = (tenantId: TenantId, id: AppId) =>
  and(eq(appCredentials.tenantId, tenantId), eq(appCredentials.appId, id));

const selectApps = (db: Database, tenantId: TenantId) =>
  db
    .select({
      id: apps.id,
      name: apps.name,
      permissions: apps.permissions,
      platforms: apps.platforms,
      acceptsQueryCredentials: apps.acceptsQueryCredentials,
      seesAllCustomers: apps.seesAllCustomers,
      createdAt: apps.createdAt,
      updatedAt: apps.updatedAt,
      superKey: appCredentials.superKey,
    })
    .from(apps)
    .innerJoin(
      appCredentials,
      and(eq(appCredentials.tenantId, tenantId), eq(appCredentials.appId, apps.id), isNull(appCredentials.expiresAt)),
    );
