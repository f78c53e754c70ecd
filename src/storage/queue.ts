import { isId, type TenantId } from '../crypto/ids.ts';
import type { DeliveryKey } from './deliveries.ts';

/** What a message of the queue says: that this delivery is due. Whether it still is, D1 knows. */
export type DeliveryNote = DeliveryKey & { tenantId: TenantId };

/** As many as Queues take at once. */
const MOST_IN_A_BATCH = 100;

export const createDeliveryQueue = (queue: Queue) => ({
  put: async (notes: readonly DeliveryNote[]): Promise<void> => {
    for (let start = 0; start < notes.length; start += MOST_IN_A_BATCH) {
      await queue.sendBatch(notes.slice(start, start + MOST_IN_A_BATCH).map((body) => ({ body })));
    }
  },
});

export type DeliveryQueue = ReturnType<typeof createDeliveryQueue>;

/** What a message says; null for one that is none of ours. */
export const readNote = (message: unknown): DeliveryNote | null => {
  if (typeof message !== 'object' || message === null) return null;
  const { tenantId, webhook, eventId } = { tenantId: null, webhook: null, eventId: null, ...message };
  if (typeof tenantId !== 'string' || typeof webhook !== 'string' || typeof eventId !== 'string') return null;
  return isId('ten', tenantId) && isId('evt', eventId) ? { tenantId, webhook, eventId } : null;
};
