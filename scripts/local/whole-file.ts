import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';

type Chunks = AsyncIterable<Uint8Array | string>;

type Settings = { signal?: AbortSignal };

/**
 * Writes a file that is readable for its owner alone. It is written beside first: what carries its name is whole, and
 * what did before stays until then. What is there and is no file, a pipe for instance, gets everything as it comes. A
 * place that nothing can be written to is refused before anything is read.
 */
export const writeWhole = async (file: string, chunks: Chunks, settings: Settings = {}): Promise<void> => {
  const stats = await stat(file).catch(() => null);
  if (stats !== null && !stats.isFile()) {
    const probe = stats.isFIFO() ? await untilRead(file, settings) : null;
    const handle = await open(file, constants.O_WRONLY);
    await probe?.close();
    return pipeline(chunks, handle.createWriteStream(), settings);
  }
  const target = await followLinks(file);
  const unfinished = `${target}.${crypto.randomUUID()}.part`;
  const handle = await open(unfinished, 'wx', 0o600);
  try {
    await pipeline(chunks, handle.createWriteStream({ flush: true }), settings);
    await rename(unfinished, target);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
};

/** Waits for somebody who reads a pipe: where opening it waits for that itself, the process cannot be ended meanwhile. */
const untilRead = async (pipe: string, settings: Settings): Promise<FileHandle> => {
  for (;;) {
    try {
      return await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (!hasCode(error, 'ENXIO')) throw error;
      await wait(100, null, settings);
    }
  }
};

/** Where a file is, or would be, that may be a link. */
const followLinks = async (file: string): Promise<string> => {
  try {
    return await realpath(file);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    const link = await readlink(file).catch(() => null);
    return link === null ? file : followLinks(path.resolve(path.dirname(file), link));
  }
};

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
