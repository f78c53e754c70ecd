import type { Account } from '../storage/accounts.ts';
import type { Attributes, TenantSettings } from '../storage/schema.ts';
import type { AccountCustomerChanges } from '../storage/tenant-accounts.ts';
import type { UserChanges } from '../storage/users.ts';
import { checkAttributes } from './attributes.ts';
import type { TenantProfile } from './enrichment.ts';
import type { Fault } from './refusal.ts';

/** What is known of an account, as the tenant surface knows it: what is not known is undefined. */
export const profileOf = ({ user }: Account): TenantProfile => {
  const { customer } = user;
  return dropNulls({
    email: user.email === '' ? null : user.email,
    phone: customer.phone ?? user.phone,
    firstName: user.givenName,
    lastName: user.familyName,
    name: customer.name,
    company: customer.company,
    birthDate: customer.birthDate,
    locale: user.locale,
    timezone: customer.timezone,
    website: customer.website,
    address: dropNulls({
      line1: customer.address,
      line2: customer.addressLine2,
      city: customer.city,
      region: customer.region,
      postalCode: customer.postalCode,
      country: customer.country,
      latitude: customer.latitude,
      longitude: customer.longitude,
    }),
    attributes: customer.attributes,
  });
};

const dropNulls = <Members extends object>(members: Members): Members => {
  const known = { ...members };
  for (const name in known) if (known[name] === null) delete known[name];
  return known;
};

/** What a profile changes of the customer; null clears. */
export const customerChangesOf = (profile: TenantProfile): AccountCustomerChanges => {
  const { address, attributes } = profile;
  const cleared = address === null ? null : undefined;
  return {
    company: profile.company,
    name: profile.name,
    phone: profile.phone,
    birthDate: profile.birthDate,
    timezone: profile.timezone,
    website: profile.website,
    address: address?.line1 ?? cleared,
    addressLine2: address?.line2 ?? cleared,
    city: address?.city ?? cleared,
    region: address?.region ?? cleared,
    postalCode: address?.postalCode ?? cleared,
    country: address?.country ?? cleared,
    latitude: address?.latitude ?? cleared,
    longitude: address?.longitude ?? cleared,
    ...clearedMembersOf(profile),
    attributes,
  };
};

/** The members of the address that are null one by one. */
const clearedMembersOf = ({ address }: TenantProfile): AccountCustomerChanges => {
  if (!address) return {};
  const columns = { line1: 'address', line2: 'addressLine2' } as const;
  const nulls = Object.entries(address).filter(([, value]) => value === null);
  return Object.fromEntries(nulls.map(([name]) => [name === 'line1' || name === 'line2' ? columns[name] : name, null]));
};

/** What attributes become, as D1 makes them: null takes one away, or all of them where it is in place of them. */
export const mergeAttributes = (before: Attributes | null, changes: Attributes | null): Attributes | null => {
  if (changes === null) return null;
  const merged = Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null);
  return merged.length > 0 ? Object.fromEntries(merged) : null;
};

/** What is wrong with the attributes as they would be with these changes. */
export const checkMergedAttributes = (
  { attributes: changes = {} }: TenantProfile,
  { attributes: before = null }: TenantProfile,
  { attributesSchema = null }: TenantSettings,
): Fault[] => checkAttributes(mergeAttributes(before, changes ?? {}) ?? {}, attributesSchema);

/** What a profile changes of the user. */
export const userChangesOf = ({ firstName, lastName, locale }: TenantProfile): UserChanges => ({
  givenName: firstName,
  familyName: lastName,
  locale,
});

/** Whether a profile changes anything that is the customer's, which its owner alone may. */
export const isOfCustomer = (profile: TenantProfile): boolean =>
  Object.values(customerChangesOf(profile)).some((value) => value !== undefined);

/**
 * What was guessed before it was known what is on file, without what is: that stays as it is. A phone is no guess: what
 * was derived is its form.
 */
export const withoutGuesses = (
  { profile, derived }: { profile: TenantProfile; derived: readonly string[] },
  { phone: _, ...onFile }: TenantProfile,
): { profile: TenantProfile; derived: string[] } => {
  const isWrong = (name: string, known: object | null | undefined, prefix = '') =>
    derived.includes(`${prefix}${name}`) && known !== null && known !== undefined && Object.hasOwn(known, name);
  const without = <Members extends object>(
    members: Members,
    known: object | null | undefined,
    prefix = '',
  ): Members => {
    const kept = { ...members };
    for (const name in kept) if (isWrong(name, known, prefix)) delete kept[name];
    return kept;
  };
  const { address, attributes } = profile;
  return {
    profile: {
      ...without(profile, onFile),
      ...(address && { address: without(address, onFile.address, 'address.') }),
      ...(attributes && { attributes: without(attributes, onFile.attributes, 'attributes.') }),
    },
    derived: derived.filter((name) => {
      const [within, member] = name.split(/\.(.*)/s);
      if (within === 'address' && member) return !isWrong(member, onFile.address, 'address.');
      if (within === 'attributes' && member) return !isWrong(member, onFile.attributes, 'attributes.');
      return !isWrong(name, onFile);
    }),
  };
};
