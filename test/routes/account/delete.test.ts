import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, linkIn, newAccountWorld, newPerson, signIn } from '../../support/accounts.ts';
import { lastMailTo, mailsTo } from '../../support/mailbox.ts';
import { offerSubscriptions } from '../../support/operator.ts';
import { mailPasscode } from '../../support/passcodes.ts';
import { eventsAbout, everythingStored, rowsOf } from '../../support/rows.ts';
import { appHeaders, type CustomerPair, customerHeaders, newCustomer, refusalOf } from '../../support/tenants.ts';

const REFUSED_CODE = { status: 400, code: 'invalid_or_expired_code' };

/** A place on earth, which nobody else lives at. */
const newPlace = () => ({ latitude: Math.random() * 90, longitude: Math.random() * 180 });

/** Everything that a customer can tell of itself, in words that nobody else has. */
const newTold = () => {
  const mark = crypto.randomUUID().slice(0, 8);
  return {
    toPartner: { company: `Engines ${mark}`, website: `https://${mark}.example.com` },
    toAccount: {
      name: `Ada${mark} Byron${mark}`,
      phone: `+44 20 ${mark}`,
      mobile: `+44 77 ${mark}`,
      address: `12 Square “${mark}”`,
      address_town: `London ${mark}`,
      address_postcode: `SW ${mark}`,
      address_region: `Region ${mark}`,
    },
    toTenant: { birthDate: '1915-12-10', timezone: 'Pacific/Pitcairn', motto: `Motto ${mark}`, address: newPlace() },
    phone: `+4477${Math.floor(Math.random() * 1e8)}`,
    byBrowser: {
      'CF-Connecting-IP': `2001:db8:${mark.slice(0, 4)}:${mark.slice(4)}::7`,
      'User-Agent': `Browser ${mark}`,
    },
  };
};

/** A person who has told everything, and to whom a secret of every kind was mailed that was not used yet. */
const newTalkativeWorld = async () => {
  const world = await newAccountWorld();
  const { service, tenant, app, person, token, change, post } = world;
  const told = newTold();
  const call = { headers: appHeaders(app), body: told.toPartner };
  expect((await service.call('PATCH', `/customer/${person.cuid}`, call)).status).toBe(200);
  await offerSubscriptions(service, tenant, 'news');
  const pendingEmail = `Next.${person.email}`;
  const body = { ...told.toAccount, subscriptions: ['news'], email: pendingEmail };
  expect((await change(body, told.byBrowser)).status).toBe(200);
  const emailKey = linkIn(await lastMailTo(pendingEmail), 'confirm-email').secret;

  await post('password_reset', { email: person.email, reset_uri: '/reset' });
  const resetCode = /\/reset\/([A-Z0-9]{10})\b/.exec((await lastMailTo(person.email)).text)?.[1] ?? '';
  expect(resetCode).toHaveLength(10);
  service.clock.advance(60);
  const passcode = await mailPasscode(service, app, person.email);
  const renewed = await service.call('GET', `/customer/${person.cuid}/auth`, { headers: appHeaders(app) });
  const pair = await renewed.json<CustomerPair>();

  const path = `/api/${tenant.slug}/customer`;
  const profile = { ...told.toTenant, email: person.email };
  const own = await service.call('POST', path, { headers: bearerHeaders(token), body: profile });
  expect(own.status, await own.clone().text()).toBe(200);
  const known = 'update users set phone = ?, phone_verified_at = ? where id = ?';
  await env.DB.prepare(known).bind(told.phone, service.clock.now(), person.userId).run();
  service.clock.advance(60);
  expect((await service.call('POST', path, { body: { email: person.email, name: 'Eve' } })).status).toBe(202);
  return { ...world, told, pendingEmail, emailKey, resetCode, passcode, pair };
};

type World = Awaited<ReturnType<typeof newTalkativeWorld>>;

/** Every text that is at rest about the customer, but for ids and words of ours. */
const textsAbout = async ({ tenant, person, app }: World): Promise<string[]> => {
  const { customers = [], users = [], api_keys = [], held_changes = [], events = [] } = await rowsOf(tenant.id);
  const rows = [
    ...customers.filter(({ id }) => id === person.cuid),
    ...[...users, ...api_keys, ...held_changes].filter(({ customer_id }) => customer_id === person.cuid),
    ...events
      .filter(({ subject }) => subject === person.cuid)
      .flatMap(({ ip, user_agent }) => (user_agent === null ? [] : [{ ip, user_agent }])),
  ];
  const ours = [tenant.id, person.cuid, person.userId, app.id, 'active', 'GB', 'en'];
  const { birthDate, timezone } = newTold().toTenant;
  // Others have these, too: columns alone tell whose they are.
  ours.push(birthDate, timezone);
  const isPlace = (value: unknown) => typeof value === 'number' && !Number.isInteger(value);
  const texts = rows.flatMap((row) =>
    Object.values(row).flatMap((value) => (typeof value === 'string' || isPlace(value) ? [String(value)] : [])),
  );
  return [...new Set(texts)].filter((text) => !ours.includes(text));
};

