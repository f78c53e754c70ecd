import { isNotNull, sql } from 'drizzle-orm';
import {
  foreignKey,
  index,
  integer,
  primaryKey,
  real,
  sqliteTable,
  text,
  unique,
  uniqueIndex,
} from 'drizzle-orm/sqlite-core';
import type {
  AppId,
  ChallengeId,
  CustomerId,
  EventId,
  HeldChangeId,
  PhoneId,
  SessionId,
  TenantId,
  UserId,
} from '../crypto/ids.ts';
import type { JWK, SigningAlgorithm } from '../crypto/signing-keys.ts';

/*
 * Rules that hold for every table: a tenant-scoped table begins its keys with the tenant; times are milliseconds since
 * the epoch; an `…Key` of an email address is its comparison form; no foreign key cascades, because D1 would follow the
 * cascade while a migration recreates the parent.
 */

export type AppPermission = 'passcode' | 'nopasscode' | 'sso' | 'all_customers';
export type Platform = { name: string; url: string };
export type TenantStatus = 'active' | 'disabled';
export type CustomerStatus = 'active' | 'disabled';
export type ChallengePurpose =
  | 'passcode'
  | 'activation'
  | 'authorization_code'
  | 'password_reset'
  | 'email_change'
  | 'login_code'
  | 'challenge_code';
/** JSON, of any form that the tenant likes. */
export type Attributes = { [name: string]: Json };
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
/** Null is what was cleared; what is undefined was not said. */
type Said<Members> = { [Name in keyof Members]?: Members[Name] | null | undefined };

export type TenantAddress = Said<{
  line1: string;
  line2: string;
  city: string;
  region: string;
  postalCode: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
  /** In degrees, as is the longitude. */
  latitude: number;
  longitude: number;
}>;

export type ProfileTexts = Said<{
  email: string;
  phone: string;
  firstName: string;
  lastName: string;
  name: string;
  company: string;
  /** `YYYY-MM-DD`. */
  birthDate: string;
  /** BCP 47. */
  locale: string;
  /** By its name in the IANA database. */
  timezone: string;
  website: string;
}>;

/** A customer as the tenant surface knows it. */
export type TenantProfile = ProfileTexts & Said<{ address: TenantAddress; attributes: Attributes }>;

/** What may be the same for many: what tells one person from another is nobody's default. */
export type ProfileDefaults = Omit<TenantProfile, 'email' | 'phone'>;

export type Locale = 'en' | 'de' | 'fr' | 'es';
export type WebhookStatus = 'active' | 'disabled';
export type DeliveryStatus = 'pending' | 'delivered' | 'failed';
export type SigningKeyState = 'next' | 'current' | 'retired';
export type Branding = { logoUrl: string | null; primaryColor: string | null };
/** A tenant's settings, complete: defaults are filled in when they are set. Lifetimes are in seconds. */
export type TenantSettings = {
  rateLimits: {
    authPerIpPerMinute: number;
    mailIntervalSeconds: number;
    mailPerHour: number;
    wrongCodesPerHour: number;
    passwordFailures: number;
  };
  lifetimes: {
    accessTokenLogin: number;
    accessTokenAccount: number;
    accessTokenTenant: number;
    refreshIdle: number;
    refreshAbsolute: number;
  };
  signingAlgorithm: SigningAlgorithm;
  /** Null where the tenant's `origins` are meant. */
  corsOrigins: string[] | null;
  /** How long a password that a reset made may be used before it must have been changed; null for ever. */
  resetPassphraseLifetime?: number | null;
  /** Whether new accounts are challenged, too, so that nobody learns which accounts there are. */
  challenge?: 'existing' | 'always';
  /** JSON Schema (2020-12) of the attributes of the tenant surface. */
  attributesSchema?: Attributes | null;
  /** Members that accounts of the tenant surface get when nothing else says them. */
  profileDefaults?: ProfileDefaults;
  /** For how many days the audit log is kept. */
  eventsRetentionDays?: number;
};

/** How a connection reaches its identity provider. Secrets are sealed with the tenant's data key. */
export type ConnectionSettings =
  | { type: 'oidc'; issuer: string; clientId: string; sealedClientSecret: string }
  | {
      type: 'saml';
      entityId: string;
      ssoUrl: string;
      sloUrl: string | null;
      /** X.509, in PEM. */
      certificates: string[];
      /** What requests are signed with; null where they are not. */
      signing: { sealedPrivateKey: string; certificate: string } | null;
    };

