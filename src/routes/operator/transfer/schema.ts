import * as z from 'zod';
import type { Attributes } from '../../../domain/attributes.ts';
import { PHONE_TYPES } from '../../../domain/phones.ts';
import { countryOrNull, emailAddress, text, textOrNull } from '../../fields.ts';
import { identifyingMembers, latitude, longitude, profileMembers, TOLD_MEMBERS } from '../../profile-fields.ts';
import { cursorOf } from '../lists.ts';

const cursor = cursorOf('cus');

/** The query of `GET …/customers/export`. */
export const exportQuery = z.object({ include: z.literal('password_hashes').optional(), cursor: cursor.optional() });

/** The last line of an export that another one goes on with. It may lie between the lines of both. */
export const restLine = z.strictObject({ next: cursor });

/** What an export tells, and an import does not take: every tenant has ids and times of its own. */
const told = z.unknown().optional();

const time = z.iso.datetime({ offset: true }).nullish();

const [firstType, ...otherTypes] = PHONE_TYPES.map(({ name }) => name);

const phones = z
  .array(z.strictObject({ number: text(40), type: z.enum(firstType ? [firstType, ...otherTypes] : []) }))
  .default([]);

const identities = z
  .array(
    z.strictObject({
      provider: z.string().regex(/^(connection|provider):/, 'must be connection:<name> or provider:<name>'),
      subject: z.string().min(1).max(2048),
    }),
  )
  .default([]);

/** What a person has, the owner among the members of its customer. */
const person = {
  given_name: textOrNull(100).optional(),
  family_name: textOrNull(100).optional(),
  locale: profileMembers.locale,
  email_verified: z.boolean().default(false),
  phone_number: z.string().max(40).nullish(),
  phone_verified: z.boolean().default(false),
  password_hash: z.string().nullish(),
  password_expires_at: time,
  identities,
  created_at: time,
};

const user = z
  .strictObject({ id: told, email: emailAddress, ...person, phones, updated_at: told })
  .meta({ id: 'ImportedUser' });

/** Names that the tenant surface has for something else: an attribute of such a name could not be read there. */
const KNOWN_MEMBERS = new Set([
  ...Object.keys(identifyingMembers),
  ...Object.keys(profileMembers),
  ...TOLD_MEMBERS,
  'challenge',
]);

/** Not walked through here: it may be nested more deeply than can be. */
const attributes = z
  .custom<Attributes>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be an object',
  )
  .superRefine((value, context) => {
    for (const name of Object.keys(value).filter((each) => KNOWN_MEMBERS.has(each))) {
      context.addIssue({ code: 'custom', path: [name], message: 'is the name of a known member' });
    }
  })
  .meta({ type: 'object' });

/** A line of an import, and of an export: a customer with its owner, and with further users if it has any. */
export const customerLine = z
  .strictObject({
    id: told,
    app: told,
    email: emailAddress.nullish(),
    owner_email: emailAddress.nullish(),
    status: z.enum(['active', 'disabled']).default('active'),
    api_access: z.boolean().default(true),
    company: textOrNull(200).optional(),
    name: textOrNull(200).optional(),
    type: textOrNull(100).optional(),
    address: textOrNull(500).optional(),
    address_line_2: textOrNull(500).optional(),
    city: textOrNull(100).optional(),
    region: textOrNull(100).optional(),
    postal_code: textOrNull(20).optional(),
    country: countryOrNull.optional(),
    latitude: latitude.nullish(),
    longitude: longitude.nullish(),
    phone: textOrNull(40).optional(),
    mobile: textOrNull(40).optional(),
    website: textOrNull(2048).optional(),
    birth_date: profileMembers.birthDate,
    timezone: profileMembers.timezone,
    attributes: attributes.nullish(),
    ...person,
    phones,
    owner_phones: phones,
    subscriptions: z
      .array(z.string())
      .transform((ids) => [...new Set(ids)])
      .default([]),
    users: z.array(user).default([]),
    updated_at: told,
  })
  .meta({ id: 'CustomerLine' });
