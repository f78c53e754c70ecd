import { and, desc, eq, gt, inArray, lt, lte, or, sql } from 'drizzle-orm';
import type { AppId, CustomerId, TenantId, UserId } from '../crypto/ids.ts';
import { deleteApiKeysOf, insertApiKey, type KeyRenewal } from './api-keys.ts';
import { type Database, violatedTableOf } from './database.ts';
import { anonymiseEvents, type NewEvent, recordEvent, recordEventIf } from './events.ts';
import {
  awsCredentials,
  type CustomerStatus,
  challenges,
  customerSubscriptions,
  customers,
  events,
  heldChanges,
  idempotency,
  identities,
  phones,
  sessions,
  users,
} from './schema.ts';

export type CustomerRow = typeof customers.$inferSelect;

/** A customer with its owner, in whose locale it is written to. */
export type Customer = Omit<CustomerRow, 'tenantId'> & { ownerId: UserId; locale: string | null };

/** What is not said of a new customer is null. */
export type NewCustomer = Omit<typeof customers.$inferInsert, 'tenantId'>;
/** A user as it is made: without password, not activated. */
export type NewUser = Pick<
  typeof users.$inferSelect,
  'id' | 'customerId' | 'email' | 'emailKey' | 'isOwner' | 'locale' | 'createdAt' | 'updatedAt'
>;
type Detail =
  | 'company'
  | 'name'
  | 'address'
  | 'city'
  | 'region'
  | 'postalCode'
  | 'country'
  | 'phone'
  | 'mobile'
  | 'website';

/**
 * Which customers to list: `before` a cursor, `prefix` what email, company or name begins with, `emailKey` the address of
 * the customer or of any of its users; null for all.
 */
export type CustomerFilter = {
  limit: number;
  before: CustomerId | null;
  prefix: string | null;
  emailKey: string | null;
  status: CustomerStatus | null;
};

/** Whether a customer may sign in, and use the API; what is undefined stays. */
export type CustomerState = { [Member in 'status' | 'hasApiAccess']?: CustomerRow[Member] | undefined };

/** What changes of a customer; what is undefined stays. */
export type CustomerChanges = { [Member in Detail]?: CustomerRow[Member] | undefined };

/** An answer to keep, so that a request repeated under the same `Idempotency-Key` gets it again (contract 1). */
export type KeptAnswer = Omit<typeof idempotency.$inferSelect, 'tenantId'>;

export type Creation = {
  customer: NewCustomer;
  owner: NewUser;
  apiKey: KeyRenewal;
  keptAnswer: KeptAnswer | null;
  event: NewEvent;
};

