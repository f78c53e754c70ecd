import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, newPerson, signIn } from '../support/accounts.ts';
import { breakable, gathering, overtakable } from '../support/bindings.ts';
import { mailedCode } from '../support/logins.ts';
import { mailsTo } from '../support/mailbox.ts';
import { offerSubscriptions } from '../support/operator.ts';
import { wrongCodes } from '../support/passcodes.ts';
import { rowsOf } from '../support/rows.ts';
import { uniqueEmail } from '../support/tenants.ts';
import { textsTo, uniqueNumber } from '../support/texts.ts';
import {
  createTextingService,
  newPersonWorld,
  newUpsertWorld,
  putFlow,
  textedCode,
  type UpsertAnswer,
} from '../support/upserts.ts';

const atOnce = <T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => work(i)));

const countOf = (answers: readonly UpsertAnswer[], ...statuses: number[]): number =>
  answers.filter(({ status }) => statuses.includes(status)).length;

const eventCount = async (tenantId: string, type: string) =>
  (await rowsOf(tenantId)).events?.filter((event) => event.type === type).length;

const STEPS = [
  { kind: 'challenge', channel: 'email' },
  { kind: 'subscribe', subscriptions: ['news'] },
  { kind: 'notify', name: 'done' },
];

/** As `STEPS`, with a text to be answered behind them. */
const FURTHER_STEPS = [...STEPS, { kind: 'challenge', channel: 'sms' }];

/** A change that waits, with a flow behind it. */
const newHeldWorld = async (service = createTextingService(), steps: unknown = STEPS) => {
  const world = await newUpsertWorld({ rate_limits: { wrong_codes_per_hour: 100 } }, service);
  await offerSubscriptions(service, world.tenant, 'news');
  await putFlow(service, world.tenant, 'custom', steps);
  const email = uniqueEmail();
  await world.store({ email, name: 'Ada' });
  const phone = uniqueNumber();
  const id = await world.hold({ email, phone, name: 'Grace' }, { flow: 'custom' });
  return { ...world, email, phone, id, code: await mailedCode(email) };
};

/** How many of D1's batches an answer begins with, up to the one that redeems its code. */
const ANSWERS_WRITE = 2;

describe('simultaneous answers', () => {
  it('to one challenge, 50 of them, apply it once and run its flow once', async () => {
    const { tenant, id, code, answer } = await newHeldWorld();
    const answers = await atOnce(50, () => answer(id, code));
    expect([countOf(answers, 200), countOf(answers, 410, 422, 429)]).toEqual([1, 49]);
    expect(await eventCount(tenant.id, 'customer.updated')).toBe(1);
    expect(await eventCount(tenant.id, 'flow.notified')).toBe(1);
    const { customers, customer_subscriptions: subscriptions, held_changes: held } = await rowsOf(tenant.id);
    expect(customers).toMatchObject([{ name: 'Grace', version: 2 }]);
    expect([subscriptions?.length, held]).toEqual([1, []]);
  });

  it('to a challenge with another one behind it, 20 of them, ask for that once', async () => {
    const { tenant, id, code, phone, answer } = await newHeldWorld(undefined, FURTHER_STEPS);
    const answers = await atOnce(20, () => answer(id, code));
    expect([countOf(answers, 202), countOf(answers, 410, 422, 429)]).toEqual([1, 19]);
    expect([await eventCount(tenant.id, 'flow.notified'), await textsTo(phone)]).toMatchObject([1, [{}]]);
    const [asked] = answers.filter(({ status }) => status === 202);
    expect(await answer(asked?.body.challenge?.id ?? '', await textedCode(phone))).toMatchObject({ status: 200 });
  });

  it('to a challenge with a mail behind it that need not wait, 20 of them, ask for that once', async () => {
    const { service, tenant, post, answer } = await newUpsertWorld();
    const [email, phone] = [uniqueEmail(), uniqueNumber()];
    await putFlow(service, tenant, 'custom', [
      { kind: 'send_activation' },
      { kind: 'challenge', channel: 'sms' },
      { kind: 'challenge', channel: 'email' },
    ]);
    const { body } = await post({ email, phone }, { flow: 'custom' });
    const code = await textedCode(phone);
    const answers = await atOnce(20, () => answer(body.challenge?.id ?? '', code));
    expect([countOf(answers, 202), countOf(answers, 410, 422, 429)]).toEqual([1, 19]);
    expect(await mailsTo(email)).toHaveLength(2);
    const [asked] = answers.filter(({ status }) => status === 202);
    expect(await answer(asked?.body.challenge?.id ?? '', await mailedCode(email))).toMatchObject({ status: 200 });
  });

  it('to the challenge of an account that is new, 50 of them, make one account', async () => {
    const { tenant, hold, answer } = await newUpsertWorld({ challenge: 'always' });
    const email = uniqueEmail();
    const id = await hold({ email, name: 'Ada' });
    const code = await mailedCode(email);
    const answers = await atOnce(50, () => answer(id, code));
    expect([countOf(answers, 200), countOf(answers, 410, 422, 429)]).toEqual([1, 49]);
    const { customers, users } = await rowsOf(tenant.id);
    expect([customers?.length, users?.length]).toEqual([1, 1]);
    expect(await eventCount(tenant.id, 'customer.created')).toBe(1);
  });

  it('compare five of 100 wrong codes at most, with the right one among them', async () => {
    const { tenant, id, code, answer } = await newHeldWorld();
    const wrong = wrongCodes(code, 100);
    const answers = await Promise.all(
      [...wrong.slice(0, 50), code, ...wrong.slice(50)].map((each) => answer(id, each)),
    );
    expect(countOf(answers, 422)).toBeLessThanOrEqual(5);
    expect(countOf(answers, 200, 410, 422, 429)).toBe(101);
    const { challenges = [], customers } = await rowsOf(tenant.id);
    expect(Math.max(...challenges.map(({ attempts }) => Number(attempts)))).toBeLessThanOrEqual(5);
    expect(customers).toMatchObject([{ name: countOf(answers, 200) === 1 ? 'Grace' : 'Ada' }]);
  });
});

