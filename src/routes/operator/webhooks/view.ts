import type * as z from 'zod';
import type { Delivery } from '../../../domain/deliveries.ts';
import type { Trial } from '../../../domain/webhook-messages.ts';
import type { ToldWebhook, Webhook, WebhookProfile } from '../../../domain/webhooks.ts';
import type { deliveryObject, trialObject, webhookObject, webhookProfile } from './schema.ts';

export const readWebhook = ({ secret, ...profile }: z.output<typeof webhookProfile>): WebhookProfile => ({
  ...profile,
  secret: secret ?? null,
});

export const viewWebhook = (webhook: Webhook): z.output<typeof webhookObject> => ({
  name: webhook.name,
  url: webhook.url,
  events: webhook.events,
  status: webhook.status,
  disabled_reason: webhook.disabledReason,
  created_at: timeOf(webhook.createdAt),
  updated_at: timeOf(webhook.updatedAt),
});

export const viewToldWebhook = ({ webhook, secret }: ToldWebhook): z.output<typeof webhookObject> => ({
  ...viewWebhook(webhook),
  ...(secret !== null && { secret }),
});

export const viewTrial = ({ isDelivered, status, error, durationMs }: Trial): z.output<typeof trialObject> => ({
  delivered: isDelivered,
  status,
  error,
  duration_ms: durationMs,
});

export const viewDelivery = (delivery: Delivery): z.output<typeof deliveryObject> => ({
  id: delivery.id,
  type: delivery.type,
  status: delivery.status,
  attempts: delivery.attempts,
  last_status: delivery.lastStatus,
  last_error: delivery.lastError,
  last_attempt_at: delivery.lastAttemptAt === null ? null : timeOf(delivery.lastAttemptAt),
  next_attempt_at: delivery.nextAttemptAt === null ? null : timeOf(delivery.nextAttemptAt),
  created_at: timeOf(delivery.createdAt),
});

const timeOf = (at: number): string => new Date(at).toISOString();
