import { type Context, Hono } from 'hono';
import type { AppEnv } from '../../env.ts';
import { operatorOnly } from '../../middleware/operator.ts';
import { originOf } from '../../middleware/platform.ts';
import { answerWith, commonWire } from '../../middleware/problems.ts';
import type { TenantServices } from '../../services.ts';
import { createDescriber } from '../openapi.ts';
import { valid } from '../validate.ts';
import {
  appChanges,
  appObject,
  confirmation,
  listOf,
  listQuery,
  newApp,
  rotation,
  slugParameter,
  superCredentials,
  tenantObject,
  tenantProfile,
} from './schema.ts';
import { readApp, readAppChanges, readTenantProfile, viewApp, viewSuperCredentials, viewTenant } from './view.ts';

const describe = createDescriber('operator', commonWire, ['not_found', 'unauthenticated']);

const OPERATOR = ['operator'] as const;

/** The operator surface (contract 5): whoever runs the service provisions it here. */
export const operatorRoutes = new Hono<AppEnv>()
  .onError(answerWith(commonWire))
  .use(operatorOnly)

  .put(
    '/tenants/:slug',
    describe({
      summary: 'Create a tenant, or replace what is said of it',
      security: OPERATOR,
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
    '/tenants',
    describe({
      summary: 'List the tenants, newest first',
      security: OPERATOR,
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
    '/tenants/:slug',
    describe({
      summary: 'Read a tenant',
      security: OPERATOR,
      success: { 200: { description: 'The tenant', schema: tenantObject } },
      refusals: ['tenant_not_found'],
    }),
    async (c) => c.json(viewTenant(await tenantsOf(c).get(c.req.param('slug')))),
  )

  .delete(
    '/tenants/:slug',
    describe({
      summary: 'Delete a tenant and all that it holds',
      security: OPERATOR,
      success: { 204: { description: 'Deleted' } },
      refusals: ['tenant_not_found', 'confirmation_required'],
    }),
    valid('query', confirmation),
    async (c) => {
      await tenantsOf(c).remove(c.req.param('slug'), c.req.valid('query').confirm);
      return c.body(null, 204);
    },
  )

  .post(
    '/tenants/:slug/apps',
    describe({
      summary: 'Register an app',
      description: 'The super token is told here and never again.',
      security: OPERATOR,
      success: { 201: { description: 'Registered', schema: superCredentials } },
      refusals: ['tenant_not_found'],
    }),
    valid('json', newApp),
    async (c) => {
      const { apps } = await servicesOf(c, c.req.param('slug'));
      return c.json(viewSuperCredentials(await apps.register(readApp(c.req.valid('json')))), 201);
    },
  )

  .get(
    '/tenants/:slug/apps',
    describe({
      summary: 'List the apps of a tenant, newest first',
      security: OPERATOR,
      success: { 200: { description: 'A page', schema: listOf(appObject) } },
      refusals: ['tenant_not_found'],
    }),
    valid('query', listQuery('app')),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const { apps } = await servicesOf(c, c.req.param('slug'));
      return c.json(pageOf(await apps.list(limit + 1, cursor ?? null), limit, viewApp));
    },
  )

  .patch(
    '/tenants/:slug/apps/:id',
    describe({
      summary: 'Change an app',
      security: OPERATOR,
      success: { 200: { description: 'The app as it is now', schema: appObject } },
      refusals: ['tenant_not_found', 'app_not_found'],
    }),
    valid('json', appChanges),
    async (c) => {
      const { apps } = await servicesOf(c, c.req.param('slug'));
      return c.json(viewApp(await apps.change(c.req.param('id'), readAppChanges(c.req.valid('json')))));
    },
  )

  .delete(
    '/tenants/:slug/apps/:id',
    describe({
      summary: 'Remove an app',
      description: 'The customers that it created stay; the key pairs that they had with it are gone.',
      security: OPERATOR,
      success: { 204: { description: 'Removed' } },
      refusals: ['tenant_not_found', 'app_not_found'],
    }),
    async (c) => {
      const { apps } = await servicesOf(c, c.req.param('slug'));
      await apps.remove(c.req.param('id'));
      return c.body(null, 204);
    },
  )

  .post(
    '/tenants/:slug/apps/:id/rotate',
    describe({
      summary: 'Give an app a new pair',
      description: 'The pairs from before stay valid for `overlap` seconds.',
      security: OPERATOR,
      success: { 201: { description: 'The new pair', schema: superCredentials } },
      refusals: ['tenant_not_found', 'app_not_found'],
    }),
    valid('json', rotation),
    async (c) => {
      const { apps } = await servicesOf(c, c.req.param('slug'));
      return c.json(viewSuperCredentials(await apps.rotate(c.req.param('id'), c.req.valid('json').overlap)), 201);
    },
  );

const tenantsOf = (c: Context<AppEnv>) => c.var.platform.tenants(originOf(c.req));

/** The services of a tenant that the path names, a disabled one's included. */
const servicesOf = async (c: Context<AppEnv>, slug: string): Promise<TenantServices> => {
  const tenant = await tenantsOf(c).get(slug);
  c.set('tenantId', tenant.id);
  return c.var.platform.servicesOf(tenant, originOf(c.req));
};

/** A page of a list of which one more than asked for was looked up. */
const pageOf = <Item extends { id: string }, View>(found: Item[], limit: number, view: (item: Item) => View) => {
  const shown = found.slice(0, limit);
  return { items: shown.map(view), next: found.length > limit ? (shown.at(-1)?.id ?? null) : null };
};
