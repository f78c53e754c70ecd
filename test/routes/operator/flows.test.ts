import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { newAuthenticationWorld, outcomeOf } from '../../support/authentications.ts';
import { breakable } from '../../support/bindings.ts';
import { collectionOf } from '../../support/collections.ts';
import { mailsTo } from '../../support/mailbox.ts';
import { callAsOperator, offerSubscriptions } from '../../support/operator.ts';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import { newTenant, refusalOf, type TestTenant, uniqueEmail, uniqueName } from '../../support/tenants.ts';

type Body = Record<string, unknown>;

const ACTIVATION = { name: 'activation', steps: [{ kind: 'send_activation' }] };

const PREREGISTRATION = {
  name: 'preregistration',
  steps: [
    { kind: 'challenge', channel: null },
    { kind: 'subscribe', subscriptions: null },
  ],
};

const NOT_FOUND = { status: 404, code: 'flow_not_found' };

const collection = collectionOf('flows');
const { pathOf, eventsOf: flowEventsOf } = collection;

const callsOf = (service: Service, tenant: TestTenant) => {
  const calls = collection.callsOf(service, tenant);
  return { ...calls, put: (name: string, steps: unknown) => calls.put(name, { steps }) };
};

const newCase = async (service = createService()) => {
  const tenant = await newTenant(service);
  return { service, tenant, ...callsOf(service, tenant) };
};

describe('PUT /operator/v1/tenants/{slug}/flows/{name}', () => {
  const members = {
    ...{ company: 'Acme', locale: 'de', timezone: 'Europe/Berlin', website: 'https://acme.example' },
    ...{
      birthDate: '1990-01-31',
      address: { country: 'DE', latitude: 48.4, city: null },
      plan: { tier: 1, tags: ['a'] },
    },
  };
  const kinds: [string, Body, Body?][] = [
    ['a challenge', { kind: 'challenge' }, { kind: 'challenge', channel: null }],
    ['a challenge by email', { kind: 'challenge', channel: 'email' }],
    ['a challenge by SMS', { kind: 'challenge', channel: 'sms' }],
    ['an activation', { kind: 'send_activation' }],
    ['all subscriptions', { kind: 'subscribe' }, { kind: 'subscribe', subscriptions: null }],
    ['some subscriptions', { kind: 'subscribe', subscriptions: ['news', 'offers'] }],
    ['no subscriptions', { kind: 'subscribe', subscriptions: [] }],
    ['a notice', { kind: 'notify' }, { kind: 'notify', name: null }],
    ['a notice by name', { kind: 'notify', name: 'signed up' }],
    ['members by default', { kind: 'set', members }],
    [
      'a country by its name',
      { kind: 'set', members: { address: { country: 'Germany' } } },
      { kind: 'set', members: { address: { country: 'DE' } } },
    ],
    ['nothing by default', { kind: 'set', members: {} }],
    [
      'members that are required',
      { kind: 'require', members: ['email', 'subscriptions', 'address', 'address.city', 'shoeSize', 'shoe.size'] },
    ],
  ];

  it.each(kinds)('takes %s as a step, and tells it', async (_, step, told = step) => {
    const { service, tenant, put, read, list } = await newCase();
    await offerSubscriptions(service, tenant, 'news', 'offers');
    const response = await put('ours', [step]);
    expect(response.status).toBe(201);
    const flow = { name: 'ours', steps: [told] };
    expect(await response.json()).toEqual(flow);
    expect(await (await read('ours')).json()).toEqual(flow);
    expect(await list()).toEqual({ items: [ACTIVATION, flow, PREREGISTRATION], next: null });
    const event = { type: 'flow.updated', actor: 'operator', subject: tenant.id, data: { name: 'ours' } };
    expect(await flowEventsOf(tenant.id)).toEqual([event]);
  });

  it('keeps the order of as many as twenty steps', async () => {
    const { put } = await newCase();
    const steps = Array.from({ length: 20 }, (_, i) => ({ kind: 'notify', name: `step ${i}` }));
    expect(await (await put('ours', steps)).json()).toEqual({ name: 'ours', steps });
  });

  it('replaces a flow', async () => {
    const { service, tenant, put, read } = await newCase();
    await put('ours', [{ kind: 'notify', name: 'before' }]);
    service.clock.advance(5);
    const response = await put('ours', ACTIVATION.steps);
    expect(response.status).toBe(200);
    const flow = { name: 'ours', steps: ACTIVATION.steps };
    expect(await response.json()).toEqual(flow);
    expect(await (await read('ours')).json()).toEqual(flow);
    const [row, ...others] = (await rowsOf(tenant.id)).flows ?? [];
    expect(others).toEqual([]);
    expect(Number(row?.updated_at) - Number(row?.created_at)).toBe(5000);
    expect((await flowEventsOf(tenant.id)).map(({ type }) => type)).toEqual(['flow.updated', 'flow.updated']);
  });

  it('makes one flow when it is asked for it ten times at once', async () => {
    const { put, tenant } = await newCase();
    const responses = await Promise.all(Array.from({ length: 10 }, () => put('ours', ACTIVATION.steps)));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([...Array<number>(9).fill(200), 201]);
    expect((await rowsOf(tenant.id)).flows).toHaveLength(1);
  });

  it('is not done by half when the database fails, nor is a removal', async () => {
    const storage = breakable(env);
    const { tenant, put, remove } = await newCase(createService(storage.bindings));
    await put('ours', ACTIVATION.steps);
    const before = await rowsOf(tenant.id);
    for (const change of [
      () => put('ours', PREREGISTRATION.steps),
      () => put('new', ACTIVATION.steps),
      () => remove('ours'),
    ]) {
      storage.failWhen((operation) => (operation === 'D1 batch' ? 'before' : null));
      expect(await refusalOf(await change())).toMatchObject({ status: 503, code: 'storage_unavailable' });
      storage.failWhen(null);
      expect(await rowsOf(tenant.id)).toEqual(before);
    }
  });
});

