import { and, desc, eq, gt, isNull, ne, sql } from 'drizzle-orm';
import type { SessionId, TenantId, UserId } from '../crypto/ids.ts';
import { proveAddress } from './address-proofs.ts';
import { ensureApiKey, type NewApiKey, selectApiKeyOf } from './api-keys.ts';
import {
  decideRedemption,
  isRedeemedBy,
  outcomeOf,
  type Redemption,
  type RedemptionOutcome,
  type WrongTry,
} from './challenges.ts';
import type { Database } from './database.ts';
import { type NewEvent, recordEventIf } from './events.ts';
import type { RefreshTokenEntry } from './kv.ts';
import { consumeLoginState } from './login-states.ts';
import { isCounted } from './rate-hits.ts';
import { customers, sessions, users } from './schema.ts';
import { isOpen, isUnrevoked, revokeSessions } from './session-ends.ts';
import { isSignedIn, type SignedIn, selectUser, type User, type UserChanges, userOf } from './users.ts';

export type SessionRow = typeof sessions.$inferSelect;

/** A session to be opened for a user, if that user may sign in. */
type NewSession = Omit<SessionRow, 'tenantId' | 'generation' | 'lastUsedAt' | 'revokedAt' | 'recentRotations'>;

/** What else happens when a session is opened. */
export type Opening = {
  session: NewSession;
  /** The key that the customer gets if it has none. */
  apiKey: NewApiKey;
  /** What changes of a user who has proved for the first time to read mail at its address; null where none is proved. */
  firstProof: UserChanges | null;
  /** The hash of the state that is used up, if there is one. */
  stateHash: string | null;
  /** The session that the browser brought along: it ends. */
  brought: { id: SessionId; revoked: NewEvent } | null;
  events: readonly NewEvent[];
};

/** A user with a session, and the key of its customer. */
export type SignedInUser = { session: SessionRow; user: User; apiKey: string };

/** A refresh token that is presented, and what takes its place if it is the current one. */
export type Rotation = {
  presented: RefreshTokenEntry;
  at: number;
  idleExpiresAt: number;
  graceMs: number;
};