describe('simultaneous upserts', () => {
  it.each(['email', 'phone'])('of one %s, 20 of them, make one account', async (member) => {
    const { tenant, post } = await newUpsertWorld();
    const whom = { [member]: member === 'email' ? uniqueEmail() : uniqueNumber() };
    const answers = await atOnce(20, (i) => post({ ...whom, name: `Person ${i}` }));
    expect(countOf(answers, 200)).toBe(1);
    expect(countOf(answers, 200, 202, 409, 429)).toBe(20);
    const [winner] = answers.filter(({ status }) => status === 200);
    const { customers, users } = await rowsOf(tenant.id);
    expect([customers?.length, users?.length]).toEqual([1, 1]);
    expect(customers?.[0]?.name).toBe(winner?.body.name);
  });

  it('of one address that were all read before any was stored make one account', async () => {
    const storage = gathering(env);
    const { tenant, post } = await newUpsertWorld({}, createTextingService(storage.bindings));
    const email = uniqueEmail();
    storage.gather('D1 batch', 5);
    const answers = await atOnce(5, (i) => post({ email, name: `Person ${i}` }));
    expect([countOf(answers, 200), countOf(answers, 409)]).toEqual([1, 4]);
    expect((await rowsOf(tenant.id)).customers).toHaveLength(1);
  });

  it('of one account that is on file, 20 of them, mail one code', async () => {
    const { store, post } = await newUpsertWorld();
    const email = uniqueEmail();
    await store({ email });
    const answers = await atOnce(20, () => post({ email }));
    expect([countOf(answers, 202), countOf(answers, 429)]).toEqual([1, 19]);
    expect(await mailsTo(email)).toHaveLength(1);
  });

  it('by its own token, 10 of them, lose none of the attributes of another', async () => {
    const service = createTextingService();
    const { tenant, app, post } = await newUpsertWorld({}, service);
    const person = await newPerson(service, tenant, app);
    const headers = bearerHeaders(await signIn(service, tenant, person));
    const answers = await atOnce(10, (i) => post({ email: person.email, [`a${i}`]: i }, { headers }));
    expect(countOf(answers, 200)).toBe(10);
    const [customer] = (await rowsOf(tenant.id)).customers ?? [];
    const names = Object.keys(JSON.parse(String(customer?.attributes)));
    expect(names.toSorted()).toEqual(Array.from({ length: 10 }, (_, i) => `a${i}`));
  });
});