/** Fails unless exactly these members are refused, and nothing is stored. */
const expectFaults = async (body: unknown, paths: string[], name = 'ours'): Promise<void> => {
  const service = createService();
  const tenant = await newTenant(service);
  const before = await rowsOf(tenant.id);
  const response = await callAsOperator(service, 'PUT', pathOf(tenant, name), body);
  const { code, errors = [] } = await response.json<{ code: string; errors?: { path: string }[] }>();
  expect([response.status, code]).toEqual([400, 'validation_failed']);
  expect([...new Set(errors.map(({ path }) => path))].toSorted()).toEqual(paths.toSorted());
  expect(await rowsOf(tenant.id)).toEqual(before);
};

describe('a flow is refused, and every fault of it named,', () => {
  const ofSteps = (...steps: unknown[]) => ({ steps });
  const faulty: [string, unknown, string[]][] = [
    ['without steps', {}, ['steps']],
    ['with an empty list of steps', ofSteps(), ['steps']],
    ['with 21 steps', ofSteps(...Array<Body>(21).fill({ kind: 'notify' })), ['steps']],
    ['with steps that are no list', { steps: { kind: 'notify' } }, ['steps']],
    ['with members that there are not', { ...ofSteps({ kind: 'notify' }), name: 'x', next: null }, ['name', 'next']],
    [
      'with steps of kinds that there are not',
      ofSteps({ kind: 'notify' }, { kind: 'mail' }, {}, { kind: 'Notify' }, 'notify', null),
      ['steps.1.kind', 'steps.2.kind', 'steps.3.kind', 'steps.4', 'steps.5'],
    ],
    [
      'with members that its steps have not',
      ofSteps({ kind: 'send_activation', to: 'x' }, { kind: 'notify', url: 'https://a.example' }),
      ['steps.0.to', 'steps.1.url'],
    ],
    ['with a channel that there is not', ofSteps({ kind: 'challenge', channel: 'fax' }), ['steps.0.channel']],
    [
      'with subscriptions that are none',
      ofSteps({ kind: 'subscribe', subscriptions: ['news', '', 7] }, { kind: 'subscribe', subscriptions: 'news' }),
      ['steps.0.subscriptions.1', 'steps.0.subscriptions.2', 'steps.1.subscriptions'],
    ],
    ['with an empty name of a notice', ofSteps({ kind: 'notify', name: ' ' }), ['steps.0.name']],
    [
      'with nothing to set or to require',
      ofSteps(
        { kind: 'set' },
        { kind: 'require' },
        { kind: 'require', members: [] },
        { kind: 'require', members: [''] },
      ),
      ['steps.0.members', 'steps.1.members', 'steps.2.members', 'steps.3.members.0'],
    ],
    [
      'with members to require that nobody can send',
      ofSteps({
        kind: 'require',
        members: ['id', 'emailVerified', 'provider', 'challenge', 'name.first', 'address.planet', 'address.city.name'],
      }),
      [0, 1, 2, 3, 4, 5, 6].map((i) => `steps.0.members.${i}`),
    ],
    [
      'with 51 members to require',
      ofSteps({ kind: 'require', members: Array<string>(51).fill('x') }),
      ['steps.0.members'],
    ],
    [
      'with defaults that are not as a profile has them',
      ofSteps({
        kind: 'set',
        members: {
          ...{ locale: 'not a tag', timezone: 'Nowhere/Land', birthDate: '1990-02-31', website: 'javascript:alert(1)' },
          ...{ firstName: 7, address: { country: 'Atlantis', latitude: 91, planet: 'Mars' } },
        },
      }),
      [
        ...['locale', 'timezone', 'birthDate', 'website', 'firstName'].map((name) => `steps.0.members.${name}`),
        ...['country', 'latitude', 'planet'].map((name) => `steps.0.members.address.${name}`),
      ],
    ],
    [
      'with defaults that would make one person another',
      ofSteps({ kind: 'set', members: { id: 'cus_1', email: 'a@example.com', phone: '+44', emailVerified: true } }),
      ['id', 'email', 'phone', 'emailVerified'].map((name) => `steps.0.members.${name}`),
    ],
  ];
  it.each(faulty)('%s', async (_, body, paths) => {
    await expectFaults(body, paths);
  });

  it('with subscriptions that are not offered', async () => {
    const service = createService();
    const [{ tenant, put }, other] = [await newCase(service), await newCase(service)];
    await offerSubscriptions(service, tenant, 'news');
    await offerSubscriptions(service, other.tenant, 'theirs');
    const steps = [{ kind: 'notify' }, { kind: 'subscribe', subscriptions: ['news', 'nope', 'theirs'] }];
    const response = await put('ours', steps);
    expect(response.status).toBe(400);
    const { errors } = await response.json<{ errors: { path: string }[] }>();
    expect(errors.map(({ path }) => path)).toEqual(['steps.1.subscriptions.1', 'steps.1.subscriptions.2']);
    expect((await rowsOf(tenant.id)).flows).toEqual([]);
    await offerSubscriptions(service, tenant, 'nope', 'theirs');
    expect((await put('ours', steps)).status).toBe(201);
  });

  const attributes_schema = {
    $defs: { size: { type: 'integer', minimum: 14 } },
    properties: {
      ...{ shoeSize: { $ref: '#/$defs/size' }, address2: { type: 'object', required: ['city'] } },
      ...{ tree: { $ref: '#' }, plan: { enum: ['gold', 'silver'] } },
    },
    patternProperties: { '^x-': { type: 'string' } },
    additionalProperties: false,
    required: ['shoeSize', 'plan'],
    minProperties: 4,
    dependentRequired: { plan: ['x-since'] },
    anyOf: [{ properties: { plan: { const: 'gold' } } }, { required: ['x-since'] }],
  };

  it.each([
    ['shoeSize', { shoeSize: 'large' }],
    ['shoeSize', { shoeSize: 13 }],
    ['address2.city', { address2: { street: 'x' } }],
    ['tree.shoeSize', { tree: { shoeSize: 1, plan: 'gold', 'x-since': 'x', 'x-by': 'x' } }],
    ['plan', { plan: 'bronze', 'x-since': 'x', shoeSize: 38 }],
    ['x-since', { 'x-since': 7 }],
    ['motto', { motto: 'Ours' }],
  ])('with an attribute %s that the tenant’s own schema has not: %j', async (path, members) => {
    const service = createService();
    const tenant = await newTenant(service, { settings: { attributes_schema } });
    const steps = [{ kind: 'set', members }];
    const response = await callsOf(service, tenant).put('ours', steps);
    expect(response.status).toBe(400);
    const { errors } = await response.json<{ errors: { path: string }[] }>();
    expect(errors.map((each) => each.path)).toContain(`steps.0.members.${path}`);
  });

  it.each([{ shoeSize: 38 }, { plan: 'silver' }, { 'x-since': 'x', plan: null }, {}, { company: 'Acme' }])(
    'not with some attributes, whatever the schema asks of them all: %j',
    async (members) => {
      const service = createService();
      const tenant = await newTenant(service, { settings: { attributes_schema } });
      expect((await callsOf(service, tenant).put('ours', [{ kind: 'set', members }])).status).toBe(201);
    },
  );

  it.each([
    ['steps.0.members', { motto: 'x'.repeat(17_000) }],
    ['steps.0.members.motto', { motto: [[[[[[[[1]]]]]]]] }],
  ])('with attributes that are too many or too deep, at %s', async (path, members) => {
    await expectFaults(ofSteps({ kind: 'set', members }), [path]);
  });

  it.each(['UPPER', 'a b', 'ä', 'a_b', 'x'.repeat(41), 'a/b'])('by the name %j', async (name) => {
    await expectFaults({ steps: ACTIVATION.steps }, ['name'], encodeURIComponent(name));
  });

  it.each(['a', 'x'.repeat(40), 'after-2'])('not by the name %j', async (name) => {
    expect((await (await newCase()).put(name, ACTIVATION.steps)).status).toBe(201);
  });
});

