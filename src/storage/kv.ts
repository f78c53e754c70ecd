import type { AppId, ChallengeId, CustomerId } from '../crypto/ids.ts';
import type { ChallengePurpose } from './schema.ts';

/*
 * KV has no compare-and-swap and may be a minute stale elsewhere. It is safe here because an entry is written once, under
 * a key that nobody else ever writes, and because finding one never decides: the D1 row of its challenge does. So a stale
 * read can refuse a right secret, never accept one twice.
 *
 * | prefix              | the rest of the key                              | value                              | lives  |
 * | ------------------- | ------------------------------------------------ | ---------------------------------- | ------ |
 * | passcode:           | keyed hash of tenant, email address and passcode | challenge, the app that asked      | 10 min |
 * | activation:         | keyed hash of tenant, user and secret            | challenge                          | 7 days |
 * | password_reset:     | keyed hash of tenant, email address and code     | challenge                          | 30 min |
 * | email_change:       | keyed hash of tenant, user and key               | challenge, keyed hash of address   | 24 h   |
 * | authorization_code: | keyed hash of tenant and code                    | challenge, whose it is, its state  | 60 s   |
 */

export type SecretEntries = {
  passcode: { challengeId: ChallengeId; appId: AppId };
  activation: { challengeId: ChallengeId };
  password_reset: { challengeId: ChallengeId };
  email_change: { challengeId: ChallengeId; addressHash: string };
  authorization_code: { challengeId: ChallengeId; customerId: CustomerId; appId: AppId; stateHash: string };
};

/** KV refuses shorter lifetimes. They only clean up here: the challenge's own expiry decides. */
const SHORTEST_LIFETIME_SECONDS = 60;

export const createSecretStore = (kv: KVNamespace) => ({
  put: <Purpose extends ChallengePurpose>(
    purpose: Purpose,
    hash: string,
    entry: SecretEntries[Purpose],
    lifetimeSeconds: number,
  ): Promise<void> =>
    kv.put(`${purpose}:${hash}`, JSON.stringify(entry), {
      expirationTtl: Math.max(SHORTEST_LIFETIME_SECONDS, lifetimeSeconds),
    }),

  find: <Purpose extends ChallengePurpose>(purpose: Purpose, hash: string): Promise<SecretEntries[Purpose] | null> =>
    kv.get<SecretEntries[Purpose]>(`${purpose}:${hash}`, 'json'),
});

export type SecretStore = ReturnType<typeof createSecretStore>;
