import { and, asc, eq, inArray, isNull, or, type SQL, sql } from 'drizzle-orm';
import type { CustomerId, TenantId, UserId } from '../crypto/ids.ts';
import { type Database, insertEach, unindexed } from './database.ts';
import { awsCredentials, phones, users } from './schema.ts';
import { isSignedIn, type SignedIn, selectUser, type User, type UserRow, userOf } from './users.ts';

/** A phone of a customer or a user: its number in E.164, its type by id. */
export type Phone = Pick<typeof phones.$inferSelect, 'id' | 'number' | 'type'>;

export type AwsCredentials = Omit<typeof awsCredentials.$inferSelect, 'tenantId' | 'userId'>;

/** One of a customer's users, with what belongs to it alone. */
export type Member = { user: Omit<UserRow, 'tenantId'>; phones: Phone[]; awsCredentials: AwsCredentials | null };

/** A user with its customer, and what belongs to either. */
export type Profile = Member & { user: User; customerPhones: Phone[] };

/** What a signed-in person sees of itself and its customer. */
export const createProfileStore = (db: Database, tenantId: TenantId) => ({
  /** One round trip: this read is also how it shows whether an access token is still alive. */
  find: async (whom: SignedIn): Promise<Profile | null> => {
    const [foundUsers, foundCustomers, foundPhones, [credentials]] = await db.batch([
      ...selectUser(db, tenantId, isSignedIn(tenantId, whom)),
      db
        .select()
        .from(phones)
        .where(
          and(
            eq(phones.tenantId, tenantId),
            inArray(phones.customerId, customerOf(db, tenantId, whom)),
            or(isNull(phones.userId), eq(phones.userId, whom.userId)),
          ),
        )
        .orderBy(asc(unindexed(phones.id))),
      db
        .select()
        .from(awsCredentials)
        .where(and(eq(awsCredentials.tenantId, tenantId), eq(awsCredentials.userId, whom.userId))),
    ]);
    const user = userOf(foundUsers, foundCustomers);
    return (
      user && {
        user,
        phones: foundPhones.filter(({ userId }) => userId !== null),
        customerPhones: foundPhones.filter(({ userId }) => userId === null),
        awsCredentials: credentials ?? null,
      }
    );
  },
});

export type ProfileStore = ReturnType<typeof createProfileStore>;

/** The query for the id of the customer that whoever is signed in belongs to. */
export const customerOf = (db: Database, tenantId: TenantId, whom: SignedIn) =>
  db
    .select({ id: users.customerId })
    .from(users)
    .where(and(eq(users.tenantId, tenantId), isSignedIn(tenantId, whom)));

/** The statements that store phones of a customer, or of one of its users, where the condition holds: none for no phones. */
export const insertPhones = (
  db: Database,
  tenantId: TenantId,
  customerId: CustomerId,
  userId: UserId | null,
  added: readonly Phone[],
  condition: SQL = sql`true`,
) => {
  const rows = added.map((each) => ({ customerId, userId, ...each }));
  return rows.length > 0 ? [insertEach(db, phones, tenantId, rows, condition)] : [];
};
