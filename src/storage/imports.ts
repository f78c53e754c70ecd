import { and, eq, inArray, notInArray, type SQL, sql } from 'drizzle-orm';
import type { CustomerId, TenantId } from '../crypto/ids.ts';
import type { NewCustomer } from './customers.ts';
import { type Database, elementOf, inRow, insertEach } from './database.ts';
import type { NewEvent } from './events.ts';
import type { Identity } from './identities.ts';
import { customerSubscriptions, customers, events, identities, phones, subscriptions, users } from './schema.ts';

/** What a customer takes that nobody else of the tenant may have, and by which member it says so. */
export type Claim = { path: string } & ({ address: string } | { phone: string } | { identity: Identity });

/** A customer, complete with what belongs to it. */
export type NewAccount = {
  customer: NewCustomer;
  users: readonly Omit<typeof users.$inferInsert, 'tenantId'>[];
  phones: readonly Omit<typeof phones.$inferInsert, 'tenantId'>[];
  identities: readonly Omit<typeof identities.$inferInsert, 'tenantId'>[];
  subscriptions: readonly Omit<typeof customerSubscriptions.$inferInsert, 'tenantId'>[];
  claims: readonly Claim[];
};

/** A customer that is about to be written, with the event that tells of it. */
export type ImportedAccount = NewAccount & { event: NewEvent };

/** A claim on what somebody has already. `isOfCustomer`: a customer itself or its owner has it, and no further user. */
export type TakenClaim = { customerId: CustomerId; path: string; isOfCustomer: boolean };

export const createImportStore = (db: Database, tenantId: TenantId) => {
  const isUsersAddress = and(eq(users.tenantId, tenantId), eq(users.emailKey, CLAIMED));
  const isCustomersAddress = and(eq(customers.tenantId, tenantId), eq(customers.emailKey, CLAIMED));
  const isUsersPhone = and(eq(users.tenantId, tenantId), eq(users.phone, CLAIMED));
  const isUsersIdentity = and(
    eq(identities.tenantId, tenantId),
    eq(identities.provider, CLAIMED),
    eq(identities.subject, SUBJECT),
  );
  const isTaken = {
    address: sql`(exists (select 1 from ${users} where ${isUsersAddress})
      or exists (select 1 from ${customers} where ${isCustomersAddress}))`,
    phone: sql`exists (select 1 from ${users} where ${isUsersPhone})`,
    identity: sql`exists (select 1 from ${identities} where ${isUsersIdentity})`,
  };
  const isOwnersIdentity = inArray(
    users.id,
    db.select({ id: identities.userId }).from(identities).where(isUsersIdentity),
  );
  const isOfCustomer = {
    address: sql`(exists (select 1 from ${users} where ${and(isUsersAddress, users.isOwner)})
      or exists (select 1 from ${customers} where ${isCustomersAddress}))`,
    phone: sql`exists (select 1 from ${users} where ${and(isUsersPhone, users.isOwner)})`,
    identity: sql`exists (select 1 from ${users}
      where ${and(eq(users.tenantId, tenantId), isOwnersIdentity, users.isOwner)})`,
  };

  /** The queries for the claims that are taken, one a kind. */
  const takenAmong = (accounts: readonly NewAccount[], condition?: SQL) => {
    const claims = accounts.flatMap((account) =>
      account.claims.map((claim) => ({ ...claim, id: account.customer.id })),
    );
    const kinds = [
      {
        values: claims.flatMap((each) => ('address' in each ? [[each.id, each.path, each.address]] : [])),
        kind: 'address' as const,
      },
      {
        values: claims.flatMap((each) => ('phone' in each ? [[each.id, each.path, each.phone]] : [])),
        kind: 'phone' as const,
      },
      {
        values: claims.flatMap((each) =>
          'identity' in each ? [[each.id, each.path, each.identity.provider, each.identity.subject]] : [],
        ),
        kind: 'identity' as const,
      },
    ];
    return kinds
      .filter(({ values }) => values.length > 0)
      .map(({ values, kind }) =>
        db
          .select({
            customerId: sql<CustomerId>`${CLAIMANT}`.as('claimant'),
            path: sql<string>`${PATH}`.as('path'),
            isOfCustomer: isOfCustomer[kind].mapWith(Boolean).as('is_of_customer'),
          })
          .from(sql`json_each(${JSON.stringify(values)}) as claim`)
          .where(and(condition, isTaken[kind])),
      );
  };

  const isThere = (id: SQL): SQL =>
    sql`exists (select 1 from ${customers} where ${and(eq(customers.tenantId, tenantId), eq(customers.id, id))})`;

  const isUserThere = (id: SQL): SQL =>
    sql`exists (select 1 from ${users} where ${and(eq(users.tenantId, tenantId), eq(users.id, id))})`;

  const isOffered = inArray(
    inRow(customerSubscriptions, 'subscriptionId'),
    db.select({ id: subscriptions.id }).from(subscriptions).where(eq(subscriptions.tenantId, tenantId)),
  );

  const insertCustomers = (accounts: readonly ImportedAccount[]) => {
    const taken = takenAmong(accounts).map((query) => sql`select claimant from ${query.as('taken')}`);
    const isFree = notInArray(inRow(customers, 'id'), sql`(${sql.join(taken, sql` union all `)})`);
    const rows = accounts.map(({ customer }) => customer);
    return insertEach(db, customers, tenantId, rows, isFree);
  };

  /** The statements that insert what belongs to customers, of those who are there. Their ids are new: they are ours. */
  const insertBelongings = (accounts: readonly ImportedAccount[]) => {
    const userRows = accounts.flatMap((each) => each.users);
    const phoneRows = accounts.flatMap((each) => each.phones);
    const identityRows = accounts.flatMap((each) => each.identities);
    const subscribed = accounts.flatMap((each) => each.subscriptions);
    const eventRows = accounts.map(({ event }) => event);
    const isSubscriber = sql`${isThere(inRow(customerSubscriptions, 'customerId'))} and ${isOffered}`;
    return [
      insertEach(db, users, tenantId, userRows, isThere(inRow(users, 'customerId'))),
      insertEach(db, events, tenantId, eventRows, isThere(inRow(events, 'subject'))),
      ...(phoneRows.length > 0
        ? [insertEach(db, phones, tenantId, phoneRows, isThere(inRow(phones, 'customerId')))]
        : []),
      ...(identityRows.length > 0
        ? [insertEach(db, identities, tenantId, identityRows, isUserThere(inRow(identities, 'userId')))]
        : []),
      ...(subscribed.length > 0 ? [insertEach(db, customerSubscriptions, tenantId, subscribed, isSubscriber)] : []),
    ];
  };

  return {
    /**
     * Stores those of the accounts that claim nothing which is taken, each with all that belongs to it; among themselves
     * they must not claim the same. Gives the claims that are taken of all that is not stored, and of the `waiting` ones.
     */
    create: async (accounts: readonly ImportedAccount[], waiting: readonly NewAccount[]): Promise<TakenClaim[]> => {
      const belongings = insertBelongings(accounts);
      const taken = takenAmong([...accounts, ...waiting], sql`not ${isThere(CLAIMANT)}`);
      const [, ...results] = await db.batch([insertCustomers(accounts), ...belongings, ...taken]);
      return results.slice(belongings.length).flatMap((rows) => (Array.isArray(rows) ? rows : []));
    },
  };
};

export type ImportStore = ReturnType<typeof createImportStore>;

const CLAIMANT = elementOf('claim', 0);
const PATH = elementOf('claim', 1);
const CLAIMED = elementOf('claim', 2);
const SUBJECT = elementOf('claim', 3);