/**
 * How a provider of the tenant surface is asked who somebody is. `clientIds` are ours there, any of which will do; the
 * secret is the first one's. `issuer` and `baseUrl` are null where the provider that everybody knows is meant.
 */
export type ProviderSettings =
  | {
      type: 'google' | 'microsoft' | 'line';
      clientIds: string[];
      sealedClientSecret: string | null;
      issuer: string | null;
    }
  | {
      type: 'apple';
      clientIds: string[];
      /** What our client secrets there are signed with: a key of the developer portal, as PKCS #8 in PEM. */
      signingKey: { teamId: string; keyId: string; sealedPrivateKey: string } | null;
      issuer: string | null;
    }
  | { type: 'facebook'; appId: string; sealedAppSecret: string; baseUrl: string | null }
  | { type: 'oidc'; issuer: string; clientIds: string[]; sealedClientSecret: string | null }
  | {
      type: 'jwt';
      keys: { jwksUrl: string } | { publicKey: PublicKey };
      issuer: string;
      audience: string;
      /** The tenant's names of claims; null for what its tokens do not say. */
      claims: {
        subject: string;
        email: string | null;
        emailVerified: string | null;
        name: string | null;
        givenName: string | null;
        familyName: string | null;
      };
    }
  | { type: 'http'; url: string; sealedSecret: string }
  | { type: 'otp' | 'password'; isEnabled: boolean };

/** Public members of a JWK (RFC 7517), and no others. */
type PublicKey = { kty: string; kid?: string; alg?: string; use?: string; key_ops?: string[] } & {
  [member in 'crv' | 'x' | 'y' | 'n' | 'e']?: string;
};

/** One thing that a flow does. */
export type FlowStep =
  | { kind: 'challenge'; channel: 'email' | 'sms' | null }
  | { kind: 'send_activation' }
  /** Null for all that the tenant offers. */
  | { kind: 'subscribe'; subscriptions: string[] | null }
  | { kind: 'notify'; name: string | null }
  | { kind: 'set'; members: ProfileDefaults }
  | { kind: 'require'; members: string[] };

export const tenants = sqliteTable('tenants', {
  id: text().$type<TenantId>().primaryKey(),
  slug: text().notNull().unique(),
  name: text().notNull(),
  status: text().$type<TenantStatus>().notNull(),
  /** The name of the D1 binding that holds this tenant's data. */
  shard: text().notNull(),
  locale: text().$type<Locale>().notNull(),
  siteUrl: text('site_url'),
  origins: text({ mode: 'json' }).$type<string[]>().notNull(),
  redirectUris: text('redirect_uris', { mode: 'json' }).$type<string[]>().notNull(),
  logoutUri: text('logout_uri'),
  branding: text({ mode: 'json' }).$type<Branding>().notNull(),
  settings: text({ mode: 'json' }).$type<TenantSettings>().notNull(),
  sealedDataKey: text('sealed_data_key').notNull(),
  createdAt: integer('created_at').notNull(),
  updatedAt: integer('updated_at').notNull(),
});

export const tenantDomains = sqliteTable(
  'tenant_domains',
  { domain: text().primaryKey(), tenantId: text('tenant_id').$type<TenantId>().notNull() },
  (table) => [index('tenant_domains_tenant').on(table.tenantId)],
);

export const signingKeys = sqliteTable(
  'signing_keys',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    kid: text().notNull(),
    algorithm: text().$type<SigningAlgorithm>().notNull(),
    state: text().$type<SigningKeyState>().notNull(),
    publicJwk: text('public_jwk', { mode: 'json' }).$type<JWK>().notNull(),
    sealedPrivateJwk: text('sealed_private_jwk').notNull(),
    createdAt: integer('created_at').notNull(),
    /** When a retired key leaves the published set: no token that it signed is alive then. */
    expiresAt: integer('expires_at'),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.kid] })],
);

