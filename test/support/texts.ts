import { env } from 'cloudflare:workers';
import { vi } from 'vitest';
import type { ReceivedText } from '../../scripts/local/message-api.ts';

let made = 0;
const firstNumber = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;

/** A mobile number, in E.164, that no other test has. */
export const uniqueNumber = (): string => {
  made += 1;
  return `+49151${String((firstNumber + made) % 100_000_000).padStart(8, '0')}`;
};

/** The texts that the message API took for a number, oldest first. */
export const textsTo = async (number: string): Promise<ReceivedText[]> => {
  const response = await fetch(`${env.TEST_TEXT_URLS.reader}/?to=${encodeURIComponent(number)}`);
  return response.json<ReceivedText[]>();
};

/** The newest text to a number: there is one, or soon will be. */
export const lastTextTo = (number: string): Promise<ReceivedText> =>
  vi.waitFor(async () => {
    const text = (await textsTo(number)).at(-1);
    if (!text) throw new Error(`There is no text to ${number}`);
    return text;
  });
