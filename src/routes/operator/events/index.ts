import { Hono } from 'hono';
import type { AppEnv } from '../../../env.ts';
import { valid } from '../../validate.ts';
import { describe } from '../documented.ts';
import { listOf, pageOf } from '../lists.ts';
import { servicesOf } from '../services.ts';
import { eventObject, eventQuery } from './schema.ts';
import { viewEvent } from './view.ts';

export const eventRoutes = new Hono<AppEnv>().get(
  '/',
  describe({
    summary: 'Read the audit log of a tenant, newest first',
    description: '`type` is one type or a kind as in `customer.*`; `since` is the moment of the oldest.',
    success: { 200: { description: 'A page', schema: listOf(eventObject) } },
    refusals: ['tenant_not_found'],
  }),
  valid('query', eventQuery),
  async (c) => {
    const { limit, cursor, type, subject, since } = c.req.valid('query');
    const { eventLog } = await servicesOf(c);
    const found = await eventLog.list({
      limit: limit + 1,
      before: cursor ?? null,
      since: since ?? null,
      types: type ?? null,
      subject: subject ?? null,
    });
    return c.json(pageOf(found, limit, viewEvent));
  },
);