describe('DELETE /customers/self', () => {
  it('says so, and has the account no longer', async () => {
    const { person, remove, login, service, app } = await newAccountWorld();
    const response = await remove();
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ result: 'deleted' });
    expect(await login()).toBe(401);
    const read = await service.call('GET', `/customer/${person.cuid}`, { headers: appHeaders(app) });
    expect(await refusalOf(read)).toMatchObject({ status: 404, code: 'customer_not_found' });
  });

  const CREDENTIALS: Readonly<Record<string, [(world: World) => Promise<Response>, { status: number; code: string }]>> =
    {
      'the access token of the call': [({ readSelf }) => readSelf(), { status: 401, code: 'unauthenticated' }],
      'the access token of the call, to change the account': [
        ({ change }) => change({ name: 'Eve' }),
        { status: 401, code: 'unauthenticated' },
      ],
      'the access token of the call, to delete it again': [
        ({ remove }) => remove(),
        { status: 401, code: 'unauthenticated' },
      ],
      'the key pair': [
        ({ service, person, pair }) =>
          service.call('GET', `/customer/${person.cuid}`, { headers: customerHeaders(pair) }),
        { status: 404, code: 'unknown_key' },
      ],
      'the reset code': [
        ({ post, person, resetCode }) => post('do_reset', { email: person.email, code: resetCode }),
        REFUSED_CODE,
      ],
      'the key of the new address': [
        ({ post, person, emailKey }) => post('newemail_confirm', { identifier: person.userId, key: emailKey }),
        REFUSED_CODE,
      ],
      'the passcode': [
        ({ service, app, person, passcode }) =>
          service.call('GET', `/customer/${person.email}/auth?passcode=${passcode}`, { headers: appHeaders(app) }),
        { status: 404, code: 'customer_not_found' },
      ],
    };

  it.each(Object.entries(CREDENTIALS))('kills %s at once', async (_, [use, expected]) => {
    const world = await newTalkativeWorld();
    expect((await world.remove()).status).toBe(200);
    expect(await refusalOf(await use(world))).toMatchObject(expected);
  });

  it('kills another access token at once', async () => {
    const { service, tenant, person, remove, readSelf } = await newAccountWorld();
    const other = await signIn(service, tenant, person);
    expect((await readSelf(other)).status).toBe(200);
    await remove();
    expect((await readSelf(other)).status).toBe(401);
  });

  it('kills the activation link that the person never used', async () => {
    const { service, tenant, app, post, remove } = await newAccountWorld();
    const { email } = await newCustomer(service, app, { send_activation: true });
    const { identifier, secret } = linkIn(await lastMailTo(email), 'activate');
    service.clock.advance(60);
    await post('password_reset', { email, reset_uri: '/reset' });
    const code = /\/reset\/([A-Z0-9]{10})\b/.exec((await mailsTo(email)).at(-1)?.text ?? '')?.[1] ?? '';
    const password = 'a password of my own';
    expect((await post('do_reset', { email, code, password, password_check: password })).status).toBe(200);
    service.clock.advance(1);
    expect((await remove({}, await signIn(service, tenant, { email, password }))).status).toBe(200);
    const activated = await post('activate', { identifier, secret, password, password_check: password });
    expect(await refusalOf(activated)).toMatchObject(REFUSED_CODE);
  });

  it('makes the address free for another customer, whom nothing of the old one opens', async () => {
    const world = await newTalkativeWorld();
    const { service, app, person, remove, readSelf, login, post, resetCode, passcode, emailKey } = world;
    await remove();
    service.clock.advance(3600);
    const successor = await newCustomer(service, app, { email: person.email, send_activation: true });
    expect(successor.cuid).not.toBe(person.cuid);
    const { identifier, secret } = linkIn(await lastMailTo(person.email), 'activate');
    const password = 'the successor’s password';
    await post('activate', { identifier, secret, password, password_check: password });
    expect([await login(password), await login(person.password), (await readSelf()).status]).toEqual([200, 401, 401]);
    expect(await refusalOf(await post('do_reset', { email: person.email, code: resetCode }))).toMatchObject(
      REFUSED_CODE,
    );
    const confirmed = await post('newemail_confirm', { identifier, key: emailKey });
    expect(await refusalOf(confirmed)).toMatchObject(REFUSED_CODE);
    const path = `/customer/${person.email}/auth?passcode=${passcode}`;
    expect((await service.call('GET', path, { headers: appHeaders(app) })).status).toBe(401);
  });

  it('leaves no value of the customer anywhere in D1 and KV', async () => {
    const world = await newTalkativeWorld();
    const { told, person, pendingEmail, emailKey, resetCode, pair } = world;
    const texts = await textsAbout(world);
    const known = [told.toPartner, told.toAccount, told.byBrowser].flatMap((each) => Object.values<string>(each));
    const { latitude, longitude } = told.toTenant.address;
    known.push(person.email, pendingEmail, pair.key, told.phone, String(latitude), String(longitude));
    known.push(JSON.stringify({ motto: told.toTenant.motto }));
    expect(texts).toEqual(expect.arrayContaining(known));
    expect(texts).toContainEqual(expect.stringMatching(/^\$argon2id\$/));
    const before = await everythingStored();
    for (const text of texts) expect(before).toContain(JSON.stringify(text).slice(1, -1));

    expect((await world.remove(told.byBrowser)).status).toBe(200);
    const after = (await everythingStored()).toLowerCase();
    for (const text of [...texts, person.password, emailKey, resetCode, pair.token]) {
      expect(after).not.toContain(JSON.stringify(text).slice(1, -1).toLowerCase());
    }
  });

  it('leaves only ids in the audit log', async () => {
    const { tenant, told, person, remove } = await newTalkativeWorld();
    const { events: before = [] } = await rowsOf(tenant.id);
    const types = (await eventsAbout(person.cuid)).map(({ type }) => type);
    await remove(told.byBrowser);
    expect(await eventsAbout(person.cuid)).toContainEqual({
      type: 'customer.deleted',
      actor: `user:${person.userId}`,
    });
    const { events = [], ...others } = await rowsOf(tenant.id);
    const about = events.filter(({ subject }) => subject === person.cuid);
    expect(about.map(({ type }) => type)).toEqual(expect.arrayContaining(types));
    for (const event of about) expect(event).toMatchObject({ ip: null, user_agent: null, data: '{}' });
    const foreign = (rows: typeof events) => rows.filter(({ subject }) => subject !== person.cuid);
    expect(foreign(events)).toEqual(foreign(before));
    for (const id of [person.cuid, person.userId]) expect(JSON.stringify(others)).not.toContain(id);
  });

  it('leaves another customer as it was', async () => {
    const { service, tenant, app, person, change, remove, readSelf } = await newAccountWorld();
    const neighbour = await newPerson(service, tenant, app);
    const token = await signIn(service, tenant, neighbour);
    const { toAccount, byBrowser } = newTold();
    await offerSubscriptions(service, tenant, 'news');
    expect((await change({ ...toAccount, subscriptions: ['news'] }, byBrowser, token)).status).toBe(200);
    const before = await rowsOf(tenant.id);
    const self = await (await readSelf(token)).json();
    await remove();
    const after = await rowsOf(tenant.id);
    for (const [table, rows] of Object.entries(before)) {
      const kept = rows.filter((row) => !JSON.stringify(row).includes(person.cuid));
      expect(after[table]).toEqual(expect.arrayContaining(kept));
    }
    expect(await (await readSelf(token)).json()).toEqual(self);
    expect((await signIn(service, tenant, neighbour)).length).toBeGreaterThan(0);
  });

  it('does all of it or nothing', async () => {
    const { tenant, person, remove, readSelf } = await newTalkativeWorld();
    const before = await rowsOf(tenant.id);
    for (const [table, event] of [
      ['customers', 'delete'],
      ['users', 'delete'],
      ['api_keys', 'delete'],
      ['held_changes', 'delete'],
      ['challenges', 'delete'],
      ['customer_subscriptions', 'delete'],
      ['events', 'insert'],
      ['events', 'update'],
    ] as const) {
      const row = event === 'insert' ? 'new' : 'old';
      await env.DB.exec(
        `create trigger break_deletion before ${event} on ${table} when ${row}.tenant_id = '${tenant.id}' begin select raise(abort, 'broken'); end`,
      );
      expect((await remove()).status).toBe(503);
      await env.DB.exec('drop trigger break_deletion');
      expect(await rowsOf(tenant.id)).toEqual(before);
      expect((await readSelf()).status).toBe(200);
    }
    expect((await remove()).status).toBe(200);
    expect(JSON.stringify((await rowsOf(tenant.id)).customers)).not.toContain(person.cuid);
  });
});
