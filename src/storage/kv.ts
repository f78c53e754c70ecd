import type { AppId, ChallengeId, CustomerId, SessionId, TenantId, UserId } from '../crypto/ids.ts';
import type { ChallengePurpose } from './schema.ts';

/*
 * KV has no compare-and-swap and may be a minute stale elsewhere. It is safe here because an entry is written once, under
 * a key that nobody else ever writes, and because finding one never decides: the D1 row of its challenge or session does. So a stale
 * read can refuse a right secret, never accept one twice.
 *
 * | prefix              | the rest of the key                              | value                              | lives  |
 * | ------------------- | ------------------------------------------------ | ---------------------------------- | ------ |
 * | passcode:           | keyed hash of tenant, email address and passcode | challenge, the app that asked      | 10 min |
 * | activation:         | keyed hash of tenant, user and secret            | challenge                          | 7 days |
 * | password_reset:     | keyed hash of tenant, email address and code     | challenge                          | 30 min |
 * | email_change:       | keyed hash of tenant, user and key               | challenge, keyed hash of address   | 24 h   |
 * | login_code:         | keyed hash of tenant, state and code             | challenge                          | 10 min |
 * | challenge_code:     | keyed hash of tenant, challenge and code         | challenge                          | 10 min |
 * | authorization_code: | keyed hash of tenant and code                    | challenge, whose it is, its state  | 60 s   |
 * | refresh_token:      | tenant, and SHA-256 of the token                 | session, user, which token it is   | idle   |
 */

export type SecretEntries = {
  passcode: { challengeId: ChallengeId; appId: AppId };
  activation: { challengeId: ChallengeId };
  password_reset: { challengeId: ChallengeId };
  email_change: { challengeId: ChallengeId; addressHash: string };
  login_code: { challengeId: ChallengeId };
  challenge_code: { challengeId: ChallengeId };
  authorization_code: {
    challengeId: ChallengeId;
    userId: UserId;
    customerId: CustomerId;
    stateHash: string;
    /** SHA-256 of what the cookie of the browser holds that alone may use the code; null for any browser. */
    browserHash: string | null;
    provider: string;
    amr: string[];
    /** Whether the user has proved to read mail at its address. */
    provesEmail: boolean;
    /** What the identity provider is told at logout, sealed. */
    sealedLogoutHint: string | null;
  };
};

/** Which of a session's refresh tokens it is: the one of the current generation alone is good. */
export type RefreshTokenEntry = { sessionId: SessionId; userId: UserId; customerId: CustomerId; generation: number };

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

/** The refresh tokens of one tenant. */
export const createRefreshTokenStore = (kv: KVNamespace, tenantId: TenantId) => {
  const keyOf = (hash: string) => `refresh_token:${tenantId}:${hash}`;
  return {
    put: (hash: string, entry: RefreshTokenEntry, lifetimeSeconds: number): Promise<void> =>
      kv.put(keyOf(hash), JSON.stringify(entry), {
        expirationTtl: Math.max(SHORTEST_LIFETIME_SECONDS, lifetimeSeconds),
      }),

    find: (hash: string): Promise<RefreshTokenEntry | null> => kv.get<RefreshTokenEntry>(keyOf(hash), 'json'),
  };
};

export type RefreshTokenStore = ReturnType<typeof createRefreshTokenStore>;

export type SecretStore = ReturnType<typeof createSecretStore>;
