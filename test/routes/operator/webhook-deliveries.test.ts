import { describe, expect, it } from 'vitest';
import { callAsOperator } from '../../support/operator.ts';
import { rowsOf } from '../../support/rows.ts';
import { newTenant, refusalOf } from '../../support/tenants.ts';
import { type DeliveryObject, deliveriesOf, newWebhookWorld, putWebhook, webhooksOf } from '../../support/webhooks.ts';

const WEBHOOK_NOT_FOUND = { status: 404, code: 'webhook_not_found' };
const DELIVERY_NOT_FOUND = { status: 404, code: 'delivery_not_found' };

describe('POST /operator/v1/tenants/{slug}/webhooks/{name}/test', () => {
  it('sends a signed message of its own at once, and tells what came of it', async () => {
    const { service, tenant, put, call, received, answerBy } = await newWebhookWorld();
    await put('crm', { status: 'disabled' });
    answerBy(() => {
      service.clock.advance(0.25);
      return new Response('thanks', { status: 200 });
    });
    const response = await call('POST', '/crm/test');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ delivered: true, status: 200, error: null, duration_ms: 250 });
    const [message] = received;
    expect(message?.content).toMatchObject({ type: 'webhook.test', data: { tenant: tenant.slug, webhook: 'crm' } });
    expect(message?.id).toMatch(/^msg_[\w-]{43}$/);
    expect(message?.headers.get('webhook-signature')).toMatch(/^v1,\S{44}$/);
    expect((await rowsOf(tenant.id)).deliveries).toEqual([]);
  });

  it('tells of an answer that does not count, and of none', async () => {
    const { put, call, answerWith, answerBy } = await newWebhookWorld();
    await put('crm');
    const trial = async () => (await call('POST', '/crm/test')).json();
    for (const status of [400, 410, 500]) {
      answerWith(status);
      expect(await trial()).toMatchObject({ delivered: false, status, error: null });
    }
    answerWith(302, { Location: 'http://169.254.169.254/' });
    expect(await trial()).toMatchObject({ delivered: false, status: 302, error: 'redirect' });
    answerBy(() => Promise.reject(new Error('no route to 10.1.2.3')));
    expect(await trial()).toMatchObject({ delivered: false, status: null, error: 'network' });
    expect(await (await call('GET', '/crm')).json()).toMatchObject({ status: 'active' });
  });

  it('knows no webhook that there is not', async () => {
    const { call } = await newWebhookWorld();
    expect(await refusalOf(await call('POST', '/crm/test'))).toMatchObject(WEBHOOK_NOT_FOUND);
  });
});

describe('GET /operator/v1/tenants/{slug}/webhooks/{name}/deliveries', () => {
  it('lists newest first, page by page, each once, and by status', async () => {
    const { service, put, call, happen, deliver, answerWith, deliveries } = await newWebhookWorld();
    await put('crm', { events: ['subscription.*'] });
    for (let count = 0; count < 5; count++) {
      service.clock.advance(1);
      if (count === 3) answerWith(503);
      await happen();
      await deliver();
    }
    const all = await deliveries('crm');
    expect(all.map(({ status }) => status)).toEqual(['pending', 'pending', 'delivered', 'delivered', 'delivered']);
    expect(all.map(({ created_at }) => created_at)).toEqual(
      all
        .map(({ created_at }) => created_at)
        .toSorted()
        .reverse(),
    );
    const paged: DeliveryObject[] = [];
    let next: string | null = '';
    while (next !== null) {
      const page: { items: DeliveryObject[]; next: string | null } = await (
        await call('GET', `/crm/deliveries?limit=2${next && `&cursor=${next}`}`)
      ).json();
      paged.push(...page.items);
      next = page.next;
    }
    expect(paged).toEqual(all);
    expect(await deliveries('crm', '?status=delivered')).toEqual(all.slice(2));
    expect(await deliveries('crm', '?status=pending&limit=1')).toEqual(all.slice(0, 1));
    expect(await deliveries('crm', '?status=failed')).toEqual([]);
    const [latest] = all;
    const now = service.clock.now();
    expect(latest).toMatchObject({ type: 'subscription.updated', attempts: 1, last_status: 503, last_error: null });
    expect(latest?.last_attempt_at).toBe(new Date(now).toISOString());
    expect(Date.parse(latest?.next_attempt_at ?? '')).toBeGreaterThan(now);
    expect(all.at(-1)).toMatchObject({ last_status: 204, next_attempt_at: null });
  });

  it('tells of no next attempt while the webhook is disabled, and of one when it is enabled again', async () => {
    const { service, put, happen, deliver, answerWith, deliveries } = await newWebhookWorld();
    const events = ['subscription.*'];
    await put('crm', { events });
    await put('other', { events });
    answerWith(503);
    await happen();
    await deliver();
    const due = (await deliveries('crm'))[0]?.next_attempt_at;
    expect(Date.parse(due ?? '')).toBeGreaterThan(service.clock.now());
    await put('crm', { events, status: 'disabled' });
    expect(await deliveries('crm')).toMatchObject([{ status: 'pending', attempts: 1, next_attempt_at: null }]);
    expect((await deliveries('other'))[0]?.next_attempt_at).not.toBeNull();
    service.clock.advance(3600);
    await put('crm', { events });
    const now = new Date(service.clock.now()).toISOString();
    expect(await deliveries('crm')).toMatchObject([{ status: 'pending', next_attempt_at: now }]);
  });

  it.each(['?status=lost', '?limit=0', '?limit=1001', '?cursor=x', `?cursor=ten_${'0'.repeat(26)}`])(
    'refuses %s',
    async (query) => {
      const { put, call } = await newWebhookWorld();
      await put('crm');
      const refused = await call('GET', `/crm/deliveries${query}`);
      expect(await refusalOf(refused)).toMatchObject({ status: 400, code: 'validation_failed' });
    },
  );

  it('knows no webhook that there is not', async () => {
    const { call } = await newWebhookWorld();
    expect(await refusalOf(await call('GET', '/crm/deliveries'))).toMatchObject(WEBHOOK_NOT_FOUND);
  });
});

