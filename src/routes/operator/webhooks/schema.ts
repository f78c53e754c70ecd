import * as z from 'zod';
import { eventTypesOf } from '../../../domain/event-log.ts';
import { listQuery } from '../lists.ts';
import { webhookSecret } from '../webhook-secrets.ts';

const eventPattern = z
  .string()
  .refine(
    (pattern) => pattern === '*' || eventTypesOf(pattern).length > 0,
    'must be a type of event, all of a kind as customer.*, or *',
  );

const status = z.enum(['active', 'disabled']);

/** The body of `PUT …/webhooks/:name`. */
export const webhookProfile = z
  .strictObject({
    url: z.url().max(2048),
    events: z
      .array(eventPattern)
      .min(1)
      .max(50)
      .transform((each) => [...new Set(each)]),
    status: status.default('active'),
    secret: webhookSecret.optional(),
  })
  .meta({ id: 'WebhookProfile' });

/** A webhook. `secret` is a member only where it was just made. */
export const webhookObject = z
  .strictObject({
    name: z.string(),
    url: z.string(),
    events: z.array(z.string()),
    status,
    disabled_reason: z.enum(['gone', 'operator']).nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
    secret: z.string().exactOptional(),
  })
  .meta({ id: 'Webhook' });

export const trialObject = z
  .strictObject({
    delivered: z.boolean(),
    status: z.int().nullable(),
    error: z.string().nullable(),
    duration_ms: z.int(),
  })
  .meta({ id: 'WebhookTrial' });

const deliveryStatus = z.enum(['pending', 'delivered', 'failed']);

/** The query of `GET …/deliveries`. */
export const deliveryQuery = listQuery('evt').extend({ status: deliveryStatus.optional() });

/** What a webhook is to be told of. `id` and `type` are the event's. */
export const deliveryObject = z
  .strictObject({
    id: z.string(),
    type: z.string(),
    status: deliveryStatus,
    attempts: z.int(),
    last_status: z.int().nullable(),
    last_error: z.string().nullable(),
    last_attempt_at: z.iso.datetime().nullable(),
    next_attempt_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'Delivery' });
