import * as z from 'zod';
import { isId } from '../../crypto/ids.ts';
import { emailAddress, origin, text, webUrl } from '../fields.ts';

/** Names that would be mistaken for ours, or that stand for hosts of other kinds. */
const RESERVED_SLUGS = ['www', 'api', 'admin', 'operator', 'docs', 'mail', 'status', 'static', 'localhost', 'support'];

export const slugParameter = z.object({
  slug: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])$/, 'must be 2 to 40 of a-z, 0-9 and inner hyphens')
    .refine((slug) => !RESERVED_SLUGS.includes(slug), 'is a reserved name'),
});

const domain = z
  .string()
  .toLowerCase()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/, 'must be a domain name');

const seconds = (shortest: number, longest: number, usual: number) => z.int().min(shortest).max(longest).default(usual);

const DAY = 24 * 3600;

const settings = z
  .strictObject({
    rate_limits: z
      .strictObject({
        auth_per_ip_per_minute: z.int().min(1).max(10_000).default(30),
        mail_interval_seconds: z.int().min(1).max(3600).default(30),
        mail_per_hour: z.int().min(1).max(100).default(5),
        wrong_codes_per_hour: z.int().min(5).max(100).default(20),
        password_failures: z.int().min(3).max(100).default(10),
      })
      .prefault({}),
    lifetimes: z
      .strictObject({
        access_token_login: seconds(60, DAY, 15 * 60),
        access_token_account: seconds(60, 7 * DAY, DAY),
        access_token_tenant: seconds(60, 7 * DAY, DAY),
        refresh_idle: seconds(60, 365 * DAY, 30 * DAY),
        refresh_absolute: seconds(60, 365 * DAY, 90 * DAY),
      })
      .prefault({}),
    signing_alg: z.enum(['ES256', 'EdDSA', 'RS256']).default('ES256'),
    cors_origins: z.array(origin).max(50).nullable().default(null),
    reset_passphrase_lifetime: z
      .int()
      .min(60)
      .max(365 * DAY)
      .nullable()
      .default(null),
  })
  .prefault({});

const profile = {
  name: text(100),
  status: z.enum(['active', 'disabled']).default('active'),
  domains: z.array(domain).max(20).default([]),
  site_url: webUrl.nullable().default(null),
  origins: z.array(origin).max(50).default([]),
  redirect_uris: z.array(webUrl).max(50).default([]),
  logout_uri: webUrl.nullable().default(null),
  locale: z.enum(['en', 'de', 'fr', 'es']).default('en'),
  branding: z
    .strictObject({
      logo_url: webUrl.nullable().default(null),
      primary_color: z
        .string()
        .regex(/^#[0-9a-fA-F]{6}$/, 'must be a colour like #1f6feb')
        .nullable()
        .default(null),
    })
    .prefault({}),
  settings,
};

/** The body of `PUT /tenants/:slug`: what is left out gets its default. */
export const tenantProfile = z.strictObject(profile).meta({ id: 'TenantProfile' });

const time = z.iso.datetime();

export const tenantObject = z
  .strictObject({ id: z.string(), slug: z.string(), ...profile, created_at: time, updated_at: time })
  .meta({ id: 'Tenant' });

const permissions = z
  .array(z.enum(['passcode', 'nopasscode', 'sso', 'all_customers']))
  .transform((each) => [...new Set(each)]);

const platforms = z
  .array(z.strictObject({ name: text(100), url: webUrl }))
  .max(50)
  .refine((each) => new Set(each.map(({ name }) => name)).size === each.length, 'must have names that differ');

/** The body of `POST …/apps`. */
export const newApp = z
  .strictObject({
    name: text(100),
    permissions: permissions.default([]),
    platforms: platforms.default([]),
    query_credentials: z.boolean().default(true),
  })
  .meta({ id: 'NewApp' });

/** The body of `PATCH …/apps/:id`: what is left out stays. */
export const appChanges = z
  .strictObject({
    name: text(100).optional(),
    permissions: permissions.optional(),
    platforms: platforms.optional(),
    query_credentials: z.boolean().optional(),
  })
  .meta({ id: 'AppChanges' });

export const appObject = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    superkey: z.string(),
    permissions: z.array(z.string()),
    platforms: z.array(z.strictObject({ name: z.string(), url: z.string() })),
    query_credentials: z.boolean(),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'App' });

export const superCredentials = z
  .strictObject({ id: z.string(), superkey: z.string(), supertoken: z.string() })
  .meta({ id: 'SuperCredentials' });

/** The body of `POST …/rotate`: for how many seconds the pairs from before stay valid. */
export const rotation = z.strictObject({
  overlap: z
    .int()
    .min(0)
    .max(30 * DAY)
    .default(0),
});

export const confirmation = z.object({ confirm: z.string().optional() });

const limit = z.coerce.number().int().min(1).max(1000).default(100);

/** The query of a list whose cursor is an id of this kind. */
export const listQuery = <Kind extends 'ten' | 'app' | 'cus'>(kind: Kind) =>
  z.object({
    limit,
    cursor: z
      .custom<`${Kind}_${string}`>(
        (typed) => typeof typed === 'string' && isId(kind, typed),
        'must be a cursor from `next`',
      )
      .optional(),
  });

