import { and, eq, inArray, ne, sql } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import type { NewCustomer, NewUser } from './customers.ts';
import { type Database, violatedTableOf } from './database.ts';
import { type NewEvent, recordEvent, recordEventIf } from './events.ts';
import { customers, identities, users } from './schema.ts';
import { changeUser, selectUser, type User, type UserChanges, userOf } from './users.ts';

/** Who somebody is for an identity provider. */
export type Identity = { provider: string; subject: string };

/** A user as it is made by an identity provider's word. */
export type NewFederatedUser = NewUser & Pick<User, 'givenName' | 'familyName' | 'activatedAt'>;

export type IdentityMatch = {
  /** The user whose identity it is. */
  linked: User | null;
  /** The user who has the address. */
  sameEmail: User | null;
  /** Whether the provider knows the user who has the address by another subject. */
  isKnownOtherwise: boolean;
};

export const createIdentityStore = (db: Database, tenantId: TenantId) => {
  const isOf = (provider: string) => and(eq(identities.tenantId, tenantId), eq(identities.provider, provider));

  /** The statement that links, unless the provider knows the user by another subject by now. */
  const link = ({ provider, subject }: Identity, { id }: Pick<User, 'id'>, createdAt: number) =>
    db.insert(identities).select(
      sql`select ${tenantId}, ${provider}, ${subject}, ${id}, ${createdAt} where not exists
        (select 1 from ${identities} where ${isOf(provider)} and ${identities.userId} = ${id}
          and ${identities.subject} <> ${subject})`,
    );

  return {
    find: async ({ provider, subject }: Identity, emailKey: string): Promise<IdentityMatch> => {
      const ofProvider = isOf(provider);
      const linkedIds = db
        .select({ id: identities.userId })
        .from(identities)
        .where(and(ofProvider, eq(identities.subject, subject)));
      const sameEmailIds = db
        .select({ id: users.id })
        .from(users)
        .where(and(eq(users.tenantId, tenantId), eq(users.emailKey, emailKey)));
      const [linkedUsers, linkedCustomers, sameUsers, sameCustomers, others] = await db.batch([
        ...selectUser(db, tenantId, inArray(users.id, linkedIds)),
        ...selectUser(db, tenantId, eq(users.emailKey, emailKey)),
        db
          .select({ subject: identities.subject })
          .from(identities)
          .where(and(ofProvider, ne(identities.subject, subject), inArray(identities.userId, sameEmailIds))),
      ]);
      return {
        linked: userOf(linkedUsers, linkedCustomers),
        sameEmail: userOf(sameUsers, sameCustomers),
        isKnownOtherwise: others.length > 0,
      };
    },

    /** Links the identity to a user, and changes the user with it. */
    link: async (identity: Identity, user: User, changes: UserChanges, event: NewEvent): Promise<'done' | 'taken'> => {
      const ofLink = and(isOf(identity.provider), eq(identities.subject, identity.subject));
      const isLinked = sql`exists (select 1 from ${identities} where ${ofLink} and ${identities.userId} = ${user.id})`;
      let linked: readonly unknown[] = [];
      const outcome = await outcomeOf(async () => {
        [, , , linked] = await db.batch([
          link(identity, user, event.at),
          changeUser(db, tenantId, user.id, { ...changes, updatedAt: event.at }, isLinked),
          recordEventIf(db, tenantId, event, isLinked),
          db
            .select({ subject: identities.subject })
            .from(identities)
            .where(and(ofLink, eq(identities.userId, user.id))),
        ]);
      });
      return linked.length > 0 ? outcome : 'taken';
    },

    /** Makes a customer with its owner, who has the identity. */
    create: async (identity: Identity, customer: NewCustomer, owner: NewFederatedUser, event: NewEvent) =>
      outcomeOf(() =>
        db.batch([
          db.insert(customers).values({ tenantId, ...customer }),
          db.insert(users).values({ tenantId, ...owner }),
          link(identity, owner, event.at),
          recordEvent(db, tenantId, event),
        ]),
      ),
  };
};

export type IdentityStore = ReturnType<typeof createIdentityStore>;

const outcomeOf = async (write: () => Promise<unknown>): Promise<'done' | 'taken'> =>
  (await violatedTableOf(write)) === null ? 'done' : 'taken';
