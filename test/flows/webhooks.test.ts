import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { signMessage } from '../../src/outside/webhooks/standard-webhooks.ts';
import { newPerson, signIn } from '../support/accounts.ts';
import { breakable } from '../support/bindings.ts';
import { asLines, type ImportAnswer, importInto, linesOf, sendImport, summaryOf } from '../support/imports.ts';
import { logOf } from '../support/log.ts';
import { callAsOperator } from '../support/operator.ts';
import { mailPasscode } from '../support/passcodes.ts';
import { rowsOf } from '../support/rows.ts';
import { newScriptedPath } from '../support/scripted.ts';
import { createService } from '../support/service.ts';
import { newApp, newCustomer, newTenant, operatorHeaders } from '../support/tenants.ts';
import { deliveriesOf, newWebhookWorld, putWebhook, webhooksOf } from '../support/webhooks.ts';

const SECRET = `whsec_${btoa('a secret of the tests alone, 32 b').slice(0, 44)}`;

const [SECOND, MINUTE, DAY] = [1, 60, 24 * 3600];

describe('an event', () => {
  it('is told to its webhooks after the answer, with ids alone, signed as Standard Webhooks has it', async () => {
    const { service, tenant, put, deliver, received, deliveries } = await newWebhookWorld();
    await put('crm', { events: ['customer.*'], secret: SECRET });
    const app = await newApp(service, tenant);
    const customer = await newCustomer(service, app, { phone: '+44 20 7946 0001' });
    expect(await deliver()).toEqual({ acknowledged: 1, retries: [] });

    const [message] = received;
    expect(received).toHaveLength(1);
    const [event] = ((await rowsOf(tenant.id)).events ?? []).filter(({ type }) => type === 'customer.created');
    const now = service.clock.now();
    expect(message?.url).toBe('https://hooks.example.com/crm');
    expect(message?.content).toEqual({
      type: 'customer.created',
      timestamp: new Date(now).toISOString(),
      data: { tenant: tenant.slug, actor: `app:${app.id}`, subject: customer.cuid },
    });
    expect(message?.headers.get('Content-Type')).toBe('application/json');
    const { headers } = await signMessage(message?.body ?? '', { id: String(event?.id), secrets: [SECRET], now });
    for (const [name, value] of Object.entries(headers)) expect(message?.headers.get(name)).toBe(value);
    for (const personal of [customer.email, '7946']) expect(message?.body).not.toContain(personal);
    expect(await deliveries('crm')).toMatchObject([
      { id: event?.id, type: 'customer.created', status: 'delivered', attempts: 1, last_status: 204, last_error: null },
    ]);
  });

  it('goes to those alone that want it', async () => {
    const { put, happen, deliver, received } = await newWebhookWorld();
    await put('all', { events: ['*'] });
    await put('kind', { events: ['subscription.*'] });
    await put('type', { events: ['customer.created', 'subscription.updated'] });
    await put('other-type', { events: ['subscription.deleted'] });
    await put('other-kind', { events: ['customer.*'] });
    await put('off', { events: ['*'], status: 'disabled' });
    await deliver();
    received.length = 0;
    await happen();
    await deliver();
    expect(received.map(({ url }) => url.split('/').at(-1)).toSorted()).toEqual(['all', 'kind', 'type']);
    expect(new Set(received.map(({ id }) => id)).size).toBe(1);
  });

  it('is never told to another tenant’s webhooks', async () => {
    const { service, put, happen, deliver, received } = await newWebhookWorld();
    const other = await newTenant(service);
    await putWebhook(service, other, 'theirs');
    await put('ours');
    await happen();
    await deliver();
    expect(received.map(({ url }) => url)).toEqual(['https://hooks.example.com/ours']);
    expect(await deliveriesOf(service, other, 'theirs')).toEqual([]);
  });

  it('of a flow’s notify step reaches who wants flow.*', async () => {
    const { service, tenant, put, deliver, received } = await newWebhookWorld();
    await put('hooks', { events: ['flow.*'] });
    const path = `/operator/v1/tenants/${tenant.slug}/flows/welcome`;
    const body = { steps: [{ kind: 'notify', name: 'signed up' }] };
    await service.call('PUT', path, { headers: operatorHeaders, body });
    await deliver();
    received.length = 0;
    const upsert = await service.call('POST', `/api/${tenant.slug}/customer?flow=welcome`, {
      body: { email: 'new@example.com', firstName: 'Ada' },
    });
    expect(upsert.status).toBeLessThan(300);
    await deliver();
    expect(received.map(({ content }) => content)).toMatchObject([
      { type: 'flow.notified', data: { tenant: tenant.slug, name: 'signed up' } },
    ]);
  });

  it('that a GET writes is handed over, too, and one that is taken back is told to nobody', async () => {
    const { service, tenant, put, deliver, received, takeMessages, deliveries } = await newWebhookWorld();
    await put('hooks', { events: ['passcode.sent'] });
    const app = await newApp(service, tenant);
    const customer = await newCustomer(service, app);
    await mailPasscode(service, app, customer.email);
    const [note] = takeMessages();
    await env.DB.prepare('delete from events where id = ?').bind(note?.eventId).run();
    expect(await service.consume([note])).toEqual({ acknowledged: 1, retries: [] });
    expect(received).toEqual([]);
    expect((await rowsOf(tenant.id)).deliveries).toEqual([]);

    service.clock.advance(MINUTE);
    await mailPasscode(service, app, customer.email);
    await deliver();
    expect(received).toMatchObject([{ content: { type: 'passcode.sent' } }]);
    expect(await deliveries('hooks')).toMatchObject([{ status: 'delivered' }]);
  });

  it('that is written after the answer is handed over after that', async () => {
    const { service, tenant, put, deliver, received } = await newWebhookWorld();
    const person = await newPerson(service, tenant, await newApp(service, tenant));
    await put('hooks', { events: ['login.succeeded'] });
    await signIn(service, tenant, person);
    await deliver();
    expect(received).toMatchObject([{ content: { type: 'login.succeeded' } }]);
  });

  it('of an import is handed over with its batch, while the next is awaited, once', async () => {
    const { service, tenant, put, takeMessages, received, queue } = await newWebhookWorld();
    await put('hooks', { events: ['customer.created'] });
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const send = (first: number, count: number) => {
      const customers = Array.from({ length: count }, (_, i) => ({ email: `p${first + i}@example.com` }));
      return writer.write(new TextEncoder().encode(asLines(customers)));
    };
    const response = await sendImport(service, tenant, readable);
    const lines = linesOf<ImportAnswer>(response);
    await send(0, 500);
    await vi.waitFor(() => expect(queue.sizes).toHaveLength(5), { timeout: 20_000 });
    const first = takeMessages();
    await send(500, 101);
    await writer.close();
    expect(await lines).toEqual([{ summary: summaryOf({ created: 601 }) }]);
    expect(queue.sizes).toEqual([100, 100, 100, 100, 100, 100, 1]);
    const notes = [...first, ...takeMessages()];
    expect(new Set(notes.map(({ eventId }) => eventId)).size).toBe(601);
    await service.consume(notes.slice(-2));
    expect(received).toHaveLength(2);

    const again = [{ email: 'p0@example.com' }, { email: 'new@example.com' }];
    expect(await importInto(service, tenant, again)).toMatchObject({ summary: summaryOf({ existing: 1, created: 1 }) });
    expect(takeMessages()).toHaveLength(1);
  });

  it('of an import that the queue does not take keeps it from nothing, and is handed over when it is overdue', async () => {
    const { service, tenant, put, takeMessages, queue } = await newWebhookWorld();
    await put('hooks', { events: ['customer.created'] });
    const { sendBatch } = queue.queue;
    queue.queue.sendBatch = () => Promise.reject(new Error('The queue is full'));
    const log = await logOf(async () => {
      expect(await importInto(service, tenant, [{ email: 'a@example.com' }])).toMatchObject({
        summary: summaryOf({ created: 1 }),
      });
    });
    expect(log).toContain('"deferred":true');
    queue.queue.sendBatch = sendBatch;
    service.clock.advance(30);
    await service.runCron();
    expect(takeMessages()).toHaveLength(1);
  });

  it('that tells of the tenant itself is handed over, too', async () => {
    const { service, tenant, put, deliver, received } = await newWebhookWorld();
    await put('hooks', { events: ['tenant.*'] });
    await callAsOperator(service, 'PUT', `/operator/v1/tenants/${tenant.slug}`, { name: 'Other' });
    await deliver();
    expect(received.map(({ content }) => content)).toMatchObject([
      { type: 'tenant.updated', data: { subject: tenant.id, tenant: tenant.slug } },
    ]);
  });

  it('costs a tenant without webhooks one look in 20 seconds, after the answer, and no message', async () => {
    const storage = breakable(env);
    const { happen, service, takeMessages, queue } = await newWebhookWorld(storage.bindings);
    const countedHappen = async (): Promise<number> => {
      storage.failWhen(() => null);
      await happen();
      return storage.operations();
    };
    await happen();
    const warm = await countedHappen();
    service.clock.advance(21);
    expect(await countedHappen()).toBe(warm + 1);
    expect(await countedHappen()).toBe(warm);
    expect([takeMessages(), queue.sizes]).toEqual([[], []]);
  });

  it('is delivered by the queue itself', async () => {
    const path = newScriptedPath();
    await path.answer({ status: 204 });
    const service = createService();
    const tenant = await newTenant(service);
    await putWebhook(service, tenant, 'real', { url: path.url, events: ['app.created'] });
    await newApp(service, tenant);
    await vi.waitFor(
      async () => expect(await deliveriesOf(service, tenant, 'real')).toMatchObject([{ status: 'delivered' }]),
      {
        timeout: 5000,
        interval: 100,
      },
    );
    expect(await path.requests()).toMatchObject([{ method: 'POST', headers: { 'content-type': 'application/json' } }]);
  });
});

