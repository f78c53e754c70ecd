import { createAfterwork } from './afterwork.ts';
import { logDeferredFailure } from './middleware/request-log.ts';
import type { Platform } from './platform.ts';

/** At once: a Worker has six connections, of which a delivery needs one at a time. */
const LANES = 5;

/** When a delivery comes again of which nothing could be read or written down. */
const RETRY_MS = 60_000;

/** Makes the attempts that the messages ask for. A message comes again when the next one is due. */
export const consume = async (
  { messages }: MessageBatch,
  { deliver, now }: Platform,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<void> => {
  const attempt = async (message: Message): Promise<number | null> => {
    const onFailure = (error: unknown) => logDeferredFailure(message.id, error);
    const { goOn, ...left } = createAfterwork(waitUntil, onFailure);
    try {
      const dueAt = await deliver(message.body, { origin: NOWHERE, ownOrigin: null, ...left });
      goOn();
      return dueAt;
    } catch (error) {
      onFailure(error);
      return now() + RETRY_MS;
    }
  };
  const waiting = messages.values();
  const outcomes: { message: Message; dueAt: number | null }[] = [];
  const takeOneAfterAnother = async (): Promise<void> => {
    for (const message of waiting) outcomes.push({ message, dueAt: await attempt(message) });
  };
  await Promise.all(Array.from({ length: LANES }, takeOneAfterAnother));
  // The queue counts a delay from the end of the batch.
  for (const { message, dueAt } of outcomes) {
    if (dueAt === null) message.ack();
    else message.retry({ delaySeconds: Math.max(0, Math.ceil((dueAt - now()) / 1000)) });
  }
};

const NOWHERE = { ip: null, userAgent: null, place: null };
