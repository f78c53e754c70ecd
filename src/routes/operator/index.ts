import { type Context, Hono } from 'hono';
import type { AppEnv } from '../../env.ts';
import { operatorOnly } from '../../middleware/operator.ts';
import { originOf, requestContextOf } from '../../middleware/platform.ts';
import { answerWith, commonWire } from '../../middleware/problems.ts';
import type { TenantServices } from '../../services.ts';
import { createDescriber } from '../openapi.ts';
import { valid } from '../validate.ts';
import {
  appChanges,
  appObject,
  confirmation,
  connectionObject,
  connectionProfile,
  customerObject,
  customerQuery,
  customerState,
  flowObject,
  flowProfile,
  keyRotation,
  listOf,
  listQuery,
  nameParameter,
  newApp,
  providerObject,
  providerProfile,
  rotatedKey,
  rotation,
  slugParameter,
  subscriptionBody,
  subscriptionObject,
  subscriptionParameter,
  subscriptionQuery,
  superCredentials,
  tenantObject,
  tenantProfile,
} from './schema.ts';
import {
  readApp,
  readAppChanges,
  readConnection,
  readProvider,
  readSteps,
  readTenantProfile,
  viewApp,
  viewConnection,
  viewCustomer,
  viewFlow,
  viewProvider,
  viewSuperCredentials,
  viewTenant,
} from './view.ts';

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
  )

  .put(
    '/tenants/:slug/connections/:name',
    describe({
      summary: 'Connect a company’s identity provider, or replace what is said of it',
      description:
        'Whoever has an address of its domains signs in there. For SAML either `metadata_xml`, or `entity_id`, ' +
        '`sso_url` and `certificates` are needed.',
      security: OPERATOR,
      success: {
        200: { description: 'Replaced', schema: connectionObject },
        201: { description: 'Connected', schema: connectionObject },
      },
      refusals: ['tenant_not_found', 'domain_taken'],
    }),
    valid('param', nameParameter),
    valid('json', connectionProfile),
    async (c) => {
      const { slug, name } = c.req.valid('param');
      const { connections } = await servicesOf(c, slug);
      const { connection, isNew } = await connections.put(name, readConnection(c.req.valid('json')));
      return c.json(viewConnection(connection), isNew ? 201 : 200);
    },
  )

  .get(
    '/tenants/:slug/connections',
    describe({
      summary: 'List the connections',
      security: OPERATOR,
      success: { 200: { description: 'All of them', schema: listOf(connectionObject) } },
      refusals: ['tenant_not_found'],
    }),
    async (c) => {
      const { connections } = await servicesOf(c, c.req.param('slug'));
      return c.json({ items: (await connections.list()).map(viewConnection), next: null });
    },
  )

  .get(
    '/tenants/:slug/connections/:name',
    describe({
      summary: 'Read a connection',
      security: OPERATOR,
      success: { 200: { description: 'The connection, without secrets', schema: connectionObject } },
      refusals: ['tenant_not_found', 'connection_not_found'],
    }),
    async (c) => {
      const { connections } = await servicesOf(c, c.req.param('slug'));
      return c.json(viewConnection(await connections.get(c.req.param('name'))));
    },
  )

  .delete(
    '/tenants/:slug/connections/:name',
    describe({
      summary: 'Remove a connection, and who its users are for the provider',
      security: OPERATOR,
      success: { 204: { description: 'Removed' } },
      refusals: ['tenant_not_found', 'connection_not_found'],
    }),
    async (c) => {
      const { connections } = await servicesOf(c, c.req.param('slug'));
      await connections.remove(c.req.param('name'));
      return c.body(null, 204);
    },
  )

  .put(
    '/tenants/:slug/providers/:name',
    describe({
      summary: 'Let people sign in with a provider, or replace what is said of it',
      security: OPERATOR,
      success: {
        200: { description: 'Replaced', schema: providerObject },
        201: { description: 'Made', schema: providerObject },
      },
      refusals: ['tenant_not_found'],
    }),
    valid('param', nameParameter),
    valid('json', providerProfile),
    async (c) => {
      const { slug, name } = c.req.valid('param');
      const { providers } = await servicesOf(c, slug);
      const { provider, isNew } = await providers.put(name, readProvider(c.req.valid('json')));
      return c.json(viewProvider(provider), isNew ? 201 : 200);
    },
  )

  .get(
    '/tenants/:slug/providers',
    describe({
      summary: 'List the providers',
      security: OPERATOR,
      success: { 200: { description: 'All of them', schema: listOf(providerObject) } },
      refusals: ['tenant_not_found'],
    }),
    async (c) => {
      const { providers } = await servicesOf(c, c.req.param('slug'));
      return c.json({ items: (await providers.list()).map(viewProvider), next: null });
    },
  )

  .get(
    '/tenants/:slug/providers/:name',
    describe({
      summary: 'Read a provider, without its secrets',
      security: OPERATOR,
      success: { 200: { description: 'As it is set', schema: providerObject } },
      refusals: ['tenant_not_found', 'provider_not_found'],
    }),
    async (c) => {
      const { providers } = await servicesOf(c, c.req.param('slug'));
      return c.json(viewProvider(await providers.get(c.req.param('name'))));
    },
  )

  .delete(
    '/tenants/:slug/providers/:name',
    describe({
      summary: 'Remove a provider, and who people are for it',
      security: OPERATOR,
      success: { 204: { description: 'Removed' } },
      refusals: ['tenant_not_found', 'provider_not_found'],
    }),
    async (c) => {
      const { providers } = await servicesOf(c, c.req.param('slug'));
      await providers.remove(c.req.param('name'));
      return c.body(null, 204);
    },
  )

  .put(
    '/tenants/:slug/flows/:name',
    describe({
      summary: 'Define what is done after a form or app has created or changed an account',
      security: OPERATOR,
      success: {
        200: { description: 'Replaced', schema: flowObject },
        201: { description: 'Made', schema: flowObject },
      },
      refusals: ['tenant_not_found'],
    }),
    valid('param', nameParameter),
    valid('json', flowProfile),
    async (c) => {
      const { slug, name } = c.req.valid('param');
      const { flows } = await servicesOf(c, slug);
      const flow = { name, steps: readSteps(c.req.valid('json')) };
      return c.json(viewFlow(flow), (await flows.put(flow)) ? 201 : 200);
    },
  )

  .get(
    '/tenants/:slug/flows',
    describe({
      summary: 'List the flows, the ones that every tenant has among them',
      security: OPERATOR,
      success: { 200: { description: 'All of them', schema: listOf(flowObject) } },
      refusals: ['tenant_not_found'],
    }),
    async (c) => {
      const { flows } = await servicesOf(c, c.req.param('slug'));
      return c.json({ items: (await flows.list()).map(viewFlow), next: null });
    },
  )

  .get(
    '/tenants/:slug/flows/:name',
    describe({
      summary: 'Read a flow',
      security: OPERATOR,
      success: { 200: { description: 'As it is set', schema: flowObject } },
      refusals: ['tenant_not_found', 'flow_not_found'],
    }),
    async (c) => {
      const { flows } = await servicesOf(c, c.req.param('slug'));
      return c.json(viewFlow(await flows.get(c.req.param('name'))));
    },
  )

  .delete(
    '/tenants/:slug/flows/:name',
    describe({
      summary: 'Take the definition of a flow back',
      security: OPERATOR,
      success: { 204: { description: 'Removed' } },
      refusals: ['tenant_not_found', 'flow_not_found'],
    }),
    async (c) => {
      const { flows } = await servicesOf(c, c.req.param('slug'));
      await flows.remove(c.req.param('name'));
      return c.body(null, 204);
    },
  )

  .put(
    '/tenants/:slug/subscriptions/:id',
    describe({
      summary: 'Offer a subscription, or give it another name',
      security: OPERATOR,
      success: {
        200: { description: 'Renamed', schema: subscriptionObject },
        201: { description: 'Offered', schema: subscriptionObject },
      },
      refusals: ['tenant_not_found'],
    }),
    valid('param', subscriptionParameter),
    valid('json', subscriptionBody),
    async (c) => {
      const { slug, id } = c.req.valid('param');
      const { subscriptions } = await servicesOf(c, slug);
      const subscription = { id, name: c.req.valid('json').name };
      return c.json(subscription, (await subscriptions.put(subscription)) ? 201 : 200);
    },
  )

  .get(
    '/tenants/:slug/subscriptions',
    describe({
      summary: 'List what customers can subscribe to, by id',
      security: OPERATOR,
      success: { 200: { description: 'A page', schema: listOf(subscriptionObject) } },
      refusals: ['tenant_not_found'],
    }),
    valid('query', subscriptionQuery),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const { subscriptions } = await servicesOf(c, c.req.param('slug'));
      const found = await subscriptions.list(limit + 1, cursor ?? null);
      return c.json(pageOf(found, limit, (each) => each));
    },
  )

  .get(
    '/tenants/:slug/subscriptions/:id',
    describe({
      summary: 'Read a subscription',
      security: OPERATOR,
      success: { 200: { description: 'The subscription', schema: subscriptionObject } },
      refusals: ['tenant_not_found', 'subscription_not_found'],
    }),
    async (c) => {
      const { subscriptions } = await servicesOf(c, c.req.param('slug'));
      return c.json(await subscriptions.get(c.req.param('id')));
    },
  )

  .delete(
    '/tenants/:slug/subscriptions/:id',
    describe({
      summary: 'Take a subscription back, from customers that have it, too',
      security: OPERATOR,
      success: { 204: { description: 'Taken back' } },
      refusals: ['tenant_not_found', 'subscription_not_found'],
    }),
    async (c) => {
      const { subscriptions } = await servicesOf(c, c.req.param('slug'));
      await subscriptions.remove(c.req.param('id'));
      return c.body(null, 204);
    },
  )

  .post(
    '/tenants/:slug/keys/rotate',
    describe({
      summary: 'Sign with a new key',
      description:
        'The key from before stays published until the last token that it signed has expired. With `retire` it leaves ' +
        'at once, and every token that it signed is dead.',
      security: OPERATOR,
      success: { 201: { description: 'The new key', schema: rotatedKey } },
      refusals: ['tenant_not_found'],
    }),
    valid('json', keyRotation),
    async (c) => {
      const { keyring } = await servicesOf(c, c.req.param('slug'));
      return c.json({ kid: await keyring.rotate({ dropOldKeys: c.req.valid('json').retire }) }, 201);
    },
  )

  .get(
    '/tenants/:slug/customers',
    describe({
      summary: 'List the customers of a tenant, newest first',
      security: OPERATOR,
      success: { 200: { description: 'A page', schema: listOf(customerObject) } },
      refusals: ['tenant_not_found'],
    }),
    valid('query', customerQuery),
    async (c) => {
      const { limit, cursor, q, email, status } = c.req.valid('query');
      const { customers } = await servicesOf(c, c.req.param('slug'));
      const found = await customers.list({
        limit: limit + 1,
        before: cursor ?? null,
        prefix: q ?? null,
        emailKey: email?.key ?? null,
        status: status ?? null,
      });
      return c.json(pageOf(found, limit, viewCustomer));
    },
  )

  .get(
    '/tenants/:slug/customers/:cuid',
    describe({
      summary: 'Read a customer',
      security: OPERATOR,
      success: { 200: { description: 'The customer', schema: customerObject } },
      refusals: ['tenant_not_found', 'customer_not_found'],
    }),
    async (c) => {
      const { customers } = await servicesOf(c, c.req.param('slug'));
      return c.json(viewCustomer(await customers.get(c.req.param('cuid'))));
    },
  )

  .patch(
    '/tenants/:slug/customers/:cuid',
    describe({
      summary: 'Disable a customer or enable it, with or without the API',
      security: OPERATOR,
      success: { 200: { description: 'The customer as it is now', schema: customerObject } },
      refusals: ['tenant_not_found', 'customer_not_found'],
    }),
    valid('json', customerState),
    async (c) => {
      const { customers } = await servicesOf(c, c.req.param('slug'));
      const { status, api_access } = c.req.valid('json');
      const changed = await customers.changeState(c.req.param('cuid'), { status, hasApiAccess: api_access });
      return c.json(viewCustomer(changed));
    },
  )

  .delete(
    '/tenants/:slug/customers/:cuid',
    describe({
      summary: 'Delete a customer for good',
      security: OPERATOR,
      success: { 204: { description: 'Deleted' } },
      refusals: ['tenant_not_found', 'customer_not_found'],
    }),
    async (c) => {
      const { customers } = await servicesOf(c, c.req.param('slug'));
      const { id } = await customers.get(c.req.param('cuid'));
      await customers.remove('operator', id);
      return c.body(null, 204);
    },
  );

const tenantsOf = (c: Context<AppEnv>) => c.var.platform.tenants(originOf(c.req));

/** The services of a tenant that the path names, a disabled one's included. */
const servicesOf = async (c: Context<AppEnv>, slug: string): Promise<TenantServices> => {
  const tenant = await tenantsOf(c).get(slug);
  c.set('tenantId', tenant.id);
  return c.var.platform.servicesOf(tenant, requestContextOf(c));
};

/** A page of a list of which one more than asked for was looked up. */
const pageOf = <Item extends { id: string }, View>(found: Item[], limit: number, view: (item: Item) => View) => {
  const shown = found.slice(0, limit);
  return { items: shown.map(view), next: found.length > limit ? (shown.at(-1)?.id ?? null) : null };
};