describe('a delivery that fails', () => {
  it('is made again after growing gaps, for more than three days, and is dead then', async () => {
    const { service, put, happen, deliver, takeMessages, received, answerWith, deliveries } = await newWebhookWorld();
    await put('down', { events: ['subscription.*'] });
    answerWith(500);
    await happen();
    const [note] = takeMessages();
    const gaps: number[] = [];
    for (let gap: number | undefined = 0; gap !== undefined; ) {
      service.clock.advance(gap);
      [gap] = (await service.consume([note])).retries;
      if (gap !== undefined) gaps.push(gap);
    }
    const longest = [20, 60, 300, 900, 1800, 3600, 7200, 14_400, 28_800, ...Array<number>(6).fill(43_200)];
    expect(gaps).toHaveLength(longest.length);
    for (const [i, gap] of gaps.entries()) {
      expect(gap).toBeLessThanOrEqual(longest[i] ?? 0);
      expect(gap).toBeGreaterThanOrEqual((longest[i] ?? 0) * 0.9);
    }
    expect(gaps.reduce((sum, gap) => sum + gap, 0)).toBeGreaterThan(3 * DAY);
    expect(new Set(received.map(({ id }) => id)).size).toBe(1);
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
    expect(await deliveries('down', '?status=failed')).toMatchObject([
      { status: 'failed', attempts: 16, last_status: 500, last_error: null, next_attempt_at: null },
    ]);
    service.clock.advance(DAY);
    await service.consume([note]);
    await deliver();
    expect(received).toHaveLength(16);
  });

  it('is made again no sooner than it is due, however often the queue says so', async () => {
    const { service, put, happen, takeMessages, received, answerWith, deliveries } = await newWebhookWorld();
    await put('down');
    answerWith(503);
    await happen();
    const [note] = takeMessages();
    expect((await service.consume([note])).retries).toHaveLength(1);
    const [waiting] = await deliveries('down');
    const due = Date.parse(waiting?.next_attempt_at ?? '') - service.clock.now();
    expect(due / 1000).toBeLessThanOrEqual(20);
    service.clock.advance(due / 1000 - 1);
    expect(await service.consume([note, note])).toEqual({ acknowledged: 2, retries: [] });
    expect(received).toHaveLength(1);
    service.clock.advance(1);
    await service.consume([note]);
    expect(received).toHaveLength(2);
  });

  const asked: [string, number, string | ((now: number) => string), [number, number]][] = [
    ['seconds, of a 503', 503, '45', [45, 45]],
    ['seconds, of a 429', 429, '45', [45, 45]],
    ['a date', 503, (now) => new Date(now + 40_000).toUTCString(), [39, 40]],
    ['more than the next gap', 503, '100000', [60, 60]],
    ['less than the gap', 503, '1', [18, 20]],
    ['a date that is past', 429, 'Wed, 21 Oct 2015 07:28:00 GMT', [18, 20]],
    ['nonsense', 429, 'soon', [18, 20]],
    ['seconds, of a 500', 500, '45', [18, 20]],
  ];
  it.each(asked)('heeds a Retry-After of %s', async (_, status, header, [least, most]) => {
    const { service, put, happen, takeMessages, answerWith } = await newWebhookWorld();
    await put('busy');
    const value = typeof header === 'string' ? header : header(service.clock.now());
    answerWith(status, { 'Retry-After': value });
    await happen();
    const [gap] = (await service.consume(takeMessages())).retries;
    expect(gap).toBeGreaterThanOrEqual(least);
    expect(gap).toBeLessThanOrEqual(most);
  });

  it.each([301, 302, 307, 308])('may be answered with %i, which is not followed', async (status) => {
    const { put, happen, deliver, received, answerWith, deliveries } = await newWebhookWorld();
    await put('moved');
    answerWith(status, { Location: 'https://hooks.example.com/elsewhere' });
    await happen();
    await deliver();
    expect(received).toHaveLength(1);
    expect(await deliveries('moved')).toMatchObject([
      { status: 'pending', last_status: status, last_error: 'redirect' },
    ]);
  });

  it('may have had no answer at all', async () => {
    const { put, happen, deliver, answerBy, deliveries } = await newWebhookWorld();
    await put('away');
    answerBy(() => Promise.reject(new Error('connection refused by 10.0.0.1')));
    await happen();
    await deliver();
    expect(await deliveries('away')).toMatchObject([{ status: 'pending', last_status: null, last_error: 'network' }]);
  });
});

