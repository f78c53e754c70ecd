import type { TenantId } from '../crypto/ids.ts';
import { randomTimeOrderedId } from '../crypto/random.ts';
import type { Sealer } from '../crypto/sealing.ts';
import {
  generateSigningKey,
  importSigningKey,
  importVerificationKey,
  type JWK,
  type SigningAlgorithm,
  type SigningKey,
  type VerificationKey,
} from '../crypto/signing-keys.ts';
import type { TenantSettings } from '../storage/schema.ts';
import type { SigningKeyRow, SigningKeyStore } from '../storage/signing-keys.ts';
import type { Audit } from './audit.ts';

/** A tenant's keys, ready for use. */
export type Keys = { current: SigningKey; published: readonly VerificationKey[]; publicJwks: readonly JWK[] };

const FRESH_MS = 60_000;
/** How soon keys that are remembered are looked up again for a token whose key is not among them. */
const RETRY_MS = 1000;

/** What an isolate remembers of the tenants' keys: values only, at most 60 s old. */
export type KeyMemory = Map<TenantId, { keys: Keys; loadedAt: number; endsAt: number }>;

type Dependencies = {
  tenantId: TenantId;
  store: SigningKeyStore;
  sealer: () => Promise<Sealer>;
  memory: KeyMemory;
  audit: Audit;
  settings: TenantSettings;
  now: () => number;
};

/** The keys that a tenant's tokens are signed with and verified by. */
export const createKeyring = ({ tenantId, store, sealer, memory, audit, settings, now }: Dependencies) => {
  const load = async (): Promise<Keys> => {
    const rows = await store.listPublished(now());
    const row = rows.find(({ state }) => state === 'current');
    if (!row) throw new Error(`${tenantId} has no current signing key`);
    const privateJwk: JWK = JSON.parse(await (await sealer()).open(row.sealedPrivateJwk, contextOf(row.kid)));
    const keys = {
      current: await importSigningKey(row.kid, row.algorithm, privateJwk),
      published: await Promise.all(rows.map((each) => importVerificationKey(each.kid, each.algorithm, each.publicJwk))),
      publicJwks: rows.map(({ publicJwk }) => publicJwk),
    };
    // A retired key is forgotten when it leaves, not when what is remembered grows old.
    const ends = rows.flatMap(({ expiresAt }) => (expiresAt === null ? [] : [expiresAt]));
    memory.set(tenantId, { keys, loadedAt: now(), endsAt: Math.min(now() + FRESH_MS, ...ends) });
    return keys;
  };

  return {
    keys: async (): Promise<Keys> => {
      const remembered = memory.get(tenantId);
      return remembered && remembered.endsAt > now() ? remembered.keys : load();
    },

    /** The keys, looked up anew if the one of this id is not among those remembered: it may be a new one. */
    keysWith: async (kid: string | null): Promise<Keys> => {
      const remembered = memory.get(tenantId);
      if (!remembered || remembered.endsAt <= now()) return load();
      const isKnown = kid === null || remembered.keys.published.some((key) => key.kid === kid);
      return isKnown || remembered.loadedAt + RETRY_MS > now() ? remembered.keys : load();
    },

    /**
     * Makes a new current key and gives its id. The one before stays published until the last token that it signed has
     * expired; `dropOldKeys` instead ends all of them with it.
     */
    rotate: async ({ dropOldKeys }: { dropOldKeys: boolean }): Promise<string> => {
      const row = await newSigningKeyRow(await sealer(), settings.signingAlgorithm, now());
      const { accessTokenLogin, accessTokenAccount, accessTokenTenant } = settings.lifetimes;
      const longestMs = Math.max(accessTokenLogin, accessTokenAccount, accessTokenTenant) * 1000;
      // A token can be signed with the old key for as long as another isolate remembers it.
      const oldKeysEndAt = dropOldKeys ? row.createdAt : row.createdAt + longestMs + FRESH_MS;
      await store.rotate(row, oldKeysEndAt, audit('key.rotated', 'operator', tenantId, { kid: row.kid }));
      memory.delete(tenantId);
      return row.kid;
    },
  };
};

export type Keyring = ReturnType<typeof createKeyring>;

/** A new current key, its private half sealed. */
export const newSigningKeyRow = async (
  sealer: Sealer,
  algorithm: SigningAlgorithm,
  createdAt: number,
): Promise<SigningKeyRow> => {
  const kid = randomTimeOrderedId(createdAt);
  const { publicJwk, privateJwk } = await generateSigningKey(algorithm, kid);
  const sealedPrivateJwk = await sealer.seal(JSON.stringify(privateJwk), contextOf(kid));
  return { kid, algorithm, state: 'current', publicJwk, sealedPrivateJwk, createdAt, expiresAt: null };
};

const contextOf = (kid: string): string => `signing key ${kid}`;