describe('the flows that every tenant has', () => {
  it('are listed and read before anybody has defined one', async () => {
    const { tenant, list, read } = await newCase();
    expect(await list()).toEqual({ items: [ACTIVATION, PREREGISTRATION], next: null });
    for (const flow of [ACTIVATION, PREREGISTRATION]) expect(await (await read(flow.name)).json()).toEqual(flow);
    expect((await rowsOf(tenant.id)).flows).toEqual([]);
  });

  it.each([ACTIVATION, PREREGISTRATION])('are overridden, and given back by DELETE: %j', async (flow) => {
    const { tenant, put, read, remove, list } = await newCase();
    const { name } = flow;
    const steps = [{ kind: 'notify', name: 'mine' }];
    expect((await put(name, steps)).status).toBe(201);
    expect(await (await read(name)).json()).toEqual({ name, steps });
    const others = [ACTIVATION, PREREGISTRATION].filter((each) => each !== flow);
    const { items } = await list();
    expect(items).toHaveLength(2);
    expect(items).toEqual(expect.arrayContaining([{ name, steps }, ...others]));
    expect((await put(name, ACTIVATION.steps)).status).toBe(200);
    expect((await remove(name)).status).toBe(204);
    expect(await (await read(name)).json()).toEqual(flow);
    expect(await list()).toEqual({ items: [ACTIVATION, PREREGISTRATION], next: null });
    const events = await flowEventsOf(tenant.id);
    expect(events).toContainEqual({ type: 'flow.deleted', actor: 'operator', subject: tenant.id, data: { name } });
  });

  it('cannot be removed', async () => {
    const { tenant, remove } = await newCase();
    for (const { name } of [ACTIVATION, PREREGISTRATION]) {
      expect(await refusalOf(await remove(name))).toMatchObject(NOT_FOUND);
    }
    expect(await flowEventsOf(tenant.id)).toEqual([]);
  });
});