/** What attributes an only customer has. */
const attributesIn = async (tenantId: string): Promise<string> =>
  String((await rowsOf(tenantId)).customers?.[0]?.attributes);

/** A person who is signed in, in storage that can be kept waiting. */
const newGatheredPerson = async (settings: Record<string, unknown> = {}) => {
  const storage = gathering(env);
  const world = await newPersonWorld(settings, createTextingService(storage.bindings));
  const { post, person, own } = world;
  return { ...world, storage, change: (members: object) => post({ email: person.email, ...members }, own) };
};

describe('simultaneous changes of attributes', () => {
  it('of 15 KB each, 20 of them, store no more than one change may', async () => {
    const { tenant, change } = await newGatheredPerson();
    const answers = await atOnce(20, (i) => change({ [`a${i}`]: 'x'.repeat(15_000) }));
    expect([countOf(answers, 200), countOf(answers, 412)]).toEqual([1, 19]);
    expect((await attributesIn(tenant.id)).length).toBeLessThanOrEqual(16 * 1024);
  });

  it('that were all read before any was stored lose none, and are as many as one by one', async () => {
    const { tenant, storage, change } = await newGatheredPerson();
    storage.gather('D1 batch', 25);
    const answers = await atOnce(25, (i) => change({ [`a${i}`]: i }));
    expect(countOf(answers, 200)).toBe(25);
    const { customers, events } = await rowsOf(tenant.id);
    expect(Object.keys(JSON.parse(String(customers?.[0]?.attributes)))).toHaveLength(25);
    expect(customers).toMatchObject([{ version: 26 }]);
    expect(events?.filter(({ type }) => type === 'customer.updated')).toHaveLength(25);
  });

  it('are held to the schema of the tenant together', async () => {
    const { tenant, storage, change } = await newGatheredPerson({ attributes_schema: { maxProperties: 1 } });
    storage.gather('D1 batch', 2);
    const answers = await atOnce(2, (i) => change({ [`a${i}`]: i }));
    expect([countOf(answers, 200), countOf(answers, 412)]).toEqual([1, 1]);
    expect(Object.keys(JSON.parse(await attributesIn(tenant.id)))).toHaveLength(1);
  });

  it('by an answer and by its own token keep both', async () => {
    const storage = overtakable(env);
    const { person, tenant, hold, answer, post, own } = await newPersonWorld(
      {},
      createTextingService(storage.bindings),
    );
    const id = await hold({ email: person.email, held: 0.30000000000000004 });
    const code = await mailedCode(person.email);
    storage.overtake('D1 batch', ANSWERS_WRITE, () => post({ email: person.email, mine: 1e21 }, own));
    expect(await answer(id, code)).toMatchObject({ status: 200, body: { held: 0.30000000000000004, mine: 1e21 } });
    expect(JSON.parse(await attributesIn(tenant.id))).toEqual({ held: 0.30000000000000004, mine: 1e21 });
    expect((await answer(id, code)).status).toBe(410);
  });

  it('that leave no room for an answer have it refused, and leave its code good', async () => {
    const storage = overtakable(env);
    const { person, tenant, hold, answer, post, own } = await newPersonWorld(
      {},
      createTextingService(storage.bindings),
    );
    const id = await hold({ email: person.email, held: 'x'.repeat(10_000) });
    const code = await mailedCode(person.email);
    storage.overtake('D1 batch', ANSWERS_WRITE, () => post({ email: person.email, mine: 'x'.repeat(10_000) }, own));
    expect(await answer(id, code)).toMatchObject({ status: 412, body: { code: 'validation_failed' } });
    expect(Object.keys(JSON.parse(await attributesIn(tenant.id)))).toEqual(['mine']);
    await post({ email: person.email, mine: null }, own);
    expect(await answer(id, code)).toMatchObject({ status: 200, body: { held: 'x'.repeat(10_000) } });
  });

  it('that never end have one refused in the end, which changes nothing', async () => {
    const storage = overtakable(env);
    const { person, tenant, post, own } = await newPersonWorld({}, createTextingService(storage.bindings));
    const touchAgain = async () => {
      await env.DB.prepare('update customers set version = version + 1 where tenant_id = ?').bind(tenant.id).run();
      storage.overtake('D1 batch', 2, touchAgain);
    };
    // The account, its caller, then the change; after that the account and the change again and again.
    storage.overtake('D1 batch', 3, touchAgain);
    const refused = await post({ email: person.email, name: 'Grace', mine: 1 }, own);
    expect(refused).toMatchObject({ status: 503, body: { code: 'storage_unavailable' } });
    const { customers } = await rowsOf(tenant.id);
    expect(customers).toMatchObject([{ attributes: null }]);
    expect(customers?.[0]?.name).not.toBe('Grace');
  });
});

