import { isId, newId, type UserId } from '../crypto/ids.ts';
import type { MemberPage, MemberStore } from '../storage/members.ts';
import type { Member } from '../storage/profiles.ts';
import type { User } from '../storage/users.ts';
import { isAlive, type PresentedToken } from './access-tokens.ts';
import type { Audit, Origin } from './audit.ts';
import { type AwsAccess, type AwsVault, newAwsCredentials } from './aws-credentials.ts';
import type { EmailAddress } from './email.ts';
import type { EmailChanges } from './email-changes.ts';
import type { Enrolments, NewPerson } from './enrolments.ts';
import { type Limits, rateLimited } from './limits.ts';
import { readPhones, type TypedPhone } from './phones.ts';
import { Refusal } from './refusal.ts';

/** What changes of a user; what is undefined stays. */
export type MemberRequest = {
  givenName: string | undefined;
  familyName: string | undefined;
  email: EmailAddress | undefined;
  phones: readonly TypedPhone[] | undefined;
  /** Null takes all of it away. */
  aws: AwsAccess | null | undefined;
};

type Dependencies = {
  store: MemberStore;
  enrolments: Enrolments;
  emailChanges: EmailChanges;
  vault: AwsVault;
  limits: Limits;
  audit: Audit;
  origin: Origin;
  now: () => number;
};

/**
 * The users of a customer (contract 2, users). Every verb refuses a dead token with `unauthenticated`; every verb that
 * changes something refuses with `owner_only` whoever does not own the customer.
 */
export const createMembers = (dependencies: Dependencies) => {
  const { store, enrolments, emailChanges, vault, limits, audit, origin, now } = dependencies;

  /** Refuses with `user_not_found`, for a user of another customer as for one that nobody is. */
  const find = async (token: PresentedToken, id: string, admit: typeof admitUser): Promise<[User, Member]> => {
    // A text that is no user's id finds nobody; the caller is read all the same.
    const found = await store.find(token, isId('usr', id) ? id : NOBODY);
    const caller = admit(token, found.caller);
    if (!found.member) throw new Refusal('user_not_found');
    return [caller, found.member];
  };

  return {
    /** A page of the customer's users, newest first. */
    list: async (token: PresentedToken, page: MemberPage): Promise<Member[]> => {
      const { caller, members } = await store.list(token, page);
      admitUser(token, caller);
      return members;
    },

    find: async (token: PresentedToken, id: string): Promise<Member> => {
      const [, member] = await find(token, id, admitUser);
      return member;
    },

    /**
     * Adds a user, who is mailed a link to choose a password.
     * Refuses with `validation_failed`, `email_taken`, `rate_limited` and `mail_refused`.
     */
    add: async (token: PresentedToken, person: NewPerson): Promise<Member> => {
      const fromIp = await limits.attemptFrom(origin.ip);
      const attempt = await store.attempt(token, fromIp ? [fromIp] : []);
      const { id: callerId, customer } = admitOwner(token, attempt.caller);
      if (attempt.waitMs > 0) throw rateLimited(attempt.waitMs);

      const at = now();
      const phones = await readPhones(person.phones, customer.country, 'phones', at);
      const id = newId('usr', at);
      const actor = `user:${callerId}` as const;
      const newcomer = await enrolments.prepare(person, { id, customerId: customer.id, isOwner: false, phones, at });
      const event = audit('user.created', actor, customer.id, { user: id });
      const undo = () => store.remove(newcomer.user, audit('user.deleted', 'system', customer.id, { user: id }));
      await enrolments.enrol(actor, { customer: null, ...newcomer, event }, undo);
      return { user: { ...newcomer.user, ...WITHOUT_CREDENTIALS }, phones, awsCredentials: newcomer.awsCredentials };
    },

    /**
     * Changes what is given, all of it or nothing, and gives the user as it is then. A new address is only pending, see
     * `EmailChanges`. Refuses with `user_not_found`, `validation_failed`, `rate_limited` and `mail_refused`.
     */
    change: async (token: PresentedToken, id: string, request: MemberRequest): Promise<Member> => {
      const [caller, member] = await find(token, id, admitOwner);
      const { user } = member;
      const { email, aws, givenName, familyName } = request;
      const at = now();
      const phones = request.phones && (await readPhones(request.phones, caller.customer.country, 'phones', at));
      const awsChanges = aws && (await vault.seal(user.id, aws));
      const actor = `user:${caller.id}` as const;
      const isNewEmail = email !== undefined && email.key !== user.emailKey;
      const pending = isNewEmail ? await emailChanges.request(user, email, actor) : {};

      const changed = await store.update(
        user,
        { user: { givenName, familyName, ...pending }, phones, awsCredentials: aws === null ? null : awsChanges },
        audit('user.updated', actor, user.customerId, { user: user.id }),
      );
      if (!changed) throw new Refusal('user_not_found');
      const kept = aws === null ? null : member.awsCredentials;
      return {
        user: changed,
        phones: phones ?? member.phones,
        awsCredentials: awsChanges ? { ...(kept ?? newAwsCredentials({}, at)), ...awsChanges } : kept,
      };
    },

    /** Removes a user for good. Refuses with `user_not_found`, and the owner with `owner_required`. */
    remove: async (token: PresentedToken, id: string): Promise<void> => {
      const [caller, { user }] = await find(token, id, admitOwner);
      if (user.isOwner) throw new Refusal('owner_required');
      const event = audit('user.deleted', `user:${caller.id}`, user.customerId, { user: user.id });
      if (!(await store.remove(user, event))) throw new Refusal('user_not_found');
    },
  };
};

const NOBODY: UserId = 'usr_nobody';

/** What a new user has none of. */
const WITHOUT_CREDENTIALS = {
  phone: null,
  phoneVerifiedAt: null,
  passwordHash: null,
  passwordExpiresAt: null,
  activatedAt: null,
  validAfter: 0,
  pendingEmail: null,
  pendingEmailExpiresAt: null,
};

const admitUser = (token: PresentedToken, caller: User | null): User => {
  if (!caller || !isAlive(token, caller)) throw new Refusal('unauthenticated');
  return caller;
};

const admitOwner = (token: PresentedToken, caller: User | null): User => {
  const user = admitUser(token, caller);
  if (!user.isOwner) throw new Refusal('owner_only');
  return user;
};
