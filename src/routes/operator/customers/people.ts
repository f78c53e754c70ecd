import { Hono } from 'hono';
import type { AppEnv } from '../../../env.ts';
import { valid, validIfSent } from '../../validate.ts';
import { describe } from '../documented.ts';
import { listOf, listQuery, pageOf } from '../lists.ts';
import { nothing } from '../nothing.ts';
import { servicesOf } from '../services.ts';
import { sessionObject, userObject } from './people-schema.ts';
import { viewSession, viewUser } from './people-view.ts';

/** Help for the people of a customer, which needs no signing in as one of them. */
export const peopleRoutes = new Hono<AppEnv>()
  .get(
    '/:cuid/users',
    describe({
      summary: 'List the users of a customer, newest first',
      success: { 200: { description: 'A page', schema: listOf(userObject) } },
      refusals: ['tenant_not_found', 'customer_not_found'],
    }),
    valid('query', listQuery('usr')),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const { support } = await servicesOf(c);
      const found = await support.listUsers(c.req.param('cuid'), { limit: limit + 1, before: cursor ?? null });
      const now = c.var.platform.now();
      return c.json(pageOf(found, limit, (user) => viewUser(user, now)));
    },
  )

  .post(
    '/:cuid/users/:id/activation',
    describe({
      summary: 'Mail a user its activation again',
      description: 'The link from before is dead then.',
      success: { 202: { description: 'Mailed', schema: nothing } },
      refusals: [
        ...(['tenant_not_found', 'customer_not_found', 'user_not_found', 'already_activated'] as const),
        ...(['no_email_address', 'mail_refused'] as const),
      ],
    }),
    validIfSent(nothing),
    async (c) => {
      const { support } = await servicesOf(c);
      await support.resendActivation(c.req.param('cuid'), c.req.param('id'));
      return c.json({}, 202);
    },
  )

  .get(
    '/:cuid/sessions',
    describe({
      summary: 'List the sessions of a customer’s users',
      success: { 200: { description: 'Those that live, newest first', schema: listOf(sessionObject) } },
      refusals: ['tenant_not_found', 'customer_not_found'],
    }),
    valid('query', listQuery('ses')),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      const { support } = await servicesOf(c);
      const found = await support.listSessions(c.req.param('cuid'), { limit: limit + 1, before: cursor ?? null });
      return c.json(pageOf(found, limit, viewSession));
    },
  )

  .delete(
    '/:cuid/sessions/:id',
    describe({
      summary: 'End a session',
      success: { 204: { description: 'Ended' } },
      refusals: ['tenant_not_found', 'customer_not_found', 'session_not_found'],
    }),
    async (c) => {
      const { support } = await servicesOf(c);
      await support.endSession(c.req.param('cuid'), c.req.param('id'));
      return c.body(null, 204);
    },
  )

  .delete(
    '/:cuid/sessions',
    describe({
      summary: 'Sign all users of a customer out, everywhere',
      description: 'Access tokens that belong to no session are dead then, too.',
      success: { 204: { description: 'Signed out' } },
      refusals: ['tenant_not_found', 'customer_not_found'],
    }),
    async (c) => {
      const { support } = await servicesOf(c);
      await support.endAllSessions(c.req.param('cuid'));
      return c.body(null, 204);
    },
  );
