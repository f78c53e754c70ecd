import { setTimeout as wait } from 'node:timers/promises';
import cliTruncate from 'cli-truncate';
import * as z from 'zod';
import { cellOf } from './cells.ts';
import type { Call, Item } from './client.ts';
import type { Context } from './context.ts';
import { ServiceRefusal, Unreachable } from './failures.ts';
import { itemsOf, MOST_PER_PAGE } from './lists.ts';

const INTERVAL_MILLISECONDS = 2000;

/** An event can be written some time after the one that it is dated by: so late it is still found. */
const LATENESS_MILLISECONDS = 30_000;

const OUTAGE_MILLISECONDS = 5 * 60_000;

/** How many are shown to begin with, unless told. */
const BEGINNING = 10;

const events = z.array(z.looseObject({ id: z.string(), at: z.iso.datetime() }));

type Event = z.infer<typeof events>[number];

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
  const read = async (since: string | undefined): Promise<Event[]> =>
    readEvents(await Array.fromAsync(itemsOf(client, { ...call, query: { ...call.query, since } })));

  const begin = call.query?.since?.toString();
  const memory = createMemory(begin === undefined ? Number.NEGATIVE_INFINITY : Date.parse(begin));
  if (begin === undefined) {
    const { items, next } = await client.list({ ...call, query: { ...call.query, limit: MOST_PER_PAGE } });
    show(memory.takeNew(readEvents(items)).slice(0, limit ?? BEGINNING));
    if (next !== null) memory.forgetOlder();
  } else {
    show(memory.takeNew(await read(begin)).slice(0, limit ?? undefined));
  }

  let outageBegan: number | null = null;
  for (;;) {
    await wait(INTERVAL_MILLISECONDS, null, { signal: interruption });
    try {
      show(memory.takeNew(await read(memory.since())));
      outageBegan = null;
    } catch (error) {
      const seconds = secondsUntilMended(error);
      const isLong = outageBegan !== null && performance.now() - outageBegan > OUTAGE_MILLISECONDS;
      if (seconds === null || isLong) throw error;
      if (outageBegan === null && error instanceof Error) output.note(`${error.message} Trying on …`);
      outageBegan ??= performance.now();
      await wait(seconds * 1000, null, { signal: interruption });
    }
  }
};

/** Knows which events were shown, as long as they are asked for again. */
const createMemory = (begin: number) => {
  const times = new Map<string, number>();
  let floor = begin;
  let newest = begin;
  return {
    /** From when on to ask; undefined while nothing has ever happened. */
    since: (): string | undefined => {
      floor = Math.max(floor, newest - LATENESS_MILLISECONDS);
      for (const [id, at] of times) if (at < floor) times.delete(id);
      return Number.isFinite(floor) ? new Date(floor).toISOString() : undefined;
    },
    takeNew: (found: readonly Event[]): Event[] => {
      const isNew = found.filter(({ id }) => !times.has(id));
      for (const { id, at } of isNew) {
        times.set(id, Date.parse(at));
        newest = Math.max(newest, Date.parse(at));
      }
      return isNew;
    },
    /** Leaves out what happened before all that is known, and in the same instant as the first of it. */
    forgetOlder: (): void => {
      floor = Math.min(...times.values()) + 1;
    },
  };
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
