import { Hono } from 'hono';
import { type BearerEnv, bearer } from '../../middleware/bearer.ts';
import { answerWith, commonWire } from '../../middleware/problems.ts';
import { tenantServices } from '../../middleware/tenant.ts';
import { createDescriber } from '../openapi.ts';
import { valid } from '../validate.ts';
import {
  accountChanges,
  accountExport,
  activation,
  credentials,
  customerResponse,
  emailConfirmation,
  ifMatchHeader,
  reset,
  resetRequest,
  result,
  tokenAnswer,
} from './schema.ts';
import { etagOf, readChanges, readIfMatch, viewAccount, viewExport } from './view.ts';

const describe = createDescriber('account', commonWire, ['tenant_not_found']);

const BEARER = ['bearer'] as const;
const ETAG = { ETag: 'The version of the account, for If-Match.' };

/** The account surface (contract 3): what people see and do of their own account, with a password. */
export const accountRoutes = new Hono<BearerEnv>()
  .onError(answerWith(commonWire))
  .use(tenantServices)

  .post(
    '/login',
    describe({
      summary: 'Sign in with email address and password',
      success: { 200: { description: 'An access token', schema: tokenAnswer } },
      refusals: ['invalid_credentials'],
    }),
    valid('json', credentials),
    async (c) => {
      const { email, password } = c.req.valid('json');
      return c.json({ token: await c.var.services.signIns.signIn(email, password) });
    },
  )

  .get(
    '/self',
    describe({
      summary: 'Read the account',
      security: BEARER,
      success: { 200: { description: 'The account', schema: customerResponse, headers: ETAG } },
      refusals: ['unauthenticated'],
    }),
    bearer,
    async (c) => {
      const account = await c.var.services.accounts.read(c.var.token);
      return c.json(viewAccount(account, c.var.platform.now()), 200, { ETag: etagOf(account) });
    },
  )

  .patch(
    '/self',
    describe({
      summary: 'Change the account',
      description:
        'Members that are not mentioned stay as they are; null clears one. A new email address is pending until it is ' +
        'confirmed. A new password ends every token, the one of this call included.',
      security: BEARER,
      success: { 200: { description: 'The account as it is now', schema: customerResponse, headers: ETAG } },
      refusals: ['unauthenticated', 'owner_only', 'weak_password', 'precondition_failed', 'mail_refused'],
    }),
    bearer,
    valid('header', ifMatchHeader),
    valid('json', accountChanges),
    async (c) => {
      const version = readIfMatch(c.req.valid('header')['if-match']);
      const account = await c.var.services.accounts.change(c.var.token, readChanges(c.req.valid('json')), version);
      return c.json(viewAccount(account, c.var.platform.now()), 200, { ETag: etagOf(account) });
    },
  )

  .delete(
    '/self',
    describe({
      summary: 'Delete the account for good',
      security: BEARER,
      success: { 200: { description: 'Deleted', schema: result('deleted') } },
      refusals: ['unauthenticated', 'owner_only'],
    }),
    bearer,
    async (c) => {
      await c.var.services.accounts.remove(c.var.token);
      return c.json({ result: 'deleted' });
    },
  )

  .get(
    '/self/export',
    describe({
      summary: 'Everything that is held about the customer',
      security: BEARER,
      success: { 200: { description: 'All of it, but for secrets', schema: accountExport } },
      refusals: ['unauthenticated', 'owner_only'],
    }),
    bearer,
    async (c) => c.json(viewExport(await c.var.services.accounts.export(c.var.token))),
  )

  .post(
    '/newemail_confirm',
    describe({
      summary: 'Confirm a new email address with the mailed key',
      success: { 200: { description: 'It is the address now', schema: result('updated') } },
      refusals: ['invalid_or_expired_code', 'email_taken'],
    }),
    valid('json', emailConfirmation),
    async (c) => {
      const { identifier, key } = c.req.valid('json');
      await c.var.services.emailChanges.confirm(identifier, key);
      return c.json({ result: 'updated' });
    },
  )

  .post(
    '/password_reset',
    describe({
      summary: 'Have a reset code mailed',
      description: 'The answer is the same whether the address is known or not.',
      success: { 200: { description: 'Mailed, if somebody has the address', schema: result('email_sent') } },
    }),
    valid('json', resetRequest),
    async (c) => {
      const { email, reset_uri } = c.req.valid('json');
      await c.var.services.passwordResets.send(email, reset_uri);
      return c.json({ result: 'email_sent' });
    },
  )

  .post(
    '/do_reset',
    describe({
      summary: 'Trade a reset code for a new password',
      description:
        'The token is a JWT, signed with the submitted code (HS256), whose payload tells the new `passphrase`. With ' +
        '`password` and `password_check` that password is set instead.',
      success: {
        200: { description: 'The token, or that the password was set', schema: tokenAnswer.or(result('updated')) },
      },
      refusals: ['invalid_or_expired_code', 'weak_password'],
    }),
    valid('json', reset),
    async (c) => {
      const { email, code, password } = c.req.valid('json');
      const { passwordResets } = c.var.services;
      if (password === undefined) return c.json({ token: await passwordResets.resetToPassphrase(email, code) });
      await passwordResets.resetTo(email, code, password);
      return c.json({ result: 'updated' });
    },
  )

  .post(
    '/activate',
    describe({
      summary: 'Activate an account and choose its password',
      success: { 200: { description: 'Activated', schema: result('activated') } },
      refusals: ['invalid_or_expired_code', 'weak_password'],
    }),
    valid('json', activation),
    async (c) => {
      const { identifier, secret, password } = c.req.valid('json');
      await c.var.services.activations.activate(identifier, secret, password);
      return c.json({ result: 'activated' });
    },
  );
