import { type CustomerId, newId } from '../crypto/ids.ts';
import type { CustomerStore } from '../storage/customers.ts';
import type { EnrolmentStore } from '../storage/enrolments.ts';
import type { Audit, Origin } from './audit.ts';
import type { EmailAddress } from './email.ts';
import type { Enrolments, NewPerson } from './enrolments.ts';
import { type Limits, rateLimited } from './limits.ts';
import { PHONE_TYPES, type Phone, readPhones, type TypedPhone } from './phones.ts';
import { Refusal } from './refusal.ts';

/** A customer that signs up, with the person who will own it. */
export type Signup = {
  customer: {
    name: string;
    email: EmailAddress;
    type: string;
    address: string;
    addressLine2: string | null;
    city: string;
    region: string;
    postalCode: string;
    country: string;
    phones: readonly TypedPhone[];
  };
  person: NewPerson;
};

type Dependencies = {
  store: EnrolmentStore;
  customers: CustomerStore;
  enrolments: Enrolments;
  limits: Limits;
  audit: Audit;
  origin: Origin;
  now: () => number;
};

/** How people become customers by themselves (contract 2, signup). */
export const createSignups = (dependencies: Dependencies) => {
  const { store, customers, enrolments, limits, audit, origin, now } = dependencies;

  /** Whether an address is known: it tells strangers, so each question counts. Refuses with `rate_limited`. */
  const isKnown = async (emails: readonly EmailAddress[]): Promise<boolean> => {
    const fromIp = await limits.attemptFrom(origin.ip);
    const { waitMs, isRegistered } = await store.attempt(
      emails.map(({ key }) => key),
      fromIp ? [fromIp] : [],
    );
    if (waitMs > 0) throw rateLimited(waitMs);
    return isRegistered;
  };

  return {
    isKnown: (email: EmailAddress): Promise<boolean> => isKnown([email]),

    /**
     * Stores a customer and its owner, both or neither, and mails the owner a link to choose a password.
     * Refuses with `validation_failed`, `email_taken`, `rate_limited` and `mail_refused`.
     */
    signUp: async ({ customer, person }: Signup): Promise<CustomerId> => {
      const at = now();
      const { phones, email, ...details } = customer;
      const [customerPhones, userPhones] = await Promise.all([
        readPhones(phones, customer.country, 'customer.phones', at),
        readPhones(person.phones, customer.country, 'user.phones', at),
      ]);
      if (await isKnown([email, person.email])) throw new Refusal('email_taken');

      const [id, userId] = [newId('cus', at), newId('usr', at)];
      const place = { id: userId, customerId: id, isOwner: true, phones: userPhones, at };
      const row = {
        id,
        ...details,
        ...mainPhonesOf(customerPhones),
        email: email.address,
        emailKey: email.key,
        company: null,
        website: null,
        status: 'active' as const,
        hasApiAccess: true,
        createdByApp: null,
        version: 1,
        createdAt: at,
        updatedAt: at,
      };
      const enrolment = {
        customer: { row, phones: customerPhones },
        ...(await enrolments.prepare(person, place)),
        event: audit('customer.created', 'anonymous', id, { by: 'signup' }),
      };
      const undo = () => customers.remove(id, audit('customer.deleted', 'system', id));
      await enrolments.enrol('anonymous', enrolment, undo);
      return id;
    },
  };
};

const typeNamed = (name: (typeof PHONE_TYPES)[number]['name']) => PHONE_TYPES.find((each) => each.name === name)?.id;

/** The numbers that surfaces show which know one phone and one mobile of a customer. */
const mainPhonesOf = (phones: readonly Phone[]): { phone: string | null; mobile: string | null } => {
  const [mobile, fax] = [typeNamed('mobile'), typeNamed('fax')];
  return {
    phone: phones.find(({ type }) => type !== mobile && type !== fax)?.number ?? null,
    mobile: phones.find(({ type }) => type === mobile)?.number ?? null,
  };
};
