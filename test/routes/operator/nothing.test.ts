import { describe, expect, it } from 'vitest';
import { readDocument } from '../../support/document.ts';
import { callAsOperator } from '../../support/operator.ts';
import { rowsOf } from '../../support/rows.ts';
import { newApp, newCustomer } from '../../support/tenants.ts';
import { newWebhookWorld } from '../../support/webhooks.ts';

type Problem = { code: string; errors: { path: string; code: string }[] };

type World = Awaited<ReturnType<typeof newCase>>;

/** A webhook that was told of something, and a customer whose user has yet to activate itself. */
const newCase = async () => {
  const world = await newWebhookWorld();
  const { service, tenant } = world;
  await world.put('crm', { events: ['subscription.*'] });
  await world.happen();
  await world.deliver();
  const [delivery] = await world.deliveries('crm');
  const app = await newApp(service, tenant);
  const { cuid } = await newCustomer(service, app);
  const [user] = (await rowsOf(tenant.id)).users ?? [];
  world.received.length = 0;
  return { ...world, deliveryId: delivery?.id, appId: app.id, cuid, userId: user?.id };
};

const CALLS: [string, number, (world: World) => string][] = [
  ['webhooks/{name}/test', 200, () => 'webhooks/crm/test'],
  ['webhooks/{name}/rotate', 201, () => 'webhooks/crm/rotate'],
  [
    'webhooks/{name}/deliveries/{id}/redeliver',
    202,
    ({ deliveryId }) => `webhooks/crm/deliveries/${deliveryId}/redeliver`,
  ],
  ['apps/{id}/rotate', 201, ({ appId }) => `apps/${appId}/rotate`],
  ['keys/rotate', 201, () => 'keys/rotate'],
  ['customers/{cuid}/users/{id}/activation', 202, ({ cuid, userId }) => `customers/${cuid}/users/${userId}/activation`],
];

describe.each(CALLS)('POST /operator/v1/tenants/{slug}/%s', (name, status, pathIn) => {
  it('is documented to need no body', async () => {
    const { paths } = await readDocument();
    const { requestBody } = paths[`/operator/v1/tenants/{slug}/${name}`]?.post ?? {};
    expect([requestBody?.required, Object.keys(requestBody?.content ?? {})]).toEqual([false, ['application/json']]);
  });

  it.each([
    ['no body', undefined],
    ['an empty object', {}],
  ])('takes %s', async (_what, body) => {
    const world = await newCase();
    const path = `/operator/v1/tenants/${world.tenant.slug}/${pathIn(world)}`;
    expect((await callAsOperator(world.service, 'POST', path, body)).status).toBe(status);
  });

  it('refuses members, and does nothing', async () => {
    const world = await newCase();
    const path = `/operator/v1/tenants/${world.tenant.slug}/${pathIn(world)}`;
    const before = await rowsOf(world.tenant.id);
    const response = await callAsOperator(world.service, 'POST', path, { force: true });
    const { code, errors } = await response.json<Problem>();
    expect([response.status, code]).toEqual([400, 'validation_failed']);
    expect(errors).toMatchObject([{ path: 'force', code: 'unknown_member' }]);
    expect(await rowsOf(world.tenant.id)).toEqual(before);
    expect(world.received).toEqual([]);
  });
});
