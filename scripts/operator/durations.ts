import * as z from 'zod';
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

const isoTime = z.union([z.iso.date(), z.iso.datetime({ offset: true, local: true })]);

/** A time like 2026-05-01, 2026-05-01T12:00Z (UTC where it names no zone), or like 24h for that long ago; in ISO 8601. */
export const readTime = (typed: string): string => {
  const seconds = parseDuration(typed);
  if (seconds !== null) return new Date(Date.now() - seconds * 1000).toISOString();
  const time = isoTime.safeParse(typed.replace(' ', 'T')).data;
  if (time === undefined) {
    throw new WrongUsage(`"${typed}" is no time like 2026-05-01, 2026-05-01T12:00:00Z, or 24h for that long ago.`);
  }
  const isZoned = /^[^T]*$|(Z|[+-]\d{2}:\d{2})$/.test(time);
  return new Date(isZoned ? time : `${time}Z`).toISOString();
};