export const apps = sqliteTable(
  'apps',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    id: text().$type<AppId>().notNull(),
    name: text().notNull(),
    permissions: text({ mode: 'json' }).$type<AppPermission[]>().notNull(),
    platforms: text({ mode: 'json' }).$type<Platform[]>().notNull(),
    acceptsQueryCredentials: integer('accepts_query_credentials', { mode: 'boolean' }).notNull(),
    /** Also kept apart from `permissions`, so that one query can list what the app may see. */
    seesAllCustomers: integer('sees_all_customers', { mode: 'boolean' }).notNull(),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id] })],
);

/** An app's super key/token pairs: one for good, and older ones until a rotation's overlap ends. */
export const appCredentials = sqliteTable(
  'app_credentials',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    superKey: text('super_key').notNull(),
    appId: text('app_id').$type<AppId>().notNull(),
    tokenHash: text('token_hash').notNull(),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.superKey] }),
    index('app_credentials_app').on(table.tenantId, table.appId),
    foreignKey({ columns: [table.tenantId, table.appId], foreignColumns: [apps.tenantId, apps.id] }),
  ],
);

export const customers = sqliteTable(
  'customers',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    id: text().$type<CustomerId>().notNull(),
    company: text(),
    /** Empty for whoever has none; the key then is one that no address can have. */
    email: text().notNull(),
    emailKey: text('email_key').notNull(),
    name: text(),
    address: text(),
    city: text(),
    region: text(),
    postalCode: text('postal_code'),
    country: text(),
    phone: text(),
    mobile: text(),
    website: text(),
    /** What kind of customer it is, in the tenant's own words. */
    type: text(),
    addressLine2: text('address_line_2'),
    /** `YYYY-MM-DD`. */
    birthDate: text('birth_date'),
    timezone: text(),
    latitude: real(),
    longitude: real(),
    /** What forms and apps of the tenant keep beside, in the tenant's own words. */
    attributes: text({ mode: 'json' }).$type<Attributes>(),
    status: text().$type<CustomerStatus>().notNull(),
    hasApiAccess: integer('has_api_access', { mode: 'boolean' }).notNull(),
    /** The app that created the customer, even when that app is gone: hence no foreign key. */
    createdByApp: text('created_by_app').$type<AppId>(),
    version: integer().notNull(),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    unique('customers_email').on(table.tenantId, table.emailKey),
    index('customers_app').on(table.tenantId, table.createdByApp, table.id),
  ],
);

export const users = sqliteTable(
  'users',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    id: text().$type<UserId>().notNull(),
    customerId: text('customer_id').$type<CustomerId>().notNull(),
    email: text().notNull(),
    emailKey: text('email_key').notNull(),
    isOwner: integer('is_owner', { mode: 'boolean' }).notNull(),
    givenName: text('given_name'),
    familyName: text('family_name'),
    locale: text(),
    /** PHC string; null for a user who has chosen no password. */
    passwordHash: text('password_hash'),
    /** Until when a password that we made may be used; null for one that the user chose. */
    passwordExpiresAt: integer('password_expires_at'),
    /** When the user proved to read mail at the address. */
    activatedAt: integer('activated_at'),
    /** E.164: the number that the user is known by, as others are by their address; null for one who has none. */
    phone: text(),
    phoneVerifiedAt: integer('phone_verified_at'),
    /** Access tokens that were issued up to this moment are dead. */
    validAfter: integer('valid_after').notNull().default(0),
    /** The address that the user wants to change to, until it is confirmed. */
    pendingEmail: text('pending_email'),
    pendingEmailExpiresAt: integer('pending_email_expires_at'),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    unique('users_email').on(table.tenantId, table.emailKey),
    uniqueIndex('users_phone').on(table.tenantId, table.phone),
    index('users_customer').on(table.tenantId, table.customerId),
    index('users_pending_email')
      .on(table.tenantId, table.pendingEmailExpiresAt)
      .where(isNotNull(table.pendingEmailExpiresAt)),
    foreignKey({ columns: [table.tenantId, table.customerId], foreignColumns: [customers.tenantId, customers.id] }),
  ],
);

