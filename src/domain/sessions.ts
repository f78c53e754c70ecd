import { hashToken, type KeyedHash } from '../crypto/hashing.ts';
import { type CustomerId, newCredentialKey, newId, type TenantId, type UserId } from '../crypto/ids.ts';
import { randomToken } from '../crypto/random.ts';
import type { NewApiKey } from '../storage/api-keys.ts';
import type { Redemption, WrongTry } from '../storage/challenges.ts';
import type { RefreshTokenEntry, RefreshTokenStore } from '../storage/kv.ts';
import type { TenantSettings } from '../storage/schema.ts';
import type { SessionRow, SessionStore, SignedInUser } from '../storage/sessions.ts';
import { type AccessTokens, isAlive, type PresentedToken } from './access-tokens.ts';
import { firstProofOf } from './address-proofs.ts';
import type { Audit, Origin, RecordLater } from './audit.ts';
import { rateLimited } from './limits.ts';
import { Refusal } from './refusal.ts';

export type Session = SessionRow;

/** What a user holds who is signed in. The access token proves the user together with the customer's key, too. */
export type SignedIn = {
  accessToken: string;
  refreshToken: string;
  apiKey: string;
  customerId: CustomerId;
  userId: UserId;
};

/** How a user proved who it is. */
type Proof = {
  userId: UserId;
  customerId: CustomerId;
  provider: string;
  amr: string[];
  sealedLogoutHint: string | null;
};

/** A sign-in whose secret is to be redeemed. */
export type SignIn = {
  redemption: Redemption;
  wrongTry: WrongTry;
  proof: Proof;
  /** Whether the secret was mailed to the user. */
  provesEmail: boolean;
  /** The hash of the state that is used up, if it has not been yet. */
  stateHash: string | null;
  /** The session that the browser brought along. */
  brought: RefreshTokenEntry | null;
};

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error('unknown failure'));

/** A token that was rotated away may come again for so long: an answer was lost, or two tabs asked at once. */
const GRACE_MS = 10_000;

type Dependencies = {
  tenantId: TenantId;
  store: SessionStore;
  refreshTokens: RefreshTokenStore;
  accessTokens: AccessTokens;
  lifetimes: TenantSettings['lifetimes'];
  keyedHash: KeyedHash;
  audit: Audit;
  recordLater: RecordLater;
  origin: Origin;
  now: () => number;
};