describe('a delivery', () => {
  it('is made once, however many take it up at once', async () => {
    const { service, put, happen, takeMessages, received, deliveries } = await newWebhookWorld();
    await put('hooks');
    await happen();
    const [note] = takeMessages();
    await Promise.all(Array.from({ length: 20 }, () => service.consume([note])));
    expect(received).toHaveLength(1);
    expect(await deliveries('hooks')).toMatchObject([{ status: 'delivered', attempts: 1 }]);
  });

  it('that is begun anew while an attempt is under way is not put off by that', async () => {
    const { service, put, call, happen, deliver, takeMessages, received, answerBy, deliveries } =
      await newWebhookWorld();
    await put('hooks', { events: ['subscription.*'] });
    await happen();
    answerBy(async ({ id }) => {
      if (received.length > 1) return new Response(null, { status: 204 });
      expect((await call('POST', `/hooks/deliveries/${id}/redeliver`)).status).toBe(202);
      return new Response(null, { status: 500 });
    });
    await service.consume(takeMessages());
    await deliver();
    expect(received).toHaveLength(2);
    expect(await deliveries('hooks')).toMatchObject([{ status: 'delivered', attempts: 1 }]);
  });

  it('of which nothing was heard for a minute is made again', async () => {
    const storage = breakable(env);
    const { service, put, happen, takeMessages, received, deliveries } = await newWebhookWorld(storage.bindings);
    await put('hooks');
    await happen();
    const [note] = takeMessages();
    // The first finds the tenant, the second claims.
    storage.failWhen((_, count) => (count === 3 ? 'before' : null));
    expect((await service.consume([note])).retries).toEqual([60]);
    storage.failWhen(null);
    expect(received).toHaveLength(1);
    service.clock.advance(59);
    await service.consume([note]);
    expect(received).toHaveLength(1);
    service.clock.advance(1);
    await service.consume([note]);
    expect(new Set(received.map(({ id }) => id)).size).toBe(1);
    expect(await deliveries('hooks')).toMatchObject([{ status: 'delivered', attempts: 2 }]);
  });

  it('that the queue lost is handed over by the cron once it is overdue, the oldest first', async () => {
    const { service, put, happen, takeMessages, received } = await newWebhookWorld();
    await put('hooks', { events: ['subscription.*'] });
    const lost: unknown[] = [];
    for (const id of ['a', 'b', 'c']) {
      await happen(id);
      lost.push(...takeMessages());
      service.clock.advance(1);
    }
    service.clock.advance(24);
    await happen('late');
    const late = takeMessages();
    service.clock.advance(5);
    await service.runCron();
    expect(takeMessages()).toEqual(lost);
    await service.consume(lost);
    expect(received).toHaveLength(3);
    service.clock.advance(25);
    await service.runCron();
    expect(takeMessages()).toEqual(late);
    await service.consume(late);
    service.clock.advance(MINUTE);
    await service.runCron();
    expect(takeMessages()).toEqual([]);
  });

  it('is handed over by the cron with as many others as Queues take at once', async () => {
    const { service, tenant, put, takeMessages, queue } = await newWebhookWorld();
    await put('hooks', { events: ['subscription.*'] });
    const insert = env.DB.prepare(
      `with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 250)
       insert into events select ?1, printf('evt_%026d', n), ?2, 'subscription.updated', 'system', 'news', null, null, '{}'
       from numbers`,
    );
    await insert.bind(tenant.id, service.clock.now()).run();
    service.clock.advance(MINUTE);
    await service.runCron();
    expect(takeMessages()).toHaveLength(250);
    expect(Math.max(...queue.sizes)).toBe(100);
    // Not to be found by whoever runs the cron next.
    await callAsOperator(service, 'DELETE', webhooksOf(tenant, '/hooks'));
  });

  it('waits while the queue is out of order, and none of it reaches the caller', async () => {
    const world = await newWebhookWorld();
    const broken: Queue = {
      ...world.queue.queue,
      sendBatch: () => Promise.reject(new Error('Queues are out of order')),
    };
    await world.put('hooks');
    const service = createService({ DELIVERIES: broken });
    expect((await newApp(service, world.tenant)).id).toBeTruthy();
    world.service.clock.advance(MINUTE);
    await world.service.runCron();
    await world.deliver();
    expect(world.received.map(({ content }) => content.type)).toEqual(['app.created']);
  });
});

