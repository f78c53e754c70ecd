import { Hono } from 'hono';
import type { AppEnv } from '../../../env.ts';
import { valid } from '../../validate.ts';
import { describe } from '../documented.ts';
import { listOf, pageOf } from '../lists.ts';
import { servicesOf } from '../services.ts';
import { subscriptionBody, subscriptionObject, subscriptionParameter, subscriptionQuery } from './schema.ts';

export const subscriptionRoutes = new Hono<AppEnv>()
  .put(
    '/:id',
    describe({
      summary: 'Offer a subscription, or give it another name',
      success: {
        200: { description: 'Renamed', schema: subscriptionObject },
        201: { description: 'Offered', schema: subscriptionObject },
      },
      refusals: ['tenant_not_found'],
    }),
    valid('param', subscriptionParameter),
    valid('json', subscriptionBody),
    async (c) => {
      const { id } = c.req.valid('param');
      const { subscriptions } = await servicesOf(c);
      const subscription = { id, name: c.req.valid('json').name };
      return c.json(subscription, (await subscriptions.put(subscription)) ? 201 : 200);
    },
  )

  .get(
    '/',
    describe({
      summary: 'List what customers can subscribe to, by id',
      success: { 200: { description: 'A page', schema: listOf(subscriptionObject) } },
      refusals: ['tenant_not_found'],
    }),
    valid('query', subscriptionQuery),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const { subscriptions } = await servicesOf(c);
      const found = await subscriptions.list(limit + 1, cursor ?? null);
      return c.json(pageOf(found, limit, (each) => each));
    },
  )

  .get(
    '/:id',
    describe({
      summary: 'Read a subscription',
      success: { 200: { description: 'The subscription', schema: subscriptionObject } },
      refusals: ['tenant_not_found', 'subscription_not_found'],
    }),
    async (c) => {
      const { subscriptions } = await servicesOf(c);
      return c.json(await subscriptions.get(c.req.param('id')));
    },
  )

  .delete(
    '/:id',
    describe({
      summary: 'Take a subscription back, from customers that have it, too',
      success: { 204: { description: 'Taken back' } },
      refusals: ['tenant_not_found', 'subscription_not_found'],
    }),
    async (c) => {
      const { subscriptions } = await servicesOf(c);
      await subscriptions.remove(c.req.param('id'));
      return c.body(null, 204);
    },
  );
