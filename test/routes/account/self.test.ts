import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { type AccountWorld, newAccountWorld } from '../../support/accounts.ts';
import { breakable } from '../../support/bindings.ts';
import { mailsTo } from '../../support/mailbox.ts';
import { offerSubscriptions } from '../../support/operator.ts';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { appHeaders, newTenant, refusalOf, uniqueEmail } from '../../support/tenants.ts';

/** Every member that a person sets to a text, each with one that is kept as it is. */
const TEXTS = {
  name: 'Ada Lovelace',
  phone: '+44 20 7946 0000',
  mobile: '+44 7700 900123',
  address: '12 St James’s Square',
  address_town: 'London',
  address_postcode: 'SW1Y 4JH',
  address_region: 'Greater London',
};
const NOTHING_KNOWN = {
  address: null,
  mobile: null,
  phone: null,
  name: null,
  country: null,
  address_town: null,
  address_postcode: null,
  subscriptions: [],
  address_region: null,
};
const OTHER_PASSWORD = 'a password of my own';

const faultsOf = async (response: Response): Promise<string> => {
  const { errors = [] } = await response.json<{ errors?: { path: string; code: string }[] }>();
  return errors
    .map(({ path, code }) => `${path} ${code}`)
    .toSorted()
    .join(', ');
};

describe('GET /customers/self', () => {
  it('gives the members of CustomerResponse and no other, null where nothing is known', async () => {
    const { person, readSelf } = await newAccountWorld();
    const response = await readSelf();
    expect(response.status).toBe(200);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(await response.json()).toEqual({ ...NOTHING_KNOWN, email: person.email, id: person.cuid });
  });

  it('gives what another surface wrote', async () => {
    const { service, app, person, readSelf } = await newAccountWorld();
    const body = { name: 'Ada', address: 'A street', city: 'Ulm', zip: '89073', state: 'BW', country: 'Germany' };
    await service.call('PATCH', `/customer/${person.cuid}`, { headers: appHeaders(app), body });
    expect(await (await readSelf()).json()).toMatchObject({
      name: 'Ada',
      address: 'A street',
      address_town: 'Ulm',
      address_postcode: '89073',
      address_region: 'BW',
      country: 'DE',
    });
  });

  it('has an ETag that is the same until something changes', async () => {
    const { service, app, person, readSelf, change } = await newAccountWorld();
    const etags = [];
    const read = async () => (await readSelf()).headers.get('ETag') ?? '';
    etags.push(await read());
    expect(await read()).toBe(etags[0]);
    const changed = await change({ name: 'Ada' });
    etags.push(changed.headers.get('ETag'));
    expect(await read()).toBe(etags[1]);
    await service.call('PATCH', `/customer/${person.cuid}`, { headers: appHeaders(app), body: { city: 'Ulm' } });
    etags.push(await read());
    expect(new Set(etags).size).toBe(3);
    for (const etag of etags) expect(etag).toMatch(/^"[\x21\x23-\x7e]+"$/);
  });
});

