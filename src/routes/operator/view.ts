import type * as z from 'zod';
import type { AppSettings, AppWithKey, SuperCredentials } from '../../domain/apps.ts';
import type { Connection, ConnectionProfile } from '../../domain/connections.ts';
import type { CustomerRow } from '../../domain/customers.ts';
import type { Tenant, TenantProfile } from '../../domain/tenants.ts';
import type {
  appChanges,
  appObject,
  connectionObject,
  connectionProfile,
  customerObject,
  newApp,
  superCredentials,
  tenantObject,
  tenantProfile,
} from './schema.ts';

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
    reset_passphrase_lifetime: tenant.settings.resetPassphraseLifetime ?? null,
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
    resetPassphraseLifetime: body.settings.reset_passphrase_lifetime,
  },
});

/** An app without its token, which is told once, when it is made. */
export const viewApp = (app: AppWithKey): z.output<typeof appObject> => ({
  id: app.id,
  name: app.name,
  superkey: app.superKey,
  permissions: app.permissions,
  platforms: app.platforms,
  query_credentials: app.acceptsQueryCredentials,
  created_at: new Date(app.createdAt).toISOString(),
  updated_at: new Date(app.updatedAt).toISOString(),
});

export const viewSuperCredentials = (pair: SuperCredentials): z.output<typeof superCredentials> => ({
  id: pair.id,
  superkey: pair.superKey,
  supertoken: pair.superToken,
});

export const readApp = ({ query_credentials, ...same }: z.output<typeof newApp>): AppSettings => ({
  ...same,
  acceptsQueryCredentials: query_credentials,
});

export const readAppChanges = ({ query_credentials, ...same }: z.output<typeof appChanges>) => ({
  ...same,
  acceptsQueryCredentials: query_credentials,
});

export const viewCustomer = (customer: CustomerRow): z.output<typeof customerObject> => ({
  id: customer.id,
  status: customer.status,
  api_access: customer.hasApiAccess,
  app: customer.createdByApp,
  company: customer.company,
  email: customer.email,
  name: customer.name,
  address: customer.address,
  city: customer.city,
  region: customer.region,
  postal_code: customer.postalCode,
  country: customer.country,
  phone: customer.phone,
  mobile: customer.mobile,
  website: customer.website,
  created_at: new Date(customer.createdAt).toISOString(),
  updated_at: new Date(customer.updatedAt).toISOString(),
});

export const readConnection = (body: z.output<typeof connectionProfile>): ConnectionProfile => ({
  domains: body.domains,
  allowsSignup: body.signup,
  provider:
    body.type === 'oidc'
      ? { type: 'oidc', issuer: body.issuer, clientId: body.client_id, clientSecret: body.client_secret }
      : { type: 'saml', signsRequests: body.sign_requests, source: body.source },
});

export const viewConnection = ({ settings, ...connection }: Connection): z.output<typeof connectionObject> => {
  const common = {
    name: connection.name,
    domains: connection.domains,
    signup: connection.allowsSignup,
    created_at: new Date(connection.createdAt).toISOString(),
    updated_at: new Date(connection.updatedAt).toISOString(),
  };
  if (settings.type === 'oidc') {
    return { ...common, type: 'oidc', issuer: settings.issuer, client_id: settings.clientId };
  }
  return {
    ...common,
    type: 'saml',
    entity_id: settings.entityId,
    sso_url: settings.ssoUrl,
    slo_url: settings.sloUrl,
    certificates: settings.certificates,
    sign_requests: settings.signing !== null,
    signing_certificate: settings.signing?.certificate ?? null,
  };
};
