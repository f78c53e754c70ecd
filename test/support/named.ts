import { connectOidc } from './connections.ts';
import { callAsOperator } from './operator.ts';
import type { Service } from './service.ts';
import type { TestTenant } from './tenants.ts';
import { putFlow } from './upserts.ts';
import { putWebhook } from './webhooks.ts';

const OTP = { type: 'otp', signup: false, enabled: true };

/** What a tenant has under names that the operator chose, and how one of each is made. */
export const NAMED_MAKERS: Readonly<
  Record<string, (service: Service, tenant: TestTenant, name: string) => Promise<unknown>>
> = {
  connections: (service, tenant, name) => connectOidc(service, tenant, 'https://idp.example.com', {}, name),
  providers: (service, { slug }, name) =>
    callAsOperator(service, 'PUT', `/operator/v1/tenants/${slug}/providers/${name}`, OTP),
  flows: (service, tenant, name) => putFlow(service, tenant, name, [{ kind: 'send_activation' }]),
  webhooks: (service, tenant, name) => putWebhook(service, tenant, name, { events: ['app.deleted'] }),
};