/** What a tenant has of its people: not which attempts were counted, nor what was mailed in vain. */
const noticed = async (tenantId: string) => {
  const { customers, users, customer_subscriptions, events = [] } = await rowsOf(tenantId);
  const kept = events.filter(({ type }) => !String(type).endsWith('_sent') && type !== 'challenge.sent');
  return { customers, users, customer_subscriptions, events: kept.map(({ type }) => type).toSorted() };
};

type Broken = Awaited<ReturnType<typeof newBreakableWorld>>;

const newBreakableWorld = async (steps?: unknown) => {
  const storage = breakable(env);
  const world = await newHeldWorld(createTextingService(storage.bindings), steps);
  const person = await newPerson(world.service, world.tenant, world.app);
  const token = await signIn(world.service, world.tenant, person);
  return { ...world, storage, person, own: { headers: bearerHeaders(token) } };
};

/** Everything that writes, with what it takes, and the flow behind the change that waits. */
const CALLS: [string, (world: Broken) => Promise<UpsertAnswer>, unknown?][] = [
  ['a creation', ({ post }) => post({ email: uniqueEmail(), name: 'New', subscriptions: ['news'] })],
  ['a creation with a flow', ({ post }) => post({ email: uniqueEmail(), name: 'New' }, { flow: 'custom' })],
  ['a creation with an activation', ({ post }) => post({ email: uniqueEmail() }, { flow: 'activation' })],
  [
    'a change by its own token',
    ({ post, person, own }) => post({ email: person.email, name: 'Mine', subscriptions: ['news'] }, own),
  ],
  [
    'a change of the address by its own token',
    ({ post, person, own }) => post({ id: person.cuid, email: uniqueEmail(), name: 'Mine' }, own),
  ],
  ['a change that is held', ({ post, person }) => post({ email: person.email, name: 'Held' })],
  ['an answer', ({ answer, id, code }) => answer(id, code)],
  ['an answer with a challenge behind it', ({ answer, id, code }) => answer(id, code), FURTHER_STEPS],
];

describe('storage that fails', () => {
  it.each(CALLS)(
    'at any operation of %s leaves nothing half-done, and says 503',
    async (_, call, steps) => {
      const dry = await newBreakableWorld(steps);
      dry.storage.failWhen(() => null);
      expect((await call(dry)).status).toBeLessThan(300);
      const operations = dry.storage.operations();
      expect(operations).toBeGreaterThan(1);
      for (let broken = 1; broken <= operations; broken += 1) {
        for (const moment of ['before', 'after'] as const) {
          const world = await newBreakableWorld(steps);
          const { storage, tenant } = world;
          const before = await noticed(tenant.id);
          storage.failWhen((_operation, count) => (count === broken ? moment : null));
          const answered = await call(world);
          storage.failWhen(null);
          const where = `operation ${broken} of ${operations}, ${moment}`;
          expect([where, [200, 202, 503].includes(answered.status)]).toEqual([where, true]);
          if (answered.status !== 503) continue;
          const after = await noticed(tenant.id);
          // All of it, where only the answer was lost; else nothing.
          const writes = after.events.length - before.events.length;
          if (writes === 0) expect([where, after]).toEqual([where, before]);
          else expect([where, broken >= operations - 1 || moment === 'after']).toEqual([where, true]);
        }
      }
    },
    60_000,
  );
});
