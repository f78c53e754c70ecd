import { and, desc, eq, getTableColumns, inArray, lt, not, type SQL, sql } from 'drizzle-orm';
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core';
import type { TenantId } from '../crypto/ids.ts';
import { type Database, insertIf, violatedTableOf } from './database.ts';
import { isOfDeletion, type NewEvent, recordEvent, recordEventIf } from './events.ts';
import {
  apiKeys,
  appCredentials,
  apps,
  awsCredentials,
  challenges,
  connectionDomains,
  connections,
  customerSubscriptions,
  customers,
  deliveries,
  events,
  flows,
  heldChanges,
  idempotency,
  identities,
  loginStates,
  phones,
  providers,
  rateHits,
  sessions,
  signingKeys,
  subscriptions,
  tenantDomains,
  tenants,
  usedNonces,
  users,
  webhooks,
} from './schema.ts';
import type { SigningKeyRow } from './signing-keys.ts';

type TenantRow = typeof tenants.$inferSelect;

/** A tenant with the domains of its own. */
export type Tenant = TenantRow & { domains: string[] };

/** What may be changed of a tenant once it is there. */
export type TenantChanges = Omit<TenantRow, 'id' | 'slug' | 'shard' | 'sealedDataKey' | 'createdAt'>;

/** The tenants themselves: a store that is not bound to one of them. */
export const createTenantStore = (db: Database) => ({
  findById: (id: TenantId) => findTenant(db, eq(tenants.id, id)),
  findBySlug: (slug: string) => findTenant(db, eq(tenants.slug, slug)),
  findByDomain: (domain: string) =>
    findTenant(
      db,
      eq(
        tenants.id,
        sql`(select ${tenantDomains.tenantId} from ${tenantDomains} where ${tenantDomains.domain} = ${domain})`,
      ),
    ),

  /** Newest first; `before`: only tenants older than this one. */
  list: (limit: number, before: TenantId | null): Promise<Tenant[]> =>
    selectTenants(db)
      .where(before ? lt(tenants.id, before) : undefined)
      .orderBy(desc(tenants.id))
      .limit(limit),

  /** The bindings of the databases that tenants' data are in. */
  shards: async (): Promise<string[]> => {
    const rows = await db.selectDistinct({ shard: tenants.shard }).from(tenants);
    return rows.map(({ shard }) => shard);
  },

  create: async (
    tenant: Tenant,
    signingKey: SigningKeyRow,
    event: NewEvent,
  ): Promise<'created' | 'slug_taken' | 'domain_taken'> => {
    const { domains, ...row } = tenant;
    const violated = await violatedTableOf(() =>
      db.batch([
        db.insert(tenants).values(row),
        ...domains.map((domain) => db.insert(tenantDomains).values({ domain, tenantId: tenant.id })),
        db.insert(signingKeys).values({ tenantId: tenant.id, ...signingKey }),
        recordEvent(db, tenant.id, event),
      ]),
    );
    if (violated === null) return 'created';
    return violated === 'tenants' ? 'slug_taken' : 'domain_taken';
  },

  replace: async (
    id: TenantId,
    changes: TenantChanges,
    domains: string[],
    event: NewEvent,
  ): Promise<'replaced' | 'domain_taken' | 'gone'> => {
    const isThere = isTenant(id);
    let outcome: 'replaced' | 'domain_taken' | 'gone' = 'domain_taken';
    await violatedTableOf(async () => {
      const [replaced] = await db.batch([
        db.update(tenants).set(changes).where(eq(tenants.id, id)).returning({ id: tenants.id }),
        db.delete(tenantDomains).where(eq(tenantDomains.tenantId, id)),
        ...domains.map((domain) => insertIf(db, tenantDomains, { domain, tenantId: id }, isThere)),
        recordEventIf(db, id, event, isThere),
      ]);
      outcome = replaced.length > 0 ? 'replaced' : 'gone';
    });
    return outcome;
  },

  /** Removes the tenant, and lets nothing but the fact stay in the log. False if there is none. */
  remove: async (id: TenantId, deletion: NewEvent): Promise<boolean> => {
    const [, , , , removed] = await db.batch([
      ...clearTenant(db, id),
      recordEventIf(db, id, deletion, isTenant(id)),
      db.delete(tenants).where(eq(tenants.id, id)).returning({ id: tenants.id }),
    ]);
    return removed.length > 0;
  },

  /** Removes what is left of a tenant that is removed. */
  removeRest: async (id: TenantId): Promise<void> => {
    await db.batch(clearTenant(db, id));
  },
});

