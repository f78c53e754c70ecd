import type { Account } from '../storage/accounts.ts';
import type { Attributes, TenantAddress, TenantSettings } from '../storage/schema.ts';
import type { AccountCustomerChanges } from '../storage/tenant-accounts.ts';
import type { UserChanges } from '../storage/users.ts';
import { checkAttributes } from './attributes.ts';
import type { TenantProfile } from './enrichment.ts';
import type { Fault } from './refusal.ts';

/** The members of an account's profile, as the tenant surface names them: null for what is not known. */
export const membersOf = ({ user }: Account) => {
  const { customer } = user;
  return {
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
    address: {
      line1: customer.address,
      line2: customer.addressLine2,
      city: customer.city,
      region: customer.region,
      postalCode: customer.postalCode,
      country: customer.country,
      latitude: customer.latitude,
      longitude: customer.longitude,
    },
  };
};

/** What is known of an account, with its attributes: what is not known is undefined. */
export const profileOf = (account: Account): TenantProfile => {
  const { address, ...members } = membersOf(account);
  const { attributes } = account.user.customer;
  return dropNulls({ ...members, address: dropNulls(address), attributes });
};

const dropNulls = <Members extends object>(members: Members): Members => {
  const known = { ...members };
  for (const name in known) if (known[name] === null) delete known[name];
  return known;
};

/** What a profile changes of the customer; null clears. */
export const customerChangesOf = ({ address, ...profile }: TenantProfile): AccountCustomerChanges => {
  const partOf = <Member extends keyof TenantAddress>(member: Member) => (address === null ? null : address?.[member]);
  return {
    company: profile.company,
    name: profile.name,
    phone: profile.phone,
    birthDate: profile.birthDate,
    timezone: profile.timezone,
    website: profile.website,
    address: partOf('line1'),
    addressLine2: partOf('line2'),
    city: partOf('city'),
    region: partOf('region'),
    postalCode: partOf('postalCode'),
    country: partOf('country'),
    latitude: partOf('latitude'),
    longitude: partOf('longitude'),
    attributes: profile.attributes,
  };
};

/** What attributes become: null takes one away, or all of them where it is in place of them. */
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
