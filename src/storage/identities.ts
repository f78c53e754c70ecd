import { and, eq, inArray, ne, sql } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import { proveAddress } from './address-proofs.ts';
import type { NewCustomer, NewUser } from './customers.ts';
import { type Database, insertIf, violatedTableOf } from './database.ts';
import { type NewEvent, recordEventIf } from './events.ts';
import { type IdentitySource, isSource, keyOfSource } from './identity-sources.ts';
import { customers, identities, users } from './schema.ts';
import { changeUser, selectUser, type User, type UserChanges, userOf } from './users.ts';

/** Who somebody is for an identity provider. */
export type Identity = { provider: string; subject: string };

/** Who somebody is by the word of a source. */
export type AssertedIdentity = { source: IdentitySource; subject: string };

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
  const isOf = (source: IdentitySource) =>
    and(eq(identities.tenantId, tenantId), eq(identities.provider, keyOfSource(source)));

  /** The statement that links while the source is there, unless it knows the user by another subject by now. */
  const link = ({ source, subject }: AssertedIdentity, { id }: Pick<User, 'id'>, createdAt: number) =>
    db.insert(identities).select(
      sql`select ${tenantId}, ${keyOfSource(source)}, ${subject}, ${id}, ${createdAt}
        where ${isSource(tenantId, source)} and not exists
          (select 1 from ${identities} where ${isOf(source)} and ${identities.userId} = ${id}
            and ${identities.subject} <> ${subject})`,
    );

  return {
    /** Null when the source is there no more. */
    find: async ({ source, subject }: AssertedIdentity, emailKey: string): Promise<IdentityMatch | null> => {
      const ofSource = isOf(source);
      const linkedIds = db
        .select({ id: identities.userId })
        .from(identities)
        .where(and(ofSource, eq(identities.subject, subject)));
      const sameEmailIds = db
        .select({ id: users.id })
        .from(users)
        .where(and(eq(users.tenantId, tenantId), eq(users.emailKey, emailKey)));
      const [sources, linkedUsers, linkedCustomers, sameUsers, sameCustomers, others] = await db.batch([
        db
          .select({ found: sql`1`.as('found') })
          .from(sql`(select 1)`)
          .where(isSource(tenantId, source)),
        ...selectUser(db, tenantId, inArray(users.id, linkedIds)),
        ...selectUser(db, tenantId, eq(users.emailKey, emailKey)),
        db
          .select({ subject: identities.subject })
          .from(identities)
          .where(and(ofSource, ne(identities.subject, subject), inArray(identities.userId, sameEmailIds))),
      ]);
      if (sources.length === 0) return null;
      return {
        linked: userOf(linkedUsers, linkedCustomers),
        sameEmail: userOf(sameUsers, sameCustomers),
        isKnownOtherwise: others.length > 0,
      };
    },

    /**
     * Links the identity to a user. `firstProof` is what changes of one who proves its address with it for the first time,
     * and no identity from before is left to; null where none is proved.
     */
    link: (
      identity: AssertedIdentity,
      user: User,
      firstProof: UserChanges | null,
      event: NewEvent,
    ): Promise<'done' | 'taken'> => {
      const { source, subject } = identity;
      const isIdentity = sql`${isOf(source)} and ${identities.subject} = ${subject}`;
      const isLink = and(isIdentity, eq(identities.userId, user.id), isSource(tenantId, source));
      const isLinked = sql`exists (select 1 from ${identities} where ${isLink})`;
      return outcomeOf(async () => {
        const [, linked] = await db.batch([
          link(identity, user, event.at),
          db.select({ subject: identities.subject }).from(identities).where(isLink),
          changeUser(db, tenantId, user.id, { updatedAt: event.at }, isLinked),
          recordEventIf(db, tenantId, event, isLinked),
          ...(firstProof === null ? [] : proveAddress(db, tenantId, user.id, firstProof, isLinked, isIdentity)),
        ]);
        return linked;
      });
    },

    /** Makes a customer with its owner, who has the identity. */
    create: (identity: AssertedIdentity, customer: NewCustomer, owner: NewFederatedUser, event: NewEvent) => {
      const isThere = isSource(tenantId, identity.source);
      return outcomeOf(async () => {
        const [, , linked] = await db.batch([
          insertIf(db, customers, { tenantId, ...customer }, isThere),
          insertIf(db, users, { tenantId, ...owner }, isThere),
          link(identity, owner, event.at).returning({ subject: identities.subject }),
          recordEventIf(db, tenantId, event, isThere),
        ]);
        return linked;
      });
    },
  };
};

export type IdentityStore = ReturnType<typeof createIdentityStore>;

/** Runs a write that gives what it has linked. `taken`: somebody was faster, or the source is there no more. */
const outcomeOf = async (write: () => Promise<readonly unknown[]>): Promise<'done' | 'taken'> => {
  let linked: readonly unknown[] = [];
  await violatedTableOf(async () => {
    linked = await write();
  });
  return linked.length > 0 ? 'done' : 'taken';
};
