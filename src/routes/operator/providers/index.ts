import { Hono } from 'hono';
import type { AppEnv } from '../../../env.ts';
import { valid } from '../../validate.ts';
import { describe } from '../documented.ts';
import { listOf, nameQuery, pageOfNamed } from '../lists.ts';
import { nameParameter } from '../names.ts';
import { servicesOf } from '../services.ts';
import { providerObject, providerProfile } from './schema.ts';
import { readProvider, viewProvider } from './view.ts';

export const providerRoutes = new Hono<AppEnv>()
  .put(
    '/:name',
    describe({
      summary: 'Let people sign in with a provider, or replace what is said of it',
      description:
        'The names google, apple, line, microsoft, facebook, otp and password are for providers of the same `type`. ' +
        'Who people are for it is kept while its `type`, `issuer`, `app_id`, `url` and subject claim stay what they are; ' +
        'with another of these, also with the usual `issuer` named or left out, it is another provider, which knows nobody.',
      success: {
        200: { description: 'Replaced', schema: providerObject },
        201: { description: 'Made', schema: providerObject },
      },
      refusals: ['tenant_not_found'],
    }),
    valid('param', nameParameter),
    valid('json', providerProfile),
    async (c) => {
      const { name } = c.req.valid('param');
      const { providers } = await servicesOf(c);
      const { provider, isNew } = await providers.put(name, readProvider(c.req.valid('json')));
      return c.json(viewProvider(provider), isNew ? 201 : 200);
    },
  )

  .get(
    '/',
    describe({
      summary: 'List the providers',
      success: { 200: { description: 'A page, by name', schema: listOf(providerObject) } },
      refusals: ['tenant_not_found'],
    }),
    valid('query', nameQuery),
    async (c) => {
      const { providers } = await servicesOf(c);
      return c.json(pageOfNamed(await providers.list(), c.req.valid('query'), viewProvider));
    },
  )

  .get(
    '/:name',
    describe({
      summary: 'Read a provider, without its secrets',
      success: { 200: { description: 'As it is set', schema: providerObject } },
      refusals: ['tenant_not_found', 'provider_not_found'],
    }),
    async (c) => {
      const { providers } = await servicesOf(c);
      return c.json(viewProvider(await providers.get(c.req.param('name'))));
    },
  )

  .delete(
    '/:name',
    describe({
      summary: 'Remove a provider, and who people are for it',
      success: { 204: { description: 'Removed' } },
      refusals: ['tenant_not_found', 'provider_not_found'],
    }),
    async (c) => {
      const { providers } = await servicesOf(c);
      await providers.remove(c.req.param('name'));
      return c.body(null, 204);
    },
  );