describe('what names no flow', () => {
  it.each(['GET', 'DELETE'])('is told by %s', async (method) => {
    const service = createService();
    const [{ tenant }, other] = [await newCase(service), await newCase(service)];
    await other.put('theirs', ACTIVATION.steps);
    for (const name of ['unknown', 'theirs', 'Activation', '%20', "'", '__proto__', 'toString']) {
      const response = await callAsOperator(service, method, pathOf(tenant, name));
      expect(await refusalOf(response)).toMatchObject(NOT_FOUND);
    }
    expect((await other.read('theirs')).status).toBe(200);
    expect((await eventsAbout(tenant.id)).map(({ type }) => type)).toEqual(['tenant.created']);
  });
});

describe('what names no tenant', () => {
  it.each([
    ['PUT', 'ours', { steps: ACTIVATION.steps }],
    ['GET', undefined, undefined],
    ['GET', 'activation', undefined],
    ['DELETE', 'ours', undefined],
  ])('is told by %s …/flows/%s', async (method, name, body) => {
    const response = await callAsOperator(createService(), method, pathOf({ slug: 'nobodys' }, name), body);
    expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'tenant_not_found' });
  });
});

/** A tenant, and the calls of its forms. */
const newForms = async (profile: Body = {}) => {
  const world = await newAuthenticationWorld(profile);
  const { service, tenant, path } = world;
  return {
    ...world,
    flows: callsOf(service, tenant),
    send: (body: Body, flow?: string) =>
      service.call('POST', flow === undefined ? path : `${path}?flow=${flow}`, {
        body: { email: uniqueEmail(), ...body },
      }),
    /** Replaces what is said of the tenant. */
    set: (settings: Body) =>
      callAsOperator(service, 'PUT', `/operator/v1/tenants/${tenant.slug}`, { name: 'A tenant', settings }),
  };
};

