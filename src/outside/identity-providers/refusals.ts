import {
  AuthorizationResponseError,
  JSON_ATTRIBUTE_COMPARISON,
  JWT_CLAIM_COMPARISON,
  JWT_TIMESTAMP_CHECK,
  KEY_SELECTION,
  OperationProcessingError,
  ResponseBodyError,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi';
import { type OutboundReason, OutboundRefused } from '../http.ts';

/**
 * Of a sign-in at an OpenID provider, by the specification's words. Of a check: `credentials`, what was sent; `exchange`,
 * spending its code; `keys`, the provider's; `token`, the signed one; `graph`, Facebook's; `endpoint`, the tenant's own.
 */
type Step =
  | 'discovery'
  | 'callback'
  | 'token'
  | 'signature'
  | 'userinfo'
  | 'credentials'
  | 'exchange'
  | 'keys'
  | 'graph'
  | 'endpoint';

/** What of the provider's was not as it has to be: the specifications' names of claims and members. */
const VALUES = ['issuer', 'iss', 'aud', 'azp', 'nonce', 'exp', 'nbf', 'iat', 'sub', 'at_hash'] as const;

/** The same of what only checks look at: headers and claims of a token, Facebook's members, and the whole of something. */
type CheckedValue = 'kind' | 'form' | 'typ' | 'alg' | 'key' | 'signature' | 'tid' | 'app_id' | 'type' | 'id';

type Value = (typeof VALUES)[number] | CheckedValue;

/** `error`: the provider itself refused. `invalid`: it broke the protocol in a way that has no name of its own here. */
type Detail = OutboundReason | Value | 'error' | 'invalid';

/** Why a sign-in came to nothing: at which step, and what was wrong there. Words of ours for the log, none of the provider's. */
type RefusalReason = `${Step}_${Detail}`;

export type Refused = { kind: 'refused'; reason: RefusalReason };

export type Unavailable = { kind: 'unavailable'; reason: RefusalReason };

/** A value is not what it has to be. The message never carries what the provider said. */
export class ValueRefused extends Error {
  override readonly name = 'ValueRefused';
  readonly value: Value;

  constructor(value: Value) {
    super(`Value refused: ${value}`);
    this.value = value;
  }
}

/** The provider itself says no. */
export class ProviderRefused extends Error {
  override readonly name = 'ProviderRefused';
}

class StepRefused extends Error {
  override readonly name = 'StepRefused';
  readonly reason: RefusalReason;
  /** Whether another try may well succeed: nothing is known of what was sent. */
  readonly isOutage: boolean;

  constructor(step: Step, detail: Detail) {
    const reason: RefusalReason = `${step}_${detail}`;
    super(`Sign-in refused: ${reason}`);
    this.reason = reason;
    this.isOutage = OUTAGES.has(detail);
  }
}

const OUTAGES: ReadonlySet<Detail> = new Set(['timeout', 'network', 'outage']);

/** Runs one step of a sign-in. Whatever it throws, a provider may be behind it: it is a refusal that names the step. */
export const during = async <T>(step: Step, work: () => T | Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw error instanceof StepRefused ? error : new StepRefused(step, detailOf(error));
  }
};

/** What the steps came to, e.g. refused because of `token_nonce`, `discovery_timeout` or `callback_error`. */
export const outcomeOf = async <T>(steps: () => Promise<T>): Promise<T | Refused> => {
  try {
    return await steps();
  } catch (error) {
    if (error instanceof StepRefused) return { kind: 'refused', reason: error.reason };
    throw error;
  }
};

/** As `outcomeOf`, for those who tell a provider that is down from one that refuses. */
export const outcomeOfCheck = async <T>(steps: () => Promise<T>): Promise<T | Refused | Unavailable> => {
  try {
    return await steps();
  } catch (error) {
    if (!(error instanceof StepRefused)) throw error;
    return { kind: error.isOutage ? 'unavailable' : 'refused', reason: error.reason };
  }
};

const detailOf = (error: unknown): Detail => {
  if (error instanceof OutboundRefused) return error.reason;
  if (error instanceof ValueRefused) return error.value;
  if (error instanceof ProviderRefused || error instanceof AuthorizationResponseError) return 'error';
  if (error instanceof ResponseBodyError || error instanceof WWWAuthenticateChallengeError) return 'error';
  if (error instanceof OperationProcessingError) return detailOfProcessing(error);
  return 'invalid';
};

/** With these codes the library says which value it is. */
const COMPARISONS: ReadonlySet<unknown> = new Set([
  JWT_CLAIM_COMPARISON,
  JWT_TIMESTAMP_CHECK,
  JSON_ATTRIBUTE_COMPARISON,
]);

const detailOfProcessing = ({ code, cause }: OperationProcessingError): Detail => {
  if (code === KEY_SELECTION) return 'key';
  if (!COMPARISONS.has(code) || typeof cause !== 'object' || cause === null) return 'invalid';
  const isNamed = (value: Value): boolean =>
    ('claim' in cause && cause.claim === value) || ('attribute' in cause && cause.attribute === value);
  return VALUES.find(isNamed) ?? 'invalid';
};
