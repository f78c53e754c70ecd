import * as z from 'zod';
import { checkSchema } from '../../../domain/attributes.ts';
import { DEFAULT_RETENTION_DAYS } from '../../../domain/upkeep.ts';
import { origin, text, webUrl } from '../../fields.ts';
import { domain } from '../domains.ts';
import { profileDefaults } from '../profile-defaults.ts';

/** Names that would be mistaken for ours, or that stand for hosts of other kinds. */
const RESERVED_SLUGS = ['www', 'api', 'admin', 'operator', 'docs', 'mail', 'status', 'static', 'localhost', 'support'];

export const slugParameter = z.object({
  slug: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])$/, 'must be 2 to 40 of a-z, 0-9 and inner hyphens')
    .refine((slug) => !RESERVED_SLUGS.includes(slug), 'is a reserved name'),
});

const seconds = (shortest: number, longest: number, usual: number) => z.int().min(shortest).max(longest).default(usual);

const DAY = 24 * 3600;

const jsonSchema = z.record(z.string(), z.json()).superRefine((schema, context) => {
  const fault = checkSchema(schema);
  if (fault !== null) context.addIssue(fault);
});

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
    signing_alg: z
      .enum(['ES256', 'EdDSA', 'RS256'])
      .default('ES256')
      .meta({ description: 'What new signing keys are for: a change takes effect with the next `keys/rotate`.' }),
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
    events_retention_days: z.int().min(7).max(3650).default(DEFAULT_RETENTION_DAYS),
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

export const tenantObject = z
  .strictObject({
    id: z.string(),
    slug: z.string(),
    ...profile,
    domains: z.array(z.string()),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Tenant' });

export const confirmation = z.object({ confirm: z.string().optional() });