describe('POST /operator/v1/tenants/{slug}/webhooks/{name}/deliveries/{id}/redeliver', () => {
  const newFailed = async () => {
    const world = await newWebhookWorld();
    await world.put('crm', { events: ['subscription.*'] });
    world.answerWith(500);
    await world.happen();
    const [note] = world.takeMessages();
    for (let gap: number | undefined = 0; gap !== undefined; ) {
      world.service.clock.advance(gap);
      [gap] = (await world.service.consume([note])).retries;
    }
    const [failed] = await world.deliveries('crm', '?status=failed');
    const id = failed?.id ?? '';
    const redeliver = (given = id, name = 'crm') => world.call('POST', `/${name}/deliveries/${given}/redeliver`);
    return { ...world, id, redeliver };
  };

  it('begins a failed delivery anew, with the same id, and with all its attempts before it', async () => {
    const { service, tenant, id, redeliver, deliver, received, answerWith, deliveries } = await newFailed();
    received.length = 0;
    const response = await redeliver();
    expect(response.status).toBe(202);
    const now = new Date(service.clock.now()).toISOString();
    expect(await response.json()).toMatchObject({ id, status: 'pending', attempts: 0, next_attempt_at: now });
    expect((await deliver()).retries).toHaveLength(1);
    answerWith(200);
    await redeliver();
    await deliver();
    expect(received.map((each) => each.id)).toEqual([id, id]);
    expect(await deliveries('crm', '?status=delivered')).toMatchObject([{ id, attempts: 1, last_status: 200 }]);
    await redeliver();
    await deliver();
    expect(received).toHaveLength(3);
    const events = ((await rowsOf(tenant.id)).events ?? []).filter(({ type }) => type === 'webhook.redelivered');
    expect(events).toHaveLength(3);
    expect(events[0]).toMatchObject({
      actor: 'operator',
      subject: tenant.id,
      data: JSON.stringify({ name: 'crm', event: id }),
    });
  });

  it('knows what there is alone', async () => {
    const { service, tenant, id, redeliver } = await newFailed();
    const other = await newTenant(service);
    await putWebhook(service, other, 'crm');
    const before = await rowsOf(tenant.id);
    expect(await refusalOf(await redeliver(id, 'other'))).toMatchObject(WEBHOOK_NOT_FOUND);
    for (const unknown of [`evt_${'0'.repeat(26)}`, 'x', `${id}x`, id.toUpperCase(), tenant.id]) {
      expect(await refusalOf(await redeliver(unknown))).toMatchObject(DELIVERY_NOT_FOUND);
    }
    const theirs = webhooksOf(other, `/crm/deliveries/${id}/redeliver`);
    expect(await refusalOf(await callAsOperator(service, 'POST', theirs))).toMatchObject(DELIVERY_NOT_FOUND);
    expect(await deliveriesOf(service, other, 'crm')).toEqual([]);
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('waits while the webhook is disabled', async () => {
    const { redeliver, put, deliver, received, answerWith } = await newFailed();
    answerWith(204);
    await put('crm', { status: 'disabled' });
    received.length = 0;
    const response = await redeliver();
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ status: 'pending', next_attempt_at: null });
    await deliver();
    expect(received).toEqual([]);
  });
});
