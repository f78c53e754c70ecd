import type * as z from 'zod';
import type { AppSettings, AppWithKey, SuperCredentials } from '../../domain/apps.ts';
import type { Connection, ConnectionProfile } from '../../domain/connections.ts';
import type { CustomerRow } from '../../domain/customers.ts';
import type { Flow, FlowStep } from '../../domain/flows.ts';
import type { Provider, ProviderProfile } from '../../domain/providers.ts';
import type { Tenant, TenantProfile } from '../../domain/tenants.ts';
import { readProfile, viewProfileDefaults } from '../profile-fields.ts';
import type {
  appChanges,
  appObject,
  connectionObject,
  connectionProfile,
  customerObject,
  flowObject,
  flowProfile,
  newApp,
  providerObject,
  providerProfile,
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
    challenge: tenant.settings.challenge ?? 'existing',
    attributes_schema: tenant.settings.attributesSchema ?? null,
    profile_defaults: viewProfileDefaults(tenant.settings.profileDefaults ?? {}),
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
    challenge: body.settings.challenge,
    attributesSchema: body.settings.attributes_schema,
    profileDefaults: readProfile(body.settings.profile_defaults),
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
  email: customer.email || null,
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

export const readProvider = (body: z.output<typeof providerProfile>): ProviderProfile => {
  const { signup: allowsSignup } = body;
  switch (body.type) {
    case 'google':
    case 'microsoft':
    case 'line': {
      const { type, client_ids: clientIds, client_secret: clientSecret, issuer } = body;
      return { allowsSignup, provider: { type, clientIds, clientSecret, issuer } };
    }
    case 'apple': {
      const { type, client_ids: clientIds, signing_key: key, issuer } = body;
      const signingKey = key && { teamId: key.team_id, keyId: key.key_id, privateKey: key.private_key };
      return { allowsSignup, provider: { type, clientIds, signingKey, issuer } };
    }
    case 'facebook': {
      const { type, app_id: appId, app_secret: appSecret, base_url: baseUrl } = body;
      return { allowsSignup, provider: { type, appId, appSecret, baseUrl } };
    }
    case 'oidc': {
      const { type, issuer, client_ids: clientIds, client_secret: clientSecret } = body;
      return { allowsSignup, provider: { type, issuer, clientIds, clientSecret } };
    }
    case 'jwt': {
      const { type, issuer, audience, claims } = body;
      const keys = 'jwks_url' in body.keys ? { jwksUrl: body.keys.jwks_url } : { publicKey: body.keys.public_key };
      const { subject, email, name } = claims;
      const names = {
        emailVerified: claims.email_verified,
        givenName: claims.given_name,
        familyName: claims.family_name,
      };
      return { allowsSignup, provider: { type, keys, issuer, audience, claims: { subject, email, name, ...names } } };
    }
    case 'http':
      return { allowsSignup, provider: { type: body.type, url: body.url, secret: body.secret } };
    default:
      return { allowsSignup, provider: { type: body.type, isEnabled: body.enabled } };
  }
};

export const viewProvider = ({ settings, ...provider }: Provider): z.output<typeof providerObject> => ({
  name: provider.name,
  type: settings.type,
  signup: provider.allowsSignup,
  ...openSettingsOf(settings),
  created_at: new Date(provider.createdAt).toISOString(),
  updated_at: new Date(provider.updatedAt).toISOString(),
});

/** Of a secret it is told at most that there is one. */
const openSettingsOf = (settings: Provider['settings']): Record<string, unknown> => {
  switch (settings.type) {
    case 'google':
    case 'microsoft':
    case 'line':
    case 'oidc':
      return {
        client_ids: settings.clientIds,
        issuer: settings.issuer,
        has_client_secret: settings.sealedClientSecret !== null,
      };
    case 'apple': {
      const { clientIds, issuer, signingKey: key } = settings;
      const signing_key = key && { team_id: key.teamId, key_id: key.keyId };
      return { client_ids: clientIds, issuer, signing_key };
    }
    case 'facebook':
      return { app_id: settings.appId, base_url: settings.baseUrl };
    case 'jwt': {
      const { keys, issuer, audience, claims } = settings;
      const { subject, email, name } = claims;
      const names = {
        email_verified: claims.emailVerified,
        given_name: claims.givenName,
        family_name: claims.familyName,
      };
      return {
        keys: 'jwksUrl' in keys ? { jwks_url: keys.jwksUrl } : { public_key: keys.publicKey },
        ...{ issuer, audience, claims: { subject, email, name, ...names } },
      };
    }
    case 'http':
      return { url: settings.url };
    default:
      return { enabled: settings.isEnabled };
  }
};

export const readSteps = ({ steps }: z.output<typeof flowProfile>): FlowStep[] =>
  steps.map((step) => (step.kind === 'set' ? { kind: step.kind, members: readProfile(step.members) } : step));

export const viewFlow = ({ name, steps }: Flow): z.output<typeof flowObject> => ({
  name,
  steps: steps.map((step) =>
    step.kind === 'set' ? { kind: step.kind, members: viewProfileDefaults(step.members) } : step,
  ),
});
