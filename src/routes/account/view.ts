import type * as z from 'zod';
import type { Account, AccountRequest, Holdings } from '../../domain/accounts.ts';
import { LIFETIME_SECONDS } from '../../domain/one-time-secrets.ts';
import { PHONE_TYPES } from '../../domain/phones.ts';
import type { accountChanges, customerResponse } from './schema.ts';

/** The account as the surface tells it. A pending address shows until its key has expired. */
export const viewAccount = ({ user, subscriptions }: Account, now: number): z.output<typeof customerResponse> => ({
  address: user.customer.address,
  mobile: user.customer.mobile,
  phone: user.customer.phone,
  name: user.customer.name,
  country: user.customer.country,
  address_town: user.customer.city,
  address_postcode: user.customer.postalCode,
  email: user.customer.email || null,
  id: user.customerId,
  subscriptions: subscriptions.map(({ id, name, subscribedAt }) => ({ id, name, subscribed_at: time(subscribedAt) })),
  address_region: user.customer.region,
  ...(user.pendingEmail !== null &&
    (user.pendingEmailExpiresAt ?? 0) > now && {
      pending_email: user.pendingEmail,
    }),
});

/** The strong validator of the account's representation (RFC 9110, section 8.8.3). */
export const etagOf = ({ user }: Account): string => `"${user.customer.version}"`;

/** The version that `If-Match` asks for: null for any, NaN for one that we never gave. */
export const readIfMatch = (header: string | undefined): number | null =>
  header === undefined || header.trim() === '*'
    ? null
    : Number(/^"(\d{1,15})"$/.exec(header.trim())?.[1] ?? Number.NaN);

export const readChanges = (body: z.output<typeof accountChanges>): AccountRequest => ({
  details: {
    name: body.name,
    phone: body.phone,
    mobile: body.mobile,
    address: body.address,
    city: body.address_town,
    postalCode: body.address_postcode,
    region: body.address_region,
    country: body.country,
  },
  subscriptions: body.subscriptions,
  email: body.email,
  password:
    body.password === undefined || body.current_password === undefined
      ? undefined
      : { current: body.current_password, wanted: body.password },
});

/** Everything that is held, in the words of the published APIs. */
export const viewExport = (held: Account & Holdings) => ({
  customer: {
    id: held.user.customer.id,
    company: held.user.customer.company,
    email: held.user.customer.email || null,
    name: held.user.customer.name,
    type: held.user.customer.type,
    address: held.user.customer.address,
    address_line_2: held.user.customer.addressLine2,
    address_town: held.user.customer.city,
    address_region: held.user.customer.region,
    address_postcode: held.user.customer.postalCode,
    country: held.user.customer.country,
    phone: held.user.customer.phone,
    mobile: held.user.customer.mobile,
    website: held.user.customer.website,
    birth_date: held.user.customer.birthDate,
    timezone: held.user.customer.timezone,
    latitude: held.user.customer.latitude,
    longitude: held.user.customer.longitude,
    attributes: held.user.customer.attributes,
    status: held.user.customer.status,
    api_access: held.user.customer.hasApiAccess,
    created_by_app: held.user.customer.createdByApp,
    version: held.user.customer.version,
    created_at: time(held.user.customer.createdAt),
    updated_at: time(held.user.customer.updatedAt),
  },
  users: held.users.map((each) => ({
    id: each.id,
    first_name: each.givenName,
    last_name: each.familyName,
    email: each.email || null,
    pending_email: each.pendingEmail,
    pending_email_expires_at: timeOrNull(each.pendingEmailExpiresAt),
    owner: each.isOwner,
    locale: each.locale,
    phone: each.phone,
    phone_verified_at: timeOrNull(each.phoneVerifiedAt),
    activated_at: timeOrNull(each.activatedAt),
    password_expires_at: timeOrNull(each.passwordExpiresAt),
    tokens_valid_after: time(each.validAfter),
    created_at: time(each.createdAt),
    updated_at: time(each.updatedAt),
  })),
  aws_credentials: held.awsCredentials.map((each) => ({
    user: each.userId,
    access_key: each.accessKey,
    cmk_id: each.cmkId,
    region: each.region,
    public_key: each.publicKey,
    user_arn: each.userArn,
    created_at: time(each.createdAt),
  })),
  phones: held.phones.map(({ id, userId, number, type }) => ({
    id,
    user: userId,
    number,
    type: PHONE_TYPES.find((each) => each.id === type)?.name ?? type,
  })),
  identities: held.identities.map(({ userId, provider, subject, createdAt }) => ({
    user: userId,
    provider,
    subject,
    created_at: time(createdAt),
  })),
  sessions: held.sessions.map((each) => ({
    id: each.id,
    user: each.userId,
    provider: each.provider,
    amr: each.amr,
    device: each.userAgent,
    ip: each.ip,
    place: each.place,
    created_at: time(each.createdAt),
    last_used_at: time(each.lastUsedAt),
    idle_expires_at: time(each.idleExpiresAt),
    expires_at: time(each.expiresAt),
    revoked_at: timeOrNull(each.revokedAt),
  })),
  subscriptions: held.subscriptions.map((each) => ({
    id: each.id,
    name: each.name,
    subscribed_at: time(each.subscribedAt),
  })),
  api_keys: held.apiKeys.map((each) => ({
    key: each.key,
    app: each.appId,
    created_at: time(each.createdAt),
    renewed_at: time(each.renewedAt),
  })),
  one_time_secrets: held.oneTimeSecrets.map((each) => ({
    id: each.id,
    purpose: each.purpose,
    subject: each.subject,
    attempts: each.attempts,
    consumed_at: timeOrNull(each.consumedAt),
    created_at: time(each.createdAt),
    expires_at: time(each.expiresAt),
  })),
  held_changes: held.heldChanges.map(({ expiresAt }) => ({
    created_at: time(expiresAt - LIFETIME_SECONDS.challenge_code * 1000),
    expires_at: time(expiresAt),
  })),
  kept_answers: held.keptAnswers.map((each) => ({ app: each.appId, key: each.key, expires_at: time(each.expiresAt) })),
  events: held.events.map((each) => ({
    id: each.id,
    at: time(each.at),
    type: each.type,
    actor: each.actor,
    subject: each.subject,
    ip: each.ip,
    user_agent: each.userAgent,
    data: each.data,
  })),
});

const time = (milliseconds: number): string => new Date(milliseconds).toISOString();

const timeOrNull = (milliseconds: number | null): string | null => (milliseconds === null ? null : time(milliseconds));