/** The sessions of signed-in users: families of refresh tokens, of which one is good at a time (contract 0, tokens). */
export const createSessions = (dependencies: Dependencies) => {
  const { tenantId, store, refreshTokens, accessTokens, lifetimes, keyedHash, audit } = dependencies;
  const { recordLater, origin, now } = dependencies;

  /** A key, in case the customer has none. Nobody learns its token: users call with their access tokens. */
  const newApiKey = async (customerId: CustomerId, at: number): Promise<NewApiKey> => ({
    customerId,
    key: newCredentialKey('ck', tenantId),
    tokenHash: await hashToken(randomToken()),
    at,
  });

  const keep = async (token: string, entry: RefreshTokenEntry): Promise<void> =>
    refreshTokens.put(await hashToken(token), entry, lifetimes.refreshIdle);

  const tokensOf = async ({ session, user, apiKey }: SignedInUser, refreshToken: string, at: number) => ({
    accessToken: await accessTokens.issue(user, {
      sessionId: session.id,
      provider: session.provider,
      amr: session.amr,
      authenticatedAt: session.createdAt,
      at,
      lifetimeSeconds: lifetimes.accessTokenLogin,
    }),
    refreshToken,
    apiKey,
    customerId: user.customerId,
    userId: user.id,
  });

  const revokedEvent = ({ sessionId, userId, customerId }: Omit<RefreshTokenEntry, 'generation'>) =>
    audit('session.revoked', `user:${userId}`, customerId, { session: sessionId });

  /** By nobody who has not the token itself, nor by anybody but us: so it need not be kept. */
  const successorOf = (token: string): Promise<string> => keyedHash('successor of a refresh token', tenantId, token);

  const find = async (token: string): Promise<RefreshTokenEntry | null> => refreshTokens.find(await hashToken(token));

  return {
    /**
     * Opens a session if the redemption succeeds: a new one, whatever session the browser brought along, which ends.
     * Refuses with `login_failed` and `rate_limited`.
     */
    open: async ({ redemption, wrongTry, proof, provesEmail, stateHash, brought }: SignIn): Promise<SignedIn> => {
      const { at } = redemption;
      const { userId, customerId, ...how } = proof;
      const [sessionId, refreshToken] = [newId('ses', at), randomToken()];
      const expiresAt = at + lifetimes.refreshAbsolute * 1000;
      const idleExpiresAt = Math.min(at + lifetimes.refreshIdle * 1000, expiresAt);
      const times = { createdAt: at, idleExpiresAt, expiresAt };
      const entry = { sessionId, userId, customerId, generation: 1 };
      const [outcome, failure] = await Promise.all([
        store.openByRedemption(
          redemption,
          wrongTry,
          {
            session: { id: sessionId, userId, customerId, ...how, ...times, ...origin },
            apiKey: await newApiKey(customerId, at),
            firstProof: provesEmail ? firstProofOf(at) : null,
            stateHash,
            brought: brought && { id: brought.sessionId, revoked: revokedEvent(brought) },
            events: [
              audit('login.succeeded', `user:${userId}`, customerId, { by: proof.provider, session: sessionId }),
              audit('session.created', `user:${userId}`, customerId, { session: sessionId }),
            ],
          },
          audit('login.failed', 'anonymous', customerId, { by: proof.provider }),
        ),
        // A wrong code is known as such already: nothing is kept for it.
        redemption.found && keep(refreshToken, entry).then(() => null, asError),
      ]);
      if (outcome.kind === 'limited') throw rateLimited(outcome.waitMs);
      // What a browser brings back is counted by itself: that locks nobody.
      if (outcome.kind === 'refused' && outcome.isLast && redemption.purpose === 'login_code') {
        recordLater(audit('login.locked', 'anonymous', customerId, { by: proof.provider }));
      }
      if (!outcome.opened) throw new Refusal('login_failed');
      if (failure) {
        await store.revoke(sessionId, revokedEvent(entry));
        throw failure;
      }
      return tokensOf(outcome.opened, refreshToken, at);
    },

    /** What a presented refresh token leads to, if anything. Finding it accepts nothing yet. */
    find,

    /** Whether the session of a presented refresh token lives. It is good for as much afterwards as before. */
    isLiving: async (token: string): Promise<boolean> => {
      const presented = await find(token);
      return presented !== null && store.isLiving(presented.sessionId, now());
    },

    /**
     * Trades a refresh token for its successor and a new access token. The same token within ten seconds gets the same
     * successor; later it is theft, and ends the session. Null for a token that is not good.
     */
    refresh: async (token: string): Promise<SignedIn | null> => {
      const at = now();
      const presented = await find(token);
      if (!presented) return null;
      const { sessionId, userId, customerId } = presented;
      const next = { sessionId, userId, customerId, generation: presented.generation + 1 };
      const successor = await successorOf(token);
      const rotation = { presented, at, idleExpiresAt: at + lifetimes.refreshIdle * 1000, graceMs: GRACE_MS };
      const reused = audit('session.reuse_detected', 'anonymous', customerId, { session: sessionId, user: userId });
      const [living, failure] = await Promise.all([
        store.rotate(rotation, await newApiKey(customerId, at), reused),
        keep(successor, next).then(() => null, asError),
      ]);
      if (!living) return null;
      // Calls that came at once write the same entry, of which KV takes one a second.
      if (failure && !(await find(successor))) throw failure;
      return tokensOf(living, successor, at);
    },

    /** Ends the session of a refresh token, current or not, and gives it; null if there is none to end. */
    end: async (token: string): Promise<Session | null> => {
      const presented = await find(token);
      if (!presented) return null;
      return store.revoke(presented.sessionId, revokedEvent(presented));
    },

    /** The living sessions of whoever is signed in, newest first. Refuses a dead token with `unauthenticated`. */
    list: async (token: PresentedToken): Promise<Session[]> => (await findOf(token)).sessions,

    /** Ends one of the user's own sessions. Refuses as `list`, and with `session_not_found`. */
    revoke: async (token: PresentedToken, id: string): Promise<void> => {
      const { sessions, user } = await findOf(token);
      const session = sessions.find((each) => each.id === id);
      if (!session) throw new Refusal('session_not_found');
      await store.revoke(
        session.id,
        revokedEvent({ sessionId: session.id, userId: user.id, customerId: user.customerId }),
      );
    },

    /** Ends all of the user's sessions but the one of the token. Refuses as `list`. */
    revokeOthers: async (token: PresentedToken): Promise<void> => {
      const { user } = await findOf(token);
      const event = audit('session.revoked', `user:${user.id}`, user.customerId, { but: token.sessionId });
      await store.revokeOthers(user.id, token.sessionId, event);
    },
  };

  async function findOf(token: PresentedToken) {
    const { user, sessions } = await store.findOf(token, now());
    if (!user || !isAlive(token, user)) throw new Refusal('unauthenticated');
    return { user, sessions };
  }
};

export type Sessions = ReturnType<typeof createSessions>;
