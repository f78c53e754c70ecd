import { Hono } from 'hono';
import type { AppEnv } from '../../../env.ts';
import { valid } from '../../validate.ts';
import { describe } from '../documented.ts';
import { listOf, nameQuery, pageOfNamed } from '../lists.ts';
import { nameParameter } from '../names.ts';
import { servicesOf } from '../services.ts';
import { connectionObject, connectionProfile } from './schema.ts';
import { readConnection, viewConnection } from './view.ts';

export const connectionRoutes = new Hono<AppEnv>()
  .put(
    '/:name',
    describe({
      summary: 'Connect a company’s identity provider, or replace what is said of it',
      description:
        'Whoever has an address of its domains signs in there. For SAML either `metadata_xml`, or `entity_id`, ' +
        '`sso_url` and `certificates` are needed. With another `type`, `issuer` or `entity_id` it is another provider, ' +
        'which knows nobody.',
      success: {
        200: { description: 'Replaced', schema: connectionObject },
        201: { description: 'Connected', schema: connectionObject },
      },
      refusals: ['tenant_not_found', 'domain_taken'],
    }),
    valid('param', nameParameter),
    valid('json', connectionProfile),
    async (c) => {
      const { name } = c.req.valid('param');
      const { connections } = await servicesOf(c);
      const { connection, isNew } = await connections.put(name, readConnection(c.req.valid('json')));
      return c.json(viewConnection(connection), isNew ? 201 : 200);
    },
  )

  .get(
    '/',
    describe({
      summary: 'List the connections',
      success: { 200: { description: 'A page, by name', schema: listOf(connectionObject) } },
      refusals: ['tenant_not_found'],
    }),
    valid('query', nameQuery),
    async (c) => {
      const { connections } = await servicesOf(c);
      return c.json(pageOfNamed(await connections.list(), c.req.valid('query'), viewConnection));
    },
  )

  .get(
    '/:name',
    describe({
      summary: 'Read a connection',
      success: { 200: { description: 'The connection, without secrets', schema: connectionObject } },
      refusals: ['tenant_not_found', 'connection_not_found'],
    }),
    async (c) => {
      const { connections } = await servicesOf(c);
      return c.json(viewConnection(await connections.get(c.req.param('name'))));
    },
  )

  .delete(
    '/:name',
    describe({
      summary: 'Remove a connection, and who its users are for the provider',
      success: { 204: { description: 'Removed' } },
      refusals: ['tenant_not_found', 'connection_not_found'],
    }),
    async (c) => {
      const { connections } = await servicesOf(c);
      await connections.remove(c.req.param('name'));
      return c.body(null, 204);
    },
  );
