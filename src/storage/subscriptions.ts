import { and, asc, eq, gt, inArray, notInArray, type SQL, sql } from 'drizzle-orm';
import type { CustomerId, TenantId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { type NewEvent, recordEvent, recordEventIf } from './events.ts';
import { customerSubscriptions, subscriptions } from './schema.ts';

/** What customers of a tenant can subscribe to. */
export type Subscription = { id: string; name: string };

/** One that a customer has. */
export type CustomerSubscription = Subscription & { subscribedAt: number };

export const createSubscriptionStore = (db: Database, tenantId: TenantId) => ({
  /** By id. */
  list: (): Promise<Subscription[]> => selectOffered(db, tenantId),

  /** As `list`, so many of them; `after`: only those that follow this one. */
  page: (limit: number, after: string | null): Promise<Subscription[]> =>
    selectOffered(db, tenantId, after === null ? undefined : gt(subscriptions.id, after)).limit(limit),

  find: async (id: string): Promise<Subscription | null> => {
    const [found] = await selectOffered(db, tenantId, eq(subscriptions.id, id));
    return found ?? null;
  },

  /** Makes the subscription or gives it another name. Whether it is new. */
  put: async ({ id, name }: Subscription, event: NewEvent): Promise<boolean> => {
    const [inserted] = await db.batch([
      db
        .insert(subscriptions)
        .values({ tenantId, id, name, createdAt: event.at })
        .onConflictDoNothing()
        .returning({ id: subscriptions.id }),
      db.update(subscriptions).set({ name }).where(ofSubscription(tenantId, id)),
      recordEvent(db, tenantId, event),
    ]);
    return inserted.length > 0;
  },

  /** Removes it, from the customers that have it, too. False if there is none. */
  remove: async (id: string, event: NewEvent): Promise<boolean> => {
    const isThere = sql`exists (select 1 from ${subscriptions} where ${ofSubscription(tenantId, id)})`;
    const has = and(eq(customerSubscriptions.tenantId, tenantId), eq(customerSubscriptions.subscriptionId, id));
    const [, , removed] = await db.batch([
      recordEventIf(db, tenantId, event, isThere),
      db.delete(customerSubscriptions).where(has),
      db.delete(subscriptions).where(ofSubscription(tenantId, id)).returning({ id: subscriptions.id }),
    ]);
    return removed.length > 0;
  },
});

export type SubscriptionStore = ReturnType<typeof createSubscriptionStore>;

/** The statement that reads what a customer is subscribed to. */
export const selectSubscriptionsOf = (db: Database, tenantId: TenantId, customerId: SQL) =>
  db
    .select({ id: subscriptions.id, name: subscriptions.name, subscribedAt: customerSubscriptions.subscribedAt })
    .from(customerSubscriptions)
    .innerJoin(
      subscriptions,
      and(
        eq(subscriptions.tenantId, customerSubscriptions.tenantId),
        eq(subscriptions.id, customerSubscriptions.subscriptionId),
      ),
    )
    .where(and(eq(customerSubscriptions.tenantId, tenantId), sql`${customerSubscriptions.customerId} = ${customerId}`))
    .orderBy(asc(customerSubscriptions.subscribedAt), asc(subscriptions.id));

/** The statements that make this the whole list of a customer; one that stays keeps its time. */
export const replaceSubscriptions = (
  db: Database,
  tenantId: TenantId,
  customerId: CustomerId,
  ids: readonly string[],
  at: number,
  condition?: SQL,
) => {
  // One parameter for all of them: D1 binds a hundred at most.
  const wanted = sql`(select value from json_each(${JSON.stringify(ids)}))`;
  return [
    db
      .delete(customerSubscriptions)
      .where(
        and(
          eq(customerSubscriptions.tenantId, tenantId),
          eq(customerSubscriptions.customerId, customerId),
          notInArray(customerSubscriptions.subscriptionId, wanted),
          condition,
        ),
      ),
    addSubscriptions(db, tenantId, customerId, ids, at, condition),
  ];
};

/** The statement that adds to what a customer has; `ids` null for all that the tenant offers. */
export const addSubscriptions = (
  db: Database,
  tenantId: TenantId,
  customerId: CustomerId,
  ids: readonly string[] | null,
  at: number,
  condition?: SQL,
) => {
  const isWanted = ids && inArray(subscriptions.id, sql`(select value from json_each(${JSON.stringify(ids)}))`);
  return db
    .insert(customerSubscriptions)
    .select(
      sql`select ${tenantId}, ${customerId}, ${subscriptions.id}, ${at} from ${subscriptions} where
        ${and(eq(subscriptions.tenantId, tenantId), isWanted ?? undefined, condition)}`,
    )
    .onConflictDoNothing();
};

const selectOffered = (db: Database, tenantId: TenantId, condition?: SQL) =>
  db
    .select({ id: subscriptions.id, name: subscriptions.name })
    .from(subscriptions)
    .where(and(eq(subscriptions.tenantId, tenantId), condition))
    .orderBy(asc(subscriptions.id));

const ofSubscription = (tenantId: TenantId, id: string) =>
  and(eq(subscriptions.tenantId, tenantId), eq(subscriptions.id, id));
