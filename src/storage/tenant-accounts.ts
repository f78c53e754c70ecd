import { and, eq, inArray, type SQL, sql } from 'drizzle-orm';
import type { CustomerId, TenantId } from '../crypto/ids.ts';
import type { Account } from './accounts.ts';
import { proveAddress } from './address-proofs.ts';
import {
  decideRedemption,
  isRedeemedBy,
  type MailedChallenge,
  outcomeOf,
  type Redemption,
  type RedemptionOutcome,
  type WrongTry,
} from './challenges.ts';
import { type CustomerRow, type NewCustomer, ofCustomer } from './customers.ts';
import { type Database, insertIf, StorageError } from './database.ts';
import { type NewEvent, recordEventIf } from './events.ts';
import { issueOrFail, waitAfterFailure } from './issuances.ts';
import { freeNumber, type ProvedNumber } from './number-proofs.ts';
import { type Counted, countInTurn, hitsOfAll, isCounted, waitForAll } from './rate-hits.ts';
import { customers, type FlowStep, flows, heldChanges, users } from './schema.ts';
import { addSubscriptions, replaceSubscriptions, selectSubscriptionsOf } from './subscriptions.ts';
import { changeUser, selectUser, type UserChanges, type UserRow, userOf } from './users.ts';
import { isStale, nextVersion } from './versions.ts';

/** What an account is known by. */
export type AccountReference = { customerId: CustomerId } | { emailKey: string } | { phone: string };

type NewAccountUser = Omit<typeof users.$inferInsert, 'tenantId'>;

/** What changes of a customer by its forms and apps; what is undefined stays. */
export type AccountCustomerChanges = { [Member in keyof CustomerRow]?: CustomerRow[Member] | undefined };

/** What is done to an account, all of it or nothing. */
export type Application = {
  customerId: CustomerId;
  userId: UserRow['id'];
  /** The rows of an account that is new. */
  created: { customer: NewCustomer; user: NewAccountUser } | null;
  customer: AccountCustomerChanges;
  /** The version that the customer must still have, because its attributes were made of those; null for any. */
  version: number | null;
  user: UserChanges;
  /** What changes before of a user who proves its address for the first time; null where none is proved. */
  firstProof: UserChanges | null;
  /** The number that the user proves with it; null for none. */
  provedNumber: ProvedNumber | null;
  /** The whole new list; null to leave it as it is. */
  subscriptions: readonly string[] | null;
  /** Lists to add, each null for all that the tenant offers. */
  added: readonly (readonly string[] | null)[];
  events: readonly NewEvent[];
  at: number;
};

/** What of an application somebody else has already. */
type Taken = 'email_taken' | 'phone_taken';

/** `stale`: nothing was done, because the customer has another version. */
export type ApplicationOutcome = 'applied' | Taken | 'stale';

/** `wasCompared`: the code was wrong; otherwise there was nothing any more that it could have been right for. */
export type AnswerOutcome =
  | { kind: ApplicationOutcome }
  | (Extract<RedemptionOutcome, { kind: 'refused' }> & { wasCompared: boolean })
  | { kind: 'limited'; waitMs: number };