export const phones = sqliteTable(
  'phones',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    id: text().$type<PhoneId>().notNull(),
    customerId: text('customer_id').$type<CustomerId>().notNull(),
    /** Null for a phone of the customer itself. */
    userId: text('user_id').$type<UserId>(),
    /** E.164. */
    number: text().notNull(),
    /** One of the phone types, by id. */
    type: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('phones_customer').on(table.tenantId, table.customerId),
    index('phones_user').on(table.tenantId, table.userId),
    foreignKey({ columns: [table.tenantId, table.customerId], foreignColumns: [customers.tenantId, customers.id] }),
    foreignKey({ columns: [table.tenantId, table.userId], foreignColumns: [users.tenantId, users.id] }),
  ],
);

/** A user's access to a cloud of its own. What is secret of it is sealed. */
export const awsCredentials = sqliteTable(
  'aws_credentials',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    userId: text('user_id').$type<UserId>().notNull(),
    accessKey: text('access_key'),
    sealedSecretAccess: text('sealed_secret_access'),
    cmkId: text('cmk_id'),
    region: text(),
    sealedPrivateKey: text('sealed_private_key'),
    publicKey: text('public_key'),
    userArn: text('user_arn'),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.userId] }),
    foreignKey({ columns: [table.tenantId, table.userId], foreignColumns: [users.tenantId, users.id] }),
  ],
);

/** Who a user is for an identity provider. */
export const identities = sqliteTable(
  'identities',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    provider: text().notNull(),
    subject: text().notNull(),
    userId: text('user_id').$type<UserId>().notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.provider, table.subject] }),
    index('identities_user').on(table.tenantId, table.userId),
    foreignKey({ columns: [table.tenantId, table.userId], foreignColumns: [users.tenantId, users.id] }),
  ],
);

/** The family of refresh tokens of one sign-in: the token of the current generation alone is good. */
export const sessions = sqliteTable(
  'sessions',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    id: text().$type<SessionId>().notNull(),
    userId: text('user_id').$type<UserId>().notNull(),
    customerId: text('customer_id').$type<CustomerId>().notNull(),
    generation: integer().notNull(),
    /** How the user signed in: `email`, `sso`, or the connection as `connection:<name>`. */
    provider: text().notNull(),
    amr: text({ mode: 'json' }).$type<string[]>().notNull(),
    /** What the identity provider is told at logout. */
    sealedLogoutHint: text('sealed_logout_hint'),
    createdAt: integer('created_at').notNull(),
    /** When the refresh token was last rotated. */
    lastUsedAt: integer('last_used_at').notNull(),
    idleExpiresAt: integer('idle_expires_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
    revokedAt: integer('revoked_at'),
    /** Which tokens were rotated away just now, and when: for a while they may be presented again. */
    recentRotations: text('recent_rotations', { mode: 'json' }).$type<{ generation: number; at: number }[]>().notNull(),
    ip: text(),
    userAgent: text('user_agent'),
    /** Where the sign-in came from, as far as the platform knows: city and country. */
    place: text(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('sessions_user').on(table.tenantId, table.userId),
    index('sessions_expiry').on(table.tenantId, table.expiresAt),
    foreignKey({ columns: [table.tenantId, table.userId], foreignColumns: [users.tenantId, users.id] }),
  ],
);

/** Sign-ins that were begun and not yet finished, each bound to one browser. */
export const loginStates = sqliteTable(
  'login_states',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    /** SHA-256 of the state. */
    hash: text().notNull(),
    /** SHA-256 of what the browser's cookie holds. */
    browserHash: text('browser_hash').notNull(),
    /** Who wants to sign in how, and where to go then. */
    sealedDetails: text('sealed_details').notNull(),
    expiresAt: integer('expires_at').notNull(),
    consumedAt: integer('consumed_at'),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.hash] }),
    index('login_states_expiry').on(table.tenantId, table.expiresAt),
  ],
);

/** The identity providers of companies: whoever has an address of their domains signs in there. */
export const connections = sqliteTable(
  'connections',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    name: text().notNull(),
    settings: text({ mode: 'json' }).$type<ConnectionSettings>().notNull(),
    /** Whether whoever is not known yet gets an account. */
    allowsSignup: integer('allows_signup', { mode: 'boolean' }).notNull(),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.name] })],
);

export const connectionDomains = sqliteTable(
  'connection_domains',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    domain: text().notNull(),
    connection: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.domain] }),
    foreignKey({
      columns: [table.tenantId, table.connection],
      foreignColumns: [connections.tenantId, connections.name],
    }),
  ],
);

