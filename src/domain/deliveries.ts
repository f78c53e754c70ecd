import { isId, type TenantId } from '../crypto/ids.ts';
import { randomFraction } from '../crypto/random.ts';
import type { Reception } from '../outside/webhooks/receivers.ts';
import type {
  Attempt,
  Delivery,
  DeliveryKey,
  DeliveryQuery,
  DeliveryStore,
  OverdueDeliveryStore,
} from '../storage/deliveries.ts';
import type { NewEvent } from '../storage/events.ts';
import type { DeliveryQueue } from '../storage/queue.ts';
import type { Audit } from './audit.ts';
import { Refusal } from './refusal.ts';
import { isTaken, type WebhookMessages } from './webhook-messages.ts';
import { isToldOf, type Webhooks } from './webhooks.ts';

export type { Delivery, DeliveryKey } from '../storage/deliveries.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** An attempt of which nothing was heard for so long is made again. */
const LEASE_MS = MINUTE_MS;

/** How long after each failed attempt the next one is due, at most: three days and more altogether, then it has failed. */
const GAPS_MS = [
  ...[20 * SECOND_MS, MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, 30 * MINUTE_MS],
  ...[1, 2, 4, 8, 12, 12, 12, 12, 12, 12].map((hours) => hours * HOUR_MS),
];

/** By how much of itself a gap may be shorter, so that what failed together does not come back together. */
const SPREAD = 0.1;

/** At once; what is more is handed over when it is overdue. */
const MOST_EVENTS = 1000;

/** What has been due for so long was forgotten by the queue, or never got there. */
const OVERDUE_MS = 30 * SECOND_MS;

const MOST_OVERDUE = 3000;

type Dependencies = {
  tenantId: TenantId;
  store: DeliveryStore;
  queue: DeliveryQueue;
  webhooks: Webhooks;
  messages: WebhookMessages;
  audit: Audit;
  /** Takes what is to be begun after the answer, and after all that was left to be done after it. */
  afterwards: (work: () => Promise<unknown>) => void;
  now: () => number;
};

/** What the webhooks of a tenant are to be told of: each event at least once, in no promised order. */
export const createDeliveries = (dependencies: Dependencies) => {
  const { tenantId, store, queue, webhooks, messages, audit, afterwards, now } = dependencies;
  let noted: Pick<NewEvent, 'id' | 'type'>[] = [];

  /** By the events alone: whether they were written, and are still to be told of, shows with the first attempt. */
  const handOver = async (): Promise<void> => {
    const events = noted;
    noted = [];
    const subscribers = await webhooks.subscribers();
    const notes = events.flatMap(({ id, type }) =>
      subscribers.filter((each) => isToldOf(each, type)).map(({ name }) => ({ tenantId, webhook: name, eventId: id })),
    );
    await queue.put(notes);
  };

  return {
    /** Sees to it that webhooks are told of an event soon. It need not be written yet, nor ever. */
    note: ({ id, type }: NewEvent): void => {
      if (noted.length === MOST_EVENTS) return;
      if (noted.push({ id, type }) === 1) afterwards(handOver);
    },

    /**
     * Makes an attempt, if the delivery is due and no other attempt is under way. Gives when the next one is due, or null
     * where none is to be waited for.
     */
    deliver: async (key: DeliveryKey): Promise<number | null> => {
      const claimedAt = now();
      const claimed = await store.claim(key, claimedAt, claimedAt + LEASE_MS);
      if (!claimed) return null;
      const { webhook, event, attempts } = claimed;
      const { id, type, at, actor, subject } = event;
      const reception = await messages.send(webhook, { id, type, at, data: { ...event.data, actor, subject } });
      const attempt = attemptOf(attempts, reception, now());
      await store.settle(key, attempt);
      if (reception.status === GONE) {
        await webhooks.disableGone(webhook);
        return null;
      }
      return attempt.status === 'pending' ? attempt.dueAt : null;
    },

    /** Newest first. Refuses with `webhook_not_found`. */
    list: async (query: DeliveryQuery): Promise<Delivery[]> => {
      const [deliveries] = await Promise.all([store.list(query), webhooks.get(query.webhook)]);
      return deliveries;
    },

    /** Begins a delivery anew, whatever came of it before. Refuses with `webhook_not_found`, `delivery_not_found`. */
    redeliver: async (name: string, id: string): Promise<Delivery> => {
      await webhooks.get(name);
      if (!isId('evt', id)) throw new Refusal('delivery_not_found');
      const key = { webhook: name, eventId: id };
      const event = audit('webhook.redelivered', 'operator', tenantId, { name, event: id });
      const delivery = await store.beginAnew(key, event);
      if (!delivery) throw new Refusal('delivery_not_found');
      afterwards(() => queue.put([{ tenantId, ...key }]));
      return delivery;
    },
  };
};

type OverdueDependencies = {
  shards: () => Promise<string[]>;
  storeOf: (shard: string) => OverdueDeliveryStore;
  queue: DeliveryQueue;
  now: () => number;
};

/** Hands over again what is overdue, whosever it is: the queue lost it, or never got it. */
export const createOverdueDeliveries = ({ shards, storeOf, queue, now }: OverdueDependencies) => ({
  /** Goes on with the next database where one fails: `report` is told of it. */
  handOver: async (report: (shard: string, error: unknown) => void): Promise<void> => {
    for (const shard of await shards()) {
      try {
        await queue.put(await storeOf(shard).list(now() - OVERDUE_MS, MOST_OVERDUE));
      } catch (error) {
        report(shard, error);
      }
    }
  },
});

export type OverdueDeliveries = ReturnType<typeof createOverdueDeliveries>;

/** 410: the receiver is no more, and wants to be told nothing (RFC 9110, section 15.5.11). */
const GONE = 410;

const attemptOf = (attempts: number, reception: Reception, at: number): Attempt => {
  const told = { attempts, lastStatus: reception.status, lastError: reception.error };
  if (isTaken(reception)) return { ...told, status: 'delivered' };
  const gapMs = GAPS_MS[attempts - 1];
  if (gapMs === undefined) return { ...told, status: 'failed' };
  const longestMs = GAPS_MS[attempts] ?? gapMs;
  const waitMs = Math.max(gapMs * (1 - SPREAD * randomFraction()), Math.min(askedWaitOf(reception, at), longestMs));
  return { ...told, status: 'pending', dueAt: at + Math.ceil(waitMs) };
};

/** For how long a receiver that is overloaded or under maintenance wants to be left alone (RFC 9110, section 10.2.3). */
const askedWaitOf = ({ status, retryAfter }: Reception, at: number): number => {
  if (retryAfter === null || (status !== 429 && status !== 503)) return 0;
  if (/^\d+$/.test(retryAfter)) return Number(retryAfter) * SECOND_MS;
  return (Date.parse(retryAfter) || at) - at;
};