describe('a change of a flow', () => {
  it('takes effect at once, as does its removal', async () => {
    const { send, flows, tenant } = await newForms();
    expect(await outcomeOf(await send({}, 'ours'))).toEqual([404, 'flow_not_found']);
    expect((await rowsOf(tenant.id)).customers).toEqual([]);
    await flows.put('ours', [{ kind: 'set', members: { company: 'Acme', plan: 'gold' } }]);
    expect(await (await send({}, 'ours')).json()).toMatchObject({ company: 'Acme', plan: 'gold' });
    await flows.put('ours', [{ kind: 'require', members: ['shoeSize'] }]);
    expect(await outcomeOf(await send({}, 'ours'))).toEqual([412, 'validation_failed']);
    expect((await send({ shoeSize: 38 }, 'ours')).status).toBe(200);
    await flows.put('ours', [{ kind: 'challenge' }]);
    expect((await send({}, 'ours')).status).toBe(202);
    await flows.remove('ours');
    expect(await outcomeOf(await send({}, 'ours'))).toEqual([404, 'flow_not_found']);
  });

  it('takes effect at once for one that every tenant has, and for that tenant alone', async () => {
    const { service, tenant, send, flows } = await newForms();
    const other = await newForms();
    await offerSubscriptions(service, tenant, 'news', 'offers');
    await flows.put('activation', [{ kind: 'subscribe', subscriptions: ['news'] }]);
    const [email, others] = [uniqueEmail(), uniqueEmail()];
    expect(await (await send({ email }, 'activation')).json()).toMatchObject({ subscriptions: ['news'] });
    expect(await mailsTo(email)).toEqual([]);
    expect((await other.send({ email: others }, 'activation')).status).toBe(200);
    expect(await mailsTo(others)).toHaveLength(1);
    await flows.remove('activation');
    const again = uniqueEmail();
    expect(await (await send({ email: again }, 'activation')).json()).toMatchObject({ subscriptions: [] });
    expect(await mailsTo(again)).toHaveLength(1);
  });

  it('notifies by an entry of the audit log', async () => {
    const { send, flows } = await newForms();
    await flows.put('ours', [{ kind: 'notify', name: 'signed up' }]);
    const { id } = await (await send({}, 'ours')).json<{ id: string }>();
    expect((await eventsAbout(id)).map(({ type }) => type)).toContain('flow.notified');
  });
});

