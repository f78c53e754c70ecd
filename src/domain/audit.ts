import { newId } from '../crypto/ids.ts';
import type { NewEvent } from '../storage/events.ts';

/** Who does something, e.g. `app:app_…`, `customer:cus_…` or `operator`. */
export type Actor = `app:${string}` | `customer:${string}` | `user:${string}` | 'anonymous' | 'operator' | 'system';

/** Every type of event. */
export const EVENT_TYPES = [
  'customer.created',
  'customer.updated',
  'customer.deleted',
  'user.created',
  'user.updated',
  'user.deleted',
  'user.activation_sent',
  'user.password_reset_sent',
  'user.email_change_sent',
  'customer.activated',
  'passcode.sent',
  'user.login_code_sent',
  'challenge.sent',
  'flow.notified',
  'flow.updated',
  'flow.deleted',
  'provider.updated',
  'provider.deleted',
  'user.linked',
  'connection.updated',
  'connection.deleted',
  'login.succeeded',
  'login.failed',
  'login.locked',
  'password.changed',
  'password.reset',
  'email.changed',
  'session.created',
  'session.revoked',
  'session.reuse_detected',
  'api_key.renewed',
  'sso.redirected',
  'app.created',
  'app.updated',
  'app.rotated',
  'app.deleted',
  'tenant.created',
  'tenant.updated',
  'tenant.deleted',
  'tenant.exported',
  'subscription.updated',
  'subscription.deleted',
  'webhook.updated',
  'webhook.rotated',
  'webhook.redelivered',
  'webhook.disabled',
  'webhook.deleted',
  'key.rotated',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** Where a request came from. `place` is a city and country, as far as the platform knows. */
export type Origin = { ip: string | null; userAgent: string | null; place: string | null };

type Dependencies = {
  origin: Origin;
  now: () => number;
  /** Is told of each entry before it is written, if it comes to be written at all. */
  onEntry?: (entry: NewEvent) => void;
};

/**
 * Gives entries of the audit log, to be written in the batch of the change that they tell of. `data` knows people by id
 * alone, and no secret.
 */
export const createAudit =
  ({ origin, now, onEntry }: Dependencies) =>
  (type: EventType, actor: Actor, subject: string, data: NewEvent['data'] = {}): NewEvent => {
    const at = now();
    const { ip, userAgent } = origin;
    const entry = { id: newId('evt', at), at, type, actor, subject, ip, userAgent, data };
    onEntry?.(entry);
    return entry;
  };

export type Audit = ReturnType<typeof createAudit>;

/** Writes an entry after the answer, unless the customer that it is about is deleted by then. */
export type RecordLater = (entry: NewEvent) => void;
