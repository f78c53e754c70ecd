import type * as z from 'zod';
import type { Provider, ProviderProfile } from '../../../domain/providers.ts';
import type { providerObject, providerProfile } from './schema.ts';

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
