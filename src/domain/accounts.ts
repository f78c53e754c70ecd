import type { Mailer } from '../outside/mail/mailer.ts';
import type { Account, AccountStore, Holdings } from '../storage/accounts.ts';
import type { CustomerChanges, CustomerStore } from '../storage/customers.ts';
import type { SubscriptionStore } from '../storage/subscriptions.ts';
import { isAlive, type PresentedToken } from './access-tokens.ts';
import type { Audit } from './audit.ts';
import type { EmailAddress } from './email.ts';
import type { EmailChanges } from './email-changes.ts';
import type { PasswordSignIns } from './password-sign-ins.ts';
import { hashNewPassword } from './passwords.ts';
import { invalidAt, Refusal, refuseFaults } from './refusal.ts';
import { checkOffered, listOffered } from './subscriptions.ts';

export type { Account, Holdings } from '../storage/accounts.ts';

/** What a person changes of its account; what is undefined stays. */
export type AccountRequest = {
  details: CustomerChanges;
  subscriptions: readonly string[] | undefined;
  email: EmailAddress | undefined;
  password: { current: string; wanted: string } | undefined;
};

type Dependencies = {
  store: AccountStore;
  customers: CustomerStore;
  subscriptions: SubscriptionStore;
  signIns: PasswordSignIns;
  emailChanges: EmailChanges;
  mailer: Mailer;
  audit: Audit;
  tenantName: string;
  defer: (work: Promise<unknown>) => void;
  now: () => number;
};

/**
 * The account of whoever is signed in (contract 3). Every verb refuses a dead token with `unauthenticated`. What is the
 * customer's is its owner's to change, to delete and to have all of: other users are refused with `owner_only`.
 */
export const createAccounts = (dependencies: Dependencies) => {
  const { store, customers, subscriptions, signIns, emailChanges, mailer, audit, tenantName, defer, now } =
    dependencies;

  const read = async (token: PresentedToken): Promise<Account> => {
    const account = await store.find(token);
    if (!account || !isAlive(token, account.user)) throw new Refusal('unauthenticated');
    return account;
  };

  return {
    read,

    /**
     * Changes the account, all of it or nothing, and gives it as it is then. A new address is only pending, see
     * `EmailChanges`. Refuses with `validation_failed`, `weak_password`, `precondition_failed`, `rate_limited` and
     * `mail_refused`.
     *
     * @param version the one that the account must still have, or null for any.
     */
    change: async (token: PresentedToken, request: AccountRequest, version: number | null): Promise<Account> => {
      const { user } = await read(token);
      if (!user.isOwner && concernsCustomer(request)) throw new Refusal('owner_only');
      if (version !== null && version !== user.customer.version) throw new Refusal('precondition_failed');
      const { details, password, email } = request;

      const { subscriptions: wanted } = request;
      if (wanted) refuseFaults(checkOffered(wanted, await listOffered(subscriptions)));
      const name = details.name === undefined ? user.customer.name : details.name;
      const passwordHash = password && (await hashNewPassword(password.wanted, [user.email, name, tenantName]));
      if (password && !(await signIns.confirm(user, password.current))) {
        throw invalidAt('current_password', 'is not the password that you have now');
      }
      const isNewEmail = email !== undefined && email.key !== user.emailKey;
      const pending = isNewEmail ? await emailChanges.request(user, email) : {};

      const at = now();
      const actor = `user:${user.id}` as const;
      const outcome = await store.update(
        user,
        {
          customer: details,
          user: { ...pending, ...(passwordHash && { passwordHash, passwordExpiresAt: null, validAfter: at }) },
          subscriptions: wanted ?? null,
        },
        version,
        [
          audit('customer.updated', actor, user.customerId),
          ...(passwordHash ? [audit('password.changed', actor, user.customerId)] : []),
        ],
        at,
      );
      if (outcome === 'stale') throw new Refusal('precondition_failed');
      if (passwordHash) defer(mailer.sendPasswordChanged(user));
      const changed = await store.find(token);
      if (!changed) throw new Refusal('unauthenticated');
      return changed;
    },

    /** Deletes the customer for good, with all of its users, credentials and personal data. */
    remove: async (token: PresentedToken): Promise<void> => {
      const { user } = await read(token);
      if (!user.isOwner) throw new Refusal('owner_only');
      const event = audit('customer.deleted', `user:${user.id}`, user.customerId);
      if (!(await customers.remove(user.customerId, event))) throw new Refusal('unauthenticated');
    },

    /** Everything that is held about the customer, but for secrets. */
    export: async (token: PresentedToken): Promise<Account & Holdings> => {
      const account = await read(token);
      if (!account.user.isOwner) throw new Refusal('owner_only');
      return { ...account, ...(await store.findHoldings(account.user.customerId)) };
    },
  };
};

/** Whether more is to be changed than what is the user's own. */
const concernsCustomer = ({ details, subscriptions }: AccountRequest): boolean =>
  subscriptions !== undefined || Object.values(details).some((value) => value !== undefined);
