import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, linkIn } from '../../support/accounts.ts';
import { mailedCode } from '../../support/logins.ts';
import { lastMailTo, mailsTo } from '../../support/mailbox.ts';
import { callAsOperator, changeCustomer, customersOf, offerSubscriptions } from '../../support/operator.ts';
import { keepPostalCodes } from '../../support/postal-codes.ts';
import { rowsOf } from '../../support/rows.ts';
import { newColleague, newOwnerWorld } from '../../support/signups.ts';
import { appHeaders, newApp, newTenant, uniqueEmail } from '../../support/tenants.ts';
import { textsTo, uniqueNumber } from '../../support/texts.ts';
import {
  createTextingService,
  faultsIn,
  formsOf,
  newPersonWorld,
  newUpsertWorld,
  putFlow,
  requireAttribute,
} from '../../support/upserts.ts';

const ADDRESS = {
  line1: '12 St James’s Square',
  line2: 'Flat 3',
  city: 'London',
  region: 'Greater London',
  postalCode: 'SW1Y 4JH',
  country: 'GB',
  latitude: 51.5,
  longitude: -0.13,
};
const ALL = {
  firstName: 'Ada',
  lastName: 'Lovelace',
  name: 'Ada Lovelace',
  company: 'Engines Ltd',
  birthDate: '1985-12-10',
  locale: 'en-GB',
  timezone: 'Europe/London',
  website: 'https://ada.example.com/',
  address: ADDRESS,
};

