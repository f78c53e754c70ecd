import { and, eq, inArray, isNull, type SQL, sql } from 'drizzle-orm';
import type { SessionId, TenantId, UserId } from '../crypto/ids.ts';
import { proveAddress } from './address-proofs.ts';
import {
  decideRedemption,
  isRedeemedBy,
  outcomeOf,
  type Redemption,
  type RedemptionOutcome,
  type WrongTry,
} from './challenges.ts';
import { type CustomerRow, ofCustomer } from './customers.ts';
import { type Database, violatedTableOf } from './database.ts';
import { type NewEvent, recordEventIf } from './events.ts';
import {
  allows,
  beginsLock,
  type Counted,
  clearHits,
  countHit,
  countInTurn,
  forgetOldHits,
  hitsOfAll,
  isCounted,
  waitForAll,
} from './rate-hits.ts';
import { customers, sessions, users } from './schema.ts';

export type UserRow = typeof users.$inferSelect;

/** A user with the customer that it belongs to. */
export type User = Omit<UserRow, 'tenantId'> & { customer: CustomerRow };

/** A user, and the session that it must still have, if it signed in with one. */
export type SignedIn = { userId: UserId; sessionId: SessionId | null };

export type UserReference = { id: UserId } | { emailKey: string };

/**
 * Whether an attempt may go on, and the user that it is about, who may be unknown. `isLast`: a lock begins with it, unless
 * it succeeds.
 */
export type Attempt = { kind: 'admitted'; user: User | null; isLast: boolean } | { kind: 'limited'; waitMs: number };

/** What changes of a user; what is undefined stays. */
export type UserChanges = { [Member in keyof UserRow]?: UserRow[Member] | undefined };

export const createUserStore = (db: Database, tenantId: TenantId) => ({
  find: async (whom: SignedIn): Promise<User | null> => {
    const [foundUsers, foundCustomers] = await db.batch(selectUser(db, tenantId, isSignedIn(tenantId, whom)));
    return userOf(foundUsers, foundCustomers);
  },

  /** Counts an attempt wherever it is to be counted, unless a limit forbids it, and reads the user that it is about. */
  attempt: async (reference: UserReference, counted: readonly Counted[]): Promise<Attempt> => {
    const [foundUsers, foundCustomers, ...counts] = await db.batch([
      ...selectUser(
        db,
        tenantId,
        'id' in reference ? eq(users.id, reference.id) : eq(users.emailKey, reference.emailKey),
      ),
      ...countInTurn(db, tenantId, counted),
      hitsOfAll(db, tenantId, counted),
    ]);
    const waitMs = waitForAll(counts.at(-1), counted);
    if (waitMs > 0) return { kind: 'limited', waitMs };
    const isLast = beginsLock(counts.at(-1), counted);
    return { kind: 'admitted', user: userOf(foundUsers, foundCustomers), isLast };
  },

  /** Counts a wrong try that is about nobody we know. How long it is to wait if a limit forbids it, else 0. */
  countWrongTry: async (counted: Counted): Promise<number> => {
    const { hit, limits } = counted;
    const [, , rows] = await db.batch([
      forgetOldHits(db, tenantId, hit, limits),
      countHit(db, tenantId, hit, allows(tenantId, hit, limits)),
      hitsOfAll(db, tenantId, [counted]),
    ]);
    return waitForAll(rows, [counted]);
  },

  /**
   * Records a sign-in: the tries before it count no longer, and a better hash of the same password takes the place of
   * the old one, unless the password was changed meanwhile.
   */
  recordSignIn: async (
    id: UserId,
    bucket: string,
    hash: { old: string; better: string } | null,
    event: NewEvent,
  ): Promise<void> => {
    await db.batch([
      clearHits(db, tenantId, bucket),
      recordUnlessDeleted(db, tenantId, event),
      ...(hash === null
        ? []
        : [changeUser(db, tenantId, id, { passwordHash: hash.better }, eq(users.passwordHash, hash.old))]),
    ]);
  },

  record: async (event: NewEvent): Promise<void> => {
    await recordUnlessDeleted(db, tenantId, event);
  },

  /**
   * Changes the user if the redemption succeeds; else counts the wrong try against the person. `newEmail` goes to the
   * customer as well, if the user owns it. `firstProof` is what changes before, of a user who proves its address for the
   * first time.
   */
  changeByRedemption: async (
    user: User,
    { changes, firstProof }: { changes: UserChanges; firstProof: UserChanges | null },
    redemption: Redemption,
    wrongTry: WrongTry,
    outcomes: { changed: NewEvent; refused: NewEvent },
  ): Promise<RedemptionOutcome | { kind: 'email_taken' }> => {
    const isRedeemed = isRedeemedBy(tenantId, redemption);
    const { email, emailKey } = changes;
    const at = redemption.at;
    let outcome: RedemptionOutcome = { kind: 'refused', isLast: false };
    const violated = await violatedTableOf(async () => {
      const [, , , redeemed, hits] = await db.batch([
        ...decideRedemption(db, tenantId, redemption, wrongTry),
        ...(firstProof === null ? [] : proveAddress(db, tenantId, user.id, firstProof, isRedeemed)),
        changeUser(db, tenantId, user.id, { ...changes, updatedAt: at }, isRedeemed),
        recordEventIf(db, tenantId, outcomes.changed, isRedeemed),
        recordEventIf(db, tenantId, outcomes.refused, isCounted(tenantId, wrongTry.hit)),
        ...(user.isOwner && email !== undefined
          ? [
              db
                .update(customers)
                .set({ email, emailKey, updatedAt: at, version: sql`${customers.version} + 1` })
                .where(and(ofCustomer(tenantId, user.customerId), isRedeemed)),
            ]
          : []),
      ]);
      outcome = outcomeOf(redeemed, hits, wrongTry);
    });
    return violated === null ? outcome : { kind: 'email_taken' };
  },
});

