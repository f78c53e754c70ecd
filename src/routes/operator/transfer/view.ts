import type * as z from 'zod';
import type { ExportedCustomer, ExportedUser } from '../../../domain/exports.ts';
import type { ImportedCustomer, ImportedUser } from '../../../domain/imported-customers.ts';
import { PHONE_TYPES, type TypedPhone } from '../../../domain/phones.ts';
import type { customerLine } from './schema.ts';

type Line = z.output<typeof customerLine>;
type Person = Pick<Line, keyof Line & keyof Line['users'][number]>;

/** A customer of an import, in our words. */
export const readCustomer = (line: Line): ImportedCustomer => {
  const email = line.email ?? null;
  return {
    email,
    details: {
      company: line.company ?? null,
      name: line.name ?? null,
      type: line.type ?? null,
      address: line.address ?? null,
      addressLine2: line.address_line_2 ?? null,
      city: line.city ?? null,
      region: line.region ?? null,
      postalCode: line.postal_code ?? null,
      country: line.country ?? null,
      latitude: line.latitude ?? null,
      longitude: line.longitude ?? null,
      phone: line.phone ?? null,
      mobile: line.mobile ?? null,
      website: line.website ?? null,
      birthDate: line.birth_date ?? null,
      timezone: line.timezone ?? null,
    },
    attributes: line.attributes ?? null,
    status: line.status,
    hasApiAccess: line.api_access,
    phones: line.phones.map(readPhone),
    subscriptions: line.subscriptions,
    owner: readPerson({ ...line, email: line.owner_email ?? email, phones: line.owner_phones }),
    users: line.users.map(readPerson),
  };
};

const readPerson = (person: Person): ImportedUser => ({
  email: person.email ?? null,
  isEmailVerified: person.email_verified,
  phone: person.phone_number ?? null,
  isPhoneVerified: person.phone_verified,
  givenName: person.given_name ?? null,
  familyName: person.family_name ?? null,
  locale: person.locale ?? null,
  passwordHash: person.password_hash ?? null,
  passwordExpiresAt: readTime(person.password_expires_at),
  identities: person.identities,
  phones: person.phones.map(readPhone),
  createdAt: readTime(person.created_at),
});

const readTime = (typed: string | null | undefined): number | null => (typed ? Date.parse(typed) : null);

const readPhone = ({ number, type }: Line['phones'][number]): TypedPhone => ({
  number,
  type: PHONE_TYPES.find(({ name }) => name === type)?.id ?? '',
});

/** A customer of an export, as an import takes it. */
export const viewCustomer = (
  { customer, users, phones, subscriptions }: ExportedCustomer,
  secrets: { passwordHashes: boolean },
): z.input<typeof customerLine> => {
  const [owner, ...others] = users;
  const ownerEmail = owner?.user.email ?? '';
  return {
    id: customer.id,
    app: customer.createdByApp,
    email: customer.email || null,
    ...(ownerEmail !== customer.email && { owner_email: ownerEmail || null }),
    status: customer.status,
    api_access: customer.hasApiAccess,
    company: customer.company,
    name: customer.name,
    type: customer.type,
    address: customer.address,
    address_line_2: customer.addressLine2,
    city: customer.city,
    region: customer.region,
    postal_code: customer.postalCode,
    country: customer.country,
    latitude: customer.latitude,
    longitude: customer.longitude,
    phone: customer.phone,
    mobile: customer.mobile,
    website: customer.website,
    birth_date: customer.birthDate,
    timezone: customer.timezone,
    attributes: customer.attributes,
    ...(owner && viewPerson(owner, secrets)),
    phones: phones.map(viewPhone),
    owner_phones: owner?.phones.map(viewPhone) ?? [],
    subscriptions,
    users: others.map((each) => ({
      id: each.user.id,
      email: each.user.email,
      ...viewPerson(each, secrets),
      phones: each.phones.map(viewPhone),
      updated_at: viewTime(each.user.updatedAt),
    })),
    created_at: viewTime(customer.createdAt),
    updated_at: viewTime(customer.updatedAt),
  };
};

const viewPerson = ({ user, identities }: ExportedUser, { passwordHashes }: { passwordHashes: boolean }) => ({
  given_name: user.givenName,
  family_name: user.familyName,
  locale: user.locale,
  email_verified: user.activatedAt !== null,
  phone_number: user.phone,
  phone_verified: user.phoneVerifiedAt !== null,
  ...(passwordHashes && {
    password_hash: user.passwordHash,
    password_expires_at: user.passwordExpiresAt === null ? null : viewTime(user.passwordExpiresAt),
  }),
  identities: identities.map(({ provider, subject }) => ({ provider, subject })),
  created_at: viewTime(user.createdAt),
});

const viewPhone = ({ number, type }: TypedPhone): Line['phones'][number] => ({
  number,
  type: PHONE_TYPES.find(({ id }) => id === type)?.name ?? 'other',
});

const viewTime = (time: number): string => new Date(time).toISOString();
