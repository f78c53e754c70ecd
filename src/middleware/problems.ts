import type { Context, ErrorHandler } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { type Fault, Refusal, type RefusalCode } from '../domain/refusal.ts';
import type { AppEnv } from '../env.ts';
import { isStorageFailure } from '../services.ts';

/** How a refusal is told: the status, and the message for people. */
type Wire = { status: ContentfulStatusCode; message: string; headers?: Record<string, string> };

/** One wire format: it does not compile while a refusal has no place in it. */
export type WireTable = Record<RefusalCode, Wire>;

/** How most route groups tell refusals (contract 0, errors). */
export const commonWire: WireTable = {
  malformed_request: { status: 400, message: 'The request could not be read.' },
  validation_failed: { status: 400, message: 'Some of the input is not as it should be.' },
  unsupported_media_type: {
    status: 415,
    message: 'Send the body as application/json in UTF-8, an import as application/x-ndjson.',
  },
  payload_too_large: { status: 413, message: 'The body is larger than 64 KiB.' },
  method_not_allowed: { status: 405, message: 'This path does not take this method.' },
  not_found: { status: 404, message: 'There is nothing here.' },
  tenant_not_found: { status: 404, message: 'There is no such tenant.' },
  unauthenticated: {
    status: 401,
    message: 'A valid bearer token is needed.',
    headers: { 'WWW-Authenticate': 'Bearer' },
  },
  missing_key: { status: 403, message: 'Missing key' },
  missing_token: { status: 403, message: 'Missing token' },
  unknown_key: { status: 404, message: 'No matching key' },
  invalid_token: { status: 403, message: 'Invalid token' },
  query_credentials_refused: { status: 403, message: 'Send the credentials as headers, not in the query string.' },
  api_access_denied: { status: 401, message: 'User not allowed for API access' },
  forbidden_origin: { status: 403, message: 'This request came from another site.' },
  customer_not_found: { status: 404, message: 'User not found' },
  user_not_found: { status: 404, message: 'The customer has no such user.' },
  owner_only: { status: 403, message: 'Only the owner of the account may do this.' },
  owner_required: { status: 409, message: 'The owner cannot be removed; delete the account as a whole instead.' },
  reauthentication_required: { status: 403, message: 'Sign in again: the last sign-in is too long ago for this.' },
  app_not_found: { status: 404, message: 'There is no such app.' },
  invalid_passcode: { status: 401, message: 'Expired or invalid passcode' },
  invalid_credentials: { status: 401, message: 'The email address or the password is wrong.' },
  invalid_or_expired_code: { status: 400, message: 'The code is wrong, was used, or has expired.' },
  flow_not_found: { status: 404, message: 'There is no such flow.' },
  provider_not_found: { status: 404, message: 'There is no such provider.' },
  unknown_provider: { status: 400, message: 'Name one of the providers of this tenant as ?provider=.' },
  provider_unavailable: { status: 502, message: 'The provider does not answer as it should.' },
  authentication_failed: { status: 422, message: 'The provider did not vouch for this.' },
  link_required: { status: 422, message: 'There is an account with this address: sign in to it by its own means.' },
  challenge_failed: { status: 422, message: 'The code is wrong.' },
  challenge_over: { status: 410, message: 'The challenge was answered, replaced, or has expired.' },
  login_failed: { status: 401, message: 'The sign-in was not finished: begin again.' },
  login_denied: { status: 403, message: "The company's identity provider did not sign this account in." },
  identity_provider_failed: { status: 502, message: "The company's identity provider does not answer as it should." },
  connection_not_found: { status: 404, message: 'There is no such connection.' },
  invalid_refresh_token: { status: 401, message: 'The session has ended: sign in again.' },
  session_not_found: { status: 404, message: 'There is no such session.' },
  weak_password: { status: 400, message: 'Choose a password that is harder to guess.' },
  precondition_failed: { status: 412, message: 'It was changed by somebody else since you read it.' },
  subscription_not_found: { status: 404, message: 'There is no such subscription.' },
  webhook_not_found: { status: 404, message: 'There is no such webhook.' },
  delivery_not_found: { status: 404, message: 'There is no such delivery.' },
  already_activated: { status: 409, message: 'The user is activated already.' },
  no_email_address: { status: 409, message: 'The user has no email address.' },
  unknown_platform: { status: 400, message: 'The app has no such platform.' },
  email_taken: { status: 409, message: 'A customer with this email address exists.' },
  phone_taken: { status: 409, message: 'An account with this phone number exists.' },
  domain_taken: { status: 409, message: 'One of these domains is taken.' },
  confirmation_required: {
    status: 400,
    message: 'Repeat the slug as ?confirm= to delete the tenant and all that it holds.',
  },
  idempotency_key_reused: { status: 422, message: 'This Idempotency-Key was used with another request.' },
  mail_refused: { status: 500, message: 'The mail or text was refused by its provider; nothing was changed.' },
  sms_unavailable: { status: 422, message: 'Text messages are not set up here.' },
  rate_limited: { status: 429, message: 'Too many requests; try again later.' },
  storage_unavailable: { status: 503, message: 'The service is not available for the moment; nothing was half-done.' },
  internal_error: { status: 500, message: 'Something went wrong here.' },
  misconfigured: { status: 500, message: 'The service is not configured.' },
};

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  412: 'Precondition Failed',
  410: 'Gone',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
};

const DEFAULT_RETRY_SECONDS = 5;

/** The refusal that something thrown amounts to; a bug is an `internal_error`. */
export const refusalOf = (error: unknown): Refusal => {
  if (error instanceof Refusal) return error;
  if (isStorageFailure(error)) return new Refusal('storage_unavailable', { retryAfterSeconds: DEFAULT_RETRY_SECONDS });
  return new Refusal('internal_error');
};

/** The problem document (RFC 9457) for a refusal. `message` is the member that the published APIs' clients read. */
export const problem = <E extends AppEnv>(
  c: Context<E>,
  table: WireTable,
  refusal: Refusal,
  message?: string,
): Response => {
  const wire = table[refusal.code];
  const body: Problem = {
    // Without a port: it names the kind of problem, wherever the service runs.
    type: `https://${c.env.BASE_DOMAIN?.split(':')[0] ?? 'localhost'}/problems/${refusal.code}`,
    title: TITLES[wire.status] ?? 'Error',
    status: wire.status,
    code: refusal.code,
    message: message ?? wire.message,
    instance: `urn:request:${c.get('requestId')}`,
    ...(refusal.faults.length > 0 && { errors: refusal.faults }),
  };
  return c.body(JSON.stringify(body), wire.status, {
    'Content-Type': 'application/problem+json',
    ...wire.headers,
    ...(refusal.retryAfterSeconds !== null && { 'Retry-After': String(refusal.retryAfterSeconds) }),
  });
};

type Problem = {
  type: string;
  title: string;
  status: number;
  code: RefusalCode;
  message: string;
  instance: string;
  errors?: readonly Fault[];
};

/** Answers whatever a route group's handlers throw in the group's wire format. */
export const answerWith =
  <E extends AppEnv>(table: WireTable): ErrorHandler<E> =>
  (error, c) =>
    problem(c, table, refusalOf(error));
