import type { Context } from 'hono';
import { Refusal } from '../../../domain/refusal.ts';
import type { AppEnv } from '../../../env.ts';
import { commonWire, refusalOf } from '../../../middleware/problems.ts';
import { logDeferredFailure } from '../../../middleware/request-log.ts';

export const NDJSON = 'application/x-ndjson';

/**
 * Answers with lines of JSON, made as they are taken: while nobody reads them, no more are made, and none when the caller
 * is gone. Each step may give several, or none.
 */
export const answerLines = (c: Context<AppEnv>, steps: AsyncGenerator<readonly unknown[], void>): Response => {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      for (;;) {
        const { value, done } = await steps.next();
        if (done) return controller.close();
        if (value.length === 0) continue;
        return controller.enqueue(encoder.encode(value.map((line) => `${JSON.stringify(line)}\n`).join('')));
      }
    },
    cancel: async () => {
      await steps.return();
    },
  });
  return c.body(body, 200, { 'Content-Type': NDJSON });
};

/** The last line of an answer that could not be finished: its status was sent already. */
export const failureLine = (c: Context<AppEnv>, error: unknown, progress: Record<string, number> = {}) => {
  const { code } = refusalOf(error);
  if (!(error instanceof Refusal)) logDeferredFailure(c.get('requestId'), error);
  return { error: { code, message: commonWire[code].message, ...progress } };
};
