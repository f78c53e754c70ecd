import { and, asc, desc, eq, gt, inArray, sql } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import type { CustomerId, TenantId } from '../crypto/ids.ts';
import type { CustomerRow } from './customers.ts';
import type { Database } from './database.ts';
import { type NewEvent, recordEvent } from './events.ts';
import { customerSubscriptions, customers, identities, phones, users } from './schema.ts';
import type { UserRow } from './users.ts';

type PhoneRow = typeof phones.$inferSelect;
type IdentityRow = typeof identities.$inferSelect;

/** A user with what belongs to it alone. */
export type ExportedUser = { user: UserRow; phones: PhoneRow[]; identities: IdentityRow[] };

/** A customer with all that can be taken elsewhere. The owner is the first of the users. */
export type ExportedCustomer = {
  customer: CustomerRow;
  users: ExportedUser[];
  phones: PhoneRow[];
  subscriptions: string[];
};

export const createExportStore = (db: Database, tenantId: TenantId) => ({
  record: async (event: NewEvent): Promise<void> => {
    await recordEvent(db, tenantId, event);
  },

  /**
   * The customers that come after this one by id, null for the first: as many as are asked for, but none after the one
   * with whom so many users are reached. One round trip.
   */
  page: async (after: CustomerId | null, size: { customers: number; users: number }): Promise<ExportedCustomer[]> => {
    const most = db
      .select({ id: customers.id })
      .from(customers)
      .where(and(eq(customers.tenantId, tenantId), after === null ? undefined : gt(customers.id, after)))
      .orderBy(asc(customers.id))
      .limit(size.customers)
      .as('most');
    // Reads so many entries of an index, however many users there are after them.
    const withLastUser = db
      .select({ id: users.customerId })
      .from(users)
      .where(and(eq(users.tenantId, tenantId), after === null ? undefined : gt(users.customerId, after)))
      .orderBy(asc(users.customerId))
      .limit(1)
      .offset(size.users - 1);
    const ids = db.select({ id: most.id }).from(most).where(sql`${most.id} <= coalesce(${withLastUser}, ${most.id})`);
    const isOfPage = (table: typeof users | typeof phones | typeof customerSubscriptions) =>
      and(eq(table.tenantId, tenantId), inArray(table.customerId, ids));
    const userIds = db.select({ id: users.id }).from(users).where(isOfPage(users));
    const [customerRows, userRows, phoneRows, identityRows, subscribed] = await db.batch([
      db
        .select()
        .from(customers)
        .where(and(eq(customers.tenantId, tenantId), inArray(customers.id, ids)))
        .orderBy(asc(customers.id)),
      db.select().from(users).where(isOfPage(users)).orderBy(desc(users.isOwner), asc(users.id)),
      db.select().from(phones).where(isOfPage(phones)).orderBy(sorted(phones.id)),
      db
        .select()
        .from(identities)
        .where(and(eq(identities.tenantId, tenantId), inArray(identities.userId, userIds)))
        .orderBy(sorted(identities.provider), sorted(identities.subject)),
      db
        .select()
        .from(customerSubscriptions)
        .where(isOfPage(customerSubscriptions))
        .orderBy(sorted(customerSubscriptions.subscriptionId)),
    ]);
    const usersOf = Map.groupBy(userRows, ({ customerId }) => customerId);
    const customersPhones = phoneRows.filter(({ userId }) => userId === null);
    const phonesOf = Map.groupBy(customersPhones, ({ customerId }) => customerId);
    const phonesOfUser = Map.groupBy(phoneRows, ({ userId }) => userId);
    const identitiesOf = Map.groupBy(identityRows, ({ userId }) => userId);
    const subscriptionsOf = Map.groupBy(subscribed, ({ customerId }) => customerId);
    return customerRows.map((customer) => ({
      customer,
      users: (usersOf.get(customer.id) ?? []).map((user) => ({
        user,
        phones: phonesOfUser.get(user.id) ?? [],
        identities: identitiesOf.get(user.id) ?? [],
      })),
      phones: phonesOf.get(customer.id) ?? [],
      subscriptions: (subscriptionsOf.get(customer.id) ?? []).map(({ subscriptionId }) => subscriptionId),
    }));
  },
});

/** By an order that is made: an index that has it would be gone through for the whole tenant. */
const sorted = (column: SQLiteColumn) => sql`+${column}`;

export type ExportStore = ReturnType<typeof createExportStore>;
