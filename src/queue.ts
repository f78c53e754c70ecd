import { createAfterwork } from './afterwork.ts';
import { logDeferredFailure } from './middleware/request-log.ts';
import type { Platform } from './services.ts';

/** At once: a Worker has six connections, of which a delivery needs one at a time. */
const LANES = 5;

/** When a delivery comes again of which nothing could be read or written down. */
const RETRY_SECONDS = 60;

/** Makes the attempts that the messages ask for. A message comes again when the next one is due. */
export const consume = async (
  { messages }: MessageBatch,
  { deliver }: Platform,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<void> => {
  const waiting = messages.values();
  const takeOneAfterAnother = async (): Promise<void> => {
    for (const message of waiting) {
      const onFailure = (error: unknown) => logDeferredFailure(message.id, error);
      const { goOn, ...left } = createAfterwork(waitUntil, onFailure);
      try {
        const delaySeconds = await deliver(message.body, { origin: NOWHERE, ownOrigin: null, ...left });
        if (delaySeconds === null) message.ack();
        else message.retry({ delaySeconds });
      } catch (error) {
        onFailure(error);
        message.retry({ delaySeconds: RETRY_SECONDS });
      }
      goOn();
    }
  };
  await Promise.all(Array.from({ length: LANES }, takeOneAfterAnother));
};

const NOWHERE = { ip: null, userAgent: null, place: null };