export type UserStore = ReturnType<typeof createUserStore>;

/** What is told after the answer may come after a deletion: then there is nobody left to tell of. */
const recordUnlessDeleted = (db: Database, tenantId: TenantId, event: NewEvent) =>
  recordEventIf(
    db,
    tenantId,
    event,
    sql`${event.subject} = ${tenantId} or exists (select 1 from ${customers}
      where ${and(eq(customers.tenantId, tenantId), sql`${customers.id} = ${event.subject}`)})`,
  );

/** The condition that there is such a user. */
export const isUser = (tenantId: TenantId, id: UserId) =>
  sql`exists (select 1 from ${users} where ${and(eq(users.tenantId, tenantId), eq(users.id, id))})`;

/** The statement that changes a user, where the condition holds. */
export const changeUser = (db: Database, tenantId: TenantId, id: UserId, changes: UserChanges, condition?: SQL) =>
  db
    .update(users)
    .set(changes)
    .where(and(eq(users.tenantId, tenantId), eq(users.id, id), condition));

/**
 * The statements that read a user and its customer. Two, because in a batch D1 gives columns by name alone, and a join of
 * these tables has most names twice.
 */
export const selectUser = (db: Database, tenantId: TenantId, condition: SQL) => {
  const isRead = and(eq(users.tenantId, tenantId), condition);
  const customerIds = db.select({ id: users.customerId }).from(users).where(isRead);
  return [
    db.select().from(users).where(isRead),
    db
      .select()
      .from(customers)
      .where(and(eq(customers.tenantId, tenantId), inArray(customers.id, customerIds))),
  ] as const;
};

/** The condition on `users` that names whoever is signed in: nobody, once the session has been revoked. */
export const isSignedIn = (tenantId: TenantId, { userId, sessionId }: SignedIn): SQL => {
  const session = and(
    eq(sessions.tenantId, tenantId),
    sql`${sessions.id} = ${sessionId}`,
    eq(sessions.userId, users.id),
    isNull(sessions.revokedAt),
  );
  return sessionId === null
    ? eq(users.id, userId)
    : sql`${users.id} = ${userId} and exists (select 1 from ${sessions} where ${session})`;
};

/** The user that `selectUser` read. */
export const userOf = ([user]: readonly UserRow[], [customer]: readonly CustomerRow[]): User | null =>
  user && customer ? { ...user, customer } : null;
