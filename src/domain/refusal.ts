import type { PasswordFault } from '../crypto/password-policy.ts';

/** Every reason for which the service says no. Each route group maps all of them to its own wire format. */
export type RefusalCode =
  | 'malformed_request'
  | 'validation_failed'
  | 'unsupported_media_type'
  | 'payload_too_large'
  | 'method_not_allowed'
  | 'not_found'
  | 'tenant_not_found'
  | 'unauthenticated'
  | 'missing_key'
  | 'missing_token'
  | 'unknown_key'
  | 'invalid_token'
  | 'query_credentials_refused'
  | 'api_access_denied'
  | 'forbidden_origin'
  | 'customer_not_found'
  | 'user_not_found'
  | 'owner_only'
  | 'owner_required'
  | 'reauthentication_required'
  | 'app_not_found'
  | 'invalid_passcode'
  | 'invalid_credentials'
  | 'invalid_or_expired_code'
  | 'flow_not_found'
  | 'provider_not_found'
  | 'unknown_provider'
  | 'provider_unavailable'
  | 'authentication_failed'
  | 'link_required'
  | 'challenge_failed'
  | 'challenge_over'
  | 'login_failed'
  | 'login_denied'
  | 'identity_provider_failed'
  | 'connection_not_found'
  | 'invalid_refresh_token'
  | 'session_not_found'
  | 'weak_password'
  | 'precondition_failed'
  | 'subscription_not_found'
  | 'webhook_not_found'
  | 'delivery_not_found'
  | 'already_activated'
  | 'no_email_address'
  | 'unknown_platform'
  | 'email_taken'
  | 'phone_taken'
  | 'domain_taken'
  | 'confirmation_required'
  | 'idempotency_key_reused'
  | 'mail_refused'
  | 'sms_unavailable'
  | 'rate_limited'
  | 'storage_unavailable'
  | 'internal_error'
  | 'misconfigured';

/** One thing wrong with an input. `path` is dotted, e.g. `platforms.0.url`. */
export type Fault = { path: string; code: 'required' | 'unknown_member' | 'invalid'; message: string };

/** The outermost member of the input that a fault is in. */
export const memberOf = ({ path }: Fault): string => path.split('.', 1).join();

type Details = { faults?: readonly Fault[]; retryAfterSeconds?: number; passwordFault?: PasswordFault };

/** The one way of saying no. Anything else that is thrown is a bug, or storage that did not answer. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  readonly faults: readonly Fault[];
  readonly retryAfterSeconds: number | null;
  /** What speaks against the password of a `weak_password`, for those who tell it in another language. */
  readonly passwordFault: PasswordFault | null;

  constructor(code: RefusalCode, details: Details = {}) {
    super(code);
    this.code = code;
    this.faults = details.faults ?? [];
    this.retryAfterSeconds = details.retryAfterSeconds ?? null;
    this.passwordFault = details.passwordFault ?? null;
  }
}

/** The refusal of an input in which one member is not as it should be. */
export const invalidAt = (path: string, message: string): Refusal =>
  new Refusal('validation_failed', { faults: [{ path, code: 'invalid', message }] });

/** Refuses with `validation_failed` an input in which anything is wrong. */
export const refuseFaults = (faults: readonly Fault[]): void => {
  if (faults.length > 0) throw new Refusal('validation_failed', { faults });
};
