import { type CustomerId, isId, type SessionId, type UserId } from '../crypto/ids.ts';
import type { Page, SupportedSession, SupportedUser, SupportStore } from '../storage/support.ts';
import type { Activations } from './activations.ts';
import type { Audit } from './audit.ts';
import { Refusal } from './refusal.ts';

export type { SupportedSession, SupportedUser } from '../storage/support.ts';

type Dependencies = { store: SupportStore; activations: Activations; audit: Audit; now: () => number };

/**
 * What the operator does for people who need help, without signing in as them. Every verb refuses with
 * `customer_not_found`.
 */
export const createSupport = ({ store, activations, audit, now }: Dependencies) => {
  const found = <Thing>(thing: Thing | null): Thing => {
    if (thing === null) throw new Refusal('customer_not_found');
    return thing;
  };

  const parseCustomer = (text: string): CustomerId => found(isId('cus', text) ? text : null);

  return {
    /** A page of the customer's users, newest first. */
    listUsers: async (customer: string, page: Page<UserId>): Promise<SupportedUser[]> =>
      found(await store.listUsers(parseCustomer(customer), page)),

    /** A page of the sessions of all its users that live, newest first. */
    listSessions: async (customer: string, page: Page<SessionId>): Promise<SupportedSession[]> =>
      found(await store.listSessions(parseCustomer(customer), page, now())),

    /** Ends a session. Refuses with `session_not_found`, for one that lives no longer, too. */
    endSession: async (customer: string, session: string): Promise<void> => {
      const customerId = parseCustomer(customer);
      const sessionId = isId('ses', session) ? session : NO_SESSION;
      const event = audit('session.revoked', 'operator', customerId, { session: sessionId });
      const { isCustomer, isSession } = await store.revokeSession(customerId, sessionId, event);
      found(isCustomer || null);
      if (!isSession) throw new Refusal('session_not_found');
    },

    /** Signs all of the customer's users out, everywhere: whoever signed in before has to sign in again. */
    endAllSessions: async (customer: string): Promise<void> => {
      const customerId = parseCustomer(customer);
      const isFound = await store.revokeAll(customerId, audit('session.revoked', 'operator', customerId));
      found(isFound || null);
    },

    /**
     * Mails a user its activation again; the link from before is dead. Refuses with `user_not_found`,
     * `already_activated`, `no_email_address`, `rate_limited` and `mail_refused`.
     */
    resendActivation: async (customer: string, user: string): Promise<void> => {
      const customerId = parseCustomer(customer);
      const { isCustomer, user: person } = await store.findUser(customerId, isId('usr', user) ? user : NOBODY);
      found(isCustomer || null);
      if (!person) throw new Refusal('user_not_found');
      if (person.activatedAt !== null) throw new Refusal('already_activated');
      if (person.email === '') throw new Refusal('no_email_address');
      await activations.send('operator', customerId, person);
    },
  };
};

const NO_SESSION: SessionId = 'ses_none';
const NOBODY: UserId = 'usr_nobody';
