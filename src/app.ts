import { Hono } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import { newRequestId } from './crypto/ids.ts';
import { Refusal } from './domain/refusal.ts';
import type { AppEnv } from './env.ts';
import { afterwards } from './middleware/afterwards.ts';
import { tenantCors } from './middleware/cors.ts';
import { platform } from './middleware/platform.ts';
import { answerWith, commonWire, problem } from './middleware/problems.ts';
import { jsonBody, readablePath, requestSize } from './middleware/request-form.ts';
import { requestLog } from './middleware/request-log.ts';
import { cautiousDefaults, securityHeaders } from './middleware/response-headers.ts';
import { hostTenant, pathTenant } from './middleware/tenant.ts';
import type { PlatformOf } from './platform.ts';
import { accountRoutes } from './routes/account/index.ts';
import { loginRoutes } from './routes/login/index.ts';
import { operatorRoutes } from './routes/operator/index.ts';
import { transferRoutes } from './routes/operator/transfer/index.ts';
import { pageRoutes } from './routes/pages/index.tsx';
import { partnerRoutes } from './routes/partner/index.ts';
import { platformRoutes } from './routes/platform/index.ts';
import { issuerRoutes } from './routes/platform/issuer.ts';
import { keyRoutes } from './routes/platform/keys.ts';
import { tenantRoutes } from './routes/tenant/index.ts';

/** The whole API. */
export const createApp = (platformOf: PlatformOf): Hono<AppEnv> => {
  const app = new Hono<AppEnv>({ strict: false });
  app.onError(answerWith(commonWire));
  app.notFound((c) => problem(c, commonWire, new Refusal('not_found')));

  // No id is taken from the caller: it could be made to look like another request's.
  app.use(requestId({ limitLength: 0, generator: newRequestId }));
  app.use(requestLog, securityHeaders, cautiousDefaults);
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) => {
        c.header('Allow', methods.join(', '));
        return problem(c, commonWire, new Refusal('method_not_allowed'));
      },
    }),
  );
  app.use(platform(platformOf), afterwards);

  // The only forms. What they refuse is told as pages, so they come before what all else has in common.
  app.route('/', pageRoutes);

  app.use(readablePath);

  // Bodies of any size, which are read as they come: before what holds all others as a whole.
  app.route('/operator/v1/tenants/:slug/customers', transferRoutes);

  app.route('/', platformRoutes(app));
  app.use('/operator/v1/*', requestSize, jsonBody);
  app.route('/operator/v1', operatorRoutes);
  // It has no tenant of its own, and its body is read.
  app.use('/operator/v1/*', async (c) => c.notFound());

  app.use(hostTenant);
  app.use('/api/:tenantId/*', pathTenant);
  // Before what refuses bodies: a page has to be able to read why.
  app.use(tenantCors, requestSize, jsonBody);
  app.route('/', keyRoutes);
  app.route('/', issuerRoutes);
  app.route('/customer', partnerRoutes);
  app.route('/customers', accountRoutes);
  app.route('/v1/auth', loginRoutes);
  app.route('/api', tenantRoutes);
  return app;
};
