import { and, eq, sql } from 'drizzle-orm';
import type { CustomerId, TenantId, UserId } from '../crypto/ids.ts';
import { type CustomerChanges, ofCustomer } from './customers.ts';
import type { Database } from './database.ts';
import { type NewEvent, recordEventIf } from './events.ts';
import { findHoldings, type Holdings } from './holdings.ts';
import { customers, identities, users } from './schema.ts';
import { type CustomerSubscription, replaceSubscriptions, selectSubscriptionsOf } from './subscriptions.ts';
import {
  changeUser,
  isSignedIn,
  isUser,
  type SignedIn,
  selectUser,
  type User,
  type UserChanges,
  userOf,
} from './users.ts';
import { isStale, nextVersion } from './versions.ts';

export type { Holdings } from './holdings.ts';

/** A signed-in user, with all that its account page shows. */
export type Account = { user: User; subscriptions: CustomerSubscription[] };

export type AccountChanges = {
  customer: CustomerChanges;
  user: UserChanges;
  /** The whole new list, or null to leave it as it is. */
  subscriptions: readonly string[] | null;
};

/** What a person sees and changes of its own account. */
export const createAccountStore = (db: Database, tenantId: TenantId) => ({
  /** One round trip: this read is also how it shows whether an access token is still alive. */
  find: async (whom: SignedIn): Promise<Account | null> => {
    const customerId = sql`(select ${users.customerId} from ${users}
      where ${users.tenantId} = ${tenantId} and ${users.id} = ${whom.userId})`;
    const [foundUsers, foundCustomers, subscriptions] = await db.batch([
      ...selectUser(db, tenantId, isSignedIn(tenantId, whom)),
      selectSubscriptionsOf(db, tenantId, customerId),
    ]);
    const user = userOf(foundUsers, foundCustomers);
    return user && { user, subscriptions };
  },

  /** Whether the user can sign in at an identity provider. */
  hasIdentity: async (userId: UserId): Promise<boolean> => {
    const found = await db
      .select({ subject: identities.subject })
      .from(identities)
      .where(and(eq(identities.tenantId, tenantId), eq(identities.userId, userId)))
      .limit(1);
    return found.length > 0;
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
    try {
      await db.batch([
        db
          .update(customers)
          .set({ ...changes.customer, version: nextVersion(version), updatedAt: at })
          .where(ofCustomer(tenantId, user.customerId)),
        changeUser(db, tenantId, user.id, { ...changes.user, updatedAt: at }),
        ...(changes.subscriptions
          ? replaceSubscriptions(db, tenantId, user.customerId, changes.subscriptions, at)
          : []),
        ...written.map((event) => recordEventIf(db, tenantId, event, isUser(tenantId, user.id))),
      ]);
      return 'updated';
    } catch (error) {
      if (isStale(error)) return 'stale';
      throw error;
    }
  },

  findHoldings: (customerId: CustomerId): Promise<Holdings> => findHoldings(db, tenantId, customerId),
});

export type AccountStore = ReturnType<typeof createAccountStore>;
