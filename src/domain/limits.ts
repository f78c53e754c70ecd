import type { KeyedHash } from '../crypto/hashing.ts';
import type { TenantId } from '../crypto/ids.ts';
import { randomToken } from '../crypto/random.ts';
import type { Hit, Limit } from '../storage/rate-hits.ts';
import type { TenantSettings } from '../storage/schema.ts';
import { Refusal } from './refusal.ts';

/** A hit to be counted, and what it is counted against. */
export type Count = { hit: Hit; limits: readonly Limit[] };

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
    mailTo: (emailKey: string) =>
      count('mail', emailKey, [
        { limit: 1, windowMs: settings.mailIntervalSeconds * 1000 },
        { limit: settings.mailPerHour, windowMs: HOUR_MS },
      ]),

    /** A wrong code of this person, over all codes. */
    wrongCodeOf: (emailKey: string) =>
      count('wrong code', emailKey, [
        { limit: settings.wrongCodesPerHour, windowMs: HOUR_MS, lockMs: LONGEST_LOCK_MS },
      ]),
  };
};

export type Limits = ReturnType<typeof createLimits>;

/** The refusal of what a limit forbids for so many milliseconds more. */
export const rateLimited = (waitMs: number): Refusal =>
  new Refusal('rate_limited', { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) });

const HOUR_MS = 3_600_000;
const LONGEST_LOCK_MS = 15 * 60_000;