export const createSessionStore = (db: Database, tenantId: TenantId) => {
  const ofSession = (id: SessionId) => and(eq(sessions.tenantId, tenantId), eq(sessions.id, id));

  return {
    /** Opens a session if the redemption succeeds and the user may sign in; else counts the wrong try. */
    openByRedemption: async (
      redemption: Redemption,
      wrongTry: WrongTry,
      { session, apiKey, firstProof, stateHash, brought, events }: Opening,
      refused: NewEvent,
    ): Promise<RedemptionOutcome & { opened: SignedInUser | null }> => {
      const { createdAt: at } = session;
      const isRedeemed = isRedeemedBy(tenantId, redemption);
      const isOpened = sql`exists (select 1 from ${sessions} where ${ofSession(session.id)})`;
      const [, , , redeemed, hits, , , found, foundUsers, foundCustomers, keys] = await db.batch([
        ...decideRedemption(db, tenantId, redemption, wrongTry),
        db.insert(sessions).select(
          sql`select ${tenantId}, ${session.id}, ${users.id}, ${users.customerId}, 1, ${session.provider},
            ${JSON.stringify(session.amr)}, ${session.sealedLogoutHint}, ${at}, ${at}, ${session.idleExpiresAt},
            ${session.expiresAt}, null, '[]', ${session.ip}, ${session.userAgent}, ${session.place}
            from ${users} join ${customers}
            on ${customers.tenantId} = ${users.tenantId} and ${customers.id} = ${users.customerId}
            where ${users.tenantId} = ${tenantId} and ${users.id} = ${session.userId}
            and ${customers.status} = 'active' and ${isRedeemed}`,
        ),
        ensureApiKey(db, tenantId, apiKey, isOpened),
        db.select().from(sessions).where(ofSession(session.id)),
        ...selectUser(db, tenantId, eq(users.id, session.userId)),
        selectApiKeyOf(db, tenantId, session.customerId),
        recordEventIf(db, tenantId, refused, isCounted(tenantId, wrongTry.hit)),
        ...(firstProof === null ? [] : proveAddress(db, tenantId, session.userId, firstProof, isOpened)),
        ...(stateHash === null ? [] : [consumeLoginState(db, tenantId, stateHash, at, isOpened)]),
        ...(brought === null
          ? []
          : [
              recordEventIf(db, tenantId, brought.revoked, sql`${isOpened} and ${isUnrevoked(ofSession(brought.id))}`),
              revokeSessions(db, and(ofSession(brought.id), isOpened), at),
            ]),
        ...events.map((event) => recordEventIf(db, tenantId, event, isOpened)),
      ]);
      return { ...outcomeOf(redeemed, hits, wrongTry), opened: signedInUser(found, foundUsers, foundCustomers, keys) };
    },

    /**
     * Rotates a refresh token away, if it is the current one, and gives the session, if it lives. A token that was rotated
     * away longer ago than `graceMs` ends it.
     */
    rotate: async (
      { presented: { sessionId, userId, customerId, generation }, at, idleExpiresAt, graceMs }: Rotation,
      apiKey: NewApiKey,
      reused: NewEvent,
    ): Promise<SignedInUser | null> => {
      const isReused = and(
        ofSession(sessionId),
        isNull(sessions.revokedAt),
        gt(sessions.generation, generation),
        sql`not exists (select 1 from json_each(${sessions.recentRotations})
          where value ->> 'generation' = ${generation} and value ->> 'at' > ${at - graceMs})`,
      );
      const isLiving = and(ofSession(sessionId), isOpen(tenantId, at));
      const [, , , , found, foundUsers, foundCustomers, keys] = await db.batch([
        db
          .update(sessions)
          .set({
            generation: generation + 1,
            lastUsedAt: at,
            idleExpiresAt: sql`min(${idleExpiresAt}, ${sessions.expiresAt})`,
            recentRotations: sql`(select json_insert(coalesce(json_group_array(json(value)), '[]'), '$[#]',
              json_object('generation', ${generation}, 'at', ${at}))
              from json_each(${sessions.recentRotations}) where value ->> 'at' > ${at - graceMs})`,
          })
          .where(and(isLiving, eq(sessions.generation, generation))),
        recordEventIf(db, tenantId, reused, sql`exists (select 1 from ${sessions} where ${isReused})`),
        db.update(sessions).set({ revokedAt: at }).where(isReused),
        ensureApiKey(db, tenantId, apiKey, sql`exists (select 1 from ${sessions} where ${isLiving})`),
        db.select().from(sessions).where(isLiving),
        ...selectUser(db, tenantId, eq(users.id, userId)),
        selectApiKeyOf(db, tenantId, customerId),
      ]);
      return signedInUser(found, foundUsers, foundCustomers, keys);
    },

    isLiving: async (id: SessionId, at: number): Promise<boolean> => {
      const rows = await db
        .select({ id: sessions.id })
        .from(sessions)
        .where(and(ofSession(id), isOpen(tenantId, at)));
      return rows.length > 0;
    },

    /** Ends a session, and gives it as it was; null if there was none to end. */
    revoke: async (id: SessionId, event: NewEvent): Promise<SessionRow | null> => {
      const unrevoked = and(ofSession(id), isNull(sessions.revokedAt));
      const [rows] = await db.batch([
        db.select().from(sessions).where(unrevoked),
        recordEventIf(db, tenantId, event, isUnrevoked(unrevoked)),
        revokeSessions(db, unrevoked, event.at),
      ]);
      return rows[0] ?? null;
    },

    /** Ends all sessions of a user but one, with one event for them. */
    revokeOthers: async (userId: UserId, kept: SessionId | null, event: NewEvent): Promise<void> => {
      const others = and(
        eq(sessions.tenantId, tenantId),
        eq(sessions.userId, userId),
        kept === null ? undefined : ne(sessions.id, kept),
      );
      await db.batch([recordEventIf(db, tenantId, event, isUnrevoked(others)), revokeSessions(db, others, event.at)]);
    },

    /** Whoever is signed in, and the sessions that live of that user, newest first. */
    findOf: async (whom: SignedIn, at: number): Promise<{ user: User | null; sessions: SessionRow[] }> => {
      const [foundUsers, foundCustomers, found] = await db.batch([
        ...selectUser(db, tenantId, isSignedIn(tenantId, whom)),
        db
          .select()
          .from(sessions)
          .where(and(eq(sessions.tenantId, tenantId), eq(sessions.userId, whom.userId), isOpen(tenantId, at)))
          .orderBy(desc(sessions.id)),
      ]);
      return { user: userOf(foundUsers, foundCustomers), sessions: found };
    },
  };
};

export type SessionStore = ReturnType<typeof createSessionStore>;

const signedInUser = (
  [session]: readonly SessionRow[],
  foundUsers: Parameters<typeof userOf>[0],
  foundCustomers: Parameters<typeof userOf>[1],
  [apiKey]: readonly { key: string }[],
): SignedInUser | null => {
  const user = userOf(foundUsers, foundCustomers);
  return session && user && apiKey ? { session, user, apiKey: apiKey.key } : null;
};
