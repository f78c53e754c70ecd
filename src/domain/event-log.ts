import { type EventId, firstIdAt } from '../crypto/ids.ts';
import type { EventLogStore, EventRow } from '../storage/event-log.ts';
import { EVENT_TYPES, type EventType } from './audit.ts';

export type { EventRow } from '../storage/event-log.ts';

/** Which events to list: `since` is in milliseconds; null for all. */
export type EventQuery = {
  limit: number;
  before: EventId | null;
  since: number | null;
  types: readonly EventType[] | null;
  subject: string | null;
};

/** The audit log, for the operator. */
export const createEventLog = ({ store }: { store: EventLogStore }) => ({
  /** Newest first; of one moment, in the order of their ids. */
  list: ({ since, ...query }: EventQuery): Promise<EventRow[]> =>
    store.list({ ...query, from: since === null ? null : firstIdAt('evt', since) }),
});

/** The types that are meant by one of them, or by a kind as in `customer.*`: none for what means none. */
export const eventTypesOf = (pattern: string): EventType[] =>
  EVENT_TYPES.filter((type) => type === pattern || `${type.split('.')[0]}.*` === pattern);
