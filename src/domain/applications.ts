import { type AppId, newId } from '../crypto/ids.ts';
import type { Account } from '../storage/accounts.ts';
import type { NewUser } from '../storage/customers.ts';
import type { NewEvent } from '../storage/events.ts';
import type { ProvedNumber } from '../storage/number-proofs.ts';
import type { Application } from '../storage/tenant-accounts.ts';
import { firstProofOf } from './address-proofs.ts';
import type { Actor, Audit } from './audit.ts';
import type { Reach } from './destinations.ts';
import { storedAddress } from './email.ts';
import type { TenantProfile } from './enrichment.ts';
import type { Channel, FlowPlan } from './flows.ts';
import type { HeldChange, Target } from './held-changes.ts';
import { Refusal } from './refusal.ts';
import { customerChangesOf, mergeAttributes, userChangesOf } from './tenant-profiles.ts';

/** Who asks for a change; the app that it is, if it is one. */
export type Author = { actor: Actor; appId: AppId | null };

/** What is to be done to an account: as it was held, and as the flow has planned it. */
type Intent = { target: Target; held: HeldChange; account: Account | null; plan: FlowPlan; by: Author };

/** The rows and events that an intent comes to. */
export const applicationOf = (intent: Intent, audit: Audit, at: number): Application => {
  const { target, held, plan, by } = intent;
  const { customerId, userId, isNew } = target;
  const described = held.derived.length > 0 ? { derived: held.derived.join(' ') } : {};
  const notices = plan.notices.map((name) => audit('flow.notified', by.actor, customerId, { name }));
  const event = (type: 'customer.created' | 'customer.updated') => audit(type, by.actor, customerId, described);
  const provedNumber = provedNumberIn(intent, audit);
  const common = { customerId, userId, provedNumber, subscriptions: held.subscriptions, added: plan.added, at };
  if (isNew) return { ...common, ...creationOf(intent, at), events: [event('customer.created'), ...notices] };
  const events: NewEvent[] = held.purpose === 'change' ? [event('customer.updated'), ...notices] : [];
  return { ...common, ...changeOf(intent, at), events };
};

/** A user, and where it can be sent something. */
export type Recipient = NewUser & Reach & { activatedAt: number | null };

/** The user as the application leaves it. Refuses with `customer_not_found` for one that is there no more. */
export const recipientOf = (
  { created, customer, user, firstProof }: Application,
  account: Account | null,
): Recipient => {
  if (created) {
    const { phone = null, activatedAt = null, locale = null, ...made } = created.user;
    return { ...made, isOwner: true, phone, activatedAt, locale, customerPhone: created.customer.phone ?? null };
  }
  if (!account) throw new Refusal('customer_not_found');
  const customerPhone = customer.phone === undefined ? account.user.customer.phone : customer.phone;
  return { ...account.user, ...definedOnly(firstProof ?? {}), ...definedOnly(user), customerPhone };
};

/** What is never redeemed. */
export const nothingToApply = (at: number): Application => ({
  ...{ customerId: newId('cus', at), userId: newId('usr', at), created: null, customer: {}, version: null, user: {} },
  ...{ firstProof: null, provedNumber: null, subscriptions: null, added: [], events: [], at },
});

/** Whether the account is to have no number any more: neither one to be told by, nor one to be known by. */
export const isPhoneCleared = ({ profile }: FlowPlan): boolean => profile.phone === null;

/** The number that was proved in this run. */
export const numberOf = ({ proven, destination, number }: HeldChange): string | null =>
  proven.includes('sms') && destination.channel === 'sms' ? destination.to : number;

