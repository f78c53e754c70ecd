import { WrongUsage } from './failures.ts';

const SECONDS = { s: 1, m: 60, h: 3600, d: 24 * 3600 } as const;

const parseDuration = (typed: string): number | null => {
  const [, count = '', unit] = /^(\d{1,9})([smhd])$/.exec(typed) ?? [];
  const isUnit = (text: string | undefined): text is keyof typeof SECONDS => text !== undefined && text in SECONDS;
  return isUnit(unit) ? Number(count) * SECONDS[unit] : null;
};

/** A duration like 45s, 30m, 24h or 7d, in seconds. */
export const readSeconds = (typed: string): number => {
  const seconds = parseDuration(typed);
  if (seconds === null) throw new WrongUsage(`"${typed}" is no time like 45s, 30m, 24h or 7d.`);
  return seconds;
};

/** A time like 2026-05-01, 2026-05-01T12:00Z, or like 24h for that long ago; in ISO 8601. */
export const readTime = (typed: string): string => {
  const seconds = parseDuration(typed);
  if (seconds !== null) return new Date(Date.now() - seconds * 1000).toISOString();
  const time = /^\d{4}-\d{2}-\d{2}/.test(typed) ? new Date(typed) : null;
  if (time === null || Number.isNaN(time.getTime())) {
    throw new WrongUsage(`"${typed}" is no time like 2026-05-01, 2026-05-01T12:00:00Z, or 24h for that long ago.`);
  }
  return time.toISOString();
};