describe('a webhook that is disabled', () => {
  it('by a 410 is told nothing more, and that is in the log, once', async () => {
    const { service, tenant, put, happen, takeMessages, deliver, received, answerWith, call } = await newWebhookWorld();
    await put('gone', { events: ['subscription.*'] });
    await put('watch', { events: ['webhook.disabled'] });
    await happen('a');
    await happen('b');
    const notes = takeMessages().filter(({ webhook }) => webhook === 'gone');
    answerWith(410);
    expect(await service.consume(notes)).toEqual({ acknowledged: 2, retries: [] });
    expect(received).toHaveLength(2);
    expect(await (await call('GET', '/gone')).json()).toMatchObject({ status: 'disabled', disabled_reason: 'gone' });
    const events = ((await rowsOf(tenant.id)).events ?? []).filter(({ type }) => type === 'webhook.disabled');
    expect(events).toMatchObject([{ actor: 'system', subject: tenant.id, data: '{"name":"gone","reason":"gone"}' }]);

    answerWith(204);
    await deliver();
    expect(received.at(-1)).toMatchObject({ url: 'https://hooks.example.com/watch' });
    await happen('c');
    service.clock.advance(DAY);
    await service.runCron();
    await deliver();
    expect(received).toHaveLength(3);
    expect(((await rowsOf(tenant.id)).deliveries ?? []).filter(({ webhook }) => webhook === 'gone')).toHaveLength(2);
  });

  it('is told what waited for less than three days once it is enabled again, and the rest has failed', async () => {
    const { service, put, happen, takeMessages, deliver, received, answerWith, deliveries } = await newWebhookWorld();
    const events = ['subscription.*'];
    await put('hooks', { events });
    answerWith(500);
    await happen('old');
    service.clock.advance(2 * DAY);
    await happen('new');
    await service.consume(takeMessages());
    await put('hooks', { events, status: 'disabled' });
    service.clock.advance(DAY + SECOND);
    await service.runCron();
    expect(takeMessages()).toEqual([]);
    await happen('unseen');
    received.length = 0;
    answerWith(200);
    await put('hooks', { events });
    expect(await deliveries('hooks')).toMatchObject([
      { status: 'pending', attempts: 0 },
      { status: 'failed', last_error: 'expired' },
    ]);
    service.clock.advance(MINUTE);
    await service.runCron();
    await deliver();
    expect(received).toHaveLength(1);
    expect(await deliveries('hooks', '?status=delivered')).toHaveLength(1);
  });

  it('is not disabled by a 410 of the URL that it had before', async () => {
    const { put, happen, deliver, answerBy, call } = await newWebhookWorld();
    await put('hooks');
    answerBy(async () => {
      await put('hooks', { url: 'https://hooks.example.com/moved' });
      return new Response(null, { status: 410 });
    });
    await happen();
    await deliver();
    expect(await (await call('GET', '/hooks')).json()).toMatchObject({ status: 'active' });
  });
});

