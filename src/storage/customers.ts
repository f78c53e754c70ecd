import { and, eq, gt, lte, sql } from 'drizzle-orm';
import type { AppId, CustomerId, TenantId } from '../crypto/ids.ts';
import { deleteApiKeysOf, insertApiKey, type KeyRenewal } from './api-keys.ts';
import { type Database, violatedTableOf } from './database.ts';
import { anonymiseEvents, type NewEvent, recordEvent } from './events.ts';
import { challenges, customers, idempotency, users } from './schema.ts';

export type CustomerRow = typeof customers.$inferSelect;

/** A customer with the locale of its owner, in which it is written to. */
export type Customer = Omit<CustomerRow, 'tenantId'> & { locale: string | null };

export type NewCustomer = Omit<CustomerRow, 'tenantId'>;
export type NewUser = Omit<typeof users.$inferSelect, 'tenantId'>;
type Detail = 'company' | 'name' | 'address' | 'city' | 'region' | 'postalCode' | 'country' | 'phone' | 'website';

/** What changes of a customer; what is undefined stays. */
export type CustomerChanges = { [Member in Detail]?: CustomerRow[Member] | undefined };

/** An answer to keep, so that a request repeated under the same `Idempotency-Key` gets it again (contract 1). */
export type KeptAnswer = Omit<typeof idempotency.$inferSelect, 'tenantId'>;

export type Creation = {
  customer: NewCustomer;
  owner: NewUser;
  apiKey: KeyRenewal;
  keptAnswer: KeptAnswer | null;
  event: NewEvent;
};

export const createCustomerStore = (db: Database, tenantId: TenantId) => ({
  create: async (creation: Creation): Promise<'created' | 'email_taken' | 'answered_before'> => {
    const { keptAnswer } = creation;
    const keeping = keptAnswer
      ? [
          db.delete(idempotency).where(and(ofKey(tenantId, keptAnswer), lte(idempotency.expiresAt, creation.event.at))),
          db.insert(idempotency).values({ tenantId, ...keptAnswer }),
        ]
      : [];
    const violated = await violatedTableOf(() =>
      db.batch([
        recordEvent(db, tenantId, creation.event),
        ...keeping,
        db.insert(customers).values({ tenantId, ...creation.customer }),
        db.insert(users).values({ tenantId, ...creation.owner }),
        insertApiKey(db, tenantId, creation.apiKey),
      ]),
    );
    if (violated === null) return 'created';
    return violated === 'idempotency' ? 'answered_before' : 'email_taken';
  },

  /** The answer that was kept under this key of the app, while it lasts. */
  findKeptAnswer: async (appId: AppId, key: string, now: number): Promise<KeptAnswer | null> => {
    const rows = await db
      .select()
      .from(idempotency)
      .where(and(ofKey(tenantId, { appId, key }), gt(idempotency.expiresAt, now)));
    return rows[0] ?? null;
  },

  /** The customer after the change, or null when there is none. */
  update: async (
    id: CustomerId,
    changes: CustomerChanges,
    at: number,
    event: NewEvent,
  ): Promise<CustomerRow | null> => {
    const [rows] = await db.batch([
      db
        .update(customers)
        .set({ ...changes, version: sql`${customers.version} + 1`, updatedAt: at })
        .where(ofCustomer(tenantId, id))
        .returning(),
      recordEvent(db, tenantId, event),
    ]);
    return rows[0] ?? null;
  },

  /** Removes the customer, its users, credentials and secrets, and what its events told of a person. */
  remove: async (id: CustomerId, event: NewEvent): Promise<void> => {
    await db.batch([
      anonymiseEvents(db, tenantId, id),
      deleteApiKeysOf(db, tenantId, id),
      db.delete(challenges).where(and(eq(challenges.tenantId, tenantId), eq(challenges.customerId, id))),
      db.delete(idempotency).where(and(eq(idempotency.tenantId, tenantId), eq(idempotency.customerId, id))),
      db.delete(users).where(and(eq(users.tenantId, tenantId), eq(users.customerId, id))),
      db.delete(customers).where(ofCustomer(tenantId, id)),
      recordEvent(db, tenantId, event),
    ]);
  },
});

export type CustomerStore = ReturnType<typeof createCustomerStore>;

const ofCustomer = (tenantId: TenantId, id: CustomerId) => and(eq(customers.tenantId, tenantId), eq(customers.id, id));

const ofKey = (tenantId: TenantId, { appId, key }: { appId: AppId; key: string }) =>
  and(eq(idempotency.tenantId, tenantId), eq(idempotency.appId, appId), eq(idempotency.key, key));