/**
 * Changes that wait for the answer to a challenge, sealed: nobody sees them before. A newer challenge of the same person
 * leaves the one before without effect.
 */
export const heldChanges = sqliteTable(
  'held_changes',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    id: text().$type<HeldChangeId>().notNull(),
    /** Who is asked: a newer challenge takes the place of the one before. */
    subject: text().notNull(),
    customerId: text('customer_id').$type<CustomerId>().notNull(),
    sealedChange: text('sealed_change').notNull(),
    expiresAt: integer('expires_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('held_changes_customer').on(table.tenantId, table.customerId),
    index('held_changes_subject').on(table.tenantId, table.subject),
    index('held_changes_expiry').on(table.tenantId, table.expiresAt),
  ],
);

/** Whom the tenant's forms and apps let people sign in with. Secrets are sealed with the tenant's data key. */
export const providers = sqliteTable(
  'providers',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    name: text().notNull(),
    settings: text({ mode: 'json' }).$type<ProviderSettings>().notNull(),
    /** Whether whoever is not known yet gets an account. */
    allowsSignup: integer('allows_signup', { mode: 'boolean' }).notNull(),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.name] })],
);

/** What a provider's tokens were used with once, and may not be again: keyed hashes of nonces. */
export const usedNonces = sqliteTable(
  'used_nonces',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    hash: text().notNull(),
    expiresAt: integer('expires_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.hash] }),
    index('used_nonces_expiry').on(table.tenantId, table.expiresAt),
  ],
);

/** What is done after a form or app has created or changed an account, by name. */
export const flows = sqliteTable(
  'flows',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    name: text().notNull(),
    steps: text({ mode: 'json' }).$type<FlowStep[]>().notNull(),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.name] })],
);

/** Where postal codes are. The world's, not a tenant's. */
export const postalCodes = sqliteTable(
  'postal_codes',
  {
    /** ISO 3166-1 alpha-2. */
    country: text().notNull(),
    /** Capital letters and digits alone. */
    code: text().notNull(),
    city: text().notNull(),
    region: text(),
    latitude: real(),
    longitude: real(),
  },
  (table) => [primaryKey({ columns: [table.country, table.code] })],
);

/** A customer's key/token pair, one for each app that asked for it. The key stays, the token is renewed. */
export const apiKeys = sqliteTable(
  'api_keys',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    key: text().notNull(),
    customerId: text('customer_id').$type<CustomerId>().notNull(),
    appId: text('app_id').$type<AppId>().notNull(),
    tokenHash: text('token_hash').notNull(),
    createdAt: integer('created_at').notNull(),
    renewedAt: integer('renewed_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.key] }),
    unique('api_keys_customer_app').on(table.tenantId, table.customerId, table.appId),
    foreignKey({ columns: [table.tenantId, table.customerId], foreignColumns: [customers.tenantId, customers.id] }),
  ],
);

/** What the operator offers customers to subscribe to. */
export const subscriptions = sqliteTable(
  'subscriptions',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    id: text().notNull(),
    name: text().notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.id] })],
);

export const customerSubscriptions = sqliteTable(
  'customer_subscriptions',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    customerId: text('customer_id').$type<CustomerId>().notNull(),
    subscriptionId: text('subscription_id').notNull(),
    subscribedAt: integer('subscribed_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.customerId, table.subscriptionId] }),
    index('customer_subscriptions_subscription').on(table.tenantId, table.subscriptionId),
    foreignKey({ columns: [table.tenantId, table.customerId], foreignColumns: [customers.tenantId, customers.id] }),
    foreignKey({
      columns: [table.tenantId, table.subscriptionId],
      foreignColumns: [subscriptions.tenantId, subscriptions.id],
    }),
  ],
);

/**
 * The strongly consistent half of a one-time secret; KV carries the other (see kv.ts). There is one row for each purpose
 * and subject, so issuing a new secret kills the one before.
 */
