import { Hono } from 'hono';
import { answerWith, commonWire } from '../../middleware/problems.ts';
import { type TenantEnv, tenantServices } from '../../middleware/tenant.ts';
import { createDescriber } from '../openapi.ts';
import { JWKS_PATH } from './keys.ts';
import { issuerMetadata } from './schema.ts';

const describe = createDescriber('platform', commonWire, ['tenant_not_found']);

/**
 * What a tenant says of itself as an issuer of tokens (OpenID Connect Discovery, section 3): enough for whoever verifies
 * them. No client is registered here, so there is nowhere to send one to.
 */
export const issuerRoutes = new Hono<TenantEnv>()
  .onError(answerWith(commonWire))

  .get(
    '/.well-known/openid-configuration',
    describe({
      summary: "The metadata of the tenant's issuer",
      description: 'The issuer is the same at every host of the tenant.',
      success: { 200: { description: 'Metadata (OpenID Connect Discovery)', schema: issuerMetadata } },
    }),
    tenantServices,
    async (c) => {
      const { issuer, keyring } = c.var.services;
      const { published } = await keyring.keys();
      return c.json(
        {
          issuer,
          jwks_uri: `${issuer}${JWKS_PATH}`,
          response_types_supported: [],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: [...new Set(published.map(({ algorithm }) => algorithm))].toSorted(),
        },
        200,
        { 'Cache-Control': 'public, max-age=300' },
      );
    },
  );