describe('PATCH /customers/self', () => {
  it.each(Object.entries(TEXTS))('sets %s, leaves every other member, and clears it again', async (member, value) => {
    const { person, change, readSelf } = await newAccountWorld();
    const all = { ...NOTHING_KNOWN, email: person.email, id: person.cuid };
    expect(await (await change({ [member]: `\t${value} ` })).json()).toEqual({ ...all, [member]: value });
    const filled = { ...all, ...TEXTS, country: 'GB' };
    expect(await (await change({ ...TEXTS, country: 'GB' })).json()).toEqual(filled);
    expect(await (await change({ [member]: 'Æ' })).json()).toEqual({ ...filled, [member]: 'Æ' });
    expect(await (await change({ [member]: null })).json()).toEqual({ ...filled, [member]: null });
    expect(await (await change({})).json()).toEqual({ ...filled, [member]: null });
    expect(await (await readSelf()).json()).toEqual({ ...filled, [member]: null });
  });

  it.each([
    ['DE', 'DE'],
    ['de', 'DE'],
    ['Germany', 'DE'],
    [' united kingdom ', 'GB'],
    [null, null],
  ])('takes the country %j for %j', async (country, expected) => {
    const { change } = await newAccountWorld();
    await change({ country: 'FR' });
    expect(await (await change({ country })).json()).toMatchObject({ country: expected });
  });

  it('writes one event in the audit log, with the id of who did it and nothing of what', async () => {
    const { person, tenant, change } = await newAccountWorld();
    const before = await eventsAbout(person.cuid);
    await change(TEXTS);
    const added = (await eventsAbout(person.cuid)).slice(before.length);
    expect(added).toEqual([{ type: 'customer.updated', actor: `user:${person.userId}` }]);
    const { events } = await rowsOf(tenant.id);
    for (const text of Object.values(TEXTS)) expect(JSON.stringify(events)).not.toContain(text);
  });

  const LONG = 'x'.repeat(2000);
  it.each([
    [{ nobody: 1, company: 'A', id: 'x', version: 2 }, 'company, id, nobody, version', 'unknown_member'],
    [Object.fromEntries(Object.keys(TEXTS).map((each) => [each, 5])), Object.keys(TEXTS).join(), 'invalid'],
    [Object.fromEntries(Object.keys(TEXTS).map((each) => [each, LONG])), Object.keys(TEXTS).join(), 'invalid'],
    [Object.fromEntries(Object.keys(TEXTS).map((each) => [each, 'a\nb'])), Object.keys(TEXTS).join(), 'invalid'],
    [
      { country: 'Atlantis', email: 'a@b@example.com', subscriptions: 'news' },
      'country, email, subscriptions',
      'invalid',
    ],
    [{ country: LONG, email: `${LONG}@example.com`, name: [] }, 'country, email, name', 'invalid'],
    [
      { country: 49, email: null, subscriptions: null, password: 5, current_password: 5 },
      'country, email, subscriptions, password, current_password',
      'invalid',
    ],
    [{ subscriptions: ['news', 5, ''], phone: {} }, 'subscriptions.1, subscriptions.2, phone', 'invalid'],
    [{ subscriptions: ['news', 'unknown', 'News'] }, 'subscriptions.1, subscriptions.2', 'invalid'],
    [{ password: OTHER_PASSWORD }, 'current_password', 'required'],
    [{ current_password: OTHER_PASSWORD }, 'password', 'required'],
  ])('refuses %j, names every fault and changes nothing', async (body, members, code) => {
    const world = await newAccountWorld();
    await offerSubscriptions(world.service, world.tenant, 'news');
    const before = await rowsOf(world.tenant.id);
    const response = await world.change({ address_town: 'Ulm', ...body });
    expect(response.status).toBe(400);
    const expected = members.split(/, ?/).map((member) => `${member} ${code}`);
    expect(await faultsOf(response)).toBe(expected.toSorted().join(', '));
    expect(await rowsOf(world.tenant.id)).toEqual(before);
  });

  it('writes the change and its event together or not at all', async () => {
    const storage = breakable(env);
    const world = await newAccountWorld({}, createService(storage.bindings));
    await offerSubscriptions(world.service, world.tenant, 'news');
    const before = await rowsOf(world.tenant.id);
    // The first batch reads the account.
    storage.failWhen((operation, count) => (operation === 'D1 batch' && count > 1 ? 'before' : null));
    expect((await world.change({ ...TEXTS, country: 'GB' })).status).toBe(503);
    storage.failWhen(null);
    await env.DB.exec(
      `create trigger break_events before insert on events when new.tenant_id = '${world.tenant.id}' begin select raise(abort, 'broken'); end`,
    );
    expect((await world.change({ ...TEXTS, subscriptions: ['news'] })).status).toBe(503);
    await env.DB.exec('drop trigger break_events');
    expect(await rowsOf(world.tenant.id)).toEqual(before);
  });
});

describe('PATCH /customers/self with subscriptions', () => {
  const subscribed = (id: string, at: number) => ({
    id,
    name: `All ${id}`,
    subscribed_at: new Date(at).toISOString(),
  });

  it('takes the whole new list: what stays keeps its time, what is not in it goes', async () => {
    const world = await newAccountWorld();
    const { service, change } = world;
    await offerSubscriptions(world.service, world.tenant, 'news', 'offers', 'events');
    const first = service.clock.now();
    const one = await (await change({ subscriptions: ['news', 'offers'] })).json();
    expect(one).toMatchObject({ subscriptions: [subscribed('news', first), subscribed('offers', first)] });
    service.clock.advance(60);
    const second = service.clock.now();
    const two = { subscriptions: [subscribed('offers', first), subscribed('events', second)] };
    expect(await (await change({ subscriptions: ['events', 'offers'] })).json()).toMatchObject(two);
    expect(await (await change({ name: 'Ada' })).json()).toMatchObject(two);
    expect(await (await change({ subscriptions: [] })).json()).toMatchObject({ subscriptions: [] });
  });

  it('takes an id that is there twice once', async () => {
    const world = await newAccountWorld();
    await offerSubscriptions(world.service, world.tenant, 'news');
    const changed = await world.change({ subscriptions: ['news', 'news'] });
    const at = world.service.clock.now();
    expect(await changed.json()).toMatchObject({ subscriptions: [subscribed('news', at)] });
  });

  it('offers nothing of another tenant', async () => {
    const world = await newAccountWorld();
    await offerSubscriptions(world.service, await newTenant(world.service), 'news');
    expect((await world.change({ subscriptions: ['news'] })).status).toBe(400);
  });

  it('takes 150 at once, and another 150 in their place', async () => {
    const world = await newAccountWorld();
    const ids = Array.from({ length: 200 }, (_, i) => `list-${i}`);
    const insert = env.DB.prepare('insert into subscriptions (tenant_id, id, name, created_at) values (?, ?, ?, 0)');
    await env.DB.batch(ids.map((id) => insert.bind(world.tenant.id, id, id)));
    for (const wanted of [ids.slice(0, 150), ids.slice(50)]) {
      const changed = await world.change({ subscriptions: wanted });
      expect(changed.status).toBe(200);
      const { subscriptions } = await changed.json<{ subscriptions: { id: string }[] }>();
      expect(subscriptions.map(({ id }) => id).toSorted()).toEqual(wanted.toSorted());
    }
  });
});

