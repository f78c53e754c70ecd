import { and, desc, eq, getTableColumns, isNotNull, lt, or, type SQL, sql } from 'drizzle-orm';
import type { AppId, CustomerId, TenantId, UserId } from '../crypto/ids.ts';
import { NO_APP } from './api-keys.ts';
import { beginsWith, type Customer } from './customers.ts';
import type { Database } from './database.ts';
import { apiKeys, appCredentials, apps, customers, users } from './schema.ts';

/** An app with one of its credential pairs. */
export type AppCredential = Pick<
  typeof apps.$inferSelect,
  'permissions' | 'platforms' | 'acceptsQueryCredentials' | 'seesAllCustomers'
> & { appId: AppId; tokenHash: string; expiresAt: number | null };

/** A customer with its key pair. `acceptsQueryCredentials` is the setting of the app that the pair was made for; false without one. */
export type CustomerCredential = { tokenHash: string; acceptsQueryCredentials: boolean; customer: Customer };

export type CustomerReference = { id: CustomerId } | { emailKey: string };

/** `before`: only customers older than this one. `prefix`: what email, company or name begins with. */
export type PageRequest = { limit: number; before: CustomerId | null; prefix: string | null };

/**
 * Credentials are read in the same round trip as what they give access to. Whether they are right is decided by the
 * domain, on what is read here.
 */
export const createAccessStore = (db: Database, tenantId: TenantId) => ({
  findAppAndCustomer: async (
    superKey: string,
    reference: CustomerReference,
  ): Promise<{ credential: AppCredential | null; customer: Customer | null }> => {
    const [credentials, found] = await db.batch([
      selectCredential(db, tenantId, superKey),
      db
        .select(customerColumns)
        .from(customers)
        .innerJoin(users, ownerOf)
        .where(
          and(
            eq(customers.tenantId, tenantId),
            'id' in reference ? eq(customers.id, reference.id) : eq(customers.emailKey, reference.emailKey),
          ),
        ),
    ]);
    return { credential: credentials[0] ?? null, customer: found[0] ?? null };
  },

  findApp: async (superKey: string): Promise<AppCredential | null> => {
    const [credential] = await selectCredential(db, tenantId, superKey);
    return credential ?? null;
  },

  /** The app, and a page of the customers that it may see, newest first. */
  findAppAndPage: async (
    superKey: string,
    page: PageRequest,
  ): Promise<{ credential: AppCredential | null; customers: Omit<Customer, 'ownerId' | 'locale'>[] }> => {
    // Which of the two queries has rows depends on the app, so that one round trip does: the other reads none.
    const seen = (ofApp: SQL | undefined) =>
      db
        .select(ownColumns)
        .from(appCredentials)
        .innerJoin(apps, and(eq(apps.tenantId, appCredentials.tenantId), eq(apps.id, appCredentials.appId)))
        .crossJoin(customers)
        .where(
          and(
            ofSuperKey(tenantId, superKey),
            ofApp,
            eq(customers.tenantId, tenantId),
            page.before ? lt(customers.id, page.before) : undefined,
            page.prefix ? beginsWith(page.prefix) : undefined,
          ),
        )
        .orderBy(desc(customers.id))
        .limit(page.limit);
    const [credentials, all, own] = await db.batch([
      selectCredential(db, tenantId, superKey),
      seen(eq(apps.seesAllCustomers, true)),
      seen(and(eq(apps.seesAllCustomers, false), eq(customers.createdByApp, appCredentials.appId))),
    ]);
    return { credential: credentials[0] ?? null, customers: [...all, ...own] };
  },

  findCustomerByKey: async (key: string): Promise<CustomerCredential | null> => {
    const [row] = await db
      .select({
        ...customerColumns,
        tokenHash: apiKeys.tokenHash,
        app: { acceptsQueryCredentials: apps.acceptsQueryCredentials },
      })
      .from(apiKeys)
      .innerJoin(customers, and(eq(customers.tenantId, apiKeys.tenantId), eq(customers.id, apiKeys.customerId)))
      .innerJoin(users, ownerOf)
      .leftJoin(apps, and(eq(apps.tenantId, apiKeys.tenantId), eq(apps.id, apiKeys.appId)))
      .where(
        and(eq(apiKeys.tenantId, tenantId), eq(apiKeys.key, key), or(eq(apiKeys.appId, NO_APP), isNotNull(apps.id))),
      );
    if (!row) return null;
    const { tokenHash, app, ...customer } = row;
    return { tokenHash, acceptsQueryCredentials: app?.acceptsQueryCredentials ?? false, customer };
  },
});

export type AccessStore = ReturnType<typeof createAccessStore>;

const { tenantId: _, ...ownColumns } = getTableColumns(customers);
/** The owner's id has a name of its own: in a batch D1 gives columns by name alone. */
const customerColumns = { ...ownColumns, ownerId: sql<UserId>`${users.id}`.as('owner_id'), locale: users.locale };

const ownerOf = and(
  eq(users.tenantId, customers.tenantId),
  eq(users.customerId, customers.id),
  eq(users.isOwner, true),
);

const ofSuperKey = (tenantId: TenantId, superKey: string) =>
  and(eq(appCredentials.tenantId, tenantId), eq(appCredentials.superKey, superKey));

const selectCredential = (db: Database, tenantId: TenantId, superKey: string) =>
  db
    .select({
      appId: apps.id,
      permissions: apps.permissions,
      platforms: apps.platforms,
      acceptsQueryCredentials: apps.acceptsQueryCredentials,
      seesAllCustomers: apps.seesAllCustomers,
      tokenHash: appCredentials.tokenHash,
      expiresAt: appCredentials.expiresAt,
    })
    .from(appCredentials)
    .innerJoin(apps, and(eq(apps.tenantId, appCredentials.tenantId), eq(apps.id, appCredentials.appId)))
    .where(ofSuperKey(tenantId, superKey));