export const challenges = sqliteTable(
  'challenges',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    purpose: text().$type<ChallengePurpose>().notNull(),
    subject: text().notNull(),
    id: text().$type<ChallengeId>().notNull(),
    customerId: text('customer_id').$type<CustomerId>().notNull(),
    attempts: integer().notNull(),
    consumedAt: integer('consumed_at'),
    /** The redemption that succeeded, so that the statements after it in its batch know that it was theirs. */
    consumedBy: text('consumed_by'),
    createdAt: integer('created_at').notNull(),
    expiresAt: integer('expires_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.purpose, table.subject] }),
    index('challenges_customer').on(table.tenantId, table.customerId),
    index('challenges_expiry').on(table.tenantId, table.expiresAt),
  ],
);

/** The audit log. Append only; knows people by id alone. */
export const events = sqliteTable(
  'events',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    id: text().$type<EventId>().notNull(),
    at: integer().notNull(),
    type: text().notNull(),
    actor: text().notNull(),
    subject: text().notNull(),
    ip: text(),
    userAgent: text('user_agent'),
    data: text({ mode: 'json' }).$type<Record<string, string | number | boolean | null>>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.id] }),
    index('events_subject').on(table.tenantId, table.subject, table.id),
    index('events_type').on(table.tenantId, table.type, table.id),
    index('events_tenant_deleted').on(table.at).where(sql`${table.type} = 'tenant.deleted'`),
  ],
);

/** Whom the operator wants told of what happens. The secret is sealed with the tenant's data key. */
export const webhooks = sqliteTable(
  'webhooks',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    name: text().notNull(),
    url: text().notNull(),
    /** Types of event, `customer.*` for all of a kind, or `*`: the database's trigger reads them as GLOB patterns. */
    events: text({ mode: 'json' }).$type<string[]>().notNull(),
    status: text().$type<WebhookStatus>().notNull(),
    /** Why it is disabled: by the operator, or because the receiver said that it is gone for good. */
    disabledReason: text('disabled_reason').$type<'operator' | 'gone'>(),
    sealedSecret: text('sealed_secret').notNull(),
    /** The secret from before, which signs beside the new one until then. */
    sealedOldSecret: text('sealed_old_secret'),
    oldSecretExpiresAt: integer('old_secret_expires_at'),
    createdAt: integer('created_at').notNull(),
    updatedAt: integer('updated_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.tenantId, table.name] })],
);

/**
 * Events that a webhook is to be told of, one row each. The trigger `events_to_deliver` writes them with the event itself,
 * so that neither is there without the other.
 */
export const deliveries = sqliteTable(
  'deliveries',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    webhook: text().notNull(),
    eventId: text('event_id').$type<EventId>().notNull(),
    status: text().$type<DeliveryStatus>().notNull(),
    attempts: integer().notNull(),
    /** From when on the next attempt may be made: while one is under way, when it is given up for lost. */
    dueAt: integer('due_at').notNull(),
    lastAttemptAt: integer('last_attempt_at'),
    /** The HTTP status of the last answer; null where none came. */
    lastStatus: integer('last_status'),
    /** Why no answer came, or why it does not count. */
    lastError: text('last_error'),
    createdAt: integer('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.webhook, table.eventId] }),
    index('deliveries_due').on(table.status, table.dueAt),
    foreignKey({ columns: [table.tenantId, table.webhook], foreignColumns: [webhooks.tenantId, webhooks.name] }),
  ],
);

/** One row for each counted attempt: limits are exact sliding windows over these. */
export const rateHits = sqliteTable(
  'rate_hits',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    /** What is limited and for whom, as a keyed hash: no address is kept here. */
    bucket: text().notNull(),
    at: integer().notNull(),
    id: text().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.bucket, table.at, table.id] }),
    index('rate_hits_at').on(table.tenantId, table.at),
  ],
);

/** Answers kept for a caller that repeats its request under the same `Idempotency-Key`. */
export const idempotency = sqliteTable(
  'idempotency',
  {
    tenantId: text('tenant_id').$type<TenantId>().notNull(),
    appId: text('app_id').$type<AppId>().notNull(),
    key: text().notNull(),
    customerId: text('customer_id').$type<CustomerId>().notNull(),
    requestHash: text('request_hash').notNull(),
    sealedAnswer: text('sealed_answer').notNull(),
    expiresAt: integer('expires_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tenantId, table.appId, table.key] }),
    index('idempotency_customer').on(table.tenantId, table.customerId),
    index('idempotency_expiry').on(table.tenantId, table.expiresAt),
  ],
);