describe('PATCH /customers/self with If-Match', () => {
  it.each([
    ['the version that it has', (etag: string) => etag],
    ['any version', () => '*'],
  ])('changes what has %s', async (_, write) => {
    const { readSelf, change } = await newAccountWorld();
    for (const name of ['Ada', 'Grace']) {
      const etag = (await readSelf()).headers.get('ETag') ?? '';
      const changed = await change({ name }, { 'If-Match': write(etag) });
      expect(await changed.json()).toMatchObject({ name });
      expect((await readSelf()).headers.get('ETag')).toBe(changed.headers.get('ETag'));
    }
  });

  it.each([
    ['an older version', (etag: string) => etag],
    ['a version that there is not yet', (etag: string) => etag.replace(/\d+/, (digits) => `${Number(digits) + 2}`)],
    ['a weak one', (_: string, now: string) => `W/${now}`],
    ['one without quotes', (_: string, now: string) => now.slice(1, -1)],
    ['one that is nothing of ours', () => '"x"'],
    ['one with more behind it', (_: string, now: string) => `${now}"`],
  ])('refuses %s, and changes nothing', async (_, write) => {
    const { tenant, readSelf, change } = await newAccountWorld();
    const old = (await readSelf()).headers.get('ETag') ?? '';
    const now = (await change({ name: 'Ada' })).headers.get('ETag') ?? '';
    const before = await rowsOf(tenant.id);
    const response = await change({ name: 'Eve' }, { 'If-Match': write(old, now) });
    expect(await refusalOf(response)).toMatchObject({ status: 412, code: 'precondition_failed' });
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('changes it once when two do it at the same time for the same version', async () => {
    const world = await newAccountWorld();
    const { person, readSelf, change } = world;
    await offerSubscriptions(world.service, world.tenant, 'news', 'offers');
    const headers = { 'If-Match': (await readSelf()).headers.get('ETag') ?? '' };
    const before = await eventsAbout(person.cuid);
    const bodies = [
      { name: 'Ada', subscriptions: ['news'] },
      { name: 'Grace', subscriptions: ['offers'] },
    ];
    const responses = await Promise.all(bodies.map((body) => change(body, headers)));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([200, 412]);
    const winner = bodies[responses.findIndex(({ status }) => status === 200)];
    const self = await (await readSelf()).json<{ name: string; subscriptions: { id: string }[] }>();
    expect({ name: self.name, subscriptions: self.subscriptions.map(({ id }) => id) }).toEqual(winner);
    expect((await eventsAbout(person.cuid)).length).toBe(before.length + 1);
  });
});

describe('a change of which one part is refused', () => {
  const PARTS: Readonly<Record<string, (world: AccountWorld) => Record<string, unknown>>> = {
    'a subscription that is not offered': () => ({ subscriptions: ['news', 'unknown'] }),
    'a weak password': ({ person }) => ({ password: 'password', current_password: person.password }),
    'a wrong current password': () => ({ password: OTHER_PASSWORD, current_password: 'wrong password' }),
    'an address that the mail server refuses': () => ({ email: `refused-${crypto.randomUUID()}@example.com` }),
  };

  it.each(Object.entries(PARTS))('changes nothing else: %s', async (_, partOf) => {
    const world = await newAccountWorld();
    const { tenant, person, readSelf, change, login } = world;
    await offerSubscriptions(world.service, tenant, 'news');
    const read = async () => {
      const { customers, users, customer_subscriptions, challenges } = await rowsOf(tenant.id);
      return [await (await readSelf()).json(), customers, users, customer_subscriptions, challenges];
    };
    const before = await read();
    const email = uniqueEmail();
    const good = { ...TEXTS, country: 'GB', subscriptions: ['news'], email };
    expect((await change({ ...good, ...partOf(world) })).status).toBeGreaterThanOrEqual(400);
    expect(await read()).toEqual(before);
    expect((await eventsAbout(person.cuid)).map(({ type }) => type)).not.toContain('customer.updated');
    expect(await mailsTo(email)).toEqual([]);
    expect(await login()).toBe(200);
  });
});
