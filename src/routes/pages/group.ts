import { type Context, Hono } from 'hono';
import type { Refusal, RefusalCode } from '../../domain/refusal.ts';
import { refusalOf } from '../../middleware/problems.ts';
import { formBody, readablePath, requestSize } from '../../middleware/request-form.ts';
import { sameOrigin } from '../../middleware/same-origin.ts';
import { hostTenant, type TenantEnv, tenantServices } from '../../middleware/tenant.ts';
import { showRefusal } from './page.tsx';

export type PageContext = Context<TenantEnv>;

/** What whoever typed can do something about: told in the form, so that it can be tried again. */
const TOLD_IN_FORM: ReadonlySet<RefusalCode> = new Set([
  'validation_failed',
  'weak_password',
  'invalid_or_expired_code',
  'login_failed',
  'identity_provider_failed',
  'email_taken',
  'rate_limited',
]);

/**
 * The routes of a page with a form, without any yet: all of them are at this very path. What is refused is told by
 * `showForm`, which gives the form again, or by a page of its own.
 */
export const newPages = (path: string, showForm: (c: PageContext, refusal: Refusal) => Promise<Response>) =>
  new Hono<TenantEnv>()
    .onError((error, c) => {
      const refusal = refusalOf(error);
      return TOLD_IN_FORM.has(refusal.code) ? showForm(c, refusal) : showRefusal(c, refusal);
    })
    // Whether a body is too large or no form is told as a page, too: so this comes before what holds for all other paths.
    .use(path, readablePath, requestSize, hostTenant, tenantServices, sameOrigin, formBody);

/** What was typed as the address, whatever it is. */
export const typedEmail = async (c: PageContext): Promise<string | undefined> => {
  if (c.req.method !== 'POST') return undefined;
  const { email } = await c.req.parseBody();
  return typeof email === 'string' ? email : undefined;
};