export const createCustomerStore = (db: Database, tenantId: TenantId) => ({
  create: async (creation: Creation): Promise<'created' | 'email_taken' | 'answered_before'> => {
    const { keptAnswer } = creation;
    const keeping = keptAnswer
      ? [
          db.delete(idempotency).where(and(ofKey(tenantId, keptAnswer), lte(idempotency.expiresAt, creation.event.at))),
          db.insert(idempotency).values({ tenantId, ...keptAnswer }),
        ]
      : [];
    const violated = await violatedTableOf(() =>
      db.batch([
        recordEvent(db, tenantId, creation.event),
        ...keeping,
        db.insert(customers).values({ tenantId, ...creation.customer }),
        db.insert(users).values({ tenantId, ...creation.owner }),
        insertApiKey(db, tenantId, creation.apiKey),
      ]),
    );
    if (violated === null) return 'created';
    return violated === 'idempotency' ? 'answered_before' : 'email_taken';
  },

  /** The answer that was kept under this key of the app, while it lasts. */
  findKeptAnswer: async (appId: AppId, key: string, now: number): Promise<KeptAnswer | null> => {
    const rows = await db
      .select()
      .from(idempotency)
      .where(and(ofKey(tenantId, { appId, key }), gt(idempotency.expiresAt, now)));
    return rows[0] ?? null;
  },

  find: async (id: CustomerId): Promise<CustomerRow | null> => {
    const [found] = await db.select().from(customers).where(ofCustomer(tenantId, id));
    return found ?? null;
  },

  /** Newest first. */
  list: ({ limit, before, prefix, emailKey, status }: CustomerFilter): Promise<CustomerRow[]> =>
    db
      .select()
      .from(customers)
      .where(
        and(
          eq(customers.tenantId, tenantId),
          before ? lt(customers.id, before) : undefined,
          prefix ? beginsWith(prefix) : undefined,
          emailKey ? inArray(customers.id, idsByAddress(db, tenantId, emailKey)) : undefined,
          status ? eq(customers.status, status) : undefined,
        ),
      )
      .orderBy(desc(customers.id))
      .limit(limit),

  /** The customer after the change, or null when there is none. Disabling ends all tokens for good. */
  update: async (
    id: CustomerId,
    changes: CustomerChanges & CustomerState,
    at: number,
    event: NewEvent,
  ): Promise<CustomerRow | null> => {
    const [rows] = await db.batch([
      db
        .update(customers)
        .set({ ...changes, version: sql`${customers.version} + 1`, updatedAt: at })
        .where(ofCustomer(tenantId, id))
        .returning(),
      recordEventIf(db, tenantId, event, isCustomer(tenantId, id)),
      ...(changes.status === 'disabled' ? [db.update(users).set({ validAfter: at }).where(usersOf(tenantId, id))] : []),
    ]);
    return rows[0] ?? null;
  },

  /** Removes the customer, its users, credentials and secrets, and what its events told of it. False if there is none. */
  remove: async (id: CustomerId, event: NewEvent): Promise<boolean> => {
    const [recorded] = await db.batch([
      // First, so that it is anonymous as well: who deletes itself leaves its address of the internet nowhere.
      recordEventIf(db, tenantId, event, isCustomer(tenantId, id)).returning({ id: events.id }),
      anonymiseEvents(db, tenantId, id),
      deleteApiKeysOf(db, tenantId, id),
      db.delete(heldChanges).where(and(eq(heldChanges.tenantId, tenantId), eq(heldChanges.customerId, id))),
      db.delete(challenges).where(and(eq(challenges.tenantId, tenantId), eq(challenges.customerId, id))),
      db.delete(idempotency).where(and(eq(idempotency.tenantId, tenantId), eq(idempotency.customerId, id))),
      db
        .delete(customerSubscriptions)
        .where(and(eq(customerSubscriptions.tenantId, tenantId), eq(customerSubscriptions.customerId, id))),
      db.delete(phones).where(and(eq(phones.tenantId, tenantId), eq(phones.customerId, id))),
      ...[awsCredentials, identities, sessions].map((table) =>
        db.delete(table).where(and(eq(table.tenantId, tenantId), inArray(table.userId, idsOfUsers(db, tenantId, id)))),
      ),
      db.delete(users).where(usersOf(tenantId, id)),
      db.delete(customers).where(ofCustomer(tenantId, id)),
    ]);
    return recorded.length > 0;
  },
});

export type CustomerStore = ReturnType<typeof createCustomerStore>;

/** The condition that names a customer. */
export const ofCustomer = (tenantId: TenantId, id: CustomerId) =>
  and(eq(customers.tenantId, tenantId), eq(customers.id, id));

/** The condition that there is such a customer. */
export const isCustomer = (tenantId: TenantId, id: CustomerId) =>
  sql`exists (select 1 from ${customers} where ${ofCustomer(tenantId, id)})`;

const usersOf = (tenantId: TenantId, id: CustomerId) => and(eq(users.tenantId, tenantId), eq(users.customerId, id));

/** The query for the ids of a customer's users. */
export const idsOfUsers = (db: Database, tenantId: TenantId, id: CustomerId) =>
  db.select({ id: users.id }).from(users).where(usersOf(tenantId, id));

/** The query for the ids of those who have this address, or have a user who has it: each part by the index of addresses. */
const idsByAddress = (db: Database, tenantId: TenantId, emailKey: string) =>
  db
    .select({ id: customers.id })
    .from(customers)
    .where(and(eq(customers.tenantId, tenantId), eq(customers.emailKey, emailKey)))
    .union(
      db
        .select({ id: users.customerId })
        .from(users)
        .where(and(eq(users.tenantId, tenantId), eq(users.emailKey, emailKey))),
    );

const ofKey = (tenantId: TenantId, { appId, key }: { appId: AppId; key: string }) =>
  and(eq(idempotency.tenantId, tenantId), eq(idempotency.appId, appId), eq(idempotency.key, key));

/**
 * The condition that email, company or name begins with this, without regard to the case of ASCII letters. Not by LIKE,
 * whose patterns D1 limits to 50 bytes.
 */
export const beginsWith = (prefix: string) => {
  const matches = (column: typeof customers.emailKey | typeof customers.company | typeof customers.name) =>
    sql`lower(substr(${column}, 1, length(${prefix}))) = lower(${prefix})`;
  return or(matches(customers.emailKey), matches(customers.company), matches(customers.name));
};
