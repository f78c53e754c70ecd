import type { Subscription, SubscriptionStore } from '../storage/subscriptions.ts';
import type { Audit } from './audit.ts';
import { type Fault, Refusal } from './refusal.ts';

/** The ids of all that a tenant offers. */
export const listOffered = async (store: SubscriptionStore): Promise<ReadonlySet<string>> =>
  new Set((await store.list()).map(({ id }) => id));

/** What is wrong with a list of subscriptions, given those that there are. */
export const checkOffered = (ids: readonly string[], offered: ReadonlySet<string>): Fault[] =>
  ids.flatMap((id, i): Fault[] =>
    offered.has(id) ? [] : [{ path: `subscriptions.${i}`, code: 'invalid', message: 'is not offered' }],
  );

/** What the operator offers a tenant's customers to subscribe to. */
export const createSubscriptions = ({ store, audit }: { store: SubscriptionStore; audit: Audit }) => ({
  /** Refuses with `subscription_not_found`. */
  get: async (id: string): Promise<Subscription> => {
    const found = await store.find(id);
    if (!found) throw new Refusal('subscription_not_found');
    return found;
  },
  list: (limit: number, after: string | null): Promise<Subscription[]> => store.page(limit, after),
  /** Whether it is new. */
  put: (subscription: Subscription): Promise<boolean> =>
    store.put(subscription, audit('subscription.updated', 'operator', subscription.id)),
  /** Refuses with `subscription_not_found`. */
  remove: async (id: string): Promise<void> => {
    const isRemoved = await store.remove(id, audit('subscription.deleted', 'operator', id));
    if (!isRemoved) throw new Refusal('subscription_not_found');
  },
});
