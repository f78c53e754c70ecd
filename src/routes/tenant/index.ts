import { type Context, Hono } from 'hono';
import type { Caller } from '../../domain/admissions.ts';
import type { Edge } from '../../domain/edge.ts';
import type { RunOutcome } from '../../domain/flow-runs.ts';
import { Refusal, refuseFaults } from '../../domain/refusal.ts';
import { type BearerEnv, bearer, readBearer } from '../../middleware/bearer.ts';
import { readAppCredentials } from '../../middleware/credentials.ts';
import { answerWith, commonWire, type WireTable } from '../../middleware/problems.ts';
import { tenantServices } from '../../middleware/tenant.ts';
import { createDescriber } from '../openapi.ts';
import { valid, validInPart } from '../validate.ts';
import { accessToken, anyData, flowQuery, pendingChallenge, profile, providerQuery, upsert } from './schema.ts';
import { readPresented, readUpsert, viewChallenge, viewProfile } from './view.ts';

/** How this surface tells refusals (contract 4): input that is not as it should be is 412 here. */
const wire: WireTable = {
  ...commonWire,
  validation_failed: { ...commonWire.validation_failed, status: 412 },
  mail_refused: {
    ...commonWire.mail_refused,
    message:
      'The mail or text was refused by its provider; nothing was changed, unless a challenge was answered: then what ' +
      'waited for it is stored, the challenge is over, and the flow can be begun again.',
  },
};

const describe = createDescriber('tenant', wire, ['tenant_not_found']);

/** The tenant surface (contract 4): forms and apps of one tenant. */
export const tenantRoutes = new Hono<BearerEnv>()
  .onError(answerWith(wire))
  .use('/:tenantId/*', tenantServices)

  .get(
    '/:tenantId/customer',
    describe({
      summary: 'Read the profile of whoever is signed in',
      security: ['bearer'],
      success: { 200: { description: 'The profile', schema: profile } },
      refusals: ['unauthenticated'],
    }),
    bearer,
    async (c) => {
      const { token, services } = c.var;
      return c.json(viewProfile(await services.tenantAccounts.read(token), token.provider));
    },
  )

  .post(
    '/:tenantId/customer',
    describe({
      summary: 'Create an account or change it, and run a flow',
      description:
        'The account is told by `id`, else by `email`, else by `phone`. Its own access token and an app’s super key ' +
        'change it at once; anybody else gets a challenge to the address or number on file, which is answered by the ' +
        'same call with `{"challenge": {"id", "code"}}`. Where the next code of a flow cannot be sent (`mail_refused`), ' +
        'what was answered before stays stored, and the call that began the flow begins it again. Members that are ' +
        'not known are kept as attributes.',
      security: [],
      success: {
        200: { description: 'The profile as it is now', schema: profile },
        202: { description: 'A challenge that has to be answered first', schema: pendingChallenge },
      },
      refusals: [
        ...(['flow_not_found', 'unauthenticated', 'challenge_failed', 'challenge_over'] as const),
        ...([
          'email_taken',
          'phone_taken',
          'owner_only',
          'sms_unavailable',
          'mail_refused',
          'api_access_denied',
          'missing_key',
          'missing_token',
          'unknown_key',
          'invalid_token',
        ] as const),
      ],
    }),
    valid('query', flowQuery),
    validInPart(upsert),
    async (c) => {
      const { tenantAccounts, challengeAnswers } = c.var.services;
      const { members, faults } = c.req.valid('json');
      const { challenge } = members;
      if (challenge || faults.some(({ path }) => /^challenge\b/.test(path))) refuseFaults(faults);
      if (challenge) return tell(c, await challengeAnswers.answer('change', challenge.id, challenge.code), null);
      const caller = await readCaller(c);
      const flow = c.req.valid('query').flow || null;
      const outcome = await tenantAccounts.upsert(readUpsert(members, faults, flow, edgeOf(c)), caller);
      return tell(c, outcome, caller.kind === 'user' ? caller.token.provider : null);
    },
  )

  .post(
    '/:tenantId/customer/authenticate',
    describe({
      summary: 'Sign in with a provider',
      description:
        'What is sent depends on the provider: `{id_token, nonce?}`, `{code, redirect_uri, code_verifier?}` or ' +
        '`{access_token}`; for `otp` `{email}` or `{phone}`, then `{challenge: {id, code}}`; for `password` ' +
        '`{email, password}`; for one that the tenant asks itself whatever it takes.',
      success: {
        200: { description: 'The access token', schema: accessToken },
        202: { description: 'A challenge that has to be answered first', schema: pendingChallenge },
      },
      refusals: [
        ...(['unknown_provider', 'authentication_failed', 'link_required', 'provider_unavailable'] as const),
        ...(['challenge_failed', 'challenge_over', 'sms_unavailable'] as const),
      ],
    }),
    valid('query', providerQuery),
    valid('json', anyData),
    async (c) => {
      const { authentications } = c.var.services;
      const provider = await authentications.provider(c.req.valid('query').provider);
      const presented = readPresented(provider.provider.type, c.req.valid('json'), edgeOf(c).country);
      if (!presented) throw new Refusal('authentication_failed');
      const outcome = await authentications.authenticate(provider, presented);
      return outcome.kind === 'token' ? c.json(outcome.token) : c.json(viewChallenge(outcome.challenge), 202);
    },
  );

const tell = (c: Context<BearerEnv>, outcome: RunOutcome, provider: string | null) =>
  outcome.kind === 'stored'
    ? c.json(viewProfile(outcome.account, provider))
    : c.json(viewChallenge(outcome.challenge), 202);

/** Credentials that are there must be good: none are passed over in silence. */
const readCaller = async (c: Context<BearerEnv>): Promise<Caller> => {
  const credentials = await readAppCredentials(c, c.var.services.tenant.id);
  if (c.req.header('Authorization') !== undefined) {
    if (credentials) throw new Refusal('malformed_request');
    return { kind: 'user', token: await readBearer(c) };
  }
  return credentials ? { kind: 'app', credentials } : { kind: 'anonymous' };
};

const edgeOf = (c: Context<BearerEnv>): Edge => ({
  country: textOf(c.req.raw.cf?.country),
  timezone: textOf(c.req.raw.cf?.timezone),
  acceptLanguage: c.req.header('Accept-Language') ?? null,
});

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