const creationOf = (intent: Intent, at: number) => {
  const { target, held, plan, by } = intent;
  const { customerId, userId } = target;
  const { email, proven } = held;
  const { profile } = plan;
  const provedBy = (channel: Channel) => (proven.includes(channel) ? at : null);
  const phone = provedNumberOf(intent);
  const knownByPhone = email === null ? (profile.phone ?? phone) : phone;
  const times = { createdAt: at, updatedAt: at };
  const addresses = storedAddress(email, userId);
  const { givenName = null, familyName = null, locale = null } = userChangesOf(profile);
  return {
    created: {
      customer: {
        ...definedOnly(customerChangesOf(profile)),
        attributes: mergeAttributes(null, profile.attributes ?? {}),
        ...{ id: customerId, ...addresses, status: 'active' as const, hasApiAccess: true, version: 1, ...times },
        createdByApp: by.appId,
      },
      user: {
        ...{ id: userId, customerId, ...addresses, isOwner: true, givenName, familyName, locale, ...times },
        ...{ phone: knownByPhone ?? null, activatedAt: provedBy('email'), phoneVerifiedAt: provedBy('sms') },
      },
    },
    customer: {},
    version: null,
    user: {},
    firstProof: null,
  };
};

const changeOf = (intent: Intent, at: number) => {
  const { held, account, plan } = intent;
  const isVerified = account?.user.activatedAt !== null;
  const isOwners = account?.user.isOwner === true;
  const phone = provedNumberOf(intent);
  return {
    ...(!isOwners && { subscriptions: null, added: [] }),
    created: null,
    ...(isOwners ? customerChangeOf(account, plan.profile) : { customer: {}, version: null }),
    user: {
      ...userChangesOf(plan.profile),
      ...(phone !== undefined && { phone, phoneVerifiedAt: at }),
      ...(isOwners && losesNumber(account, plan) && phone === undefined && { phone: null, phoneVerifiedAt: null }),
    },
    firstProof: held.proven.includes('email') && !isVerified ? firstProofOf(at) : null,
  };
};

/** Whoever has the number that another one replaces signs in no longer, unless nothing else can: it may be stolen. */
const losesNumber = ({ user }: Account, plan: FlowPlan): boolean => {
  const { phone } = plan.profile;
  const isReplaced = user.phone !== null && phone !== undefined && phone !== user.phone;
  return isPhoneCleared(plan) || (isReplaced && user.email !== '' && user.activatedAt !== null);
};

const customerChangeOf = (
  { user: { customer } }: Account,
  profile: TenantProfile,
): Pick<Application, 'customer' | 'version'> => {
  const changes = customerChangesOf(profile);
  if (changes.attributes === undefined) return { customer: changes, version: null };
  const attributes = mergeAttributes(customer.attributes, changes.attributes);
  return { customer: { ...changes, attributes }, version: customer.version };
};

/** Whoever has the number need not be who reads mail at an address that is not proved: it is not known by it then. */
const provedNumberOf = ({ target, held, account }: Intent): string | undefined => {
  const isAddressProved = account !== null && account.user.email !== '' && account.user.activatedAt !== null;
  const hasAddress = target.isNew ? held.email !== null : account?.user.email !== '';
  const isKnownByNumber = isAddressProved || !hasAddress || held.proven.includes('email');
  return isKnownByNumber ? (numberOf(held) ?? undefined) : undefined;
};

/** Whoever loses the number is not told who has proved it. */
const provedNumberIn = (intent: Intent, audit: Audit): ProvedNumber | null => {
  const phone = provedNumberOf(intent);
  if (phone === undefined) return null;
  const { subject: _, ...told } = audit('customer.updated', 'system', intent.target.customerId, {
    proved: 'elsewhere',
  });
  return { phone, told: { ...told, ip: null, userAgent: null } };
};

const definedOnly = <Members extends object>(
  members: Members,
): { [Name in keyof Members]?: Exclude<Members[Name], undefined> } => {
  const defined: { [Name in keyof Members]?: Exclude<Members[Name], undefined> } = {};
  for (const name in members) {
    const value = members[name];
    if (value !== undefined) Object.assign(defined, { [name]: value });
  }
  return defined;
};
