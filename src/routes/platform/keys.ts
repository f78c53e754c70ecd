import { Hono } from 'hono';
import { createJwks } from '../../crypto/signing-keys.ts';
import { answerWith, commonWire } from '../../middleware/problems.ts';
import { type TenantEnv, tenantServices } from '../../middleware/tenant.ts';
import { createDescriber } from '../openapi.ts';
import { jwks } from './schema.ts';

const describe = createDescriber('platform', commonWire, ['tenant_not_found']);

const description = {
  summary: "The tenant's public keys",
  success: { 200: { description: 'A JWK set (RFC 7517)', schema: jwks } },
} as const;

export const JWKS_PATH = '/.well-known/jwks.json';

const HEADERS = { 'Cache-Control': 'public, max-age=300' };

/** The keys that a tenant's access tokens are verified by (contract 6). */
export const keyRoutes = new Hono<TenantEnv>()
  .onError(answerWith(commonWire))

  .get(JWKS_PATH, describe(description), tenantServices, async (c) =>
    c.json(createJwks((await c.var.services.keyring.keys()).publicJwks), 200, HEADERS),
  )

  .get(`/api/:tenantId${JWKS_PATH}`, describe(description), tenantServices, async (c) =>
    c.json(createJwks((await c.var.services.keyring.keys()).publicJwks), 200, HEADERS),
  );
