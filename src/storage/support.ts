import { and, asc, desc, eq, getTableColumns, inArray, lt, sql } from 'drizzle-orm';
import type { CustomerId, SessionId, TenantId, UserId } from '../crypto/ids.ts';
import { idsOfUsers, isCustomer, ofCustomer } from './customers.ts';
import { type Database, unindexed } from './database.ts';
import { type NewEvent, recordEventIf } from './events.ts';
import { customers, identities, sessions, users } from './schema.ts';
import { isOpen, revokeSessions } from './session-ends.ts';

type UserRow = Omit<typeof users.$inferSelect, 'tenantId' | 'passwordHash' | 'validAfter'>;

/** A user as it may be seen by whoever helps it. */
export type SupportedUser = UserRow & {
  hasPassword: boolean;
  identities: Pick<typeof identities.$inferSelect, 'provider' | 'subject' | 'createdAt'>[];
};

export type SupportedSession = Omit<
  typeof sessions.$inferSelect,
  'tenantId' | 'generation' | 'sealedLogoutHint' | 'recentRotations'
>;

/** `before`: only what is older than this. */
export type Page<Id> = { limit: number; before: Id | null };

/** A customer's users and sessions, without what is secret of them: for whoever helps, who signs in as nobody. */
export const createSupportStore = (db: Database, tenantId: TenantId) => {
  const selectCustomer = (id: CustomerId) =>
    db.select({ id: customers.id }).from(customers).where(ofCustomer(tenantId, id));

  const ofUsers = (id: CustomerId) =>
    and(eq(sessions.tenantId, tenantId), inArray(sessions.userId, idsOfUsers(db, tenantId, id)));

  return {
    /** Newest first; null for no such customer. */
    listUsers: async (customerId: CustomerId, { limit, before }: Page<UserId>): Promise<SupportedUser[] | null> => {
      const isListed = and(
        eq(users.tenantId, tenantId),
        eq(users.customerId, customerId),
        before ? lt(unindexed(users.id), before) : undefined,
      );
      const ids = db
        .select({ id: users.id })
        .from(users)
        .where(isListed)
        .orderBy(desc(unindexed(users.id)))
        .limit(limit);
      const [[customer], found, known] = await db.batch([
        selectCustomer(customerId),
        db
          .select(columnsOfUsers)
          .from(users)
          .where(isListed)
          .orderBy(desc(unindexed(users.id)))
          .limit(limit),
        db
          .select()
          .from(identities)
          .where(and(eq(identities.tenantId, tenantId), inArray(identities.userId, ids)))
          .orderBy(asc(identities.createdAt), asc(identities.provider)),
      ]);
      if (!customer) return null;
      return found.map((user) => ({ ...user, identities: known.filter(({ userId }) => userId === user.id) }));
    },

    /** Whether there is the customer, and its user that has this id. */
    findUser: async (customerId: CustomerId, id: UserId): Promise<{ isCustomer: boolean; user: UserRow | null }> => {
      const [[customer], [user]] = await db.batch([
        selectCustomer(customerId),
        db
          .select(columnsOfUsers)
          .from(users)
          .where(and(eq(users.tenantId, tenantId), eq(users.customerId, customerId), eq(users.id, id))),
      ]);
      return { isCustomer: customer !== undefined, user: user ?? null };
    },

    /** Those that live, newest first; null for no such customer. */
    listSessions: async (
      customerId: CustomerId,
      { limit, before }: Page<SessionId>,
      at: number,
    ): Promise<SupportedSession[] | null> => {
      const [[customer], found] = await db.batch([
        selectCustomer(customerId),
        db
          .select(columnsOfSessions)
          .from(sessions)
          .where(
            and(ofUsers(customerId), isOpen(tenantId, at), before ? lt(unindexed(sessions.id), before) : undefined),
          )
          .orderBy(desc(unindexed(sessions.id)))
          .limit(limit),
      ]);
      return customer ? found : null;
    },

    /** Ends a session that lives. Whether there is the customer, and was the session. */
    revokeSession: async (
      customerId: CustomerId,
      id: SessionId,
      event: NewEvent,
    ): Promise<{ isCustomer: boolean; isSession: boolean }> => {
      const isEnded = and(ofUsers(customerId), eq(sessions.id, id), isOpen(tenantId, event.at));
      const [[customer], [session]] = await db.batch([
        selectCustomer(customerId),
        db.select({ id: sessions.id }).from(sessions).where(isEnded),
        recordEventIf(db, tenantId, event, sql`exists (select 1 from ${sessions} where ${isEnded})`),
        revokeSessions(db, isEnded, event.at),
      ]);
      return { isCustomer: customer !== undefined, isSession: session !== undefined };
    },

    /** Ends all sessions of a customer, and the tokens that belong to none; false for no such customer. */
    revokeAll: async (customerId: CustomerId, event: NewEvent): Promise<boolean> => {
      const [[customer]] = await db.batch([
        selectCustomer(customerId),
        recordEventIf(db, tenantId, event, isCustomer(tenantId, customerId)),
        revokeSessions(db, ofUsers(customerId), event.at),
        db
          .update(users)
          .set({ validAfter: event.at })
          .where(and(eq(users.tenantId, tenantId), eq(users.customerId, customerId))),
      ]);
      return customer !== undefined;
    },
  };
};

export type SupportStore = ReturnType<typeof createSupportStore>;

const { tenantId: _ofUser, passwordHash, validAfter: _validAfter, ...openColumnsOfUsers } = getTableColumns(users);
const columnsOfUsers = {
  ...openColumnsOfUsers,
  hasPassword: sql<boolean>`${passwordHash} is not null`.mapWith(Boolean).as('has_password'),
};

const {
  tenantId: _ofSession,
  generation: _generation,
  sealedLogoutHint: _hint,
  recentRotations: _rotations,
  ...columnsOfSessions
} = getTableColumns(sessions);
