import { and, eq, inArray, ne, type SQL, sql } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import type { Issuance, MailedChallenge } from './challenges.ts';
import type { NewCustomer, NewUser } from './customers.ts';
import { type Database, StorageError } from './database.ts';
import { type NewEvent, recordEvent } from './events.ts';
import { issueOrFail, waitAfterFailure } from './issuances.ts';
import { type AwsCredentials, insertPhones, type Phone } from './profiles.ts';
import { type Counted, countInTurn, hitsOfAll, waitForAll } from './rate-hits.ts';
import { awsCredentials, customers, users } from './schema.ts';

/** Somebody new: the owner of a new customer, or a further user of one that is there. */
export type Enrolment = {
  customer: { row: NewCustomer; phones: readonly Phone[] } | null;
  user: NewUser & { givenName: string; familyName: string };
  phones: readonly Phone[];
  awsCredentials: AwsCredentials | null;
  event: NewEvent;
};

/** New people, and the question whether somebody is known already. */
export const createEnrolmentStore = (db: Database, tenantId: TenantId) => ({
  /**
   * Counts an attempt wherever it is to be counted, and tells whether a user or a customer has one of the addresses.
   * `waitMs` is how long it is to wait if a limit forbids it, else 0.
   */
  attempt: async (
    emailKeys: readonly string[],
    counted: readonly Counted[],
  ): Promise<{ waitMs: number; isRegistered: boolean }> => {
    const [foundUsers, foundCustomers, ...counts] = await db.batch([
      db
        .select({ id: users.id })
        .from(users)
        .where(and(eq(users.tenantId, tenantId), inArray(users.emailKey, [...emailKeys]))),
      db
        .select({ id: customers.id })
        .from(customers)
        .where(and(eq(customers.tenantId, tenantId), inArray(customers.emailKey, [...emailKeys]))),
      ...countInTurn(db, tenantId, counted),
      hitsOfAll(db, tenantId, counted),
    ]);
    return {
      waitMs: waitForAll(counts.at(-1), counted),
      isRegistered: foundUsers.length > 0 || foundCustomers.length > 0,
    };
  },

  /** Stores somebody new with all that is known and the secret that is to be mailed: everything, or nothing. */
  enrol: async (enrolment: Enrolment, secret: MailedChallenge): Promise<Issuance | { kind: 'email_taken' }> => {
    const { customer, user, phones } = enrolment;
    try {
      await db.batch([
        recordEvent(db, tenantId, enrolment.event),
        ...(customer
          ? [
              db
                .insert(customers)
                .values({ tenantId, ...customer.row, emailKey: unlessUserOfAnother(tenantId, customer.row) }),
            ]
          : []),
        db.insert(users).values({ tenantId, ...user, emailKey: unlessAnotherCustomer(tenantId, user) }),
        ...insertPhones(db, tenantId, user.customerId, null, customer?.phones ?? []),
        ...insertPhones(db, tenantId, user.customerId, user.id, phones),
        ...(enrolment.awsCredentials
          ? [db.insert(awsCredentials).values({ tenantId, userId: user.id, ...enrolment.awsCredentials })]
          : []),
        ...issueOrFail(db, tenantId, secret),
      ]);
      return { kind: 'issued' };
    } catch (error) {
      const { message } = new StorageError(error);
      if (/constraint failed: .*\b(customers|users)\.email_key/.test(message)) return { kind: 'email_taken' };
      return { kind: 'limited', waitMs: await waitAfterFailure(db, tenantId, error, [secret]) };
    }
  },
});

export type EnrolmentStore = ReturnType<typeof createEnrolmentStore>;

/*
 * That no two users share an address, and no two customers, is the tables' own rule. That no customer's user has the
 * address of another customer is the rule of these two: they give null, which the columns refuse.
 */

const unlessUserOfAnother = (tenantId: TenantId, { id, emailKey }: NewCustomer): SQL =>
  sql`case when not exists (select 1 from ${users}
    where ${and(eq(users.tenantId, tenantId), eq(users.emailKey, emailKey), ne(users.customerId, id))})
    then ${emailKey} end`;

const unlessAnotherCustomer = (tenantId: TenantId, { customerId, emailKey }: NewUser): SQL =>
  sql`case when not exists (select 1 from ${customers}
    where ${and(eq(customers.tenantId, tenantId), eq(customers.emailKey, emailKey), ne(customers.id, customerId))})
    then ${emailKey} end`;
