import { newId } from '../crypto/ids.ts';
import type { Identity } from '../storage/identities.ts';
import type { Claim, NewAccount } from '../storage/imports.ts';
import type { Attributes, CustomerStatus } from '../storage/schema.ts';
import { type EmailAddress, storedAddress } from './email.ts';
import { parsePhoneNumber, type TypedPhone } from './phones.ts';
import { mergeAttributes } from './tenant-profiles.ts';

/** A person as an import tells of it. Times are in milliseconds; `phone` is what it signs in by. */
export type ImportedUser = {
  email: EmailAddress | null;
  isEmailVerified: boolean;
  phone: string | null;
  isPhoneVerified: boolean;
  givenName: string | null;
  familyName: string | null;
  locale: string | null;
  passwordHash: string | null;
  passwordExpiresAt: number | null;
  identities: readonly Identity[];
  phones: readonly TypedPhone[];
  createdAt: number | null;
};

type Detail =
  | 'company'
  | 'name'
  | 'address'
  | 'addressLine2'
  | 'city'
  | 'region'
  | 'postalCode'
  | 'country'
  | 'phone'
  | 'mobile'
  | 'website'
  | 'type'
  | 'birthDate'
  | 'timezone';

/** A customer as an import tells of it. */
export type ImportedCustomer = {
  email: EmailAddress | null;
  details: Record<Detail, string | null> & Record<'latitude' | 'longitude', number | null>;
  attributes: Attributes | null;
  status: CustomerStatus;
  hasApiAccess: boolean;
  phones: readonly TypedPhone[];
  subscriptions: readonly string[];
  owner: ImportedUser;
  users: readonly ImportedUser[];
};

/** A person with the path of its members, which the owner has among its customer's. */
export type Named = { user: ImportedUser; prefix: string; phonesPath: string };

/** What is to be stored of a customer whose `claims` are free. */
export const accountOf = async (customer: ImportedCustomer, at: number): Promise<NewAccount> => {
  const { details, owner } = customer;
  const id = newId('cus', at);
  // Ids of one millisecond have no order, so that each user and each phone is given one of its own.
  const people = peopleOf(customer).map(({ user }, i) => ({ user, userId: newId('usr', at + i), isOwner: i === 0 }));
  const ownerId = people[0]?.userId ?? newId('usr', at);
  let phonesMade = 0;
  const phonesOf = (phones: readonly TypedPhone[], userId: (typeof people)[number]['userId'] | null) =>
    Promise.all(
      phones.map(async ({ number, type }) => ({
        ...{ id: newId('phn', at + phonesMade++), customerId: id, userId, type },
        number: (await parsePhoneNumber(number, details.country)) ?? number,
      })),
    );
  return {
    customer: {
      ...details,
      ...{ id, status: customer.status, hasApiAccess: customer.hasApiAccess, version: 1 },
      ...storedAddress(customer.email, ownerId),
      attributes: mergeAttributes(null, customer.attributes),
      createdAt: owner.createdAt ?? at,
      updatedAt: at,
    },
    users: people.map(({ user, userId, isOwner }) => ({
      ...{ id: userId, customerId: id, isOwner },
      ...storedAddress(user.email, userId),
      ...{ givenName: user.givenName, familyName: user.familyName, locale: user.locale, phone: user.phone },
      ...{ passwordHash: user.passwordHash, passwordExpiresAt: user.passwordExpiresAt },
      activatedAt: user.isEmailVerified ? at : null,
      phoneVerifiedAt: user.isPhoneVerified ? at : null,
      createdAt: user.createdAt ?? at,
      updatedAt: at,
    })),
    phones: [
      ...(await phonesOf(customer.phones, null)),
      ...(await Promise.all(people.map(({ user, userId }) => phonesOf(user.phones, userId)))).flat(),
    ],
    identities: people.flatMap(({ user, userId }) =>
      user.identities.map((identity) => ({ ...identity, userId, createdAt: at })),
    ),
    subscriptions: customer.subscriptions.map((subscriptionId) => ({
      customerId: id,
      subscriptionId,
      subscribedAt: at,
    })),
    claims: claimsOf(customer),
  };
};

/** What a customer claims. The first is what it is known by: where a customer has that, it is there already. */
export const claimsOf = ({ email, owner, users }: ImportedCustomer): Claim[] => [
  ...(email ? [{ path: 'email', address: email.key }] : []),
  ...(owner.email && owner.email.key !== email?.key ? [{ path: 'owner_email', address: owner.email.key }] : []),
  ...claimsOfUser(owner, ''),
  ...users.flatMap((user, i) => [
    ...(user.email ? [{ path: `users.${i}.email`, address: user.email.key }] : []),
    ...claimsOfUser(user, `users.${i}.`),
  ]),
];

const claimsOfUser = ({ phone, identities }: ImportedUser, prefix: string): Claim[] => [
  ...(phone === null ? [] : [{ path: `${prefix}phone_number`, phone }]),
  ...identities.map((identity, i) => ({ path: `${prefix}identities.${i}`, identity })),
];

/** The same for the same claim, whoever makes it. */
export const keyOfClaim = (claim: Claim): string => {
  if ('address' in claim) return `address ${claim.address}`;
  return 'phone' in claim ? `phone ${claim.phone}` : JSON.stringify([claim.identity.provider, claim.identity.subject]);
};

/** The owner, and then the others. */
export const peopleOf = ({ owner, users }: ImportedCustomer): Named[] => [
  { user: owner, prefix: '', phonesPath: 'owner_phones' },
  ...users.map((user, i) => ({ user, prefix: `users.${i}.`, phonesPath: `users.${i}.phones` })),
];
