import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/**
 * Writes a file that is readable for its owner alone. It is written beside first: what carries its name is whole, and
 * what did before stays until then.
 */
export const writeWhole = async (
  file: string,
  chunks: AsyncIterable<Uint8Array | string>,
  { signal }: { signal?: AbortSignal } = {},
): Promise<void> => {
  const unfinished = `${file}.part`;
  // Left by a run that was killed, or put there by somebody else.
  await rm(unfinished, { force: true });
  try {
    const target = createWriteStream(unfinished, { flags: 'wx', mode: 0o600, flush: true });
    await pipeline(chunks, target, { ...(signal && { signal }) });
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
};
