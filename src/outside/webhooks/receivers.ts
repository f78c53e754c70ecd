import { createGuardedCall, type OutboundReason, OutboundRefused } from '../http.ts';
import type { SignedMessage } from './standard-webhooks.ts';

/**
 * What came back from a receiver. `status`: its HTTP status, null where no answer came. `error`: why none came, or why it
 * does not count although it is no error of the receiver's. `retryAfter`: the header as it was sent.
 */
export type Reception = { status: number | null; error: OutboundReason | null; retryAfter: string | null };

/** Sends a message to a URL, and tells what came of it within ten seconds. Never throws. */
export type CallReceiver = (url: string, message: SignedMessage) => Promise<Reception>;

type Dependencies = {
  fetch: typeof globalThis.fetch;
  /** Whether receivers may be on this machine, by http: a developer's. */
  allowsLoopback: boolean;
  /** When a call that begins now has to be over. */
  deadline?: () => AbortSignal;
};

const TIMEOUT_MS = 10_000;

export const createReceiverCalls = ({
  fetch,
  allowsLoopback,
  deadline = () => AbortSignal.timeout(TIMEOUT_MS),
}: Dependencies): CallReceiver => {
  return async (url, { headers, body }) => {
    const call = createGuardedCall({ fetch, allowsLoopback, deadline: deadline() });
    try {
      const answer = await call(url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body,
      });
      const { status } = answer;
      const isRedirect = status >= 300 && status < 400;
      return { status, error: isRedirect ? 'redirect' : null, retryAfter: answer.headers.get('Retry-After') };
    } catch (error) {
      return { status: null, error: error instanceof OutboundRefused ? error.reason : 'network', retryAfter: null };
    }
  };
};
