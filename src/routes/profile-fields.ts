import * as z from 'zod';
import { isTimezone } from '../domain/edge.ts';
import type { TenantProfile } from '../domain/enrichment.ts';
import { countryOrNull, emailAddress, textOrNull, webUrl } from './fields.ts';

const isLocale = (tag: string): boolean => {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
};

const birthDate = z.iso
  .date({ abort: true })
  .refine((date) => date >= '1850-01-01' && Date.parse(date) < Date.now() + 86_400_000);

/** In degrees. */
export const latitude = z.number().min(-90).max(90);
export const longitude = z.number().min(-180).max(180);

const address = z.strictObject({
  line1: textOrNull(500).optional(),
  line2: textOrNull(500).optional(),
  city: textOrNull(100).optional(),
  region: textOrNull(100).optional(),
  postalCode: textOrNull(20).optional(),
  country: countryOrNull.optional(),
  latitude: latitude.nullable().optional(),
  longitude: longitude.nullable().optional(),
});

/** The members of a profile that the tenant surface knows, but for what tells one account from another: null clears. */
export const profileMembers = {
  firstName: textOrNull(100).optional(),
  lastName: textOrNull(100).optional(),
  name: textOrNull(200).optional(),
  company: textOrNull(200).optional(),
  birthDate: birthDate.nullable().optional(),
  locale: z.string().max(35).refine(isLocale, 'must be a BCP 47 language tag').nullable().optional(),
  timezone: z
    .string()
    .max(64)
    .refine(isTimezone, 'must be a name of the IANA time zone database')
    .nullable()
    .optional(),
  website: webUrl.nullable().optional(),
  address: address.nullable().optional(),
};

/** The members by which an account is found. */
export const identifyingMembers = {
  id: z.string().max(100).optional(),
  email: emailAddress.optional(),
  phone: textOrNull(40).optional(),
};

/** The names of known members of a profile as it is told: no attribute can have one of them. */
export const TOLD_MEMBERS = ['subscriptions', 'emailVerified', 'phoneVerified', 'createdAt', 'updatedAt', 'provider'];

/** Whether an account can have a member of this name that somebody sends: of the address, known, or an attribute. */
export const isSendable = (name: string): boolean => {
  const [member = '', part, ...deeper] = name.split('.');
  if (['id', 'challenge', ...TOLD_MEMBERS].includes(member)) return name === 'subscriptions';
  if (member === 'address') return part === undefined || (Object.hasOwn(address.shape, part) && deeper.length === 0);
  return part === undefined || !Object.hasOwn({ ...identifyingMembers, ...profileMembers }, member);
};

/** Members that an operator sets for accounts that do not say them, known ones and attributes alike. */
export const profileDefaults = z.object(profileMembers).catchall(z.json());

/** Known members apart from those that are not known, which are attributes. */
export const readProfile = (body: z.output<typeof profileDefaults>): TenantProfile => {
  const { firstName, lastName, name, company, birthDate, locale, timezone, website, address, ...attributes } = body;
  return {
    ...{ firstName, lastName, name, company, birthDate, locale, timezone, website, address },
    ...(Object.keys(attributes).length > 0 && { attributes }),
  };
};

/** The same members as they were set. */
export const viewProfileDefaults = ({ attributes, ...known }: TenantProfile): z.output<typeof profileDefaults> => {
  // What is undefined was not set.
  const told: z.output<typeof profileDefaults> = JSON.parse(JSON.stringify({ ...attributes, ...known }));
  return told;
};
