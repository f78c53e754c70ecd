import { setTimeout as wait } from 'node:timers/promises';

const ANSWER_PATIENCE_MILLISECONDS = 10_000;
const PAUSE_MILLISECONDS = 2000;

/** Why the service at a URL is not well, or null when it is. With the operator's token its storage is tried, too. */
export const findAilment = async (url: string, operatorToken: string | null): Promise<string | null> => {
  try {
    const response = await fetch(new URL(operatorToken === null ? '/healthz' : '/healthz?deep=1', url), {
      headers: operatorToken === null ? {} : { Authorization: `Bearer ${operatorToken}` },
      signal: AbortSignal.timeout(ANSWER_PATIENCE_MILLISECONDS),
      redirect: 'manual',
    });
    return response.ok ? null : `it answered ${response.status}: ${(await response.text()).slice(0, 500)}`;
  } catch (error) {
    return error instanceof Error ? reasonOf(error) : 'it did not answer';
  }
};

/** Asks until the service is well: a new host's certificate can take minutes. Gives what it ailed from last, if it is not. */
export const waitUntilWell = async (
  url: string,
  operatorToken: string | null,
  patienceMilliseconds: number,
): Promise<string | null> => {
  for (const deadline = Date.now() + patienceMilliseconds; ; await wait(PAUSE_MILLISECONDS)) {
    const ailment = await findAilment(url, operatorToken);
    if (ailment === null || Date.now() >= deadline) return ailment;
  }
};

const reasonOf = (error: Error): string => (error.cause instanceof Error ? error.cause.message : error.message);
