import { type Context, Hono } from 'hono';
import * as z from 'zod';
import type { Actor } from '../../domain/audit.ts';
import type { Customer } from '../../domain/customers.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { appCaller, appOrCustomerCaller, type PartnerEnv } from '../../middleware/credentials.ts';
import { commonWire, problem, refusalOf } from '../../middleware/problems.ts';
import { refuseHead } from '../../middleware/response-headers.ts';
import { createDescriber } from '../openapi.ts';
import { valid } from '../validate.ts';
import {
  credentials,
  customerChanges,
  customerObject,
  idempotencyHeader,
  newCustomer,
  page,
  passcodeQuery,
  passcodeSent,
  platformQuery,
} from './schema.ts';
import { readChanges, readDetails, viewCustomer } from './view.ts';

const describe = createDescriber('partner', commonWire, [
  'tenant_not_found',
  'missing_key',
  'missing_token',
  'unknown_key',
  'invalid_token',
  'query_credentials_refused',
  'api_access_denied',
]);

const APP = ['app', 'appInQuery'] as const;
const APP_OR_CUSTOMER = [...APP, 'customer', 'customerInQuery'] as const;

/** The partner surface (contract 1): an app's back end, and customers with a key pair of their own. */
export const partnerRoutes = new Hono<PartnerEnv>()
  .onError(async (error, c) => problem(c, commonWire, await credentialsFirst(c, refusalOf(error))))

  .post(
    '/',
    describe({
      summary: 'Create a customer',
      description: 'With an `Idempotency-Key`, a repeated request gets the first answer again for 24 hours.',
      security: APP,
      success: {
        201: { description: 'Created', schema: credentials, headers: { Location: 'The path of the customer.' } },
      },
      refusals: ['email_taken', 'idempotency_key_reused', 'mail_refused'],
    }),
    appCaller,
    valid('header', idempotencyHeader),
    valid('json', newCustomer),
    async (c) => {
      const { access, customers } = c.var.services;
      const app = await access.asApp(c.var.credentials);
      const body = c.req.valid('json');
      const key = c.req.valid('header')['idempotency-key'];
      const { id, ...pair } = await customers.create(app, body.email, readDetails(body), {
        sendsActivation: body.send_activation,
        idempotency: key === undefined ? null : { key, request: JSON.stringify(body) },
      });
      return c.json({ cuid: id, ...pair }, 201, { Location: `/customer/${id}` });
    },
  )

  .get(
    '/',
    describe({
      summary: 'List the customers that the app may see, newest first',
      security: APP,
      success: {
        200: {
          description: 'A page',
          schema: z.array(customerObject),
          headers: { Link: 'The next page, as rel="next", when there is one.' },
        },
      },
    }),
    appCaller,
    valid('query', page),
    async (c) => {
      const { limit, cursor, q } = c.req.valid('query');
      const found = await c.var.services.access.asAppToPage(c.var.credentials, {
        // One more than asked for tells whether there is a next page.
        limit: limit + 1,
        before: cursor ?? null,
        prefix: q ?? null,
      });
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      if (found.length > limit && last)
        c.header('Link', nextLink({ limit: String(limit), cursor: last.id, ...(q && { q }) }));
      return c.json(shown.map(viewCustomer));
    },
  )

  .get(
    '/:cuid',
    describe({
      summary: 'Read a customer',
      description: 'A customer reads itself; an app reads the customers that it may see.',
      security: APP_OR_CUSTOMER,
      success: { 200: { description: 'The customer', schema: customerObject } },
      refusals: ['customer_not_found'],
    }),
    appOrCustomerCaller,
    async (c) => {
      const { customer } = await accessTo(c, c.req.param('cuid'));
      return c.json(viewCustomer(customer));
    },
  )

  .patch(
    '/:cuid',
    describe({
      summary: 'Change a customer',
      description: 'Members that are not mentioned stay as they are; null clears one.',
      security: APP_OR_CUSTOMER,
      success: { 200: { description: 'The customer as it is now', schema: customerObject } },
      refusals: ['customer_not_found'],
    }),
    appOrCustomerCaller,
    valid('json', customerChanges),
    async (c) => {
      const { customer, actor } = await accessTo(c, c.req.param('cuid'));
      const changed = await c.var.services.customers.update(actor, customer, readChanges(c.req.valid('json')));
      return c.json(viewCustomer(changed));
    },
  )

  .delete(
    '/:cuid',
    describe({
      summary: 'Delete a customer for good',
      security: APP,
      success: { 204: { description: 'Deleted' } },
      refusals: ['customer_not_found'],
    }),
    appCaller,
    async (c) => {
      const { app, customer } = await c.var.services.access.asAppToId(c.var.credentials, c.req.param('cuid'));
      await c.var.services.customers.remove(`app:${app.appId}`, customer.id);
      return c.body(null, 204);
    },
  )

  .get(
    '/:email/sso',
    describe({
      summary: 'Send a customer, signed in, to a platform of the app',
      security: APP,
      success: {
        302: { description: 'To the platform', headers: { Location: 'Its URL with `code` and `state`.' } },
      },
      refusals: ['customer_not_found', 'unknown_platform'],
    }),
    refuseHead,
    appCaller,
    valid('query', platformQuery),
    async (c) => {
      const { access, sso } = c.var.services;
      const { app, customer } = await access.asAppToEmail(c.var.credentials, c.req.param('email'), 'sso');
      const url = await sso.authorize(app, customer, c.req.valid('query').platform ?? null);
      return c.redirect(url.href, 302);
    },
  )

  .get(
    '/:email/passcode',
    describe({
      summary: 'Mail a passcode to a customer',
      security: APP,
      success: { 200: { description: 'Mailed', schema: passcodeSent } },
      refusals: ['customer_not_found', 'mail_refused'],
    }),
    refuseHead,
    appCaller,
    async (c) => {
      const { access, passcodes } = c.var.services;
      const { app, customer } = await access.asAppToEmail(c.var.credentials, c.req.param('email'), 'passcode');
      await passcodes.send(app, customer);
      return c.json({ message: `We have emailed the passcode to: ${customer.email}` });
    },
  )

  .get(
    '/:identifier/auth',
    describe({
      summary: "Renew a customer's key pair",
      description: 'The identifier is a cuid, or an email address with the passcode that was mailed to it.',
      security: APP,
      success: { 200: { description: 'The pair; the token from before is dead', schema: credentials } },
      refusals: ['customer_not_found', 'invalid_passcode'],
    }),
    refuseHead,
    appCaller,
    valid('query', passcodeQuery),
    async (c) => {
      const { access, apiKeys, passcodes } = c.var.services;
      const identifier = c.req.param('identifier');
      const admitted = access.asAppTo(c.var.credentials, identifier);
      const { id, ...pair } = identifier.includes('@')
        ? await passcodes.redeem(admitted, identifier, c.req.valid('query').passcode)
        : await apiKeys.renew(admitted);
      return c.json({ cuid: id, ...pair });
    },
  )

  .get(
    '/:email/auth/nopasscode',
    describe({
      summary: "Renew a customer's key pair without a passcode",
      security: APP,
      success: { 200: { description: 'The pair; the token from before is dead', schema: credentials } },
      refusals: ['customer_not_found'],
    }),
    refuseHead,
    appCaller,
    async (c) => {
      const { access, apiKeys } = c.var.services;
      const admitted = access.asAppToEmail(c.var.credentials, c.req.param('email'), 'nopasscode');
      const { id, ...pair } = await apiKeys.renew(admitted);
      return c.json({ cuid: id, ...pair });
    },
  );

