import type * as z from 'zod';
import type { Connection, ConnectionProfile } from '../../../domain/connections.ts';
import type { connectionObject, connectionProfile } from './schema.ts';

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
