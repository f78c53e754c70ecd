import { type Context, Hono } from 'hono';
import { Refusal } from '../../domain/refusal.ts';
import type { SignedIn } from '../../domain/sessions.ts';
import { type BearerEnv, bearer } from '../../middleware/bearer.ts';
import {
  clearRefreshToken,
  cookiesOfOwnSite,
  readBrowser,
  readRefreshToken,
  setBrowser,
  setRefreshToken,
} from '../../middleware/cookies.ts';
import { answerWith, commonWire } from '../../middleware/problems.ts';
import { tenantServices } from '../../middleware/tenant.ts';
import { createDescriber } from '../openapi.ts';
import { valid } from '../validate.ts';
import { loginCustomerRoutes } from './customers.ts';
import {
  loggedOut,
  loginRequest,
  loginStarted,
  metadataQuery,
  presentedCode,
  presentedRefreshToken,
  sessionList,
  signedIn,
} from './schema.ts';
import { viewSession, viewSignedIn } from './view.ts';

const describe = createDescriber('login', commonWire, ['tenant_not_found', 'forbidden_origin']);

const SAML_METADATA = 'application/samlmetadata+xml';
const BEARER = ['bearer'] as const;
const COOKIE = { 'Set-Cookie': '`__Host-refresh`, the refresh token, for browsers.' };

/** The login surface (contract 2): sessions of people who sign in by a mailed code or at their company. */
export const loginRoutes = new Hono<BearerEnv>()
  .onError(answerWith(commonWire))
  .use(tenantServices)
  .route('/', loginCustomerRoutes)
  // What follows is authenticated by cookies, or sets some.
  .use(cookiesOfOwnSite)

  .post(
    '/startlogin',
    describe({
      summary: 'Begin a sign-in',
      description:
        'Mails a code, or names the identity provider of the address’s company. The answer for an unknown address is ' +
        'the same. The state is good for ten minutes, once, and in the browser that has asked for it.',
      success: {
        200: {
          description: 'Where the sign-in goes on',
          schema: loginStarted,
          headers: { 'Set-Cookie': '`__Host-login`, which browser it is.' },
        },
      },
      refusals: ['identity_provider_failed'],
    }),
    valid('json', loginRequest),
    async (c) => {
      const { email, redirect_uri: redirectUri = null } = c.req.valid('json');
      const request = { email, redirectUri, browser: readBrowser(c) };
      const { state, url, hasIdp, browser } = await c.var.services.logins.start(request);
      setBrowser(c, browser);
      return c.json({ idp_url: url, has_idp: hasIdp, state });
    },
  )

  .post(
    '/login',
    describe({
      summary: 'Trade a code for a session',
      description: 'The code is the mailed one, or the one that a browser brought back with the state.',
      success: { 200: { description: 'Signed in', schema: signedIn, headers: COOKIE } },
      refusals: ['login_failed'],
    }),
    valid('json', presentedCode),
    async (c) => {
      const cookies = { browser: readBrowser(c), refreshToken: readRefreshToken(c) };
      return admit(c, await c.var.services.logins.finish({ ...c.req.valid('json'), ...cookies }));
    },
  )

  .post(
    '/refresh',
    describe({
      summary: 'Trade the refresh token for a new one, and a new access token',
      description: 'The token is the cookie’s, or the body’s from clients without cookies.',
      success: { 200: { description: 'Still signed in', schema: signedIn, headers: COOKIE } },
      refusals: ['invalid_refresh_token'],
    }),
    valid('json', presentedRefreshToken),
    async (c) => {
      const token = c.req.valid('json').refresh_token ?? readRefreshToken(c);
      // Only a token that is not good ends here: while storage fails the cookie stays.
      const tokens = token === null ? null : await c.var.services.sessions.refresh(token);
      if (tokens) return admit(c, tokens);
      clearRefreshToken(c);
      throw new Refusal('invalid_refresh_token');
    },
  )

  .post(
    '/logout',
    describe({
      summary: 'End the session',
      description: 'Also without one. The browser goes on to `logout_url`, which may be the identity provider’s.',
      success: { 200: { description: 'Signed out', schema: loggedOut } },
    }),
    valid('json', presentedRefreshToken),
    async (c) => {
      const token = c.req.valid('json').refresh_token ?? readRefreshToken(c);
      const url = await c.var.services.logouts.end(token);
      // While storage fails the cookie stays, so that the session can still be ended.
      clearRefreshToken(c);
      return c.json({ logout_url: url });
    },
  )

  .get(
    '/sessions',
    describe({
      summary: 'List the user’s own sessions',
      security: BEARER,
      success: { 200: { description: 'Those that live, newest first', schema: sessionList } },
      refusals: ['unauthenticated'],
    }),
    bearer,
    async (c) => {
      const { token, services } = c.var;
      const sessions = await services.sessions.list(token);
      return c.json(sessions.map((session) => viewSession(session, token.sessionId)));
    },
  )

  .delete(
    '/sessions',
    describe({
      summary: 'End all of the user’s sessions but this one',
      security: BEARER,
      success: { 204: { description: 'Ended' } },
      refusals: ['unauthenticated'],
    }),
    bearer,
    async (c) => {
      await c.var.services.sessions.revokeOthers(c.var.token);
      return c.body(null, 204);
    },
  )

  .delete(
    '/sessions/:id',
    describe({
      summary: 'End one of the user’s sessions',
      security: BEARER,
      success: { 204: { description: 'Ended' } },
      refusals: ['unauthenticated', 'session_not_found'],
    }),
    bearer,
    async (c) => {
      await c.var.services.sessions.revoke(c.var.token, c.req.param('id'));
      return c.body(null, 204);
    },
  )

  .get(
    '/saml/metadata',
    describe({
      summary: 'What a SAML identity provider’s administrator loads to know us',
      success: { 200: { description: 'SAML metadata', mediaType: SAML_METADATA } },
      refusals: ['connection_not_found'],
    }),
    valid('query', metadataQuery),
    async (c) => {
      const { connection = null } = c.req.valid('query');
      const xml = await c.var.services.federation.samlMetadata(connection);
      return c.body(xml, 200, { 'Content-Type': SAML_METADATA });
    },
  );

const admit = (c: Context<BearerEnv>, tokens: SignedIn) => {
  setRefreshToken(c, tokens.refreshToken, c.var.services.tenant.settings.lifetimes.refreshIdle);
  return c.json(viewSignedIn(tokens));
};
