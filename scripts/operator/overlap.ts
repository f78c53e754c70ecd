import * as z from 'zod';

/** An event can be written some time after the one that it is dated by: so late it is still found. */
const LATENESS_MILLISECONDS = 30_000;

export const events = z.array(z.looseObject({ id: z.string(), at: z.iso.datetime() }));

export type Event = z.infer<typeof events>[number];

/**
 * From when on a log is read again and again, round by round, and what of that is known. It moves with the clock, but
 * with the service's: that of this machine tells only how much time has passed since an event was seen.
 */
export const createOverlap = (begin: number, clock = (): number => performance.now()) => {
  const times = new Map<string, number>();
  let floor = begin;
  /** By how much the service's clock is ahead of ours, at least. */
  let lead = Number.NEGATIVE_INFINITY;
  /** Up to when the round reads, at least. */
  let reached: number | null = null;
  return {
    /** From when on to ask, the same for a whole round; undefined while nothing has ever happened. */
    since: (): string | undefined => (Number.isFinite(floor) ? new Date(floor).toISOString() : undefined),
    takeNew: (found: readonly Event[]): Event[] => {
      const isNew = found.filter(({ id }) => !times.has(id));
      for (const { id, at } of isNew) {
        times.set(id, Date.parse(at));
        lead = Math.max(lead, Date.parse(at) - clock());
      }
      reached ??= clock() + lead;
      return isNew;
    },
    /** Leaves out what happened before all that is known, and in the same instant as the first of it. */
    forgetOlder: (): void => {
      floor = Math.min(...times.values()) + 1;
    },
    /** Everything up to the round's first page was read. */
    endRound: (): void => {
      floor = Math.max(floor, (reached ?? Number.NEGATIVE_INFINITY) - LATENESS_MILLISECONDS);
      reached = null;
      for (const [id, at] of times) if (at < floor) times.delete(id);
    },
  };
};
