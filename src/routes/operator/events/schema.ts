import * as z from 'zod';
import { eventTypesOf } from '../../../domain/event-log.ts';
import { text } from '../../fields.ts';
import { listQuery } from '../lists.ts';

const types = z
  .string()
  .refine((pattern) => eventTypesOf(pattern).length > 0, 'must be a type of event, or a kind as in customer.*')
  .transform(eventTypesOf);

const moment = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], 'must be a date, with or without a time (ISO 8601)')
  .transform((typed) => Date.parse(typed));

/** The query of `GET …/events`. */
export const eventQuery = listQuery('evt').extend({
  type: types.optional(),
  subject: text(100).optional(),
  since: moment.optional(),
});

/** An event of the audit log. */
export const eventObject = z
  .strictObject({
    id: z.string(),
    at: z.iso.datetime(),
    type: z.string(),
    actor: z.string(),
    subject: z.string(),
    ip: z.string().nullable(),
    user_agent: z.string().nullable(),
    data: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  })
  .meta({ id: 'Event' });