describe('a secret', () => {
  const SIGNATURE = 'webhook-signature';
  const other = `whsec_${btoa('another one of the tests, 32 byt').slice(0, 44)}`;

  it('that was replaced goes on signing beside the new one for a day', async () => {
    const { service, put, happen, deliver, received } = await newWebhookWorld();
    const events = ['subscription.*'];
    await put('hooks', { events, secret: SECRET });
    await put('hooks', { events, secret: other });
    const signaturesAfter = async (seconds: number): Promise<string | null | undefined> => {
      service.clock.advance(seconds);
      await happen();
      await deliver();
      return received.at(-1)?.headers.get(SIGNATURE);
    };
    const expected = async (secrets: string[]) => {
      const { id = '', body = '' } = received.at(-1) ?? {};
      return (await signMessage(body, { id, secrets, now: service.clock.now() })).headers[SIGNATURE];
    };
    expect(await signaturesAfter(0)).toBe(await expected([other, SECRET]));
    expect(await signaturesAfter(DAY - SECOND)).toBe(await expected([other, SECRET]));
    expect(await signaturesAfter(SECOND)).toBe(await expected([other]));
  });

  it('that is said again stays, and the old one beside it', async () => {
    const { put, happen, deliver, received } = await newWebhookWorld();
    for (const secret of [SECRET, other, other]) await put('hooks', { secret });
    await put('hooks');
    received.length = 0;
    await happen();
    await deliver();
    expect(received[0]?.headers.get(SIGNATURE)?.split(' ')).toHaveLength(2);
  });

  it('is sealed for its webhook alone', async () => {
    const { tenant, put, happen, deliver, received } = await newWebhookWorld();
    await put('a', { secret: SECRET });
    await put('b', { secret: other, events: ['app.*'] });
    await deliver();
    received.length = 0;
    const swap = env.DB.prepare(
      "update webhooks set sealed_secret = (select sealed_secret from webhooks w where w.tenant_id = ?1 and w.name = 'b') where tenant_id = ?1 and name = 'a'",
    );
    await swap.bind(tenant.id).run();
    await happen();
    expect((await deliver()).retries).toHaveLength(1);
    expect(received).toEqual([]);
  });
});
