import { and, eq, gt, isNull, lt, type SQL, sql } from 'drizzle-orm';
import type { ChallengeId, CustomerId, TenantId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { type NewEvent, recordEvent, recordEventIf } from './events.ts';
import { type HeldChange, holdIf } from './held-changes.ts';
import {
  allows,
  type Counted,
  countHit,
  forgetOldHits,
  type Hit,
  hitsOf,
  isCounted,
  isLastOf,
  uncountHit,
  waitFor,
} from './rate-hits.ts';
import { type ChallengePurpose, challenges, events } from './schema.ts';

/** A one-time secret to be issued. `subject` is whom it is for: a new one for the same subject kills the one before. */
export type NewChallenge = {
  id: ChallengeId;
  purpose: ChallengePurpose;
  subject: string;
  customerId: CustomerId;
  createdAt: number;
  expiresAt: number;
};

/** An attempt to redeem a secret. `found` is what the presented code led to, `nonce` makes the attempt recognisable. */
export type Redemption = {
  purpose: ChallengePurpose;
  subject: string;
  found: ChallengeId | null;
  nonce: string;
  at: number;
};

/** A secret with what waits for it, if anything. */
type HoldingChallenge = { challenge: NewChallenge; held?: HeldChange | undefined };

/** A secret to be mailed, with the mail as it is counted and told of. */
export type MailedChallenge = HoldingChallenge & { counted: Counted; event: NewEvent };

export type Issuance = { kind: 'issued' } | { kind: 'limited'; waitMs: number };

const MOST_ATTEMPTS = 5;

export const createChallengeStore = (db: Database, tenantId: TenantId) => ({
  issue: async ({ challenge, held, event }: HoldingChallenge & { event?: NewEvent | undefined }): Promise<void> => {
    await db.batch([
      issueChallenge(db, tenantId, challenge),
      ...holdWith(db, tenantId, { challenge, held }),
      ...(event ? [recordEvent(db, tenantId, event)] : []),
    ]);
  },

  /**
   * Whether the attempt would redeem its secret, which it leaves as it is. A no is for good: what is dead or locked at
   * the moment of the attempt does not come back in it.
   */
  isRedeemable: async (redemption: Redemption, { hit, limits }: WrongTry): Promise<boolean> => {
    const found = await db
      .select({ id: challenges.id })
      .from(challenges)
      .where(
        and(isOpenTo(tenantId, redemption), sql`${challenges.id} = ${redemption.found}`, allows(tenantId, hit, limits)),
      );
    return found.length > 0;
  },

  /** Redeems a secret, or counts the wrong try. */
  redeem: async (redemption: Redemption, wrongTry: WrongTry, refused: NewEvent): Promise<RedemptionOutcome> => {
    const [, , , redeemed, hits] = await db.batch([
      ...decideRedemption(db, tenantId, redemption, wrongTry),
      recordEventIf(db, tenantId, refused, isCounted(tenantId, wrongTry.hit)),
    ]);
    return outcomeOf(redeemed, hits, wrongTry);
  },

  /** Issues a secret that will be mailed, unless a limit of its bucket forbids. */
  issueLimited: async ({ challenge, held, counted: { hit, limits }, event }: MailedChallenge): Promise<Issuance> => {
    const [, , , , hits] = await db.batch([
      forgetOldHits(db, tenantId, hit, limits),
      countHit(db, tenantId, hit, allows(tenantId, hit, limits)),
      issueChallenge(db, tenantId, challenge, isCounted(tenantId, hit)),
      recordEventIf(db, tenantId, event, isCounted(tenantId, hit)),
      hitsOf(db, tenantId, hit.bucket),
      ...holdWith(db, tenantId, { challenge, held }, isCounted(tenantId, hit)),
    ]);
    return hits.some((each) => each.id === hit.id)
      ? { kind: 'issued' }
      : { kind: 'limited', waitMs: waitFor(hits, limits, hit.at) };
  },

  /** Takes back a secret whose mail was refused, and the hit that it was counted with. */
  revokeIssued: async (challenge: NewChallenge, event: NewEvent, hit: Hit): Promise<void> => {
    await db.batch([
      db.delete(challenges).where(and(ofSubject(tenantId, challenge), eq(challenges.id, challenge.id))),
      uncountHit(db, tenantId, hit),
      forgetEvent(db, tenantId, event),
    ]);
  },

  /** Takes back the event of a mail that was refused: it was not sent. */
  retract: async (event: NewEvent): Promise<void> => {
    await forgetEvent(db, tenantId, event);
  },
});

export type ChallengeStore = ReturnType<typeof createChallengeStore>;

/** The statement that issues a secret in place of an older one of its subject, where the condition holds. */
export const issueChallenge = (
  db: Database,
  tenantId: TenantId,
  challenge: NewChallenge,
  condition: SQL = sql`true`,
  id = sql`${challenge.id}`,
) => {
  const fresh = {
    id: challenge.id,
    customerId: challenge.customerId,
    createdAt: challenge.createdAt,
    expiresAt: challenge.expiresAt,
  };
  return db
    .insert(challenges)
    .select(
      sql`select ${tenantId}, ${challenge.purpose}, ${challenge.subject}, ${id}, ${challenge.customerId},
        0, null, null, ${challenge.createdAt}, ${challenge.expiresAt} where ${condition}`,
    )
    .onConflictDoUpdate({
      target: [challenges.tenantId, challenges.purpose, challenges.subject],
      set: { ...fresh, attempts: 0, consumedAt: null, consumedBy: null },
    });
};

/** The statements that hold what waits for a secret, in the batch that issues it, where the condition holds. */
export const holdWith = (
  db: Database,
  tenantId: TenantId,
  { challenge, held }: HoldingChallenge,
  condition: SQL = sql`true`,
) => (held ? holdIf(db, tenantId, held, challenge.createdAt, condition) : []);

/**
 * The statement on which the decision to accept a secret rests: it counts the attempt, and consumes the secret if what
 * was presented is right. However many run at once, five compare and one succeeds (contract 0, one-time secrets).
 */
const redeemChallenge = (db: Database, tenantId: TenantId, redemption: Redemption, condition: SQL) =>
  db
    .update(challenges)
    .set({
      attempts: sql`${challenges.attempts} + 1`,
      consumedAt: sql`case when ${challenges.id} = ${redemption.found} then ${redemption.at} end`,
      consumedBy: sql`case when ${challenges.id} = ${redemption.found} then ${redemption.nonce} end`,
    })
    .where(and(isOpenTo(tenantId, redemption), condition));

const forgetEvent = (db: Database, tenantId: TenantId, { id }: NewEvent) =>
  db.delete(events).where(and(eq(events.tenantId, tenantId), eq(events.id, id)));

/** The condition that there is a secret left which an attempt may be compared with. */
const isOpenTo = (tenantId: TenantId, redemption: Redemption) =>
  and(
    ofSubject(tenantId, redemption),
    isNull(challenges.consumedAt),
    lt(challenges.attempts, MOST_ATTEMPTS),
    gt(challenges.expiresAt, redemption.at),
  );

/** A try to redeem a secret, as it is counted if it is wrong. */
export type WrongTry = Counted;

/** `isLast`: a lock begins with the wrong try. */
export type RedemptionOutcome =
  | { kind: 'redeemed' }
  | { kind: 'refused'; isLast: boolean }
  | { kind: 'limited'; waitMs: number };

/**
 * The statements that every redemption begins with. They decide; what they decided is told by the rows of the last two,
 * see `outcomeOf`, and to the statements that follow in the batch by `isRedeemedBy`.
 */
export const decideRedemption = (
  db: Database,
  tenantId: TenantId,
  redemption: Redemption,
  { hit, limits }: WrongTry,
) => {
  const isAllowed = allows(tenantId, hit, limits);
  return [
    forgetOldHits(db, tenantId, hit, limits),
    redeemChallenge(db, tenantId, redemption, isAllowed),
    countHit(db, tenantId, hit, sql`${isAllowed} and not ${isRedeemedBy(tenantId, redemption)}`),
    db.select({ id: challenges.id }).from(challenges).where(redeemedBy(tenantId, redemption)),
    hitsOf(db, tenantId, hit.bucket),
  ] as const;
};

/** What `decideRedemption` decided: from the rows of its last two statements. */
export const outcomeOf = (
  redeemed: readonly unknown[],
  hits: readonly { id: string; at: number }[],
  wrongTry: WrongTry,
): RedemptionOutcome => {
  const { hit, limits } = wrongTry;
  if (redeemed.length > 0) return { kind: 'redeemed' };
  if (hits.some(({ id }) => id === hit.id)) return { kind: 'refused', isLast: isLastOf(hits, wrongTry) };
  return { kind: 'limited', waitMs: waitFor(hits, limits, hit.at) };
};

/** The condition that an earlier statement of the batch consumed the secret for this redemption, and no other did. */
export const isRedeemedBy = (tenantId: TenantId, redemption: Redemption): SQL =>
  sql`exists (select 1 from ${challenges} where ${redeemedBy(tenantId, redemption)})`;

const redeemedBy = (tenantId: TenantId, redemption: Redemption): SQL =>
  sql`${ofSubject(tenantId, redemption)} and ${challenges.consumedBy} = ${redemption.nonce}`;

const ofSubject = (tenantId: TenantId, { purpose, subject }: { purpose: ChallengePurpose; subject: string }) =>
  and(eq(challenges.tenantId, tenantId), eq(challenges.purpose, purpose), eq(challenges.subject, subject));