describe('POST /api/{tenantId}/customer for nobody that is known', () => {
  it('creates the account and gives its profile, with every member as it was sent', async () => {
    const { post, tenant } = await newUpsertWorld();
    const email = uniqueEmail();
    const phone = uniqueNumber();
    const created = await post({ ...ALL, email, phone });
    expect(created.status).toBe(200);
    const { id, createdAt, updatedAt, ...members } = created.body;
    expect(id).toMatch(/^cus_/);
    expect(createdAt).toBe(updatedAt);
    expect(members).toEqual({
      ...{ ...ALL, email, phone, subscriptions: [] },
      ...{ emailVerified: false, phoneVerified: false, provider: null },
    });
    const { customers = [], users = [], events = [] } = await rowsOf(tenant.id);
    expect([customers, users]).toMatchObject([[{ id }], [{ customer_id: id, is_owner: 1 }]]);
    expect(events.filter(({ type }) => type === 'customer.created')).toMatchObject([{ actor: 'anonymous' }]);
  });

  it('keeps members that it does not know as attributes, of any form', async () => {
    const { store } = await newUpsertWorld();
    const attributes = { shoeSize: 38, tags: ['a', 'b'], nested: { deep: [1, { x: true }] }, constructor: 'x' };
    expect(await store({ email: uniqueEmail(), ...attributes })).toMatchObject(attributes);
  });

  it('keeps attributes exactly as they were sent while others change', async () => {
    const { store, person, own } = await newPersonWorld();
    const numbers = { sum: 0.1 + 0.2, large: 1e21, small: 5e-324, safe: 9007199254740991, negative: -1.5, whole: 1e15 };
    const kept = {
      ...numbers,
      list: [0.1 + 0.2, '0.30000000000000004'],
      '': null,
      quoted: '"\\\u0000',
      'a.b': { x: 1.1 },
    };
    const { '': _, ...told } = kept;
    await store({ email: person.email, ...kept, gone: 1 }, own);
    const changed = await store({ email: person.email, other: true, gone: null }, own);
    expect(changed).toMatchObject({ ...told, other: true });
    expect(changed).not.toHaveProperty('gone');
  });

  it('takes no attribute for a prototype', async () => {
    const { service, path } = await newUpsertWorld();
    const rawBody = `{"email": ${JSON.stringify(uniqueEmail())}, "__proto__": {"emailVerified": true, "polluted": 1}}`;
    const headers = { 'Content-Type': 'application/json' };
    const response = await service.call('POST', path, { rawBody, headers });
    if (response.status === 200) expect(await response.json()).toMatchObject({ emailVerified: false });
    expect(Reflect.get({}, 'polluted')).toBe(undefined);
  });

  it('subscribes to what is offered', async () => {
    const { service, tenant, store } = await newUpsertWorld();
    await offerSubscriptions(service, tenant, 'news', 'offers');
    expect(await store({ email: uniqueEmail(), subscriptions: ['news', 'news'] })).toMatchObject({
      subscriptions: ['news'],
    });
  });

  it('finds it again by id, whatever address is beside', async () => {
    const { store, hold } = await newUpsertWorld();
    const email = uniqueEmail();
    const { id } = await store({ email });
    await store({ email: uniqueEmail() });
    await hold({ id, email: uniqueEmail(), name: 'Eve' });
    expect(await mailsTo(email)).toHaveLength(1);
  });

  it('finds it again by the address, whatever phone is beside', async () => {
    const { store, hold, tenant } = await newUpsertWorld();
    const [email, phone] = [uniqueEmail(), uniqueNumber()];
    await store({ email });
    await store({ phone });
    await hold({ email: ` ${email.toUpperCase()} `, phone });
    expect(await mailsTo(email)).toHaveLength(1);
    expect(await textsTo(phone)).toEqual([]);
    expect((await rowsOf(tenant.id)).customers).toHaveLength(2);
  });

  it('finds it again by the phone, however it is written', async () => {
    const { store, hold, tenant } = await newUpsertWorld();
    const phone = uniqueNumber();
    expect(await store({ phone, address: { country: 'DE' } })).toMatchObject({ phone, email: null });
    await hold({ phone: `0${phone.slice(3, 6)} ${phone.slice(6)}`, address: { country: 'Germany' } });
    expect(await textsTo(phone)).toHaveLength(1);
    expect((await rowsOf(tenant.id)).customers).toHaveLength(1);
  });

  it.each([
    [{}, ['email']],
    [{ name: 'Ada' }, ['email']],
    [{ phone: null }, ['email']],
    [{ id: 'cus_unknown', email: 'ada@example.com' }, ['id']],
    [{ phone: '12' }, ['phone']],
    [{ email: 'a@b@c' }, ['email']],
    [{ email: null }, ['email']],
  ])('refuses %j, which tells no account, with 412', async (body, faults) => {
    const { post, tenant } = await newUpsertWorld();
    const before = await rowsOf(tenant.id);
    const refused = await post(body);
    expect(refused).toMatchObject({ status: 412, body: { code: 'validation_failed' } });
    expect(faultsIn(refused)).toEqual(faults);
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('names all faults of form at once, and stores nothing', async () => {
    const { post, tenant } = await newUpsertWorld();
    const before = await rowsOf(tenant.id);
    const refused = await post({
      ...{ email: 'nobody', birthDate: '2999-01-01', locale: 'xx_yy_zz!', timezone: 'Mars/Phobos' },
      ...{ website: 'javascript:alert(1)', firstName: 'a\nb', subscriptions: 'news' },
      address: { country: 'Atlantis', latitude: 91, unknown: 1 },
    });
    expect(refused).toMatchObject({ status: 412, body: { code: 'validation_failed' } });
    expect(faultsIn(refused)).toEqual(
      [
        ...['address.country', 'address.latitude', 'address.unknown', 'birthDate', 'email', 'firstName', 'locale'],
        ...['subscriptions', 'timezone', 'website'],
      ].toSorted(),
    );
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it.each(['+02:00', '-0330', 'Mars/Phobos', ''])('takes %j for no time zone', async (timezone) => {
    const { post } = await newUpsertWorld();
    const refused = await post({ email: uniqueEmail(), timezone });
    expect([refused.status, faultsIn(refused)]).toEqual([412, ['timezone']]);
  });

  it('names all faults of what is meant at once, and stores nothing', async () => {
    const { post, tenant } = await newUpsertWorld({
      attributes_schema: { properties: { shoeSize: { type: 'integer' }, hat: { type: 'string' } } },
    });
    const before = await rowsOf(tenant.id);
    const body = { email: uniqueEmail(), phone: '12', subscriptions: ['unknown'], shoeSize: 'big', hat: 5 };
    const refused = await post(body);
    expect(refused.status).toBe(412);
    expect(faultsIn(refused)).toEqual(['hat', 'phone', 'shoeSize', 'subscriptions.0']);
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it.each([
    [{ id: 'nobody', phone: '12' }, ['id', 'phone']],
    [{ id: `cus_${'0'.repeat(26)}`, phone: '12' }, ['id', 'phone']],
    [{ phone: '12' }, ['phone']],
    [{}, ['email']],
  ])('names what is wrong with what tells the account, %j, beside all else', async (whom, faults) => {
    const { service, tenant, post } = await newUpsertWorld({
      attributes_schema: { properties: { hat: { type: 'string' } } },
    });
    await putFlow(service, tenant, 'custom', [{ kind: 'require', members: ['company'] }]);
    const before = await rowsOf(tenant.id);
    const refused = await post({ ...whom, subscriptions: ['unknown'], hat: 5 }, { flow: 'custom' });
    expect(refused).toMatchObject({ status: 412, body: { code: 'validation_failed' } });
    expect(faultsIn(refused)).toEqual(['company', 'hat', 'subscriptions.0', ...faults].toSorted());
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('names each attribute that the tenant’s schema requires and that is missing, at any depth', async () => {
    const { post, tenant } = await newUpsertWorld({
      attributes_schema: {
        $defs: { seat: { required: ['row'] } },
        properties: { seats: { items: { $ref: '#/$defs/seat' } }, car: { required: ['say "plate".\n', 'a/b~c'] } },
        required: ['plan', 'constructor', 'car'],
      },
    });
    const before = await rowsOf(tenant.id);
    const refused = await post({ email: uniqueEmail(), seats: [{ row: 1 }, {}], car: { 'a/b~c': null } });
    expect(refused).toMatchObject({ status: 412, body: { code: 'validation_failed' } });
    const missing = ['car.say "plate".\n', 'constructor', 'plan', 'seats.1.row'];
    expect(refused.body.errors).toHaveLength(missing.length);
    for (const path of missing) {
      expect(refused.body.errors).toContainEqual({ path, code: 'required', message: expect.any(String) });
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('names faults of form and of what is meant at once, each member’s once', async () => {
    const { service, tenant, post } = await newUpsertWorld({
      attributes_schema: { properties: { hat: { type: 'string' } } },
    });
    await putFlow(service, tenant, 'custom', [
      { kind: 'require', members: ['company', 'birthDate', 'address.city', 'email'] },
    ]);
    const before = await rowsOf(tenant.id);
    const form = { email: 'nobody', birthDate: 'yesterday', address: { country: 'Atlantis' }, createdAt: 'now' };
    const refused = await post({ ...form, phone: '12', subscriptions: ['unknown'], hat: 5 }, { flow: 'custom' });
    expect(refused).toMatchObject({ status: 412, body: { code: 'validation_failed' } });
    const named = ['address.country', 'birthDate', 'company', 'createdAt', 'email', 'hat', 'phone', 'subscriptions.0'];
    expect(faultsIn(refused)).toEqual(named);
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it.each(['id', 'email', 'phone'])('asks for no other way to tell the account beside a wrong %s', async (member) => {
    const { post } = await newUpsertWorld();
    const refused = await post({ [member]: 5 });
    expect([refused.status, faultsIn(refused)]).toEqual([412, [member]]);
  });

  it.each(['emailVerified', 'phoneVerified', 'createdAt', 'updatedAt', 'provider'])(
    'refuses to be told %s',
    async (member) => {
      const { post, tenant } = await newUpsertWorld();
      const refused = await post({ email: uniqueEmail(), [member]: true });
      expect(refused.status).toBe(412);
      expect(faultsIn(refused)).toEqual([member]);
      expect((await rowsOf(tenant.id)).customers).toEqual([]);
    },
  );

  it('keeps at most 16 KiB of attributes', async () => {
    const { post, store } = await newUpsertWorld();
    // {"bio":""} takes ten bytes.
    const largest = 'x'.repeat(16 * 1024 - 10);
    expect((await store({ email: uniqueEmail(), bio: largest })).bio).toBe(largest);
    expect((await post({ email: uniqueEmail(), bio: `${largest}x` })).status).toBe(412);
    expect((await post({ email: uniqueEmail(), bio: 'é'.repeat(10_000) })).status).toBe(412);
  });

  it('keeps attributes 8 levels deep at most', async () => {
    const { post, store } = await newUpsertWorld();
    const nest = (levels: number): unknown => (levels === 0 ? 1 : { x: nest(levels - 1) });
    const deepest = nest(7);
    expect((await store({ email: uniqueEmail(), deepest })).deepest).toEqual(deepest);
    const refused = await post({ email: uniqueEmail(), deeper: nest(8) });
    expect([refused.status, faultsIn(refused)]).toEqual([412, ['deeper']]);
  });

  it('counts the attributes that there are, too', async () => {
    const { store, post, own, person } = await newPersonWorld();
    const { email } = person;
    await store({ email, one: 'x'.repeat(10_000) }, own);
    expect((await post({ email, two: 'x'.repeat(10_000) }, own)).status).toBe(412);
    expect(await store({ email, one: null, two: 'x'.repeat(10_000) }, own)).not.toHaveProperty('one');
  });

  it.each([
    ['an array', '[]', 400],
    ['a text', '"x"', 400],
    ['no JSON', '{', 400],
  ])('refuses %s', async (_, rawBody, status) => {
    const { service, path } = await newUpsertWorld();
    const response = await service.call('POST', path, { rawBody, headers: { 'Content-Type': 'application/json' } });
    expect(response.status).toBe(status);
  });

  it('makes accounts of its own tenant alone', async () => {
    const { service, tenant, store } = await newUpsertWorld();
    const other = await newTenant(service);
    const email = uniqueEmail();
    const theirs = await formsOf(service, other).store({ email, name: 'Theirs' });
    const before = await rowsOf(other.id);
    const ours = await store({ email, name: 'Ours' });
    expect(ours.id).not.toBe(theirs.id);
    const refused = await formsOf(service, tenant).post({ id: theirs.id, name: 'Eve' });
    expect([refused.status, faultsIn(refused)]).toEqual([412, ['id']]);
    expect(await rowsOf(other.id)).toEqual(before);
  });
});

describe('POST /api/{tenantId}/customer with the account’s own access token', () => {
  it('changes at once what is sent, and nothing else', async () => {
    const { person, post, own } = await newPersonWorld();
    const first = await post({ email: person.email, ...ALL, shoeSize: 38, hat: 'top' }, own);
    expect(first).toMatchObject({
      status: 200,
      body: { ...ALL, shoeSize: 38, id: person.cuid, emailVerified: true, provider: 'password' },
    });
    const second = await post({ id: person.cuid, name: 'Grace Hopper', address: { city: 'Ulm' }, hat: null }, own);
    const { hat, updatedAt, ...kept } = first.body;
    expect(second.body).toEqual({
      ...{ ...kept, name: 'Grace Hopper', address: { ...ADDRESS, city: 'Ulm' } },
      updatedAt: expect.any(String),
    });
  });

  it.each(['firstName', 'lastName', 'name', 'company', 'birthDate', 'locale', 'timezone', 'website'])(
    'clears %s when it is null',
    async (member) => {
      const { person, store, own } = await newPersonWorld();
      const before = await store({ email: person.email, ...ALL }, own);
      const after = await store({ email: person.email, [member]: null }, own);
      expect({ ...after, updatedAt: 0 }).toEqual({ ...before, [member]: null, updatedAt: 0 });
    },
  );

  it.each(Object.keys(ADDRESS))('clears address.%s when it is null', async (member) => {
    const { person, store, own } = await newPersonWorld();
    await store({ email: person.email, ...ALL }, own);
    const { address } = await store({ email: person.email, address: { [member]: null } }, own);
    expect(address).toEqual({ ...ADDRESS, [member]: null });
  });

  it('clears the phone and the whole address when they are null', async () => {
    const { person, store, own } = await newPersonWorld();
    await store({ email: person.email, ...ALL, phone: uniqueNumber() }, own);
    const nothing = Object.fromEntries(Object.keys(ADDRESS).map((member) => [member, null]));
    expect(await store({ email: person.email, address: null, phone: null }, own)).toMatchObject({
      address: nothing,
      phone: null,
    });
  });

  it('has its phone read as in the country that is on file, which is kept', async () => {
    const { person, store, own, post, tenant } = await newPersonWorld();
    const { email } = person;
    expect((await post({ email, phone: '020 7946 0000' }, own)).status).toBe(412);
    await store({ email, address: { country: 'GB' } }, own);
    expect(await store({ email, phone: '020 7946 0000' }, own)).toMatchObject({ phone: '+442079460000' });
    const { events = [] } = await rowsOf(tenant.id);
    const updates = events.filter(({ type }) => type === 'customer.updated').map(({ data }) => data);
    expect(updates.toSorted()).toEqual(['{"derived":"phone"}', '{}']);
    // A stranger would learn from it which country it is.
    expect((await post({ email, phone: '020 7946 0001' })).status).toBe(412);
  });

  it('asks nothing of attributes that it leaves as they are', async () => {
    const { service, tenant, person, store, post, own } = await newPersonWorld();
    await store({ email: person.email, shoeSize: 38 }, own);
    await requireAttribute(service, tenant, 'hat');
    expect(await store({ email: person.email, name: 'Ada' }, own)).toMatchObject({ name: 'Ada', shoeSize: 38 });
    expect((await post({ email: person.email, shoeSize: 39 }, own)).status).toBe(412);
    expect((await post({ email: uniqueEmail() })).status).toBe(412);
  });

  it('changes another address only when the key that is mailed to it is given back', async () => {
    const { service, tenant, person, post, own } = await newPersonWorld();
    const email = uniqueEmail();
    const changed = await post({ id: person.cuid, email, name: 'Ada' }, own);
    expect(changed).toMatchObject({ status: 200, body: { email: person.email, name: 'Ada' } });
    const { identifier, secret } = linkIn(await lastMailTo(email), 'confirm-email');
    const body = { identifier, code: secret };
    const self = await service.call('GET', `${tenant.host}/customers/self`, own);
    expect(await self.json()).toMatchObject({ email: person.email, pending_email: email });
    const { users = [] } = await rowsOf(tenant.id);
    expect(users).toMatchObject([{ email: person.email, pending_email: email }]);
    expect(body.identifier).toBe(person.userId);
  });

  it('keeps members that are on file from what it guesses, and marks in the event what it guessed', async () => {
    const { tenant, person, store, own } = await newPersonWorld();
    await store({ email: person.email, locale: 'de', name: 'Ada Lovelace' }, own);
    const headers = { ...own.headers, 'Accept-Language': 'fr' };
    const changed = await store({ email: person.email, firstName: 'Augusta' }, { headers });
    expect(changed).toMatchObject({ locale: 'de', name: 'Ada Lovelace', firstName: 'Augusta' });
    const { events = [] } = await rowsOf(tenant.id);
    const updates = events.filter(({ type }) => type === 'customer.updated');
    expect(updates.map(({ data }) => data).toSorted()).toEqual(['{"derived":"firstName lastName"}', '{}']);
  });

  it('changes nothing of another account: that one’s own address is asked', async () => {
    const { tenant, store, hold, own } = await newPersonWorld();
    const email = uniqueEmail();
    await store({ email, name: 'Somebody' });
    await hold({ email, name: 'Eve' }, own);
    expect(await mailsTo(email)).toHaveLength(1);
    const { customers = [] } = await rowsOf(tenant.id);
    expect(customers.map(({ name }) => name)).not.toContain('Eve');
  });

  it('lets another user than the owner change its own names, and nothing that is the customer’s', async () => {
    const service = createTextingService();
    const { tenant, owner } = await newOwnerWorld(service);
    const colleague = await newColleague(service, tenant, owner);
    const { store, post } = formsOf(service, tenant);
    const headers = bearerHeaders(colleague.token);
    const { email } = colleague;
    expect(await store({ email, firstName: 'Charles', lastName: 'B.' }, { headers })).toMatchObject({
      firstName: 'Charles',
      lastName: 'B.',
    });
    const before = (await rowsOf(tenant.id)).customers;
    for (const members of [{ company: 'Eve Ltd' }, { address: { city: 'Ulm' } }, { attribute: 1 }]) {
      expect(await post({ email, ...members }, { headers })).toMatchObject({
        status: 403,
        body: { code: 'owner_only' },
      });
    }
    await offerSubscriptions(service, tenant, 'news');
    expect((await post({ email, subscriptions: ['news'] }, { headers })).status).toBe(403);
    expect((await rowsOf(tenant.id)).customers).toEqual(before);
    expect((await rowsOf(tenant.id)).customer_subscriptions).toEqual([]);
  });
});

describe('POST /api/{tenantId}/customer with an app’s pair', () => {
  it('changes at once what the app itself made, on this surface or another', async () => {
    const { person, app, store } = await newPersonWorld();
    const headers = appHeaders(app);
    expect(await store({ email: person.email, name: 'Ada' }, { headers })).toMatchObject({
      name: 'Ada',
      provider: null,
    });
    const email = uniqueEmail();
    await store({ email, name: 'Grace' }, { headers });
    expect(await store({ email, name: 'Grace Hopper' }, { headers })).toMatchObject({ name: 'Grace Hopper' });
  });

  it('changes at once whatever an app of all customers names', async () => {
    const { service, tenant, store } = await newUpsertWorld();
    const app = await newApp(service, tenant, { permissions: ['all_customers'] });
    const email = uniqueEmail();
    await store({ email });
    expect(await store({ email, name: 'Grace' }, { headers: appHeaders(app) })).toMatchObject({ name: 'Grace' });
  });

  it('holds what concerns an account that the app may not see', async () => {
    const { service, tenant, person, hold } = await newPersonWorld();
    const other = await newApp(service, tenant);
    await hold({ email: person.email, name: 'Eve' }, { headers: appHeaders(other) });
    expect((await rowsOf(tenant.id)).customers).toMatchObject([{ name: null }]);
  });

  it('is not counted by where it comes from, as anybody else is', async () => {
    const { app, post } = await newUpsertWorld({ rate_limits: { auth_per_ip_per_minute: 2 } });
    const from = { 'CF-Connecting-IP': '203.0.113.44' };
    const statuses = async (headers: Record<string, string>) => {
      const answers = [];
      for (let i = 0; i < 3; i += 1) answers.push((await post({ email: uniqueEmail() }, { headers })).status);
      return answers;
    };
    expect(await statuses({ ...from, ...appHeaders(app) })).toEqual([200, 200, 200]);
    expect(await statuses(from)).toEqual([200, 200, 429]);
    expect(await statuses({ ...from, ...appHeaders(app) })).toEqual([200, 200, 200]);
  });

  it('is limited in calls a minute by its pair', async () => {
    const keys: string[] = [];
    let isFull = false;
    const limit = async ({ key }: { key: string }) => {
      keys.push(key);
      return { success: !isFull };
    };
    const { service, tenant, app, send, store } = await newUpsertWorld(
      {},
      createTextingService({ KEY_RATE_LIMIT: { limit } }),
    );
    const headers = appHeaders(app);
    await store({ email: uniqueEmail() }, { headers });
    const [counted] = keys.splice(0).slice(-1);
    const before = await rowsOf(tenant.id);
    isFull = true;
    const refused = await send({ email: uniqueEmail() }, { headers });
    expect([refused.status, refused.headers.get('Retry-After')]).toEqual([429, '60']);
    expect(await rowsOf(tenant.id)).toEqual(before);
    // The same count as of its calls elsewhere, and not of whoever has half of the pair.
    await service.call('GET', '/customer', { headers });
    await send({ email: uniqueEmail() }, { headers: { ...headers, 'x-access-supertoken': 'wrong' } });
    expect(keys).toEqual([counted, counted, expect.not.stringMatching(`^${counted}$`)]);
    expect(keys.join()).not.toContain(app.superkey);
    expect((await send({ email: uniqueEmail() })).status).toBe(200);
  });

  it('names the app in the audit log by its id', async () => {
    const { tenant, app, store } = await newUpsertWorld();
    await store({ email: uniqueEmail() }, { headers: appHeaders(app) });
    const { events = [] } = await rowsOf(tenant.id);
    expect(events.filter(({ type }) => type === 'customer.created')).toMatchObject([{ actor: `app:${app.id}` }]);
  });
});

describe('POST /api/{tenantId}/customer with credentials that are not good', () => {
  it('refuses them for new and known accounts alike, and stores nothing', async () => {
    const { service, tenant, app, person, token, post } = await newPersonWorld();
    const stranger = await newPersonWorld({}, service);
    const foreign = appHeaders(stranger.app);
    const before = await rowsOf(tenant.id);
    const cases: [Record<string, string>, number, string][] = [
      [{ Authorization: 'Bearer wrong' }, 401, 'unauthenticated'],
      [{ Authorization: `Basic ${token}` }, 401, 'unauthenticated'],
      [bearerHeaders(stranger.token), 401, 'unauthenticated'],
      [{ ...appHeaders(app), 'x-access-supertoken': 'wrong' }, 403, 'invalid_token'],
      [{ 'x-access-superkey': app.superkey }, 403, 'missing_token'],
      [{ 'x-access-supertoken': app.supertoken }, 403, 'missing_key'],
      [foreign, 404, 'unknown_key'],
      [{ ...bearerHeaders(token), ...foreign }, 404, 'unknown_key'],
      [{ ...bearerHeaders(token), ...appHeaders(app) }, 400, 'malformed_request'],
    ];
    for (const email of [person.email, uniqueEmail()]) {
      for (const [headers, status, code] of cases) {
        expect([headers, await post({ email, name: 'Eve' }, { headers })]).toMatchObject([
          headers,
          { status, body: { code } },
        ]);
      }
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('refuses a token that is dead', async () => {
    const { service, tenant, person, post, own } = await newPersonWorld();
    await changeCustomer(service, tenant, person.cuid, { status: 'disabled' });
    for (const email of [person.email, uniqueEmail()]) {
      expect((await post({ email, name: 'Eve' }, own)).status).toBe(401);
    }
  });
});

describe('a customer that is disabled', () => {
  it('is changed by nobody, and looks like any other from outside', async () => {
    const { service, tenant, app, person, post } = await newPersonWorld();
    await changeCustomer(service, tenant, person.cuid, { status: 'disabled' });
    service.clock.advance(31);
    const held = await post({ email: person.email, name: 'Eve' });
    expect(held).toMatchObject({ status: 202 });
    await post({ email: person.email, name: 'Eve' }, { headers: appHeaders(app) });
    expect((await rowsOf(tenant.id)).customers).toMatchObject([{ name: null, status: 'disabled' }]);
  });
});

describe('enrichment', () => {
  it('takes city, region and coordinates from a postal code of the US or Canada', async () => {
    await keepPostalCodes([
      ['US', '90210', 'Beverly Hills', 'CA', 34.09, -118.41],
      ['CA', 'K1A', 'Ottawa', 'ON', 45.42, -75.7],
    ]);
    const { store } = await newUpsertWorld();
    const cases = [
      [
        { country: 'US', postalCode: '90210' },
        { city: 'Beverly Hills', region: 'CA', latitude: 34.09 },
      ],
      [
        { country: 'US', postalCode: '90210', city: 'LA' },
        { city: 'LA', region: 'CA' },
      ],
      [
        { country: 'CA', postalCode: 'K1A 0B1' },
        { city: 'Ottawa', region: 'ON', longitude: -75.7 },
      ],
      [
        { country: 'FR', postalCode: '90210' },
        { city: null, latitude: null },
      ],
    ];
    for (const [address, expected] of cases) {
      expect((await store({ email: uniqueEmail(), address })).address).toMatchObject({ ...address, ...expected });
    }
  });

  it('makes a name of its parts, and parts of a name', async () => {
    const { store } = await newUpsertWorld();
    expect(await store({ email: uniqueEmail(), firstName: 'Ada', lastName: 'Lovelace' })).toMatchObject({
      name: 'Ada Lovelace',
    });
    expect(await store({ email: uniqueEmail(), name: 'Ada Lovelace' })).toMatchObject({
      firstName: 'Ada',
      lastName: 'Lovelace',
    });
  });

  it('takes the locale from the request, and defaults from the operator, where nothing else says them', async () => {
    const { store, tenant } = await newUpsertWorld({
      profile_defaults: { company: 'None', timezone: 'Europe/Berlin' },
    });
    const headers = { 'Accept-Language': 'fr-CA, en;q=0.5' };
    expect(await store({ email: uniqueEmail(), timezone: null }, { headers })).toMatchObject({
      ...{ company: 'None', timezone: null, locale: expect.stringMatching(/^fr/) },
    });
    const { events = [] } = await rowsOf(tenant.id);
    const [created] = events.filter(({ type }) => type === 'customer.created');
    expect(JSON.parse(String(created?.data))).toMatchObject({ derived: 'locale company' });
  });

  it('marks in the event of a new account what was derived, and none of its values', async () => {
    const { store, tenant } = await newUpsertWorld();
    await store({ email: uniqueEmail(), name: 'Ada Lovelace' });
    const { events = [] } = await rowsOf(tenant.id);
    const [created] = events.filter(({ type }) => type === 'customer.created');
    expect(JSON.parse(String(created?.data))).toEqual({ derived: 'firstName lastName' });
  });
});

describe('an account that has a phone and no address', () => {
  it('has null for an email on every surface, and never an empty text', async () => {
    const { service, tenant, store } = await newUpsertWorld();
    const app = await newApp(service, tenant, { permissions: ['all_customers'] });
    const phone = uniqueNumber();
    const { id } = await store({ phone, name: 'Grace' });
    const partner = await service.call('GET', `/customer/${id}`, { headers: appHeaders(app) });
    const partners = await service.call('GET', '/customer', { headers: appHeaders(app) });
    const operator = await callAsOperator(service, 'GET', customersOf(tenant, `/${id}`));
    const all = await callAsOperator(service, 'GET', customersOf(tenant));
    for (const response of [partner, partners, operator, all]) {
      const text = await response.text();
      expect([response.url, response.status, text]).toMatchObject([
        response.url,
        200,
        expect.not.stringContaining('""'),
      ]);
      expect(text).not.toContain('tel:');
    }
  });

  it('gets no mail, and its address is not taken by the next one', async () => {
    const { store } = await newUpsertWorld();
    await store({ phone: uniqueNumber() });
    expect(await store({ phone: uniqueNumber() }, { flow: 'activation' })).toMatchObject({
      email: null,
      emailVerified: false,
    });
    expect(await env.DB.prepare("select count(*) as n from users where email_key = ''").first('n')).toBe(0);
  });

  it('is told by its whole number, and holds changes for a text to it', async () => {
    const { store, hold, answer, tenant } = await newUpsertWorld();
    const phone = uniqueNumber();
    await store({ phone });
    await hold({ phone, name: 'Eve' });
    expect((await rowsOf(tenant.id)).customers).toMatchObject([{ name: null }]);
    expect(await textsTo(phone)).toHaveLength(1);
    expect((await answer('chg_unknown', '123456')).status).toBe(410);
  });
});

describe('a mailed code of another kind', () => {
  it('answers no challenge of an upsert', async () => {
    const { service, tenant, store, hold, answer } = await newUpsertWorld();
    const email = uniqueEmail();
    await store({ email });
    const signIn = await service.call('POST', `/api/${tenant.slug}/customer/authenticate?provider=otp`, {
      body: { email },
    });
    expect(signIn.status).toBe(202);
    const signInCode = await mailedCode(email);
    service.clock.advance(31);
    const id = await hold({ email, name: 'Eve' });
    expect((await answer(id, signInCode)).status).toBe(422);
  });
});
