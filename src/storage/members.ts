import { and, asc, desc, eq, inArray, lt, type SQL } from 'drizzle-orm';
import type { CustomerId, TenantId, UserId } from '../crypto/ids.ts';
import { type Database, insertIf, unindexed } from './database.ts';
import { anonymiseEventsBy, type NewEvent, recordEventIf } from './events.ts';
import { type AwsCredentials, customerOf, insertPhones, type Member, type Phone } from './profiles.ts';
import { type Counted, countInTurn, hitsOfAll, waitForAll } from './rate-hits.ts';
import { awsCredentials, challenges, events, identities, phones, sessions, users } from './schema.ts';
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

/** `before`: only users that are older than this one. */
export type MemberPage = { limit: number; before: UserId | null };

/** What changes of one of a customer's users; what is undefined stays. */
export type MemberChanges = {
  user: UserChanges;
  /** The whole new list. */
  phones: readonly Phone[] | undefined;
  /** Null takes them away. */
  awsCredentials: Partial<AwsCredentials> | null | undefined;
};

/** The users of a customer, as each of them sees them and their owner changes them. */
export const createMemberStore = (db: Database, tenantId: TenantId) => {
  const ofCaller = (whom: SignedIn) =>
    and(eq(users.tenantId, tenantId), inArray(users.customerId, customerOf(db, tenantId, whom)));

  /** The users of the caller's customer for whom the condition holds, newest first, after the caller itself. */
  const findWith = async (
    whom: SignedIn,
    condition: SQL | undefined,
    limit: number,
  ): Promise<{ caller: User | null; members: Member[] }> => {
    const isFound = and(ofCaller(whom), condition);
    const ids = db
      .select({ id: users.id })
      .from(users)
      .where(isFound)
      .orderBy(desc(unindexed(users.id)))
      .limit(limit);
    const [callers, customers, foundUsers, foundPhones, foundCredentials] = await db.batch([
      ...selectUser(db, tenantId, isSignedIn(tenantId, whom)),
      db
        .select()
        .from(users)
        .where(isFound)
        .orderBy(desc(unindexed(users.id)))
        .limit(limit),
      db
        .select()
        .from(phones)
        .where(and(eq(phones.tenantId, tenantId), inArray(phones.userId, ids)))
        .orderBy(asc(unindexed(phones.id))),
      db
        .select()
        .from(awsCredentials)
        .where(and(eq(awsCredentials.tenantId, tenantId), inArray(awsCredentials.userId, ids))),
    ]);
    return {
      caller: userOf(callers, customers),
      members: foundUsers.map((user) => ({
        user,
        phones: foundPhones.filter(({ userId }) => userId === user.id),
        awsCredentials: foundCredentials.find(({ userId }) => userId === user.id) ?? null,
      })),
    };
  };

  return {
    list: (whom: SignedIn, { limit, before }: MemberPage) =>
      findWith(whom, before === null ? undefined : lt(unindexed(users.id), before), limit),

    /** The caller, and the user of the same customer that has this id, if one has. */
    find: async (whom: SignedIn, id: UserId): Promise<{ caller: User | null; member: Member | null }> => {
      const { caller, members } = await findWith(whom, eq(users.id, id), 1);
      return { caller, member: members[0] ?? null };
    },

    /** Counts an attempt wherever it is to be counted, and reads whoever makes it. */
    attempt: async (whom: SignedIn, counted: readonly Counted[]): Promise<{ caller: User | null; waitMs: number }> => {
      const [callers, customers, ...counts] = await db.batch([
        ...selectUser(db, tenantId, isSignedIn(tenantId, whom)),
        ...countInTurn(db, tenantId, counted),
        hitsOfAll(db, tenantId, counted),
      ]);
      return { caller: userOf(callers, customers), waitMs: waitForAll(counts.at(-1), counted) };
    },

    /** The user after the change; null, and nothing done, if there is none. */
    update: async (
      { id, customerId }: { id: UserId; customerId: CustomerId },
      changes: MemberChanges,
      event: NewEvent,
    ): Promise<Member['user'] | null> => {
      const isThere = isUser(tenantId, id);
      const ofUser = and(eq(awsCredentials.tenantId, tenantId), eq(awsCredentials.userId, id));
      const [[updated]] = await db.batch([
        changeUser(db, tenantId, id, { ...changes.user, updatedAt: event.at }).returning(),
        recordEventIf(db, tenantId, event, isThere),
        ...(changes.phones
          ? [
              db.delete(phones).where(and(eq(phones.tenantId, tenantId), eq(phones.userId, id))),
              ...insertPhones(db, tenantId, customerId, id, changes.phones, isThere),
            ]
          : []),
        ...(changes.awsCredentials
          ? [
              insertIf(
                db,
                awsCredentials,
                { tenantId, userId: id, createdAt: event.at, ...changes.awsCredentials },
                isThere,
              ).onConflictDoUpdate({
                target: [awsCredentials.tenantId, awsCredentials.userId],
                set: { userId: id, ...changes.awsCredentials },
              }),
            ]
          : []),
        ...(changes.awsCredentials === null ? [db.delete(awsCredentials).where(ofUser)] : []),
      ]);
      return updated ?? null;
    },

    /** Removes a user with its credentials, sessions and secrets, and what events told of it. False if there is none. */
    remove: async ({ id, customerId }: { id: UserId; customerId: CustomerId }, event: NewEvent): Promise<boolean> => {
      const [recorded] = await db.batch([
        recordEventIf(db, tenantId, event, isUser(tenantId, id)).returning({ id: events.id }),
        anonymiseEventsBy(db, tenantId, customerId, `user:${id}`),
        db.delete(challenges).where(and(eq(challenges.tenantId, tenantId), eq(challenges.subject, id))),
        ...[phones, awsCredentials, identities, sessions].map((table) =>
          db.delete(table).where(and(eq(table.tenantId, tenantId), eq(table.userId, id))),
        ),
        db.delete(users).where(and(eq(users.tenantId, tenantId), eq(users.id, id))),
      ]);
      return recorded.length > 0;
    },
  };
};

export type MemberStore = ReturnType<typeof createMemberStore>;
