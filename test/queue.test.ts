import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { breakable } from './support/bindings.ts';
import { logOf } from './support/log.ts';
import { callAsOperator } from './support/operator.ts';
import { newWebhookWorld } from './support/webhooks.ts';

const UNKNOWN = { tenantId: `ten_${'0'.repeat(26)}`, webhook: 'hooks', eventId: `evt_${'0'.repeat(26)}` };

describe('a message of the queue', () => {
  const none = [null, 'x', 7, [], {}, { ...UNKNOWN, tenantId: 7 }, { ...UNKNOWN, eventId: 'x' }, UNKNOWN];
  it.each(none)('that says nothing of ours has done its work: %j', async (message) => {
    const { service, received } = await newWebhookWorld();
    expect(await service.consume([message])).toEqual({ acknowledged: 1, retries: [] });
    expect(received).toEqual([]);
  });

  it('leads to nothing in another tenant', async () => {
    const [ours, theirs] = [await newWebhookWorld(), await newWebhookWorld()];
    for (const world of [ours, theirs]) await world.put('hooks');
    await theirs.happen();
    const [note] = theirs.takeMessages();
    await ours.service.consume([{ ...note, tenantId: ours.tenant.id }]);
    expect([ours.received, theirs.received]).toEqual([[], []]);
    expect(await theirs.deliveries('hooks', '?status=pending')).toHaveLength(1);
  });

  it('of a tenant that is disabled is delivered still', async () => {
    const { service, tenant, put, happen, deliver, received } = await newWebhookWorld();
    await put('hooks', { events: ['subscription.*'] });
    await happen();
    await callAsOperator(service, 'PUT', `/operator/v1/tenants/${tenant.slug}`, { name: 'Off', status: 'disabled' });
    await deliver();
    expect(received).toHaveLength(1);
  });

  it('comes again in a minute when storage does not answer, and the log says why', async () => {
    const storage = breakable(env);
    const { service, put, happen, takeMessages, received } = await newWebhookWorld(storage.bindings);
    await put('hooks');
    await happen();
    const [note] = takeMessages();
    storage.failWhen(() => 'before');
    const log = await logOf(async () => {
      expect(await service.consume([note])).toEqual({ acknowledged: 0, retries: [60] });
    });
    expect(JSON.parse(log)).toMatchObject({ level: 'error', code: 'storage_unavailable' });
    storage.failWhen(null);
    await service.consume([note]);
    expect(received).toHaveLength(1);
  });
});

describe('a batch', () => {
  it('keeps five receivers waiting at most, and forgets none', async () => {
    const { service, put, happen, takeMessages, received, answerBy } = await newWebhookWorld();
    await put('hooks', { events: ['subscription.*'] });
    for (let count = 0; count < 12; count++) await happen();
    let [open, most] = [0, 0];
    answerBy(async () => {
      open += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setTimeout(resolve, 5));
      open -= 1;
      return new Response(null, { status: 204 });
    });
    expect(await service.consume(takeMessages())).toEqual({ acknowledged: 12, retries: [] });
    expect(received).toHaveLength(12);
    expect(most).toBe(5);
  });

  it('lets a delivery come again when it is due, however long the others took', async () => {
    const { service, put, happen, takeMessages, answerBy } = await newWebhookWorld();
    await put('hooks', { events: ['subscription.*'] });
    for (let count = 0; count < 6; count++) await happen();
    let answered = 0;
    answerBy(() => {
      answered += 1;
      // The last of them takes ten seconds.
      if (answered === 6) service.clock.advance(10);
      return new Response(null, { status: 500 });
    });
    const { retries } = await service.consume(takeMessages());
    expect(retries.filter((seconds) => seconds <= 10)).toHaveLength(5);
    expect(retries.filter((seconds) => seconds >= 18)).toHaveLength(1);
  });
});
