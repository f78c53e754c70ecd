import { setTimeout as wait } from 'node:timers/promises';
import { ServiceRefusal, Unreachable } from './failures.ts';

const ATTEMPTS = 5;

type Terms = {
  /** Is told before it waits. */
  say: (text: string) => void;
  interruption: AbortSignal;
};

/** Does something again, a few times, when nothing, half an answer or "later" came back. */
export const tryPatiently = async <Answer>(
  attemptOnce: () => Promise<Answer>,
  { say, interruption }: Terms,
): Promise<Answer> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await attemptOnce();
    } catch (error) {
      const seconds = attempt < ATTEMPTS ? delayAfter(error, attempt) : null;
      if (seconds === null) throw error;
      say(`${error instanceof Error ? error.message : ''} Trying again in ${seconds} s …`);
      await wait(seconds * 1000, null, { signal: interruption });
    }
  }
};

const delayAfter = (error: unknown, attempt: number): number | null => {
  const growing = 2 ** (attempt - 1);
  if (error instanceof Unreachable) return growing;
  if (!(error instanceof ServiceRefusal)) return null;
  const { status } = error.problem;
  return status === 429 || status >= 500 ? (error.retryAfterSeconds ?? growing) : null;
};
