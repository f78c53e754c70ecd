import * as z from 'zod';
import type { GuardedFetch } from '../http.ts';
import { ProviderRefused } from './refusals.ts';

/** The public members of a key (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2), so that no other is ever used. */
const keySchema = z.object({
  kty: z.string(),
  kid: z.string().exactOptional(),
  alg: z.string().exactOptional(),
  use: z.string().exactOptional(),
  key_ops: z.array(z.string()).exactOptional(),
  crv: z.string().exactOptional(),
  x: z.string().exactOptional(),
  y: z.string().exactOptional(),
  n: z.string().exactOptional(),
  e: z.string().exactOptional(),
  /** Microsoft's: whose tokens the key signs. */
  issuer: z.string().exactOptional(),
});

export type PublicKey = z.infer<typeof keySchema>;

const setSchema = z.object({ keys: z.array(z.unknown()).max(100) });

const LIFETIME_MS = 5 * 60 * 1000;

const INTERVAL_MS = 60 * 1000;

const MAX_SETS = 100;

type KeySet = { keys: PublicKey[]; fetchedAt: number; askedAt: number };

/** Of JSON Web Key Sets, by where they are. */
export type KeySets = {
  /**
   * The keys of a set. They are fetched again after five minutes, and when none has this name, but for that once a minute
   * at most, however many tokens make names up. Throws what there is against the answer.
   */
  find: (url: string, keyId: string | null, fetch: GuardedFetch) => Promise<PublicKey[]>;
};

/** The key sets that an isolate has met, the last hundred of them. Kept as plain data, for a promise belongs to the request that made it. */
export const createKeySets = ({ now }: { now: () => number }): KeySets => {
  const known = new Map<string, KeySet>();
  return {
    find: async (url, keyId, fetch) => {
      const set = known.get(url);
      if (set && now() - set.fetchedAt < LIFETIME_MS) {
        const hasKey = keyId === null || set.keys.some(({ kid }) => kid === keyId);
        if (hasKey || now() - set.askedAt < INTERVAL_MS) return set.keys;
        // Before the answer, which may fail: those who come meanwhile ask no second time.
        set.askedAt = now();
      }
      const keys = await fetchKeys(url, fetch);
      known.delete(url);
      const [oldest] = known.keys();
      if (oldest !== undefined && known.size >= MAX_SETS) known.delete(oldest);
      known.set(url, { keys, fetchedAt: now(), askedAt: now() });
      return keys;
    },
  };
};

const fetchKeys = async (url: string, fetch: GuardedFetch): Promise<PublicKey[]> => {
  const response = await fetch(url, { headers: { Accept: 'application/jwk-set+json, application/json' } });
  if (response.status !== 200) throw new ProviderRefused();
  const { keys } = setSchema.parse(await response.json());
  // Keys of a form that is not known are to be passed over (RFC 7517 §5).
  return keys.flatMap((key) => keySchema.safeParse(key).data ?? []);
};

/** A public key in JSON, as an operator names one. Null for what is none: also for one that is secret or half of it. */
export const readPublicKey = (value: unknown): PublicKey | null => {
  const { data } = z.looseObject(keySchema.shape).safeParse(value);
  if (!data || !ASYMMETRIC.includes(data.kty) || SECRET_MEMBERS.some((member) => Object.hasOwn(data, member)))
    return null;
  return keySchema.parse(data);
};

const ASYMMETRIC = ['RSA', 'EC', 'OKP'];

const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
