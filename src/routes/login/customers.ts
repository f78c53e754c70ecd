import { Hono } from 'hono';
import * as z from 'zod';
import { PHONE_TYPES } from '../../domain/phones.ts';
import { Refusal } from '../../domain/refusal.ts';
import { type BearerEnv, bearer } from '../../middleware/bearer.ts';
import { commonWire } from '../../middleware/problems.ts';
import { createDescriber } from '../openapi.ts';
import { valid } from '../validate.ts';
import {
  emailQuestion,
  newUser,
  phoneTypes,
  self,
  selfQuery,
  signedUp,
  signup,
  userChanges,
  userObject,
  userPage,
} from './customers-schema.ts';
import {
  readPerson,
  readSignup,
  readUserChanges,
  viewCustomer,
  viewUser,
  viewUserWithSecrets,
} from './customers-view.ts';

const describe = createDescriber('login', commonWire, ['tenant_not_found']);

const BEARER = ['bearer'] as const;

/** The part of the login surface (contract 2) that is about who somebody is: signup, self, and a customer's users. */
export const loginCustomerRoutes = new Hono<BearerEnv>()
  .post(
    '/customers/email',
    describe({
      summary: 'Ask whether an email address is registered',
      success: { 200: { description: 'A user or a customer has it' } },
      refusals: ['customer_not_found'],
    }),
    valid('json', emailQuestion),
    async (c) => {
      if (await c.var.services.signups.isKnown(c.req.valid('json').email_address)) return c.body(null, 200);
      throw new Refusal('customer_not_found');
    },
  )

  .post(
    '/signup',
    describe({
      summary: 'Sign up as a customer, with its owner',
      description: 'The owner is mailed a link to activate the account. When that mail is refused nothing is stored.',
      success: { 200: { description: 'Signed up', schema: signedUp } },
      refusals: ['email_taken', 'mail_refused'],
    }),
    valid('json', signup),
    async (c) => c.json({ customer_id: await c.var.services.signups.signUp(readSignup(c.req.valid('json'))) }),
  )

  .get(
    '/phone_types',
    describe({
      summary: 'List the phone types',
      success: { 200: { description: 'All of them; their ids are stable', schema: phoneTypes } },
    }),
    (c) => c.json(PHONE_TYPES),
  )

  .get(
    '/self',
    describe({
      summary: 'Read the customer and the user who is signed in',
      description:
        'With `include=aws_secrets`, what is secret of `aws_user` is told, too, for 15 minutes after a sign-in.',
      security: BEARER,
      success: { 200: { description: 'Both', schema: self } },
      refusals: ['unauthenticated', 'reauthentication_required'],
    }),
    bearer,
    valid('query', selfQuery),
    async (c) => {
      const { profiles } = c.var.services;
      const now = c.var.platform.now();
      if (c.req.valid('query').include === undefined) {
        const profile = await profiles.find(c.var.token);
        return c.json({ customer: viewCustomer(profile), user: viewUser(profile, now) });
      }
      const { profile, secrets } = await profiles.findWithSecrets(c.var.token);
      return c.json({ customer: viewCustomer(profile), user: viewUserWithSecrets(profile, secrets, now) });
    },
  )

  .get(
    '/users',
    describe({
      summary: "List the customer's users, newest first",
      security: BEARER,
      success: {
        200: {
          description: 'A page',
          schema: z.array(userObject),
          headers: { Link: 'The next page, as rel="next", when there is one.' },
        },
      },
      refusals: ['unauthenticated'],
    }),
    bearer,
    valid('query', userPage),
    async (c) => {
      const { limit, cursor } = c.req.valid('query');
      // One more than asked for tells whether there is a next page.
      const page = { limit: limit + 1, before: cursor ?? null };
      const found = await c.var.services.members.list(c.var.token, page);
      const shown = found.slice(0, limit);
      const last = shown.at(-1);
      if (found.length > limit && last) c.header('Link', nextLink(limit, last.user.id));
      return c.json(shown.map((member) => viewUser(member, c.var.platform.now())));
    },
  )

  .post(
    '/users',
    describe({
      summary: 'Add a user to the customer',
      description: 'For its owner. The user is mailed a link to activate the account.',
      security: BEARER,
      success: {
        201: { description: 'Added', schema: userObject, headers: { Location: 'The path of the user.' } },
      },
      refusals: ['unauthenticated', 'owner_only', 'email_taken', 'mail_refused'],
    }),
    bearer,
    valid('json', newUser),
    async (c) => {
      const member = await c.var.services.members.add(c.var.token, readPerson(c.req.valid('json')));
      const user = viewUser(member, c.var.platform.now());
      return c.json(user, 201, { Location: `/v1/auth/users/${user.id}` });
    },
  )

  .get(
    '/users/:id',
    describe({
      summary: "Read one of the customer's users",
      security: BEARER,
      success: { 200: { description: 'The user', schema: userObject } },
      refusals: ['unauthenticated', 'user_not_found'],
    }),
    bearer,
    async (c) => {
      const member = await c.var.services.members.find(c.var.token, c.req.param('id'));
      return c.json(viewUser(member, c.var.platform.now()));
    },
  )

  .patch(
    '/users/:id',
    describe({
      summary: "Change one of the customer's users",
      description:
        'For its owner. Members that are not mentioned stay as they are. A new `user_name` is pending until the link ' +
        'that is mailed to it is followed.',
      security: BEARER,
      success: { 200: { description: 'The user as it is now', schema: userObject } },
      refusals: ['unauthenticated', 'owner_only', 'user_not_found', 'mail_refused'],
    }),
    bearer,
    valid('json', userChanges),
    async (c) => {
      const { members } = c.var.services;
      const member = await members.change(c.var.token, c.req.param('id'), readUserChanges(c.req.valid('json')));
      return c.json(viewUser(member, c.var.platform.now()));
    },
  )

  .delete(
    '/users/:id',
    describe({
      summary: "Remove one of the customer's users for good",
      description: 'For its owner, who cannot be removed but with the whole account.',
      security: BEARER,
      success: { 204: { description: 'Removed' } },
      refusals: ['unauthenticated', 'owner_only', 'user_not_found', 'owner_required'],
    }),
    bearer,
    async (c) => {
      await c.var.services.members.remove(c.var.token, c.req.param('id'));
      return c.body(null, 204);
    },
  );

const nextLink = (limit: number, cursor: string): string =>
  `</v1/auth/users?${new URLSearchParams({ limit: String(limit), cursor })}>; rel="next"`;
