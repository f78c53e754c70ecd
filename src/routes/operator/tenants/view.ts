import type * as z from 'zod';
import type { Tenant, TenantProfile } from '../../../domain/tenants.ts';
import { DEFAULT_RETENTION_DAYS } from '../../../domain/upkeep.ts';
import { readProfile, viewProfileDefaults } from '../../profile-fields.ts';
import type { tenantObject, tenantProfile } from './schema.ts';

/** A tenant as the operator surface tells it. */
export const viewTenant = (tenant: Tenant): z.output<typeof tenantObject> => ({
  id: tenant.id,
  slug: tenant.slug,
  name: tenant.name,
  status: tenant.status,
  domains: tenant.domains,
  site_url: tenant.siteUrl,
  origins: tenant.origins,
  redirect_uris: tenant.redirectUris,
  logout_uri: tenant.logoutUri,
  locale: tenant.locale,
  branding: { logo_url: tenant.branding.logoUrl, primary_color: tenant.branding.primaryColor },
  settings: {
    rate_limits: {
      auth_per_ip_per_minute: tenant.settings.rateLimits.authPerIpPerMinute,
      mail_interval_seconds: tenant.settings.rateLimits.mailIntervalSeconds,
      mail_per_hour: tenant.settings.rateLimits.mailPerHour,
      wrong_codes_per_hour: tenant.settings.rateLimits.wrongCodesPerHour,
      password_failures: tenant.settings.rateLimits.passwordFailures,
    },
    lifetimes: {
      access_token_login: tenant.settings.lifetimes.accessTokenLogin,
      access_token_account: tenant.settings.lifetimes.accessTokenAccount,
      access_token_tenant: tenant.settings.lifetimes.accessTokenTenant,
      refresh_idle: tenant.settings.lifetimes.refreshIdle,
      refresh_absolute: tenant.settings.lifetimes.refreshAbsolute,
    },
    signing_alg: tenant.settings.signingAlgorithm,
    cors_origins: tenant.settings.corsOrigins,
    challenge: tenant.settings.challenge ?? 'existing',
    attributes_schema: tenant.settings.attributesSchema ?? null,
    profile_defaults: viewProfileDefaults(tenant.settings.profileDefaults ?? {}),
    reset_passphrase_lifetime: tenant.settings.resetPassphraseLifetime ?? null,
    events_retention_days: tenant.settings.eventsRetentionDays ?? DEFAULT_RETENTION_DAYS,
  },
  created_at: new Date(tenant.createdAt).toISOString(),
  updated_at: new Date(tenant.updatedAt).toISOString(),
});

/** What the operator says of a tenant, in our words. */
export const readTenantProfile = (body: z.output<typeof tenantProfile>): TenantProfile => ({
  name: body.name,
  status: body.status,
  domains: body.domains,
  siteUrl: body.site_url?.replace(/\/+$/, '') ?? null,
  origins: body.origins,
  redirectUris: body.redirect_uris,
  logoutUri: body.logout_uri,
  locale: body.locale,
  branding: { logoUrl: body.branding.logo_url, primaryColor: body.branding.primary_color },
  settings: {
    rateLimits: {
      authPerIpPerMinute: body.settings.rate_limits.auth_per_ip_per_minute,
      mailIntervalSeconds: body.settings.rate_limits.mail_interval_seconds,
      mailPerHour: body.settings.rate_limits.mail_per_hour,
      wrongCodesPerHour: body.settings.rate_limits.wrong_codes_per_hour,
      passwordFailures: body.settings.rate_limits.password_failures,
    },
    lifetimes: {
      accessTokenLogin: body.settings.lifetimes.access_token_login,
      accessTokenAccount: body.settings.lifetimes.access_token_account,
      accessTokenTenant: body.settings.lifetimes.access_token_tenant,
      refreshIdle: body.settings.lifetimes.refresh_idle,
      refreshAbsolute: body.settings.lifetimes.refresh_absolute,
    },
    signingAlgorithm: body.settings.signing_alg,
    corsOrigins: body.settings.cors_origins,
    challenge: body.settings.challenge,
    attributesSchema: body.settings.attributes_schema,
    profileDefaults: readProfile(body.settings.profile_defaults),
    resetPassphraseLifetime: body.settings.reset_passphrase_lifetime,
    eventsRetentionDays: body.settings.events_retention_days,
  },
});