export const listOf = (item: z.ZodType) => z.strictObject({ items: z.array(item), next: z.string().nullable() });

export const subscriptionBody = z.strictObject({ name: text(100) });

const subscriptionId = z
  .string()
  .regex(/^[\w.-]{1,100}$/, 'must be 1 to 100 letters, digits, dots, hyphens and underscores');

export const subscriptionParameter = z.object({ slug: z.string(), id: subscriptionId });

export const subscriptionQuery = z.object({ limit, cursor: subscriptionId.optional() });

export const subscriptionObject = z.strictObject({ id: z.string(), name: z.string() }).meta({ id: 'Subscription' });

export const connectionParameter = z.object({
  slug: z.string(),
  name: z.string().regex(/^[a-z0-9-]{1,40}$/, 'must be 1 to 40 lower-case letters, digits and hyphens'),
});

const connection = z.strictObject({
  domains: z
    .array(
      z
        .string()
        .toLowerCase()
        .max(253)
        .regex(/^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/, 'must be a domain name'),
    )
    .min(1)
    .max(100)
    .transform((domains) => [...new Set(domains)]),
  signup: z.boolean(),
});

/** Either the metadata, or what is in it. */
const saml = connection
  .extend({
    type: z.literal('saml'),
    sign_requests: z.boolean().default(false),
    metadata_xml: z.string().min(1).optional(),
    entity_id: text(1024).optional(),
    sso_url: z.url().max(2048).optional(),
    slo_url: z.url().max(2048).nullable().optional(),
    certificates: z.array(z.string().max(16_384)).min(1).max(10).optional(),
  })
  .transform(({ metadata_xml, entity_id, sso_url, slo_url, certificates, ...same }, context) => {
    const needed = { entity_id, sso_url, certificates };
    const given = Object.entries({ ...needed, slo_url }).filter(([, value]) => value !== undefined);
    if (metadata_xml !== undefined && given.length === 0) return { ...same, source: { metadataXml: metadata_xml } };
    if (metadata_xml === undefined && entity_id !== undefined && sso_url !== undefined && certificates !== undefined) {
      return { ...same, source: { entityId: entity_id, ssoUrl: sso_url, sloUrl: slo_url ?? null, certificates } };
    }
    const [wrong, message] =
      metadata_xml === undefined
        ? [
            Object.entries(needed).filter(([, value]) => value === undefined),
            'is needed, or metadata_xml in place of all of these',
          ]
        : [given, 'is said by metadata_xml already'];
    for (const [path] of wrong) context.addIssue({ code: 'custom', path: [path], message });
    return z.NEVER;
  });

const oidc = connection.extend({
  type: z.literal('oidc'),
  issuer: z.url().max(2048),
  client_id: text(1000),
  client_secret: z.string().min(1).max(1000),
});

/** The body of `PUT …/connections/:name`. */
export const connectionProfile = z.discriminatedUnion('type', [oidc, saml]).meta({ id: 'ConnectionProfile' });

const connectionCommon = z.strictObject({
  name: z.string(),
  domains: z.array(z.string()),
  signup: z.boolean(),
  created_at: time,
  updated_at: time,
});

/** A connection, without its secrets. `signing_certificate` is ours: the provider checks signed requests with it. */
export const connectionObject = z
  .discriminatedUnion('type', [
    connectionCommon.extend({ type: z.literal('oidc'), issuer: z.string(), client_id: z.string() }),
    connectionCommon.extend({
      type: z.literal('saml'),
      entity_id: z.string(),
      sso_url: z.string(),
      slo_url: z.string().nullable(),
      certificates: z.array(z.string()),
      sign_requests: z.boolean(),
      signing_certificate: z.string().nullable(),
    }),
  ])
  .meta({ id: 'Connection' });

/** The body of `POST …/keys/rotate`: whether the keys from before leave at once. */
export const keyRotation = z.strictObject({ retire: z.boolean().default(false) });

export const rotatedKey = z.strictObject({ kid: z.string() });

const status = z.enum(['active', 'disabled']);

/** The query of `GET …/customers`. */
export const customerQuery = listQuery('cus').extend({
  q: text(254).optional(),
  email: emailAddress.optional(),
  status: status.optional(),
});

/** The body of `PATCH …/customers/:cuid`. */
export const customerState = z.strictObject({ status: status.optional(), api_access: z.boolean().optional() });

const stringOrNull = z.string().nullable();

/** A customer as the operator sees it. */
export const customerObject = z
  .strictObject({
    id: z.string(),
    status,
    api_access: z.boolean(),
    app: stringOrNull,
    company: stringOrNull,
    email: z.string(),
    name: stringOrNull,
    address: stringOrNull,
    city: stringOrNull,
    region: stringOrNull,
    postal_code: stringOrNull,
    country: stringOrNull,
    phone: stringOrNull,
    mobile: stringOrNull,
    website: stringOrNull,
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'OperatorCustomer' });