describe('the settings of a tenant', () => {
  const put = (settings: Body, service = createService(), slug = uniqueName('t')) =>
    callAsOperator(service, 'PUT', `/operator/v1/tenants/${slug}`, { name: 'A tenant', settings });

  it('are told as they were set, and as their defaults where they were not', async () => {
    const settings = {
      challenge: 'always',
      attributes_schema: {
        $defs: { size: { type: 'integer', minimum: 14 } },
        type: 'object',
        properties: { shoeSize: { $ref: '#/$defs/size' }, motto: { type: 'string', pattern: '^[A-Z]' } },
        additionalProperties: false,
      },
      profile_defaults: { company: 'Acme', address: { country: 'DE', city: null }, shoeSize: 38, tags: ['a', null] },
    };
    expect(await (await put(settings)).json()).toMatchObject({ settings });
    const defaults = { challenge: 'existing', attributes_schema: null, profile_defaults: {} };
    expect(await (await put({})).json()).toMatchObject({ settings: defaults });
  });

  it.each([
    {},
    { type: ['object', 'null'], properties: {} },
    { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Ours', 'x-ours': { type: 7 } },
    { properties: { pattern: { type: 'string' }, $ref: { type: 'string' }, enum: true } },
    { $defs: { a: { not: false } }, allOf: [{ $ref: '#/$defs/a' }, { anyOf: [{ $ref: '#/$defs/a' }] }] },
    { properties: { tree: { $ref: '#' }, list: { prefixItems: [true, { const: 1 }], items: false } } },
    { $defs: { a: { $anchor: 'size', type: 'integer' } }, properties: { b: { $ref: '#size' } } },
    { required: ['a'], dependentRequired: { a: ['b'] }, patternProperties: { '^x-': { enum: [1, 'a', null] } } },
    {
      if: { required: ['a'] },
      ...Object.fromEntries([['then', { minProperties: 2 }]]),
      not: { anyOf: [{ required: ['z'] }] },
    },
  ])('take the schema %j', async (attributes_schema) => {
    const response = await put({ attributes_schema });
    expect(response.status).toBe(201);
    const { settings } = await response.json<{ settings: Body }>();
    expect(settings.attributes_schema).toEqual(attributes_schema);
  });

  it.each([
    { type: 'strange' },
    { type: 7 },
    { properties: { a: { type: 'strange' } } },
    { properties: 'a' },
    { properties: null },
    { properties: { a: 'string' } },
    { required: 'a' },
    { anyOf: {} },
    { allOf: [] },
    { properties: { a: { enum: 'x' } } },
    { properties: { a: { minimum: '1' } } },
    { properties: { a: { maxLength: -1 } } },
    { properties: { a: { pattern: '(' } } },
    { patternProperties: { '[': true } },
    { $ref: '#' },
    { $ref: '#/$defs/nowhere' },
    { $ref: 'https://example.com/schema' },
    { properties: { a: { $ref: '#/$defs/nowhere' } } },
    { properties: { a: { allOf: [{ $ref: '#/properties/a' }] } } },
    { properties: { a: { not: { $ref: '#/properties/b' } }, b: { anyOf: [true, { $ref: '#/properties/a' }] } } },
    { properties: { a: { $ref: 'https://example.com/schema' } } },
    { additionalProperties: { items: { $ref: 'https://json-schema.org/draft/2020-12/schema' } } },
  ])('refuse the schema %j, which is none that can be used', async (attributes_schema) => {
    const [service, slug] = [createService(), uniqueName('t')];
    const response = await put({ attributes_schema }, service, slug);
    expect(response.status).toBe(400);
    const { errors } = await response.json<{ errors: { path: string }[] }>();
    expect(errors.map(({ path }) => path)).toEqual(['settings.attributes_schema']);
    expect((await callAsOperator(service, 'GET', `/operator/v1/tenants/${slug}`)).status).toBe(404);
  });

  it.each(['{}', [], true, 7])('refuse the schema %j, which is no object', async (attributes_schema) => {
    expect(await refusalOf(await put({ attributes_schema }))).toMatchObject({ status: 400, code: 'validation_failed' });
  });

  it('are refused with every fault named', async () => {
    const response = await put({
      challenge: 'never',
      profile_defaults: {
        ...{ id: 'cus_1', email: 'a@example.com', phone: '+44', phoneVerified: true, createdAt: 'now', provider: 'x' },
        ...{ subscriptions: ['news'], challenge: {}, locale: 'not a tag', address: { country: 'Atlantis' } },
      },
    });
    expect(response.status).toBe(400);
    const { errors } = await response.json<{ errors: { path: string }[] }>();
    const names = ['id', 'email', 'phone', 'phoneVerified', 'createdAt', 'provider', 'subscriptions', 'challenge'];
    const paths = [...names, 'locale', 'address.country'].map((name) => `settings.profile_defaults.${name}`);
    expect(errors.map(({ path }) => path).toSorted()).toEqual(['settings.challenge', ...paths].toSorted());
  });

  it('take effect at once, one after another', async () => {
    const { send, set } = await newForms();
    expect((await send({ shoeSize: 'large' })).status).toBe(200);
    await set({ attributes_schema: { properties: { shoeSize: { type: 'integer' } } } });
    expect(await outcomeOf(await send({ shoeSize: 'large' }))).toEqual([412, 'validation_failed']);
    expect((await send({ shoeSize: 38 })).status).toBe(200);
    await set({ profile_defaults: { company: 'Acme', shoeSize: 38 } });
    expect(await (await send({})).json()).toMatchObject({ company: 'Acme', shoeSize: 38 });
    expect(await (await send({ company: 'Other', shoeSize: 'large' })).json()).toMatchObject({
      company: 'Other',
      shoeSize: 'large',
    });
    await set({ challenge: 'always' });
    expect((await send({})).status).toBe(202);
    await set({});
    expect(await (await send({})).json()).toMatchObject({ company: null });
  });
});
