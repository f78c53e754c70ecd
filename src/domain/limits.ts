import type { KeyedHash } from '../crypto/hashing.ts';
import type { TenantId } from '../crypto/ids.ts';
import { randomToken } from '../crypto/random.ts';
import type { Hit, Limit } from '../storage/rate-hits.ts';
import type { TenantSettings } from '../storage/schema.ts';
import { Refusal } from './refusal.ts';

/** A hit to be counted, and what it is counted against. */
export type Count = { hit: Hit; limits: readonly Limit[] };

/**
 * Where a mail stands among those that one run of a flow sends to an address: whether it is the first, and how many come
 * with it. They need not wait for each other, and go out all or none as far as the hour's limit is concerned.
 */
export type MailsOfRun = { isFirst: boolean; more: number };

const ALONE: MailsOfRun = { isFirst: true, more: 0 };

type Dependencies = {
  tenantId: TenantId;
  settings: TenantSettings['rateLimits'];
  keyedHash: KeyedHash;
  now: () => number;
};

/** The rate limits of contract 0 that are counted exactly, in the D1 batch of the operation that they limit. */
export const createLimits = ({ tenantId, settings, keyedHash, now }: Dependencies) => {
  const count = async (what: string, whom: string, limits: readonly Limit[]): Promise<Count> => ({
    hit: { bucket: await keyedHash('rate limit', what, tenantId, whom), id: randomToken(), at: now() },
    limits,
  });
  return {
    /** A mail with a secret to this address, whatever for and from whichever surface. */
    mailTo: (emailKey: string, { isFirst, more }: MailsOfRun = ALONE) =>
      count('mail', emailKey, [
        ...(isFirst ? [{ limit: 1, windowMs: settings.mailIntervalSeconds * 1000 }] : []),
        { limit: settings.mailPerHour - more, windowMs: HOUR_MS },
      ]),

    /** A wrong code of this person, over all codes. */
    wrongCodeOf: (emailKey: string) =>
      count('wrong code', emailKey, [
        {
          limit: settings.wrongCodesPerHour,
          windowMs: HOUR_MS,
          lock: { firstMs: LONGEST_LOCK_MS, longestMs: LONGEST_LOCK_MS },
        },
      ]),

    /** A password tried for this address, until it turns out to be right. */
    passwordOf: (emailKey: string) =>
      count('password', emailKey, [
        {
          limit: settings.passwordFailures,
          windowMs: LONGEST_LOCK_MS,
          lock: { firstMs: FIRST_LOCK_MS, longestMs: LONGEST_LOCK_MS },
        },
      ]),

    /** An attempt to authenticate from this address of the internet; null where the platform tells none. */
    attemptFrom: (ip: string | null): Promise<Count> | null =>
      ip === null
        ? null
        : count('attempt', networkOf(ip), [{ limit: settings.authPerIpPerMinute, windowMs: MINUTE_MS }]),
  };
};

export type Limits = ReturnType<typeof createLimits>;

/** The refusal of what a limit forbids for so many milliseconds more. */
export const rateLimited = (waitMs: number): Refusal =>
  new Refusal('rate_limited', { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) });

/** An IPv4 address, or the /64 of an IPv6 address: one household or machine has at least that. */
const networkOf = (ip: string): string => {
  if (!ip.includes(':')) return ip;
  const [head = '', tail = ''] = ip.toLowerCase().split('::');
  const [first, last] = [head, tail].map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - (first?.length ?? 0) - (last?.length ?? 0) }, () => '0');
  const groups = ip.includes('::') ? [...(first ?? []), ...zeros, ...(last ?? [])] : (first ?? []);
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
};

/** No limit looks back longer: `mail_interval_seconds`, which a tenant sets, is an hour at most. */
export const LONGEST_WINDOW_MS = 3_600_000;

const MINUTE_MS = 60_000;
const HOUR_MS = LONGEST_WINDOW_MS;
const FIRST_LOCK_MS = MINUTE_MS;
const LONGEST_LOCK_MS = 15 * 60_000;
