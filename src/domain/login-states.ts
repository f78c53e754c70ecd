import { hashToken } from '../crypto/hashing.ts';
import type { CustomerId, UserId } from '../crypto/ids.ts';
import { randomToken } from '../crypto/random.ts';
import type { Sealer } from '../crypto/sealing.ts';
import type { LoginState, LoginStateStore } from '../storage/login-states.ts';
import type { Counted } from '../storage/rate-hits.ts';
import type { EmailAddress } from './email.ts';

const LIFETIME_MS = 10 * 60_000;

/** How a sign-in goes on: with a code that is mailed, or at the identity provider of a connection. */
export type Via =
  | { kind: 'code' }
  | { kind: 'oidc'; connection: string; nonce: string; codeVerifier: string }
  | { kind: 'saml'; connection: string; requestId: string };

/** Who wants to sign in how, and where the browser is sent then. `user` is null for an unknown address. */
export type LoginDetails = {
  email: EmailAddress;
  user: { id: UserId; customerId: CustomerId } | null;
  redirectUri: string;
  via: Via;
};

/** A sign-in that was begun. `hash` stands for its state in storage, `browserHash` for the browser that began it. */
export type BegunLogin = { hash: string; browserHash: string; details: LoginDetails };

type Dependencies = { store: LoginStateStore; sealer: () => Promise<Sealer>; now: () => number };

/** The sign-ins that were begun: the `state` that a browser carries about leads to them, for ten minutes and once. */
export const createLoginStates = ({ store, sealer, now }: Dependencies) => {
  const open = async (state: LoginState | null): Promise<BegunLogin | null> => {
    if (!state) return null;
    const details: LoginDetails = JSON.parse(await (await sealer()).open(state.sealedDetails, contextOf(state.hash)));
    return { hash: state.hash, browserHash: state.browserHash, details };
  };

  return {
    newState: randomToken,

    /** Keeps a sign-in under a state from `newState`. `browser` is what the browser's cookie holds. */
    begin: async (state: string, browser: string, details: LoginDetails): Promise<void> => {
      const at = now();
      const [hash, browserHash] = await Promise.all([hashToken(state), hashToken(browser)]);
      const sealedDetails = await (await sealer()).seal(JSON.stringify(details), contextOf(hash));
      await store.put({ hash, browserHash, sealedDetails, expiresAt: at + LIFETIME_MS }, at);
    },

    /** Counts an attempt, unless a limit forbids it, and gives the sign-in that the state leads to. */
    attempt: async (state: string, counted: readonly Counted[]) => {
      const found = await store.attempt(await hashToken(state), counted, now());
      return { login: await open(found.state), waitMs: found.waitMs };
    },

    /** Gives the sign-in that the state leads to, if it is of this browser, and leaves it as it is. */
    peek: async (state: string, browser: string | null): Promise<BegunLogin | null> => {
      const login = await open(await store.find(await hashToken(state), now()));
      return login && browser !== null && login.browserHash === (await hashToken(browser)) ? login : null;
    },

    /** Gives the sign-in that the state leads to, once. */
    consume: async (state: string): Promise<BegunLogin | null> =>
      open(await store.consume(await hashToken(state), now())),
  };
};

export type LoginStates = ReturnType<typeof createLoginStates>;

const contextOf = (hash: string): string => `login state ${hash}`;
