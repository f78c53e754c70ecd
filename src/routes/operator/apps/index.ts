import { Hono } from 'hono';
import type { AppEnv } from '../../../env.ts';
import { valid, validIfSent } from '../../validate.ts';
import { describe } from '../documented.ts';
import { listOf, listQuery, pageOf } from '../lists.ts';
import { servicesOf } from '../services.ts';
import { appChanges, appObject, newApp, rotation, superCredentials } from './schema.ts';
import { readApp, readAppChanges, viewApp, viewSuperCredentials } from './view.ts';

export const appRoutes = new Hono<AppEnv>()
  .post(
    '/',
    describe({
      summary: 'Register an app',
      description: 'The super token is told here and never again.',
      success: { 201: { description: 'Registered', schema: superCredentials } },
      refusals: ['tenant_not_found'],
    }),
    valid('json', newApp),
    async (c) => {
      const { apps } = await servicesOf(c);
      return c.json(viewSuperCredentials(await apps.register(readApp(c.req.valid('json')))), 201);
    },
  )

  .get(
    '/',
    describe({
      summary: 'List the apps of a tenant, newest first',
      success: { 200: { description: 'A page', schema: listOf(appObject) } },
      refusals: ['tenant_not_found'],
    }),
    valid('query', listQuery('app')),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const { apps } = await servicesOf(c);
      return c.json(pageOf(await apps.list(limit + 1, cursor ?? null), limit, viewApp));
    },
  )

  .patch(
    '/:id',
    describe({
      summary: 'Change an app',
      success: { 200: { description: 'The app as it is now', schema: appObject } },
      refusals: ['tenant_not_found', 'app_not_found'],
    }),
    valid('json', appChanges),
    async (c) => {
      const { apps } = await servicesOf(c);
      return c.json(viewApp(await apps.change(c.req.param('id'), readAppChanges(c.req.valid('json')))));
    },
  )

  .delete(
    '/:id',
    describe({
      summary: 'Remove an app',
      description: 'The customers that it created stay; the key pairs that they had with it are gone.',
      success: { 204: { description: 'Removed' } },
      refusals: ['tenant_not_found', 'app_not_found'],
    }),
    async (c) => {
      const { apps } = await servicesOf(c);
      await apps.remove(c.req.param('id'));
      return c.body(null, 204);
    },
  )

  .post(
    '/:id/rotate',
    describe({
      summary: 'Give an app a new pair',
      description: 'The pairs from before stay valid for `overlap` seconds.',
      success: { 201: { description: 'The new pair', schema: superCredentials } },
      refusals: ['tenant_not_found', 'app_not_found'],
    }),
    validIfSent(rotation),
    async (c) => {
      const { apps } = await servicesOf(c);
      return c.json(viewSuperCredentials(await apps.rotate(c.req.param('id'), c.req.valid('json').overlap)), 201);
    },
  );
