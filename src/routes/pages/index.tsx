import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { Refusal } from '../../domain/refusal.ts';
import type { AppEnv } from '../../env.ts';
import { activationPages } from './activate.tsx';
import { callbackPages } from './callbacks.tsx';
import { emailConfirmationPages } from './confirm-email.tsx';
import { codePages, loginPages, logoutPages, returnPages } from './login.tsx';
import { showRefusal } from './page.tsx';
import { resetPages, resetRequestPages } from './reset.tsx';

/** Tells as a page that there is none: a link that lost its end is followed by a person, too. */
const pageOrNone = createMiddleware<AppEnv>(async (c, next) => {
  await next();
  if (c.res.status !== 404 || c.error || (c.req.method !== 'GET' && c.req.method !== 'HEAD')) return;
  const page = await showRefusal(c, new Refusal('not_found'));
  // Otherwise the page would take over the headers of the answer that it replaces.
  c.res = undefined;
  c.res = page;
});

/** The hosted pages (contract 6): what mailed links lead to where a tenant has no front end of its own. No script runs. */
export const pageRoutes = new Hono<AppEnv>()
  .use('/activate/*', pageOrNone)
  .use('/reset/*', pageOrNone)
  .use('/confirm-email/*', pageOrNone)
  .route('/', activationPages)
  .route('/', resetRequestPages)
  .route('/', resetPages)
  .route('/', emailConfirmationPages)
  .route('/', loginPages)
  .route('/', codePages)
  .route('/', returnPages)
  .route('/', logoutPages)
  .route('/', callbackPages);
