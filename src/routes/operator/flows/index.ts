import { Hono } from 'hono';
import type { AppEnv } from '../../../env.ts';
import { valid } from '../../validate.ts';
import { describe } from '../documented.ts';
import { listOf, nameQuery, pageOfNamed } from '../lists.ts';
import { nameParameter } from '../names.ts';
import { servicesOf } from '../services.ts';
import { flowObject, flowProfile } from './schema.ts';
import { readSteps, viewFlow } from './view.ts';

export const flowRoutes = new Hono<AppEnv>()
  .put(
    '/:name',
    describe({
      summary: 'Define what is done after a form or app has created or changed an account',
      success: {
        200: { description: 'Replaced', schema: flowObject },
        201: { description: 'Made', schema: flowObject },
      },
      refusals: ['tenant_not_found'],
    }),
    valid('param', nameParameter),
    valid('json', flowProfile),
    async (c) => {
      const { name } = c.req.valid('param');
      const { flows } = await servicesOf(c);
      const flow = { name, steps: readSteps(c.req.valid('json')) };
      return c.json(viewFlow(flow), (await flows.put(flow)) ? 201 : 200);
    },
  )

  .get(
    '/',
    describe({
      summary: 'List the flows, the ones that every tenant has among them',
      success: { 200: { description: 'A page, by name', schema: listOf(flowObject) } },
      refusals: ['tenant_not_found'],
    }),
    valid('query', nameQuery),
    async (c) => {
      const { flows } = await servicesOf(c);
      return c.json(pageOfNamed(await flows.list(), c.req.valid('query'), viewFlow));
    },
  )

  .get(
    '/:name',
    describe({
      summary: 'Read a flow',
      success: { 200: { description: 'As it is set', schema: flowObject } },
      refusals: ['tenant_not_found', 'flow_not_found'],
    }),
    async (c) => {
      const { flows } = await servicesOf(c);
      return c.json(viewFlow(await flows.get(c.req.param('name'))));
    },
  )

  .delete(
    '/:name',
    describe({
      summary: 'Take the definition of a flow back',
      success: { 204: { description: 'Removed' } },
      refusals: ['tenant_not_found', 'flow_not_found'],
    }),
    async (c) => {
      const { flows } = await servicesOf(c);
      await flows.remove(c.req.param('name'));
      return c.body(null, 204);
    },
  );
