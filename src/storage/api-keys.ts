import { and, asc, eq, type SQL, sql } from 'drizzle-orm';
import type { AppId, CustomerId, TenantId } from '../crypto/ids.ts';
import {
  decideRedemption,
  isRedeemedBy,
  outcomeOf,
  type Redemption,
  type RedemptionOutcome,
  type WrongTry,
} from './challenges.ts';
import type { Database } from './database.ts';
import { type NewEvent, recordEvent, recordEventIf } from './events.ts';
import { isCounted } from './rate-hits.ts';
import { apiKeys } from './schema.ts';

/** A key pair to be given. `key` is used only if the customer has none with this app yet: a key stays, a token is new. */
export type KeyRenewal = { customerId: CustomerId; appId: AppId; key: string; tokenHash: string; at: number };

/** A key for a customer that may have none. */
export type NewApiKey = Omit<KeyRenewal, 'appId'>;

export const createApiKeyStore = (db: Database, tenantId: TenantId) => ({
  /** Replaces the token of the customer's key with the app, making the key if there is none, and gives the key. */
  renew: async (renewal: KeyRenewal, event: NewEvent): Promise<string> => {
    const [rows] = await db.batch([
      db
        .insert(apiKeys)
        .values(newRow(tenantId, renewal))
        .onConflictDoUpdate(renewed(renewal))
        .returning({ key: apiKeys.key }),
      recordEvent(db, tenantId, event),
    ]);
    return rows[0]?.key ?? renewal.key;
  },

  /** As `renew`, if the redemption of a passcode succeeds; else counts the wrong try against the person. */
  renewByRedemption: async (
    renewal: KeyRenewal,
    redemption: Redemption,
    wrongTry: WrongTry,
    outcomes: { renewed: NewEvent; refused: NewEvent },
  ): Promise<RedemptionOutcome & { key: string }> => {
    const isRedeemed = isRedeemedBy(tenantId, redemption);
    const row = newRow(tenantId, renewal);
    const [, , , redeemed, hits, keys] = await db.batch([
      ...decideRedemption(db, tenantId, redemption, wrongTry),
      db
        .insert(apiKeys)
        .select(
          sql`select ${row.tenantId}, ${row.key}, ${row.customerId}, ${row.appId}, ${row.tokenHash}, ${row.createdAt},
            ${row.renewedAt} where ${isRedeemed}`,
        )
        .onConflictDoUpdate(renewed(renewal))
        .returning({ key: apiKeys.key }),
      recordEventIf(db, tenantId, outcomes.renewed, isRedeemed),
      recordEventIf(db, tenantId, outcomes.refused, isCounted(tenantId, wrongTry.hit)),
    ]);
    return { ...outcomeOf(redeemed, hits, wrongTry), key: keys[0]?.key ?? renewal.key };
  },
});

export type ApiKeyStore = ReturnType<typeof createApiKeyStore>;

/** The statement that gives a new customer its first key. */
export const insertApiKey = (db: Database, tenantId: TenantId, renewal: KeyRenewal) =>
  db.insert(apiKeys).values(newRow(tenantId, renewal));

/** In place of an app, for a key that no app asked for: it was made when a user of the customer signed in. */
export const NO_APP: AppId = 'app_none';

/** The statement that gives a customer a key, where the condition holds and it has none. */
export const ensureApiKey = (db: Database, tenantId: TenantId, renewal: NewApiKey, condition: SQL) => {
  const row = newRow(tenantId, { ...renewal, appId: NO_APP });
  return db.insert(apiKeys).select(
    sql`select ${row.tenantId}, ${row.key}, ${row.customerId}, ${row.appId}, ${row.tokenHash}, ${row.createdAt},
        ${row.renewedAt} where ${condition} and not exists (select 1 from ${apiKeys}
        where ${ofKeysOf(tenantId, renewal.customerId)})`,
  );
};

/** The statement that reads a customer's oldest key. */
export const selectApiKeyOf = (db: Database, tenantId: TenantId, customerId: CustomerId) =>
  db
    .select({ key: apiKeys.key })
    .from(apiKeys)
    .where(ofKeysOf(tenantId, customerId))
    .orderBy(asc(apiKeys.createdAt), asc(apiKeys.key))
    .limit(1);

/** The statement that takes a customer's keys away. */
export const deleteApiKeysOf = (db: Database, tenantId: TenantId, customerId: CustomerId) =>
  db.delete(apiKeys).where(ofKeysOf(tenantId, customerId));

const ofKeysOf = (tenantId: TenantId, customerId: CustomerId) =>
  and(eq(apiKeys.tenantId, tenantId), eq(apiKeys.customerId, customerId));

const newRow = (tenantId: TenantId, { at, ...renewal }: KeyRenewal) => ({
  tenantId,
  ...renewal,
  createdAt: at,
  renewedAt: at,
});

const renewed = ({ tokenHash, at }: KeyRenewal) => ({
  target: [apiKeys.tenantId, apiKeys.customerId, apiKeys.appId],
  set: { tokenHash, renewedAt: at },
});
