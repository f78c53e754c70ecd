import { hashToken, type KeyedHash } from '../crypto/hashing.ts';
import { newId, type TenantId } from '../crypto/ids.ts';
import { randomToken } from '../crypto/random.ts';
import type { ChallengeStore, NewChallenge } from '../storage/challenges.ts';
import type { NewEvent } from '../storage/events.ts';
import type { SecretEntries, SecretStore } from '../storage/kv.ts';
import { LIFETIME_SECONDS } from './one-time-secrets.ts';

/** Whom an authorization code signs in, and how that user proved who it is. */
export type Authorization = Omit<SecretEntries['authorization_code'], 'challengeId' | 'stateHash'> & { state: string };

type Dependencies = {
  tenantId: TenantId;
  challenges: ChallengeStore;
  secrets: SecretStore;
  keyedHash: KeyedHash;
  now: () => number;
};

/** The codes that a browser carries to where it is sent, which are redeemed there together with their `state`. */
export const createAuthorizationCodes = ({ tenantId, challenges, secrets, keyedHash, now }: Dependencies) => {
  const hashOf = (code: string) => keyedHash('one-time secret', 'authorization_code', tenantId, code);

  /** A code with its challenge. It is good once both are stored. */
  const prepare = async ({ state, ...authorization }: Authorization) => {
    const [code, createdAt] = [randomToken(), now()];
    const id = newId('chl', createdAt);
    const lifetimeSeconds = LIFETIME_SECONDS.authorization_code;
    const challenge: NewChallenge = {
      id,
      purpose: 'authorization_code',
      // Every code is a subject of its own: a second redirect does not kill the first.
      subject: id,
      customerId: authorization.customerId,
      createdAt,
      expiresAt: createdAt + lifetimeSeconds * 1000,
    };
    const [codeHash, stateHash] = await Promise.all([hashOf(code), hashToken(state)]);
    const entry = { challengeId: id, ...authorization, stateHash };
    return { code, challenge, keep: () => secrets.put('authorization_code', codeHash, entry, lifetimeSeconds) };
  };

  return {
    /** A new code. `event` tells of it, where nothing else does. */
    issue: async (authorization: Authorization, event?: NewEvent): Promise<string> => {
      const { code, challenge, keep } = await prepare(authorization);
      await Promise.all([challenges.issue({ challenge, event }), keep()]);
      return code;
    },

    /** What a presented code leads to, if anything. Finding it accepts nothing yet. */
    find: async (code: string) => secrets.find('authorization_code', await hashOf(code)),
  };
};

export type AuthorizationCodes = ReturnType<typeof createAuthorizationCodes>;