/** The accounts that forms and apps of a tenant create and change. */
export const createTenantAccountStore = (db: Database, tenantId: TenantId) => {
  const isReferenced = (reference: AccountReference): SQL | undefined => {
    if ('emailKey' in reference) return eq(users.emailKey, reference.emailKey);
    if ('phone' in reference) return eq(users.phone, reference.phone);
    return and(eq(users.customerId, reference.customerId), eq(users.isOwner, true));
  };

  const touch = ({ customerId, customer, version, at }: Application, condition: SQL) =>
    db
      .update(customers)
      .set({ ...customer, version: nextVersion(version), updatedAt: at })
      .where(and(ofCustomer(tenantId, customerId), condition));

  const statementsOf = (application: Application, condition: SQL) => {
    const { customerId, userId, created, firstProof, provedNumber, at } = application;
    return [
      ...(provedNumber === null ? [] : freeNumber(db, tenantId, userId, provedNumber, condition)),
      ...(created
        ? [
            insertIf(db, customers, { tenantId, ...created.customer }, condition),
            insertIf(db, users, { tenantId, ...created.user }, condition),
          ]
        : [
            ...(changesNothing(application) ? [] : [touch(application, condition)]),
            ...(firstProof === null ? [] : proveAddress(db, tenantId, userId, firstProof, condition)),
            changeUser(db, tenantId, userId, { ...application.user, updatedAt: at }, condition),
          ]),
      ...(application.subscriptions
        ? replaceSubscriptions(db, tenantId, customerId, application.subscriptions, at, condition)
        : []),
      ...application.added.map((ids) => addSubscriptions(db, tenantId, customerId, ids, at, condition)),
      ...application.events.map((event) => recordEventIf(db, tenantId, event, condition)),
    ];
  };

  return {
    /** Counts an attempt, unless a limit forbids it, and reads the account and the flow of these names. */
    find: async (reference: AccountReference, flowName: string | null, counted: readonly Counted[]) => {
      const isUser = isReferenced(reference) ?? sql`false`;
      const customerIds = sql`(select ${users.customerId} from ${users} where ${eq(users.tenantId, tenantId)} and ${isUser})`;
      const [foundUsers, foundCustomers, subscriptions, foundFlows, ...counts] = await db.batch([
        ...selectUser(db, tenantId, isUser),
        selectSubscriptionsOf(db, tenantId, customerIds),
        db
          .select()
          .from(flows)
          .where(and(eq(flows.tenantId, tenantId), inArray(flows.name, flowName === null ? [] : [flowName]))),
        ...countInTurn(db, tenantId, counted),
        hitsOfAll(db, tenantId, counted),
      ]);
      const user = userOf(foundUsers, foundCustomers);
      const account: Account | null = user && { user, subscriptions };
      const steps: FlowStep[] | null = foundFlows[0]?.steps ?? null;
      return { account, steps, waitMs: waitForAll(counts.at(-1), counted) };
    },

    apply: async (application: Application): Promise<ApplicationOutcome> => {
      const [first, ...rest] = statementsOf(application, sql`true`);
      if (!first) return 'applied';
      try {
        await db.batch([first, ...rest]);
        return 'applied';
      } catch (error) {
        const taken = takenOf(error);
        if (taken !== null) return taken;
        if (isStale(error)) return 'stale';
        throw error;
      }
    },

    /**
     * Applies what was held, and issues what is mailed next, if the answer redeems its challenge; else counts the wrong
     * try. Nothing is redeemed where a next mail is not allowed yet.
     */
    applyByAnswer: async (
      application: Application,
      heldId: string,
      redemption: Redemption,
      wrongTry: WrongTry,
      refused: NewEvent,
      mailed: readonly MailedChallenge[],
    ): Promise<AnswerOutcome> => {
      const isRedeemed = isRedeemedBy(tenantId, redemption);
      try {
        const [, compared, , redeemed, hits] = await db.batch([
          ...decideRedemption(db, tenantId, redemption, wrongTry),
          ...statementsOf(application, isRedeemed),
          db
            .delete(heldChanges)
            .where(and(eq(heldChanges.tenantId, tenantId), sql`${heldChanges.id} = ${heldId}`, isRedeemed)),
          recordEventIf(db, tenantId, refused, isCounted(tenantId, wrongTry.hit)),
          ...mailed.flatMap((each) => issueOrFail(db, tenantId, each, isRedeemed)),
        ]);
        const decided = outcomeOf(redeemed, hits, wrongTry);
        if (decided.kind === 'redeemed') return { kind: 'applied' };
        return decided.kind === 'refused' ? { ...decided, wasCompared: compared.meta.changes > 0 } : decided;
      } catch (error) {
        const taken = takenOf(error);
        if (taken !== null) return { kind: taken };
        if (isStale(error)) return { kind: 'stale' };
        return { kind: 'limited', waitMs: await waitAfterFailure(db, tenantId, error, mailed) };
      }
    },
  };
};

export type TenantAccountStore = ReturnType<typeof createTenantAccountStore>;

const takenOf = (error: unknown): Taken | null => {
  const { violatedTable, message } = new StorageError(error);
  if (violatedTable === null) return null;
  return message.includes('users.phone') ? 'phone_taken' : 'email_taken';
};

/** A sign-in leaves the customer as it is. */
const changesNothing = ({ customer, subscriptions, added }: Application): boolean =>
  Object.values(customer).every((value) => value === undefined) && subscriptions === null && added.length === 0;