/**
 * Credentials are proved by the same read that the call makes anyway, and so after its input was validated. To whoever
 * has none that are right, only that is told.
 */
const credentialsFirst = async (c: Context<PartnerEnv>, refusal: Refusal): Promise<Refusal> => {
  if (refusal.code !== 'validation_failed') return refusal;
  const { level, credentials: presented, services } = c.var;
  try {
    if (level === 'app') await services.access.asApp(presented);
    else await services.access.asCustomerTo(presented, c.req.param('cuid') ?? '');
    return refusal;
  } catch (error) {
    return refusalOf(error);
  }
};

/** The customer of the path, for an app that may see it or for itself. */
const accessTo = async (c: Context<PartnerEnv>, cuid: string): Promise<{ customer: Customer; actor: Actor }> => {
  const { level, credentials: presented, services } = c.var;
  if (level === 'app') {
    const { app, customer } = await services.access.asAppToId(presented, cuid);
    return { customer, actor: `app:${app.appId}` };
  }
  const customer = await services.access.asCustomerTo(presented, cuid);
  return { customer, actor: `customer:${customer.id}` };
};

/** Relative, and without the credentials that the request's own query may hold. */
const nextLink = (parameters: Record<string, string>): string =>
  `</customer?${new URLSearchParams(parameters)}>; rel="next"`;