export type TenantStore = ReturnType<typeof createTenantStore>;

/** What D1 deletes at once, of customers with all that is theirs and of events: a batch of it may take 30 seconds. */
const PORTION = 25_000;

/** Everything that a tenant holds in its own database. */
export const createTenantDataStore = (db: Database, tenantId: TenantId) => {
  const ofTenant = <Table extends SQLiteTable & { tenantId: SQLiteColumn }>(table: Table, condition?: SQL) =>
    db.delete(table).where(and(eq(table.tenantId, tenantId), condition));

  const portionOf = (table: SQLiteTable & { tenantId: SQLiteColumn }, condition?: SQL) =>
    ofTenant(
      table,
      sql`rowid in (select rowid from ${table} where ${and(eq(table.tenantId, tenantId), condition)} limit ${PORTION})`,
    );

  /** Removes a portion of what there may be much of. False when that was the last of it. */
  const removePortion = async (): Promise<boolean> => {
    const chosen = sql`(select ${customers.id} from ${customers} where ${eq(customers.tenantId, tenantId)}
      order by ${customers.id} limit ${PORTION})`;
    const theirUsers = db
      .select({ id: users.id })
      .from(users)
      .where(and(eq(users.tenantId, tenantId), sql`${users.customerId} in ${chosen}`));
    const removed = await db.batch([
      portionOf(deliveries),
      portionOf(events, not(isOfDeletion)),
      ...[apiKeys, customerSubscriptions, phones].map((table) =>
        ofTenant(table, sql`${table.customerId} in ${chosen}`),
      ),
      ...[awsCredentials, identities, sessions].map((table) => ofTenant(table, inArray(table.userId, theirUsers))),
      ofTenant(users, sql`${users.customerId} in ${chosen}`),
      ofTenant(customers, sql`${customers.id} in ${chosen}`),
    ]);
    return removed.some(({ meta }) => meta.changes >= PORTION);
  };

  return {
    /** But for what tells of its deletion. When it stops half way, the next time goes on. */
    removeAll: async (): Promise<void> => {
      while (await removePortion());
      // In the order of the foreign keys: what refers to another table first.
      const [first, ...rest] = [
        apiKeys,
        customerSubscriptions,
        subscriptions,
        phones,
        awsCredentials,
        identities,
        sessions,
        loginStates,
        heldChanges,
        usedNonces,
        providers,
        flows,
        connectionDomains,
        connections,
        users,
        customers,
        appCredentials,
        apps,
        challenges,
        idempotency,
        rateHits,
        deliveries,
        webhooks,
      ].map((table) => ofTenant(table));
      if (first) await db.batch([first, ...rest, forgetEvents(db, tenantId)]);
    },
  };
};

export type TenantDataStore = ReturnType<typeof createTenantDataStore>;

/** The condition that there is the tenant. */
const isTenant = (id: TenantId): SQL => sql`exists (select 1 from ${tenants} where ${eq(tenants.id, id)})`;

/** The statement that removes a tenant's events but for its deletion: another that came first may have told of it. */
const forgetEvents = (db: Database, tenantId: TenantId) =>
  db.delete(events).where(and(eq(events.tenantId, tenantId), not(isOfDeletion)));

/** The statements that remove what hangs on a tenant's row. */
const clearTenant = (db: Database, id: TenantId) =>
  [
    forgetEvents(db, id),
    db.delete(tenantDomains).where(eq(tenantDomains.tenantId, id)),
    db.delete(signingKeys).where(eq(signingKeys.tenantId, id)),
  ] as const;

const selectTenants = (db: Database) =>
  db
    .select({
      ...getTableColumns(tenants),
      domains: sql<string[]>`coalesce((select group_concat(${tenantDomains.domain}, ' ') from ${tenantDomains}
        where ${tenantDomains.tenantId} = ${tenants.id}), '')`.mapWith((joined: string) =>
        joined.split(' ').filter((domain) => domain !== ''),
      ),
    })
    .from(tenants);

const findTenant = async (db: Database, condition: SQL): Promise<Tenant | null> => {
  const [tenant] = await selectTenants(db).where(condition);
  return tenant ?? null;
};
