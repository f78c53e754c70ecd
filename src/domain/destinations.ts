import type { Account } from '../storage/accounts.ts';
import type { AccountReference } from '../storage/tenant-accounts.ts';
import type { EmailAddress } from './email.ts';
import type { Channel } from './flows.ts';
import { Refusal } from './refusal.ts';

/** Where a code goes: an address or a number, in the form in which it is compared. */
export type Destination = { channel: Channel; to: string };

/** Where somebody can be sent a code; '' for no address. */
export type Reach = {
  email: string;
  emailKey: string;
  isOwner: boolean;
  phone: string | null;
  customerPhone: string | null;
};

/** What the account is known by: the kind that it was named by, if there is one. Refuses as `destinationWithin`. */
export const destinationBy = (reference: AccountReference, { user }: Account): Destination =>
  destinationWithin({ ...user, customerPhone: null }, 'phone' in reference ? 'sms' : null);

/**
 * Where a run of a flow sends a code. A number that the account has got is proved so, before it is known by it. Refuses
 * with `validation_failed` where there is nothing to send a code to.
 */
export const destinationWithin = (
  { email, emailKey, isOwner, phone, customerPhone }: Reach,
  channel: Channel | null,
): Destination => {
  if (channel !== 'sms' && email !== '') return { channel: 'email', to: emailKey };
  const number = (isOwner ? [customerPhone, phone] : [phone, customerPhone]).find((each) => each?.startsWith('+'));
  if (channel !== 'email' && number) return { channel: 'sms', to: number };
  const path = channel === 'sms' ? 'phone' : 'email';
  throw new Refusal('validation_failed', { faults: [{ path, code: 'required', message: 'This is required.' }] });
};

/** The address of somebody who has one, in the form in which it is compared. */
export const addressOf = ({ email, emailKey }: Pick<Reach, 'email' | 'emailKey'>): string | null =>
  email === '' ? null : emailKey;

/** Whether the account is still sent codes there: to sign in, to no number but the one that it is known by. */
export const isOnFile = ({ channel, to }: Destination, { user }: Account, purpose: 'change' | 'sign_in'): boolean => {
  if (channel === 'email') return user.emailKey === to;
  return user.phone === to || (purpose === 'change' && user.customer.phone === to);
};

/** Of somebody who may not be known yet. */
export const newDestination = (email: EmailAddress | null, phone: string | null): Destination =>
  email ? { channel: 'email', to: email.key } : { channel: 'sms', to: phone ?? '' };

/** `j•••@example.com`, or `•••89`: enough for whoever knows it, and for nobody else. */
export const mask = ({ to }: Destination): string =>
  to.includes('@') ? to.replace(/^(.).*(@.*)$/, '$1•••$2') : `•••${to.slice(-2)}`;
