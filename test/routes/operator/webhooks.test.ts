import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { signMessage } from '../../../src/outside/webhooks/standard-webhooks.ts';
import { breakable, gathering } from '../../support/bindings.ts';
import { logOf } from '../../support/log.ts';
import { callAsOperator } from '../../support/operator.ts';
import { everythingStored, rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { newTenant, refusalOf, uniqueName } from '../../support/tenants.ts';
import { newWebhookWorld, type WebhookObject, webhooksOf } from '../../support/webhooks.ts';

const SECRET = `whsec_${btoa('a secret of the tests alone, 32 b')}`;
const OTHER = `whsec_${btoa('another one of the tests, 32 byt')}`;
const THIRD = `whsec_${btoa('a third one of the tests, 32 byte')}`;
const MADE = /^whsec_[A-Za-z0-9+/]{43}=$/;

const PROFILE = { url: 'https://hooks.example.com/in?a=b', events: ['customer.*', 'app.created'] };

const NOT_FOUND = { status: 404, code: 'webhook_not_found' };

const eventsOf = async (tenantId: string) =>
  ((await rowsOf(tenantId)).events ?? [])
    .filter(({ type }) => String(type).startsWith('webhook.'))
    .map(({ type, actor, subject, data }) => ({ type, actor, subject, data: JSON.parse(String(data)) }));

describe('PUT /operator/v1/tenants/{slug}/webhooks/{name}', () => {
  it('makes a webhook, and tells the secret that it made this once', async () => {
    const { service, tenant, call } = await newWebhookWorld();
    const response = await call('PUT', '/crm', PROFILE);
    expect(response.status).toBe(201);
    const { secret, ...made } = await response.json<WebhookObject>();
    const now = new Date(service.clock.now()).toISOString();
    const expected = { name: 'crm', ...PROFILE, status: 'active', disabled_reason: null };
    expect(made).toEqual({ ...expected, created_at: now, updated_at: now });
    expect(secret).toMatch(MADE);
    expect(await (await call('GET', '/crm')).json()).toEqual(made);
    expect(await (await call('GET', '')).json()).toEqual({ items: [made], next: null });
    expect(await eventsOf(tenant.id)).toEqual([
      { type: 'webhook.updated', actor: 'operator', subject: tenant.id, data: { name: 'crm' } },
    ]);
  });

  it('takes a secret, and tells it nowhere', async () => {
    const { service, tenant, call } = await newWebhookWorld();
    const answers: string[] = [];
    const log = await logOf(async () => {
      for (const [method, rest, body] of [
        ['PUT', '/crm', { ...PROFILE, secret: SECRET }],
        ['PUT', '/crm', { ...PROFILE, secret: OTHER }],
        ['GET', '/crm'],
        ['GET', ''],
        ['POST', '/crm/test'],
        ['GET', '/crm/deliveries'],
      ] as const) {
        const response = await call(method, rest, body);
        expect(response.status).toBeLessThan(300);
        answers.push(await response.text());
      }
    });
    const stored = await everythingStored();
    for (const secret of [SECRET, OTHER]) {
      const bytes = secret.slice('whsec_'.length);
      for (const form of [bytes, atob(bytes), encodeURIComponent(bytes)]) {
        expect(answers.join() + log + stored).not.toContain(form);
      }
    }
    expect(answers.join()).not.toContain('secret');
    const other = await newTenant(service);
    expect((await rowsOf(other.id)).webhooks).toEqual([]);
    expect((await rowsOf(tenant.id)).webhooks).toHaveLength(1);
  });

  it('replaces what is said of a webhook, and leaves its secret as it is', async () => {
    const { service, tenant, call } = await newWebhookWorld();
    await call('PUT', '/crm', PROFILE);
    const [before] = (await rowsOf(tenant.id)).webhooks ?? [];
    service.clock.advance(5);
    const response = await call('PUT', '/crm', { url: 'https://other.example.com/', events: ['*'] });
    expect(response.status).toBe(200);
    const answer = await response.json<WebhookObject>();
    expect(answer).toMatchObject({ url: 'https://other.example.com/', events: ['*'], status: 'active' });
    expect(answer).not.toHaveProperty('secret');
    expect(Date.parse(answer.updated_at) - Date.parse(answer.created_at)).toBe(5000);
    const [after] = (await rowsOf(tenant.id)).webhooks ?? [];
    expect(after).toMatchObject({ sealed_secret: before?.sealed_secret, sealed_old_secret: null });
  });

  it('disables a webhook, and enables it again', async () => {
    const { call } = await newWebhookWorld();
    const disabled = await call('PUT', '/crm', { ...PROFILE, status: 'disabled' });
    expect(await disabled.json()).toMatchObject({ status: 'disabled', disabled_reason: 'operator' });
    const enabled = await call('PUT', '/crm', PROFILE);
    expect(await enabled.json()).toMatchObject({ status: 'active', disabled_reason: null });
  });

  it('makes one webhook when it is asked for it ten times at once, and tells its secret once', async () => {
    const { tenant, call } = await newWebhookWorld();
    const responses = await Promise.all(Array.from({ length: 10 }, () => call('PUT', '/crm', PROFILE)));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([...Array<number>(9).fill(200), 201]);
    const told = await Promise.all(responses.map((each) => each.json<WebhookObject>()));
    expect(told.filter(({ secret }) => secret !== undefined)).toHaveLength(1);
    expect((await rowsOf(tenant.id)).webhooks).toHaveLength(1);
  });

  it('forgets none of two secrets that are said at once', async () => {
    const storage = gathering(env);
    const { call, put, happen, deliver, received } = await newWebhookWorld(storage.bindings);
    await put('crm', { secret: SECRET });
    // Both know the tenant before either looks for the webhook: then both read it before either changes it.
    storage.gather('D1 raw', 2);
    const say = (secret: string) => call('PUT', '/crm', { ...PROFILE, events: ['*'], secret });
    for (const { status } of await Promise.all([say(OTHER), say(THIRD)])) expect(status).toBe(200);
    await happen();
    await deliver();
    const { id = '', body = '', headers } = received.at(-1) ?? {};
    const now = Number(headers?.get('webhook-timestamp')) * 1000;
    const expected = await signMessage(body, { id, secrets: [OTHER, THIRD], now });
    const inOrder = (signatures: string | null | undefined) => signatures?.split(' ').toSorted();
    expect(inOrder(headers?.get('webhook-signature'))).toEqual(inOrder(expected.headers['webhook-signature']));
  });

  it('is not done by half when the database fails', async () => {
    const storage = breakable(env);
    const { tenant, call } = await newWebhookWorld(storage.bindings);
    await call('PUT', '/crm', PROFILE);
    const before = await rowsOf(tenant.id);
    for (const change of [
      () => call('PUT', '/crm', { ...PROFILE, status: 'disabled', secret: OTHER }),
      () => call('PUT', '/new', PROFILE),
      () => call('POST', '/crm/rotate', {}),
      () => call('DELETE', '/crm'),
    ]) {
      storage.failWhen((operation) => (operation === 'D1 batch' ? 'before' : null));
      expect(await refusalOf(await change())).toMatchObject({ status: 503, code: 'storage_unavailable' });
      storage.failWhen(null);
      expect(await rowsOf(tenant.id)).toEqual(before);
    }
  });

  const faulty: [string, Record<string, unknown>, string[]][] = [
    ['nothing', {}, ['events', 'url']],
    ['no events', { ...PROFILE, events: [] }, ['events']],
    ['51 events', { ...PROFILE, events: Array<string>(51).fill('*') }, ['events']],
    [
      'patterns that are none',
      {
        ...PROFILE,
        events: ['', 'customer', 'customer.', '.created', '*.created', 'cust*', '**', 'customer.*.*', '?'],
      },
      [0, 1, 2, 3, 4, 5, 6, 7, 8].map((i) => `events.${i}`),
    ],
    [
      'patterns that the database would read otherwise',
      { ...PROFILE, events: ['customer.[a-z]*', 'customer.creat?d', 'Customer.created', 'customer.created ', '[*'] },
      [0, 1, 2, 3, 4].map((i) => `events.${i}`),
    ],
    [
      'events that there are not',
      { ...PROFILE, events: ['customer.created', 'customer.vanished', 'moon.*', 'custom.*'] },
      ['events.1', 'events.2', 'events.3'],
    ],
    ['a status that there is not', { ...PROFILE, status: 'gone' }, ['status']],
    [
      'unknown members',
      { ...PROFILE, name: 'x', disabled_reason: null, headers: {} },
      ['disabled_reason', 'headers', 'name'],
    ],
    ['null for a secret', { ...PROFILE, secret: null }, ['secret']],
  ];
  it.each(faulty)('refuses %s, naming each fault', async (_, body, paths) => {
    const { tenant, call } = await newWebhookWorld();
    const response = await call('PUT', '/crm', body);
    const { code, errors } = await response.json<{ code: string; errors: { path: string }[] }>();
    expect([response.status, code]).toEqual([400, 'validation_failed']);
    expect([...new Set(errors.map(({ path }) => path))].toSorted()).toEqual(paths.toSorted());
    expect((await rowsOf(tenant.id)).webhooks).toEqual([]);
  });

  const badSecrets = [
    '',
    'whsec_',
    'whsec_AAAA',
    btoa('x'.repeat(32)),
    `WHSEC_${btoa('x'.repeat(32))}`,
    `whsec_${'!'.repeat(44)}`,
    `whsec_${btoa('x'.repeat(65))}`,
  ];
  it.each(badSecrets)('refuses the secret %j', async (secret) => {
    const { call } = await newWebhookWorld();
    const refused = await call('PUT', '/crm', { ...PROFILE, secret });
    expect(await refusalOf(refused)).toMatchObject({ status: 400, code: 'validation_failed' });
  });

  const uncallable = [
    'http://hooks.example.com/',
    'http://127.0.0.1:8080',
    'http://localhost',
    'https://localhost',
    'http://[::1]',
    'http://[::ffff:7f00:1]',
    'http://2130706433',
    'http://0x7f.1',
    'http://0177.0.0.1',
    'http://127.1',
    'http://0/',
    'http://169.254.169.254/',
    'https://169.254.169.254/',
    'http://[fd00::1]',
    'http://10.0.0.1',
    'https://10.0.0.1',
    'http://user@127.0.0.1',
    'https://user:pass@hooks.example.com',
    'https://metadata.google.internal',
    'file:///etc/passwd',
    'ftp://hooks.example.com',
    'gopher://hooks.example.com',
    'javascript:alert(1)',
    'not a url',
    'https://accounts.example.com/api/demo/customer',
    'https://demo.accounts.example.com/api/demo/customer',
    'https://DEMO.accounts.example.com./',
    `https://hooks.example.com/${'x'.repeat(2048)}`,
  ];
  it.each(uncallable)('refuses to be told to call %s', async (url) => {
    const service = createService({ BASE_DOMAIN: 'accounts.example.com' });
    const tenant = await newTenant(service);
    const response = await callAsOperator(service, 'PUT', webhooksOf(tenant, '/crm'), { ...PROFILE, url });
    const { code, errors } = await response.json<{ code: string; errors: { path: string }[] }>();
    expect([response.status, code, [...new Set(errors.map(({ path }) => path))]]).toEqual([
      400,
      'validation_failed',
      ['url'],
    ]);
    expect((await rowsOf(tenant.id)).webhooks).toEqual([]);
  });

  it('lets receivers be on this machine where the service is', async () => {
    const { call } = await newWebhookWorld();
    expect((await call('PUT', '/crm', { ...PROFILE, url: 'http://127.0.0.1:8080/hooks' })).status).toBe(201);
  });

  it.each(['UPPER', 'a b', 'ä', 'a_b', 'x'.repeat(41)])('refuses the name %j', async (name) => {
    const { call } = await newWebhookWorld();
    const refused = await call('PUT', `/${encodeURIComponent(name)}`, PROFILE);
    expect(await refusalOf(refused)).toMatchObject({ status: 400, code: 'validation_failed' });
  });

  it('says a pattern once that is said twice', async () => {
    const { call } = await newWebhookWorld();
    const response = await call('PUT', '/crm', { ...PROFILE, events: ['*', 'app.created', '*'] });
    expect(await response.json()).toMatchObject({ events: ['*', 'app.created'] });
  });
});

describe('POST /operator/v1/tenants/{slug}/webhooks/{name}/rotate', () => {
  it('gives it a new secret, told this once, beside which the old one signs', async () => {
    const { service, tenant, call, put, happen, deliver, received } = await newWebhookWorld();
    const first = await put('crm');
    const response = await call('POST', '/crm/rotate', {});
    expect(response.status).toBe(201);
    const rotated = await response.json<WebhookObject>();
    expect(rotated.secret).toMatch(MADE);
    expect(rotated.secret).not.toBe(first.secret);
    expect(await (await call('GET', '/crm')).json()).not.toHaveProperty('secret');
    const events = await eventsOf(tenant.id);
    expect(events.filter(({ type }) => type === 'webhook.rotated')).toMatchObject([{ data: { name: 'crm' } }]);
    await happen();
    await deliver();
    expect(received.at(-1)?.headers.get('webhook-signature')).toMatch(/^v1,\S{44} v1,\S{44}$/);
    service.clock.advance(24 * 3600);
    await happen();
    await deliver();
    expect(received.at(-1)?.headers.get('webhook-signature')).toMatch(/^v1,\S{44}$/);
  });

  it('knows no webhook that there is not, and takes no members', async () => {
    const { tenant, call, put } = await newWebhookWorld();
    expect(await refusalOf(await call('POST', '/crm/rotate', {}))).toMatchObject(NOT_FOUND);
    await put('crm');
    const before = await rowsOf(tenant.id);
    expect((await call('POST', '/crm/rotate', { secret: SECRET })).status).toBe(400);
    expect(await rowsOf(tenant.id)).toEqual(before);
  });
});

describe('GET and DELETE /operator/v1/tenants/{slug}/webhooks', () => {
  it('list by name, and know what is there alone', async () => {
    const { call, put } = await newWebhookWorld();
    for (const name of ['b', 'a', 'c-1']) await put(name);
    const { items } = await (await call('GET', '')).json<{ items: WebhookObject[] }>();
    expect(items.map(({ name }) => name)).toEqual(['a', 'b', 'c-1']);
    for (const method of ['GET', 'DELETE']) {
      for (const name of ['d', 'A', "' or 1=1 --", '%'].map(encodeURIComponent)) {
        expect(await refusalOf(await call(method, `/${name}`))).toMatchObject(NOT_FOUND);
      }
    }
  });

  it('remove a webhook with its deliveries, and nothing of any other', async () => {
    const { tenant, call, put, happen } = await newWebhookWorld();
    await put('crm', { events: ['subscription.*', 'webhook.*'] });
    await put('kept', { events: ['subscription.*'] });
    await happen();
    expect((await call('DELETE', '/crm')).status).toBe(204);
    const { webhooks, deliveries } = await rowsOf(tenant.id);
    expect(webhooks?.map(({ name }) => name)).toEqual(['kept']);
    expect(deliveries?.map(({ webhook }) => webhook)).toEqual(['kept']);
    expect(await refusalOf(await call('DELETE', '/crm'))).toMatchObject(NOT_FOUND);
    const events = await eventsOf(tenant.id);
    expect(events.filter(({ type }) => type === 'webhook.deleted')).toMatchObject([{ data: { name: 'crm' } }]);
  });

  it('are one tenant’s alone', async () => {
    const { service, tenant, put, call } = await newWebhookWorld();
    const other = await newTenant(service);
    await put('crm', PROFILE);
    const before = await rowsOf(tenant.id);
    for (const [method, rest, body] of [
      ['GET', '/crm'],
      ['DELETE', '/crm'],
      ['POST', '/crm/rotate', {}],
      ['POST', '/crm/test'],
      ['GET', '/crm/deliveries'],
    ] as const) {
      const refused = await callAsOperator(service, method, webhooksOf(other, rest), body);
      expect(await refusalOf(refused)).toMatchObject(NOT_FOUND);
    }
    expect(await (await callAsOperator(service, 'GET', webhooksOf(other))).json()).toEqual({ items: [], next: null });
    expect((await callAsOperator(service, 'PUT', webhooksOf(other, '/crm'), PROFILE)).status).toBe(201);
    expect(await rowsOf(tenant.id)).toEqual(before);
    expect((await call('GET', '/crm')).status).toBe(200);
  });

  it('are of a tenant that there is', async () => {
    const service = createService();
    for (const [method, rest, body] of [
      ['PUT', '/crm', PROFILE],
      ['GET', ''],
      ['GET', '/crm'],
      ['DELETE', '/crm'],
      ['POST', '/crm/rotate', {}],
      ['POST', '/crm/test'],
      ['GET', '/crm/deliveries'],
      ['POST', '/crm/deliveries/evt_1/redeliver'],
    ] as const) {
      const path = webhooksOf({ slug: uniqueName('none') }, rest);
      expect(await refusalOf(await callAsOperator(service, method, path, body))).toMatchObject({
        status: 404,
        code: 'tenant_not_found',
      });
    }
  });
});
