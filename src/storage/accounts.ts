import { and, asc, eq, sql } from 'drizzle-orm';
import type { CustomerId, TenantId, UserId } from '../crypto/ids.ts';
import { type CustomerChanges, ofCustomer } from './customers.ts';
import { type Database, StorageError } from './database.ts';
import { type NewEvent, recordEvent } from './events.ts';
import { apiKeys, challenges, customers, events, idempotency, users } from './schema.ts';
import { type CustomerSubscription, replaceSubscriptions, selectSubscriptionsOf } from './subscriptions.ts';
import { changeUser, selectUser, type User, type UserChanges, type UserRow, userOf } from './users.ts';

/** A signed-in user, with all that its account page shows. */
export type Account = { user: User; subscriptions: CustomerSubscription[] };

export type AccountChanges = {
  customer: CustomerChanges;
  user: UserChanges;
  /** The whole new list, or null to leave it as it is. */
  subscriptions: readonly string[] | null;
};

/** Everything that is held about a customer, but for secrets. */
export type Holdings = {
  users: Omit<UserRow, 'passwordHash'>[];
  apiKeys: { key: string; appId: string; createdAt: number; renewedAt: number }[];
  oneTimeSecrets: Omit<typeof challenges.$inferSelect, 'tenantId' | 'customerId' | 'consumedBy'>[];
  keptAnswers: { appId: string; key: string; expiresAt: number }[];
  events: (typeof events.$inferSelect)[];
};

/** What a person sees and changes of its own account. */
export const createAccountStore = (db: Database, tenantId: TenantId) => ({
  /** One round trip: this read is also how it shows whether an access token is still alive. */
  find: async (userId: UserId): Promise<Account | null> => {
    const customerId = sql`(select ${users.customerId} from ${users}
      where ${users.tenantId} = ${tenantId} and ${users.id} = ${userId})`;
    const [foundUsers, foundCustomers, subscriptions] = await db.batch([
      ...selectUser(db, tenantId, eq(users.id, userId)),
      selectSubscriptionsOf(db, tenantId, customerId),
    ]);
    const user = userOf(foundUsers, foundCustomers);
    return user && { user, subscriptions };
  },

  /**
   * Changes the account, all of it or nothing; nothing when the customer has no longer the version that is given. Null
   * for a version means any.
   */
  update: async (
    user: User,
    changes: AccountChanges,
    version: number | null,
    written: readonly NewEvent[],
    at: number,
  ): Promise<'updated' | 'stale'> => {
    // A version that does not match becomes null, which the column refuses: so the batch fails as a whole.
    const next =
      version === null
        ? sql`${customers.version} + 1`
        : sql`case when ${customers.version} = ${version} then ${version + 1} end`;
    try {
      await db.batch([
        db
          .update(customers)
          .set({ ...changes.customer, version: next, updatedAt: at })
          .where(ofCustomer(tenantId, user.customerId)),
        changeUser(db, tenantId, user.id, { ...changes.user, updatedAt: at }),
        ...(changes.subscriptions
          ? replaceSubscriptions(db, tenantId, user.customerId, changes.subscriptions, at)
          : []),
        ...written.map((event) => recordEvent(db, tenantId, event)),
      ]);
      return 'updated';
    } catch (error) {
      if (new StorageError(error).message.includes('NOT NULL constraint failed: customers.version')) return 'stale';
      throw error;
    }
  },

  findHoldings: async (customerId: CustomerId): Promise<Holdings> => {
    const [foundUsers, foundKeys, foundSecrets, keptAnswers, foundEvents] = await db.batch([
      db
        .select()
        .from(users)
        .where(and(eq(users.tenantId, tenantId), eq(users.customerId, customerId)))
        .orderBy(asc(users.id)),
      db
        .select({
          key: apiKeys.key,
          appId: apiKeys.appId,
          createdAt: apiKeys.createdAt,
          renewedAt: apiKeys.renewedAt,
        })
        .from(apiKeys)
        .where(and(eq(apiKeys.tenantId, tenantId), eq(apiKeys.customerId, customerId)))
        .orderBy(asc(apiKeys.createdAt)),
      db
        .select()
        .from(challenges)
        .where(and(eq(challenges.tenantId, tenantId), eq(challenges.customerId, customerId)))
        .orderBy(asc(challenges.createdAt)),
      db
        .select({ appId: idempotency.appId, key: idempotency.key, expiresAt: idempotency.expiresAt })
        .from(idempotency)
        .where(and(eq(idempotency.tenantId, tenantId), eq(idempotency.customerId, customerId)))
        .orderBy(asc(idempotency.expiresAt)),
      db
        .select()
        .from(events)
        .where(and(eq(events.tenantId, tenantId), eq(events.subject, customerId)))
        .orderBy(asc(events.id)),
    ]);
    return {
      users: foundUsers.map(({ passwordHash: _, ...user }) => user),
      apiKeys: foundKeys,
      oneTimeSecrets: foundSecrets.map(({ consumedBy: _, ...secret }) => secret),
      keptAnswers,
      events: foundEvents,
    };
  },
});

export type AccountStore = ReturnType<typeof createAccountStore>;
