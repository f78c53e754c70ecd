import { Hono } from 'hono';
import type { AppEnv } from '../../../env.ts';
import { valid } from '../../validate.ts';
import { describe } from '../documented.ts';
import { listOf, listQuery, pageOf } from '../lists.ts';
import { tenantsOf } from '../services.ts';
import { confirmation, slugParameter, tenantObject, tenantProfile } from './schema.ts';
import { readTenantProfile, viewTenant } from './view.ts';

export const tenantRoutes = new Hono<AppEnv>()
  .put(
    '/:slug',
    describe({
      summary: 'Create a tenant, or replace what is said of it',
      success: {
        200: { description: 'Replaced', schema: tenantObject },
        201: { description: 'Created', schema: tenantObject },
      },
      refusals: ['domain_taken'],
    }),
    valid('param', slugParameter),
    valid('json', tenantProfile),
    async (c) => {
      const { slug } = c.req.valid('param');
      const { tenant, isNew } = await tenantsOf(c).put(slug, readTenantProfile(c.req.valid('json')));
      return c.json(viewTenant(tenant), isNew ? 201 : 200);
    },
  )

  .get(
    '/',
    describe({
      summary: 'List the tenants, newest first',
      success: { 200: { description: 'A page', schema: listOf(tenantObject) } },
    }),
    valid('query', listQuery('ten')),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const found = await tenantsOf(c).list(limit + 1, cursor ?? null);
      return c.json(pageOf(found, limit, viewTenant));
    },
  )

  .get(
    '/:slug',
    describe({
      summary: 'Read a tenant',
      success: { 200: { description: 'The tenant', schema: tenantObject } },
      refusals: ['tenant_not_found'],
    }),
    async (c) => c.json(viewTenant(await tenantsOf(c).get(c.req.param('slug')))),
  )

  .delete(
    '/:slug',
    describe({
      summary: 'Delete a tenant and all that it holds',
      description:
        'Many customers go in portions: where that is interrupted, those that are gone are gone, the tenant is still ' +
        'there, and the same call goes on.',
      success: { 204: { description: 'Deleted' } },
      refusals: ['tenant_not_found', 'confirmation_required'],
    }),
    valid('query', confirmation),
    async (c) => {
      await tenantsOf(c).remove(c.req.param('slug'), c.req.valid('query').confirm);
      return c.body(null, 204);
    },
  );
