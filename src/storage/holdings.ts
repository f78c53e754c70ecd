import { and, asc, eq, getTableColumns, inArray } from 'drizzle-orm';
import type { CustomerId, TenantId } from '../crypto/ids.ts';
import { idsOfUsers } from './customers.ts';
import { type Database, unindexed } from './database.ts';
import {
  apiKeys,
  awsCredentials,
  challenges,
  events,
  heldChanges,
  idempotency,
  identities,
  phones,
  sessions,
  users,
} from './schema.ts';
import type { UserRow } from './users.ts';

/** Everything that is held about a customer and its users, but for secrets. Without a user, a phone is the customer's. */
export type Holdings = {
  users: Omit<UserRow, 'passwordHash'>[];
  phones: Pick<typeof phones.$inferSelect, 'id' | 'userId' | 'number' | 'type'>[];
  awsCredentials: Omit<typeof awsCredentials.$inferSelect, 'tenantId' | 'sealedSecretAccess' | 'sealedPrivateKey'>[];
  identities: Pick<typeof identities.$inferSelect, 'userId' | 'provider' | 'subject' | 'createdAt'>[];
  sessions: Omit<
    typeof sessions.$inferSelect,
    'tenantId' | 'customerId' | 'generation' | 'sealedLogoutHint' | 'recentRotations'
  >[];
  apiKeys: Pick<typeof apiKeys.$inferSelect, 'key' | 'appId' | 'createdAt' | 'renewedAt'>[];
  oneTimeSecrets: Omit<typeof challenges.$inferSelect, 'tenantId' | 'customerId' | 'consumedBy'>[];
  heldChanges: Pick<typeof heldChanges.$inferSelect, 'expiresAt'>[];
  keptAnswers: Pick<typeof idempotency.$inferSelect, 'appId' | 'key' | 'expiresAt'>[];
  events: (typeof events.$inferSelect)[];
};

/** One round trip. Everything is in the order in which it came to be, phones by whose they are. */
export const findHoldings = async (db: Database, tenantId: TenantId, customerId: CustomerId): Promise<Holdings> => {
  const ids = idsOfUsers(db, tenantId, customerId);
  const found = await db.batch([
    db
      .select()
      .from(users)
      .where(and(eq(users.tenantId, tenantId), eq(users.customerId, customerId)))
      .orderBy(asc(unindexed(users.id))),
    db
      .select({ id: phones.id, userId: phones.userId, number: phones.number, type: phones.type })
      .from(phones)
      .where(and(eq(phones.tenantId, tenantId), eq(phones.customerId, customerId)))
      .orderBy(asc(unindexed(phones.userId)), asc(phones.id)),
    db
      .select(openColumnsOfAws)
      .from(awsCredentials)
      .where(and(eq(awsCredentials.tenantId, tenantId), inArray(awsCredentials.userId, ids)))
      .orderBy(asc(awsCredentials.createdAt)),
    db
      .select({
        userId: identities.userId,
        provider: identities.provider,
        subject: identities.subject,
        createdAt: identities.createdAt,
      })
      .from(identities)
      .where(and(eq(identities.tenantId, tenantId), inArray(identities.userId, ids)))
      .orderBy(asc(identities.createdAt)),
    db
      .select(openColumnsOfSessions)
      .from(sessions)
      .where(and(eq(sessions.tenantId, tenantId), inArray(sessions.userId, ids)))
      .orderBy(asc(unindexed(sessions.id))),
    db
      .select({
        key: apiKeys.key,
        appId: apiKeys.appId,
        createdAt: apiKeys.createdAt,
        renewedAt: apiKeys.renewedAt,
      })
      .from(apiKeys)
      .where(and(eq(apiKeys.tenantId, tenantId), eq(apiKeys.customerId, customerId)))
      .orderBy(asc(apiKeys.createdAt)),
    db
      .select()
      .from(challenges)
      .where(and(eq(challenges.tenantId, tenantId), eq(challenges.customerId, customerId)))
      .orderBy(asc(challenges.createdAt)),
    db
      .select({ appId: idempotency.appId, key: idempotency.key, expiresAt: idempotency.expiresAt })
      .from(idempotency)
      .where(and(eq(idempotency.tenantId, tenantId), eq(idempotency.customerId, customerId)))
      .orderBy(asc(unindexed(idempotency.expiresAt))),
    db
      .select({ expiresAt: heldChanges.expiresAt })
      .from(heldChanges)
      .where(and(eq(heldChanges.tenantId, tenantId), eq(heldChanges.customerId, customerId)))
      .orderBy(asc(unindexed(heldChanges.expiresAt))),
    db
      .select()
      .from(events)
      .where(and(eq(events.tenantId, tenantId), eq(events.subject, customerId)))
      .orderBy(asc(events.id)),
  ]);
  return {
    users: found[0].map(({ passwordHash: _, ...user }) => user),
    phones: found[1],
    awsCredentials: found[2],
    identities: found[3],
    sessions: found[4],
    apiKeys: found[5],
    oneTimeSecrets: found[6].map(({ consumedBy: _, ...secret }) => secret),
    keptAnswers: found[7],
    heldChanges: found[8],
    events: found[9],
  };
};

const {
  tenantId: _ofAws,
  sealedSecretAccess: _access,
  sealedPrivateKey: _key,
  ...openColumnsOfAws
} = getTableColumns(awsCredentials);

const {
  tenantId: _ofSession,
  customerId: _customer,
  generation: _generation,
  sealedLogoutHint: _hint,
  recentRotations: _rotations,
  ...openColumnsOfSessions
} = getTableColumns(sessions);
