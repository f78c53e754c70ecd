import { Hono } from 'hono';
import type { AppEnv } from '../../../env.ts';
import { valid, validIfSent } from '../../validate.ts';
import { describe } from '../documented.ts';
import { listOf, nameQuery, pageOf, pageOfNamed } from '../lists.ts';
import { nameParameter } from '../names.ts';
import { nothing } from '../nothing.ts';
import { servicesOf } from '../services.ts';
import { deliveryObject, deliveryQuery, trialObject, webhookObject, webhookProfile } from './schema.ts';
import { readWebhook, viewDelivery, viewToldWebhook, viewTrial, viewWebhook } from './view.ts';

export const webhookRoutes = new Hono<AppEnv>()
  .put(
    '/:name',
    describe({
      summary: 'Have a URL told of events, or replace what is said of it',
      description:
        'Messages follow the Standard Webhooks specification: each event is told at least once, in no promised order. ' +
        'Without a `secret`, one is made, and told here and never again. Another secret than before: the old one goes ' +
        'on signing beside it for 24 hours.',
      success: {
        200: { description: 'Replaced', schema: webhookObject },
        201: { description: 'Made', schema: webhookObject },
      },
      refusals: ['tenant_not_found'],
    }),
    valid('param', nameParameter),
    valid('json', webhookProfile),
    async (c) => {
      const { name } = c.req.valid('param');
      const { webhooks } = await servicesOf(c);
      const { isNew, ...told } = await webhooks.put(name, readWebhook(c.req.valid('json')));
      return c.json(viewToldWebhook(told), isNew ? 201 : 200);
    },
  )

  .get(
    '/',
    describe({
      summary: 'List the webhooks',
      success: { 200: { description: 'A page, by name', schema: listOf(webhookObject) } },
      refusals: ['tenant_not_found'],
    }),
    valid('query', nameQuery),
    async (c) => {
      const { webhooks } = await servicesOf(c);
      return c.json(pageOfNamed(await webhooks.list(), c.req.valid('query'), viewWebhook));
    },
  )

  .get(
    '/:name',
    describe({
      summary: 'Read a webhook, without its secret',
      success: { 200: { description: 'The webhook', schema: webhookObject } },
      refusals: ['tenant_not_found', 'webhook_not_found'],
    }),
    async (c) => {
      const { webhooks } = await servicesOf(c);
      return c.json(viewWebhook(await webhooks.get(c.req.param('name'))));
    },
  )

  .delete(
    '/:name',
    describe({
      summary: 'Remove a webhook, and what it was or is to be told of',
      success: { 204: { description: 'Removed' } },
      refusals: ['tenant_not_found', 'webhook_not_found'],
    }),
    async (c) => {
      const { webhooks } = await servicesOf(c);
      await webhooks.remove(c.req.param('name'));
      return c.body(null, 204);
    },
  )

  .post(
    '/:name/rotate',
    describe({
      summary: 'Give a webhook a new secret',
      description: 'It is told here and never again. The one from before goes on signing beside it for 24 hours.',
      success: { 201: { description: 'The webhook with its new secret', schema: webhookObject } },
      refusals: ['tenant_not_found', 'webhook_not_found'],
    }),
    validIfSent(nothing),
    async (c) => {
      const { webhooks } = await servicesOf(c);
      return c.json(viewToldWebhook(await webhooks.rotate(c.req.param('name'))), 201);
    },
  )

  .post(
    '/:name/test',
    describe({
      summary: 'Send a webhook a message of the type `webhook.test` at once',
      description: 'Once, and even if it is disabled. `error` tells why no answer came, or why it does not count.',
      success: { 200: { description: 'What came of it', schema: trialObject } },
      refusals: ['tenant_not_found', 'webhook_not_found'],
    }),
    validIfSent(nothing),
    async (c) => {
      const { webhooks } = await servicesOf(c);
      return c.json(viewTrial(await webhooks.test(c.req.param('name'))));
    },
  )

  .get(
    '/:name/deliveries',
    describe({
      summary: 'List what a webhook was or is to be told of, newest first',
      description:
        'Those that have failed are not tried again by themselves, but can be redelivered. What a disabled webhook is to ' +
        'be told of waits until it is enabled.',
      success: { 200: { description: 'A page', schema: listOf(deliveryObject) } },
      refusals: ['tenant_not_found', 'webhook_not_found'],
    }),
    valid('query', deliveryQuery),
    async (c) => {
      const { limit, cursor, status } = c.req.valid('query');
      const { deliveries } = await servicesOf(c);
      const query = { webhook: c.req.param('name'), status: status ?? null, before: cursor ?? null };
      return c.json(pageOf(await deliveries.list({ ...query, limit: limit + 1 }), limit, viewDelivery));
    },
  )

  .post(
    '/:name/deliveries/:id/redeliver',
    describe({
      summary: 'Tell a webhook of an event again, whatever came of it before',
      success: { 202: { description: 'The delivery, pending again', schema: deliveryObject } },
      refusals: ['tenant_not_found', 'webhook_not_found', 'delivery_not_found'],
    }),
    validIfSent(nothing),
    async (c) => {
      const { name, id } = c.req.param();
      const { deliveries } = await servicesOf(c);
      return c.json(viewDelivery(await deliveries.redeliver(name, id)), 202);
    },
  );
