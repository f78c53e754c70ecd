import { checkPasswordHash } from '../crypto/passwords.ts';
import type { Claim } from '../storage/imports.ts';
import type { Attributes } from '../storage/schema.ts';
import { checkAttributes } from './attributes.ts';
import { claimsOf, type ImportedCustomer, keyOfClaim, type Named, peopleOf } from './imported-customers.ts';
import { parsePhoneNumber, type TypedPhone, WRONG_NUMBER } from './phones.ts';
import { type Fault, memberOf } from './refusal.ts';
import { checkOffered } from './subscriptions.ts';
import { mergeAttributes } from './tenant-profiles.ts';

/** What a tenant lets its customers have. */
export type Offered = {
  subscriptions: ReadonlySet<string>;
  identityProviders: ReadonlySet<string>;
  attributesSchema: Attributes | null;
};

/** A customer, and what is wrong with the form of members that were sent: they are left out. */
type Sent = { customer: ImportedCustomer; faults: readonly Fault[] };

/** Everything that is wrong with a customer, as far as it can be seen without looking at others. */
export const checkImported = async ({ customer, faults }: Sent, offered: Offered, now: number): Promise<Fault[]> => {
  const leftOut = new Set(faults.map(memberOf));
  const others = await checkValid(customer, offered, now);
  return [...faults, ...others.filter((fault) => !basisOf(fault).some((member) => leftOut.has(member)))];
};

/** The members by which it is told whether there is a fault. */
const basisOf = (fault: Fault): readonly string[] => [
  memberOf(fault),
  ...(BASES.get(fault.path) ?? []),
  ...(NUMBER.test(fault.path) ? ['country'] : []),
];

const BASES: ReadonlyMap<string, readonly string[]> = new Map([
  ['email', ['owner_email', 'phone_number', 'identities']],
  ['email_verified', ['email', 'owner_email']],
  ['phone_verified', ['phone_number']],
]);

const NUMBER = /^(phones|owner_phones|users\.\d+\.phones)\.\d+\.number$/;

const checkValid = async (customer: ImportedCustomer, offered: Offered, now: number): Promise<Fault[]> => {
  const people = peopleOf(customer);
  const { details, attributes, phones } = customer;
  return [
    ...(customer.owner.email || customer.owner.phone !== null || customer.owner.identities.length > 0
      ? []
      : [{ path: 'email', code: 'required' as const, message: 'is needed, or a phone_number, or an identity' }]),
    ...checkAttributes(mergeAttributes(null, attributes) ?? {}, offered.attributesSchema).map((fault) => ({
      ...fault,
      path: fault.path === '' ? 'attributes' : `attributes.${fault.path}`,
    })),
    ...checkOffered(customer.subscriptions, offered.subscriptions),
    ...(await checkNumbers(phones, details.country, 'phones')),
    ...(await Promise.all(people.map((person) => checkPerson(person, details.country, offered, now)))).flat(),
    ...checkClaims(claimsOf(customer)),
  ];
};

const checkPerson = async (
  { user, prefix, phonesPath }: Named,
  country: string | null,
  { identityProviders }: Offered,
  now: number,
): Promise<Fault[]> => {
  const { email, phone, identities, passwordHash, createdAt } = user;
  const fault = (condition: boolean, member: string, message: string): Fault[] =>
    condition ? [invalid(`${prefix}${member}`, message)] : [];
  const isNumber = phone === null || (await parsePhoneNumber(phone, null)) === phone;
  const hash = passwordHash === null ? 'supported' : checkPasswordHash(passwordHash);
  return [
    ...fault(user.isEmailVerified && !email, 'email_verified', 'is about no address'),
    ...fault(!isNumber, 'phone_number', 'must be a phone number in the form of E.164'),
    ...fault(user.isPhoneVerified && phone === null, 'phone_verified', 'is about no phone_number'),
    // Whoever has the number signs in by it: that must be who has the address.
    ...fault(
      email !== null && phone !== null && !user.isPhoneVerified,
      'phone_verified',
      'is needed beside an address',
    ),
    ...(hash === 'supported' ? [] : fault(true, 'password_hash', WRONG_HASH[hash])),
    ...fault(createdAt !== null && createdAt > now, 'created_at', 'must not be in the future'),
    ...identities.flatMap(({ provider }, i) => [
      ...fault(!identityProviders.has(provider), `identities.${i}.provider`, 'is none of this tenant'),
      ...fault(
        identities.findIndex((each) => each.provider === provider) < i,
        `identities.${i}.provider`,
        'knows one person by one subject',
      ),
    ]),
    ...(await checkNumbers(user.phones, country, phonesPath)),
  ];
};

const WRONG_HASH = {
  unknown_format: 'must be of argon2, bcrypt, scrypt or PBKDF2, in PHC or modular crypt form',
  malformed: 'is not complete',
  too_costly: 'takes more work than can be done here',
  too_weak: 'has too short a salt or tag',
} as const;

const checkNumbers = async (phones: readonly TypedPhone[], country: string | null, path: string): Promise<Fault[]> => {
  const numbers = await Promise.all(phones.map(({ number }) => parsePhoneNumber(number, country)));
  return numbers.flatMap((number, i) => (number === null ? [invalid(`${path}.${i}.number`, WRONG_NUMBER)] : []));
};

/** A customer cannot have the same twice either. */
const checkClaims = (claims: readonly Claim[]): Fault[] => {
  const keys = claims.map(keyOfClaim);
  return claims.flatMap(({ path }, i) => (keys.indexOf(keys[i] ?? '') < i ? [invalid(path, 'is said twice')] : []));
};

const invalid = (path: string, message: string): Fault => ({ path, code: 'invalid', message });
