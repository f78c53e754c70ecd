import * as z from 'zod';

export const health = z.strictObject({ status: z.literal('ok') });

export const depth = z.object({ deep: z.literal('1').optional() });

export const jwks = z
  .strictObject({
    keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.literal('sig') })),
  })
  .meta({ id: 'JwkSet' });

export const issuerMetadata = z
  .strictObject({
    issuer: z.url(),
    jwks_uri: z.url(),
    response_types_supported: z.array(z.string()),
    subject_types_supported: z.array(z.literal('public')),
    id_token_signing_alg_values_supported: z.array(z.enum(['ES256', 'EdDSA', 'RS256'])),
  })
  .meta({ id: 'IssuerMetadata' });
