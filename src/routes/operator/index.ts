import { Hono } from 'hono';
import type { AppEnv } from '../../env.ts';
import { operatorOnly } from '../../middleware/operator.ts';
import { answerWith, commonWire } from '../../middleware/problems.ts';
import { appRoutes } from './apps/index.ts';
import { connectionRoutes } from './connections/index.ts';
import { customerRoutes } from './customers/index.ts';
import { eventRoutes } from './events/index.ts';
import { flowRoutes } from './flows/index.ts';
import { keyRoutes } from './keys/index.ts';
import { providerRoutes } from './providers/index.ts';
import { subscriptionRoutes } from './subscriptions/index.ts';
import { tenantRoutes } from './tenants/index.ts';
import { webhookRoutes } from './webhooks/index.ts';

/** The operator surface (contract 5): whoever runs the service provisions it here. */
export const operatorRoutes = new Hono<AppEnv>()
  .onError(answerWith(commonWire))
  .use(operatorOnly)
  .route('/tenants', tenantRoutes)
  .route('/tenants/:slug/apps', appRoutes)
  .route('/tenants/:slug/connections', connectionRoutes)
  .route('/tenants/:slug/providers', providerRoutes)
  .route('/tenants/:slug/flows', flowRoutes)
  .route('/tenants/:slug/subscriptions', subscriptionRoutes)
  .route('/tenants/:slug/webhooks', webhookRoutes)
  .route('/tenants/:slug/keys', keyRoutes)
  .route('/tenants/:slug/customers', customerRoutes)
  .route('/tenants/:slug/events', eventRoutes);
