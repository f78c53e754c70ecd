import { Hono } from 'hono';
import type { AppEnv } from '../../../env.ts';
import { valid } from '../../validate.ts';
import { describe } from '../documented.ts';
import { listOf, pageOf } from '../lists.ts';
import { servicesOf } from '../services.ts';
import { peopleRoutes } from './people.ts';
import { customerObject, customerQuery, customerState } from './schema.ts';
import { viewCustomer } from './view.ts';

export const customerRoutes = new Hono<AppEnv>()
  .route('/', peopleRoutes)

  .get(
    '/',
    describe({
      summary: 'List the customers of a tenant, newest first',
      description:
        'By `q` those whose address, company or name begins so; by `email` who has this address, or has a user who has it.',
      success: { 200: { description: 'A page', schema: listOf(customerObject) } },
      refusals: ['tenant_not_found'],
    }),
    valid('query', customerQuery),
    async (c) => {
      const { limit, cursor, q, email, status } = c.req.valid('query');
      const { customers } = await servicesOf(c);
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
    '/:cuid',
    describe({
      summary: 'Read a customer',
      success: { 200: { description: 'The customer', schema: customerObject } },
      refusals: ['tenant_not_found', 'customer_not_found'],
    }),
    async (c) => {
      const { customers } = await servicesOf(c);
      return c.json(viewCustomer(await customers.get(c.req.param('cuid'))));
    },
  )

  .patch(
    '/:cuid',
    describe({
      summary: 'Disable a customer or enable it, with or without the API',
      success: { 200: { description: 'The customer as it is now', schema: customerObject } },
      refusals: ['tenant_not_found', 'customer_not_found'],
    }),
    valid('json', customerState),
    async (c) => {
      const { customers } = await servicesOf(c);
      const { status, api_access } = c.req.valid('json');
      const changed = await customers.changeState(c.req.param('cuid'), { status, hasApiAccess: api_access });
      return c.json(viewCustomer(changed));
    },
  )

  .delete(
    '/:cuid',
    describe({
      summary: 'Delete a customer for good',
      success: { 204: { description: 'Deleted' } },
      refusals: ['tenant_not_found', 'customer_not_found'],
    }),
    async (c) => {
      const { customers } = await servicesOf(c);
      await customers.remove('operator', c.req.param('cuid'));
      return c.body(null, 204);
    },
  );
