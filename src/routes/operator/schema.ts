import * as z from 'zod';
import { isId } from '../../crypto/ids.ts';
import { checkSchema } from '../../domain/attributes.ts';
import { emailAddress, origin, text, webUrl } from '../fields.ts';
import { identifyingMembers, profileDefaults as membersByDefault, TOLD_MEMBERS } from '../profile-fields.ts';

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

const jsonSchema = z.record(z.string(), z.json()).superRefine((schema, context) => {
  const fault = checkSchema(schema);
  if (fault !== null) context.addIssue(fault);
});

const NOBODYS_DEFAULT = [...Object.keys(identifyingMembers), ...TOLD_MEMBERS, 'challenge'];

/** What tells one account from another, and what only we can know of it, is nobody's default. */
const profileDefaults = NOBODYS_DEFAULT.reduce(
  (schema, name) =>
    schema.refine((members) => !Object.hasOwn(members, name), {
      path: [name],
      message: 'cannot be the same for everybody',
      // Whatever else is wrong, too.
      when: ({ value }) => typeof value === 'object' && value !== null,
    }),
  membersByDefault,
);

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
    challenge: z.enum(['existing', 'always']).default('existing'),
    attributes_schema: jsonSchema.nullable().default(null),
    profile_defaults: profileDefaults.default({}),
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

export const nameParameter = z.object({
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

const member = z.string().max(2048).exactOptional();

const NEEDED_OF_KEYS = { RSA: ['n', 'e'], EC: ['crv', 'x', 'y'], OKP: ['crv', 'x'] } as const;

/** A public key as a JWK (RFC 7517): nothing of a private or a symmetric one has a place in it. */
const publicKey = z
  .strictObject({
    kty: z.enum(['RSA', 'EC', 'OKP']),
    key_ops: z.array(z.string().max(20)).max(10).exactOptional(),
    ...{ kid: member, alg: member, use: member, crv: member, x: member, y: member, n: member, e: member },
  })
  .superRefine((key, context) => {
    for (const name of NEEDED_OF_KEYS[key.kty]) {
      if (key[name] === undefined) context.addIssue({ code: 'custom', path: [name], message: 'is needed' });
    }
  });

const secret = z.string().min(1).max(4096);
const url = z.url().max(2048);
const clientIds = z.array(text(500)).min(1).max(20);

/** A secret of Standard Webhooks. */
const isWebhookSecret = (typed: string): boolean => {
  if (!typed.startsWith('whsec_')) return false;
  try {
    const { byteLength } = Uint8Array.fromBase64(typed.slice('whsec_'.length));
    return byteLength >= 24 && byteLength <= 64;
  } catch {
    return false;
  }
};

const claim = text(100).nullable().default(null);
const signup = z.boolean();

/** The body of `PUT …/providers/:name`. */
export const providerProfile = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.enum(['google', 'microsoft', 'line']),
      signup,
      client_ids: clientIds,
      client_secret: secret.nullable().default(null),
      issuer: url.nullable().default(null),
    }),
    z.strictObject({
      type: z.literal('apple'),
      signup,
      client_ids: clientIds,
      signing_key: z
        .strictObject({ team_id: text(20), key_id: text(20), private_key: secret })
        .nullable()
        .default(null),
      issuer: url.nullable().default(null),
    }),
    z.strictObject({
      type: z.literal('facebook'),
      signup,
      app_id: text(100),
      app_secret: secret,
      base_url: url.nullable().default(null),
    }),
    z.strictObject({
      type: z.literal('oidc'),
      signup,
      issuer: url,
      client_ids: clientIds,
      client_secret: secret.nullable().default(null),
    }),
    z.strictObject({
      type: z.literal('jwt'),
      signup,
      keys: z.union([z.strictObject({ jwks_url: url }), z.strictObject({ public_key: publicKey })]),
      issuer: text(2048),
      audience: text(2048),
      claims: z
        .strictObject({
          subject: text(100).default('sub'),
          email: claim,
          email_verified: claim,
          name: claim,
          given_name: claim,
          family_name: claim,
        })
        .prefault({}),
    }),
    z.strictObject({
      type: z.literal('http'),
      signup,
      url,
      secret: z.string().max(200).refine(isWebhookSecret, 'must be whsec_ and 24 to 64 bytes in base64'),
    }),
    z.strictObject({ type: z.literal('otp'), signup, enabled: z.boolean() }),
    z.strictObject({ type: z.literal('password'), signup: z.literal(false).default(false), enabled: z.boolean() }),
  ])
  .meta({ id: 'ProviderProfile' });

/** A provider, without its secrets: what it is set to otherwise depends on its type. */
export const providerObject = z
  .looseObject({ name: z.string(), type: z.string(), signup: z.boolean(), created_at: time, updated_at: time })
  .meta({ id: 'Provider' });

const step = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('challenge'), channel: z.enum(['email', 'sms']).nullable().default(null) }),
  z.strictObject({ kind: z.literal('send_activation') }),
  z.strictObject({
    kind: z.literal('subscribe'),
    subscriptions: z.array(text(100)).max(100).nullable().default(null),
  }),
  z.strictObject({ kind: z.literal('notify'), name: text(100).nullable().default(null) }),
  z.strictObject({ kind: z.literal('set'), members: profileDefaults }),
  z.strictObject({ kind: z.literal('require'), members: z.array(text(100)).min(1).max(50) }),
]);

/** The body of `PUT …/flows/:name`. */
export const flowProfile = z.strictObject({ steps: z.array(step).min(1).max(20) }).meta({ id: 'FlowProfile' });

export const flowObject = z
  .strictObject({ name: z.string(), steps: z.array(z.looseObject({ kind: z.string() })) })
  .meta({ id: 'Flow' });

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
    email: stringOrNull,
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
