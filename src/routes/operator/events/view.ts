import type * as z from 'zod';
import type { EventRow } from '../../../domain/event-log.ts';
import type { eventObject } from './schema.ts';

export const viewEvent = (event: EventRow): z.output<typeof eventObject> => ({
  id: event.id,
  at: new Date(event.at).toISOString(),
  type: event.type,
  actor: event.actor,
  subject: event.subject,
  ip: event.ip,
  user_agent: event.userAgent,
  data: event.data,
});
