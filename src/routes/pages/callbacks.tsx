import { Hono } from 'hono';
import type { Return } from '../../domain/federation.ts';
import { Refusal } from '../../domain/refusal.ts';
import { readBrowser } from '../../middleware/cookies.ts';
import { refusalOf } from '../../middleware/problems.ts';
import { formBody, readablePath, requestSize } from '../../middleware/request-form.ts';
import { refuseHead } from '../../middleware/response-headers.ts';
import { hostTenant, type TenantEnv, tenantServices } from '../../middleware/tenant.ts';
import { valid } from '../validate.ts';
import { describePage } from './document.ts';
import type { PageContext } from './group.ts';
import { ButtonLink } from './layout.tsx';
import { showRefusal } from './page.tsx';
import { RETURN, returnUrlOf } from './return.ts';
import { samlAnswer } from './schema.ts';
import { viewOf } from './view.ts';

const OIDC = '/v1/auth/callback';
const SAML = '/v1/auth/saml/acs';
const AFTER_LOGOUT = '/v1/auth/saml/slo';

const goOn = (c: PageContext, outcome: Return | null): Response => {
  if (!outcome) throw new Refusal('login_failed');
  return c.redirect(returnUrlOf(outcome), 303);
};

/**
 * Where identity providers send browsers back to (contract 2, callbacks). What is refused before it is known where the
 * browser goes on is told by a page. They are posted to from other sites: what is posted proves itself.
 */
export const callbackPages = new Hono<TenantEnv>()
  .onError((error, c) =>
    showRefusal(c, refusalOf(error), <ButtonLink href="/login">{viewOf(c).texts.login.startAgain}</ButtonLink>),
  )
  .use(OIDC, readablePath, hostTenant, tenantServices, refuseHead)
  .use(SAML, readablePath, requestSize, hostTenant, tenantServices, formBody)
  .use(AFTER_LOGOUT, readablePath, hostTenant, tenantServices)

  .get(
    OIDC,
    describePage('Where an OpenID provider sends the browser back to', ['login_failed'], RETURN),
    async (c) => {
      const callback = new URL(c.req.url).searchParams;
      return goOn(c, await c.var.services.federation.finishOidc(callback, readBrowser(c)));
    },
  )

  .post(
    SAML,
    describePage('Where a SAML identity provider has the browser post its answer', ['login_failed'], RETURN),
    valid('form', samlAnswer),
    async (c) => {
      const { SAMLResponse, RelayState } = c.req.valid('form');
      return goOn(c, await c.var.services.federation.finishSaml(SAMLResponse, RelayState));
    },
  )

  .get(
    AFTER_LOGOUT,
    describePage('Where a SAML identity provider sends the browser after a logout', [], 'On to the after-logout page'),
    (c) => c.redirect(c.var.services.logouts.afterwards, 303),
  );
