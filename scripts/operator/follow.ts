import { setTimeout as wait } from 'node:timers/promises';
import cliTruncate from 'cli-truncate';
import { cellOf } from './cells.ts';
import type { Call, Item } from './client.ts';
import type { Context } from './context.ts';
import { ServiceRefusal, Unreachable } from './failures.ts';
import { MOST_PER_PAGE } from './lists.ts';
import { createOverlap, type Event, events } from './overlap.ts';

const INTERVAL_MILLISECONDS = 2000;

const OUTAGE_MILLISECONDS = 5 * 60_000;

/** How many are shown to begin with, unless told. */
const BEGINNING = 10;

/** Shows events as they come, each once, until interrupted. Without `since` it begins with the last ones. */
export const followEvents = async (
  { client, output, interruption }: Context,
  call: Call,
  limit: number | null,
): Promise<void> => {
  const show = (newestFirst: readonly Event[]): void => {
    for (const each of newestFirst.toReversed()) {
      if (output.isJson) output.ndjson(each);
      else output.line(lineOf(each));
    }
  };
  const begin = call.query?.since?.toString();
  const overlap = createOverlap(begin === undefined ? Number.NEGATIVE_INFINITY : Date.parse(begin));
  let isBegun = begin === undefined || limit !== null;
  if (isBegun) {
    const { items, next } = await client.list({ ...call, query: { ...call.query, limit: MOST_PER_PAGE } });
    show(overlap.takeNew(readEvents(items)).slice(0, limit ?? BEGINNING));
    if (next !== null) overlap.forgetOlder();
    overlap.endRound();
  }

  let outageBegan: number | null = null;
  /** Where a round goes on that was not finished. */
  let cursor: string | null = null;
  /** Reads pages until one has nothing new. Shows what it has read, even when it fails. */
  const goOn = async (): Promise<void> => {
    const found: Event[] = [];
    try {
      do {
        const query = { ...call.query, since: overlap.since(), limit: MOST_PER_PAGE, cursor: cursor ?? undefined };
        const { items, next } = await client.list({ ...call, query });
        const more = overlap.takeNew(readEvents(items));
        found.push(...more);
        cursor = more.length > 0 ? next : null;
        isBegun = true;
        outageBegan = null;
      } while (cursor !== null);
      overlap.endRound();
    } finally {
      show(found);
    }
  };

  for (;;) {
    if (isBegun) await wait(INTERVAL_MILLISECONDS, null, { signal: interruption });
    try {
      await goOn();
    } catch (error) {
      const seconds = isBegun ? secondsUntilMended(error) : null;
      const isLong = outageBegan !== null && performance.now() - outageBegan > OUTAGE_MILLISECONDS;
      if (seconds === null || isLong) throw error;
      if (outageBegan === null && error instanceof Error) output.note(`${error.message} Trying on …`);
      outageBegan ??= performance.now();
      await wait(seconds * 1000, null, { signal: interruption });
    }
  }
};

const readEvents = (items: readonly Item[]): Event[] => {
  const read = events.safeParse(items);
  if (!read.success) throw new Unreachable('The service answers with something else than events.');
  return read.data;
};

/** How long to leave the service alone; null for what does not pass by itself. */
const secondsUntilMended = (error: unknown): number | null => {
  if (error instanceof Unreachable) return 0;
  const isPassing = error instanceof ServiceRefusal && (error.problem.status >= 500 || error.problem.status === 429);
  return isPassing ? (error.retryAfterSeconds ?? 0) : null;
};

const lineOf = ({ at, type, subject, actor, ip, data }: Event): string => {
  const optional = [subject, actor, ip, data].map(cellOf).filter((text) => text !== '');
  const line = [cellOf(at), cellOf(type).padEnd(22), ...optional].join('  ').trimEnd();
  return process.stdout.isTTY ? cliTruncate(line, process.stdout.columns || 80) : line;
};
