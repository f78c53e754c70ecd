import { createScheduledController } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { newId, type TenantId } from '../../src/crypto/ids.ts';
import { createUpkeep } from '../../src/domain/upkeep.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { createTenantDataStore, createTenantStore } from '../../src/storage/tenants.ts';
import { createUpkeepSchedule, createUpkeepStore, type TenantDue } from '../../src/storage/upkeep.ts';
import { createWorker } from '../../src/worker.ts';
import { breakable } from '../support/bindings.ts';
import { logOf } from '../support/log.ts';
import { insertRow, rowsOf } from '../support/rows.ts';
import { createService } from '../support/service.ts';
import { newTenant, newWorld, type TestTenant } from '../support/tenants.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const AT = Date.now();

/** Of those that others removed, the ones under test are not to hear. */
const FOR_NONE_REMOVED = {
  schedule: { listRemoved: async () => [] },
  tenants: createTenantStore(openDatabase(env.DB)),
  dataOf: ({ id }: { id: TenantId }) => createTenantDataStore(openDatabase(env.DB), id),
};

type Row = Record<string, string | number | null>;

/** A world, and the upkeep of its tenant alone: what other tests hold is left to them. */
const newCase = async (bindings: Pick<Env, 'DB'> = env, settings: Record<string, unknown> = {}) => {
  const service = createService();
  const { tenant, app, customer } = await newWorld(service, { settings });
  const user = await env.DB.prepare('select id from users where customer_id = ?')
    .bind(customer.cuid)
    .first<string>('id');
  const names = { tenant_id: tenant.id, app_id: app.id, customer_id: customer.cuid, user_id: user ?? '' };
  const due = await dueOf(tenant);
  const failures: unknown[] = [];
  return {
    service,
    tenant,
    names,
    failures,
    run: async (at = AT) => {
      const database = openDatabase(bindings.DB);
      const upkeep = createUpkeep({
        ...FOR_NONE_REMOVED,
        schedule: { ...FOR_NONE_REMOVED.schedule, listDue: async () => due },
        storeOf: ({ id }) => createUpkeepStore(database, id),
        now: () => at,
      });
      await upkeep.run(at, (tenantId, error) => failures.push([tenantId, error]));
    },
  };
};

type Names = Awaited<ReturnType<typeof newCase>>['names'];

/** Whose turn it is, minute by minute. */
const listHour = (): Promise<TenantDue[][]> =>
  Promise.all(Array.from({ length: 60 }, (_, minute) => createUpkeepSchedule(openDatabase(env.DB)).listDue(minute)));

/** These tenants as the schedule has them: each of them once an hour. */
const dueOf = async (...tenants: TestTenant[]): Promise<TenantDue[]> => {
  const due = (await listHour()).flat().filter((each) => tenants.some(({ id }) => id === each.id));
  expect(due).toHaveLength(tenants.length);
  return due;
};

/** Tenants that are like another one, but for their ids. */
const copyTenant = (id: string, ids: readonly string[]) =>
  env.DB.prepare(
    `insert into tenants (id, slug, name, status, shard, locale, origins, redirect_uris, branding, settings,
      sealed_data_key, created_at, updated_at)
     select value, value, name, status, shard, locale, origins, redirect_uris, branding, settings,
      sealed_data_key, created_at, updated_at from json_each(?), tenants where tenants.id = ?`,
  )
    .bind(JSON.stringify(ids), id)
    .run();

/** Rows that end at a moment, and how long they are kept beyond it. */
const KINDS: readonly [table: string, keptMs: number, row: (names: Names, at: number, id: string) => Row][] = [
  [
    'challenges',
    0,
    ({ tenant_id, customer_id }, expires_at, id) => ({
      ...{ tenant_id, customer_id, expires_at, id, subject: id, purpose: 'passcode', attempts: 0, created_at: 0 },
    }),
  ],
  [
    'idempotency',
    0,
    ({ tenant_id, customer_id, app_id }, expires_at, key) => ({
      ...{ tenant_id, customer_id, app_id, expires_at, key, request_hash: 'hash', sealed_answer: 'sealed' },
    }),
  ],
  ['rate_hits', HOUR, ({ tenant_id }, at, id) => ({ tenant_id, at, id, bucket: 'bucket' })],
  [
    'login_states',
    0,
    ({ tenant_id }, expires_at, hash) => ({ tenant_id, expires_at, hash, browser_hash: 'b', sealed_details: 's' }),
  ],
  [
    'held_changes',
    0,
    ({ tenant_id, customer_id }, expires_at, id) => ({
      ...{ tenant_id, customer_id, expires_at, id, subject: id, sealed_change: 'sealed' },
    }),
  ],
  ['used_nonces', 0, ({ tenant_id }, expires_at, hash) => ({ tenant_id, expires_at, hash })],
  [
    'sessions',
    7 * DAY,
    ({ tenant_id, customer_id, user_id }, expires_at, id) => ({
      ...{ tenant_id, customer_id, user_id, expires_at, id, generation: 1, provider: 'email', amr: '["otp"]' },
      ...{ created_at: 0, last_used_at: 0, idle_expires_at: expires_at, recent_rotations: '[]' },
    }),
  ],
  [
    'signing_keys',
    0,
    ({ tenant_id }, expires_at, kid) => ({
      ...{ tenant_id, expires_at, kid, algorithm: 'ES256', state: 'retired', public_jwk: '{}', created_at: 0 },
      sealed_private_jwk: 'sealed',
    }),
  ],
  [
    'app_credentials',
    0,
    ({ tenant_id, app_id }, expires_at, super_key) => ({
      ...{ tenant_id, app_id, expires_at, super_key, token_hash: 'hash', created_at: 0 },
    }),
  ],
  [
    'events',
    365 * DAY,
    ({ tenant_id, customer_id }, at) => ({
      ...{ tenant_id, at, id: newId('evt', at), type: 'passcode.sent', actor: 'system', subject: customer_id },
      data: '{}',
    }),
  ],
];

/** Writes a row that lives, and gives what there is then. */
const rowsWith = async ({ id }: TestTenant, table: string, row: Row) => {
  await insertRow(table, row);
  return rowsOf(id);
};

describe('upkeep', () => {
  it.each(KINDS)(
    'deletes of %s what is past, and nothing else, nor of another tenant',
    async (table, keptMs, rowFor) => {
      const { tenant, names, run, failures } = await newCase();
      const other = await newCase();
      const theirs = await rowsWith(other.tenant, table, rowFor(other.names, AT - keptMs - HOUR, 'other'));
      const own = await rowsWith(tenant, table, rowFor(names, AT - keptMs + 1, 'lives'));
      await insertRow(table, rowFor(names, AT - keptMs - HOUR, 'old'));
      await insertRow(table, rowFor(names, AT - keptMs - (table === 'events' ? 1 : 0), 'just over'));
      await run();
      expect(await rowsOf(tenant.id)).toEqual(own);
      expect(await rowsOf(other.tenant.id)).toEqual(theirs);
      expect(failures).toEqual([]);
    },
  );

  it('leaves what has no end: the current signing key, and the pair of an app', async () => {
    const { tenant, run } = await newCase();
    const { signing_keys, app_credentials } = await rowsOf(tenant.id);
    expect([signing_keys, app_credentials]).toMatchObject([[{ expires_at: null }], [{ expires_at: null }]]);
    await run(AT + 400 * DAY);
    expect(await rowsOf(tenant.id)).toMatchObject({ signing_keys, app_credentials });
  });

  it.each([
    [7, 7],
    [3650, 3650],
    [undefined, 365],
  ])('keeps events for the days that the tenant sets: %s', async (setting, days) => {
    const { tenant, names, run } = await newCase(env, { events_retention_days: setting });
    const eventAt = (at: number) => ({
      ...{ tenant_id: tenant.id, at, id: newId('evt', at), type: 'passcode.sent', actor: 'system', data: '{}' },
      subject: names.customer_id,
    });
    const kept = await rowsWith(tenant, 'events', eventAt(AT - days * DAY));
    await insertRow('events', eventAt(AT - days * DAY - 1));
    await run();
    expect(await rowsOf(tenant.id)).toEqual(kept);
  });

  it('takes back an address that was not confirmed in time, and leaves one that may yet be', async () => {
    const { tenant, names, run } = await newCase();
    const pend = (at: number) =>
      env.DB.prepare("update users set pending_email = 'new@example.com', pending_email_expires_at = ? where id = ?")
        .bind(at, names.user_id)
        .run();
    await pend(AT + 1);
    const before = await rowsOf(tenant.id);
    await run();
    expect(await rowsOf(tenant.id)).toEqual(before);
    await pend(AT);
    await run();
    const [user] = (await rowsOf(tenant.id)).users ?? [];
    expect(user).toEqual({ ...before.users?.[0], pending_email: null, pending_email_expires_at: null });
  });
});

describe('upkeep of webhooks', () => {
  /** A webhook, and what it was to be told of. */
  const newWebhookCase = async () => {
    const aCase = await newCase();
    const { tenant, names } = aCase;
    await insertRow('webhooks', {
      ...{ tenant_id: tenant.id, name: 'hook', url: 'https://hook.example.com', events: '["none.*"]' },
      ...{ status: 'active', sealed_secret: 'sealed', created_at: AT, updated_at: AT },
    });
    return {
      ...aCase,
      /** A delivery whose last attempt, if any was made, was so long ago, of an event that is at least as old. */
      deliver: async (status: string, attemptedMs: number | null, eventMs = attemptedMs ?? 0): Promise<string> => {
        const at = AT - eventMs;
        const id = newId('evt', at);
        const common = { tenant_id: tenant.id, created_at: at };
        await insertRow('events', {
          ...{ tenant_id: tenant.id, at, id, type: 'passcode.sent', actor: 'system', data: '{}' },
          subject: names.customer_id,
        });
        await insertRow('deliveries', {
          ...{ ...common, webhook: 'hook', event_id: id, status, due_at: at },
          attempts: attemptedMs === null ? 0 : 1,
          last_attempt_at: attemptedMs === null ? null : AT - attemptedMs,
        });
        return id;
      },
      /** Which of the events are there, and which of their deliveries. */
      left: async (...ids: string[]): Promise<[events: boolean[], deliveries: boolean[]]> => {
        const { events = [], deliveries = [] } = await rowsOf(tenant.id);
        return [
          ids.map((id) => events.some((event) => event.id === id)),
          ids.map((id) => deliveries.some(({ event_id }) => event_id === id)),
        ];
      },
    };
  };

  it.each([
    ['delivered', 7],
    ['failed', 30],
  ])('forgets what was %s after %i days, and keeps its event', async (status, days) => {
    const { run, deliver, left } = await newWebhookCase();
    const [over, lasting] = [await deliver(status, days * DAY + 1), await deliver(status, days * DAY, days * DAY + 1)];
    await run();
    expect(await left(over, lasting)).toEqual([
      [true, true],
      [false, true],
    ]);
  });

  it('forgets what failed without an attempt 30 days after it was made', async () => {
    const { run, deliver, left } = await newWebhookCase();
    const [over, lasting] = [await deliver('failed', null, 30 * DAY + 1), await deliver('failed', null, 30 * DAY)];
    await run();
    expect(await left(over, lasting)).toEqual([
      [true, true],
      [false, true],
    ]);
  });

  it('forgets what was delivered of an event that goes, however recently', async () => {
    const { run, deliver, left } = await newWebhookCase();
    const ids = [await deliver('delivered', 1, 366 * DAY), await deliver('failed', 1, 366 * DAY)];
    await run();
    expect(await left(...ids)).toEqual([
      [false, false],
      [false, false],
    ]);
  });

  it('keeps an event, however old, that a webhook is yet to be told of', async () => {
    const { run, deliver, left } = await newWebhookCase();
    const id = await deliver('pending', 1, 400 * DAY);
    await run();
    expect(await left(id)).toEqual([[true], [true]]);
    await env.DB.prepare("update deliveries set status = 'delivered' where event_id = ?").bind(id).run();
    await run();
    expect(await left(id)).toEqual([[false], [false]]);
  });

  it('keeps no event for a webhook that is disabled', async () => {
    const { tenant, run, deliver, left } = await newWebhookCase();
    const [old, recent] = [await deliver('pending', 1, 366 * DAY), await deliver('pending', 1, 364 * DAY)];
    await env.DB.prepare("update webhooks set status = 'disabled' where tenant_id = ?").bind(tenant.id).run();
    await run();
    expect(await left(old, recent)).toEqual([
      [false, true],
      [false, true],
    ]);
  });

  it('forgets a secret that signs no longer', async () => {
    const { tenant, run } = await newWebhookCase();
    const keep = (at: number) =>
      env.DB.prepare("update webhooks set sealed_old_secret = 'old', old_secret_expires_at = ? where tenant_id = ?")
        .bind(at, tenant.id)
        .run();
    await keep(AT + 1);
    const before = await rowsOf(tenant.id);
    await run();
    expect(await rowsOf(tenant.id)).toEqual(before);
    await keep(AT);
    await run();
    const { webhooks } = await rowsOf(tenant.id);
    expect(webhooks).toMatchObject([{ sealed_secret: 'sealed', sealed_old_secret: null, old_secret_expires_at: null }]);
  });
});

describe('a run', () => {
  /** So many hits that no limit looks at. */
  const hit = (tenantId: string, count: number) =>
    env.DB.prepare(
      `insert into rate_hits (tenant_id, bucket, at, id) with recursive numbers (n) as
       (select 1 union all select n + 1 from numbers where n < ?) select ?, 'bucket', 1, n from numbers`,
    )
      .bind(count, tenantId)
      .run();
  const hitsOf = (tenantId: string) =>
    env.DB.prepare('select count(*) from rate_hits where tenant_id = ?').bind(tenantId).first<number>('count(*)');

  it('deletes all that there is, in chunks', async () => {
    const { tenant, run } = await newCase();
    await hit(tenant.id, 2500);
    await run();
    expect(await hitsOf(tenant.id)).toBe(0);
  });

  it('that breaks half way leaves what it did, tells of it, and is finished by the next', async () => {
    const storage = breakable(env);
    const { tenant, run, failures } = await newCase(storage.bindings);
    await hit(tenant.id, 2500);
    storage.failWhen((operation, count) => (operation === 'D1 batch' && count === 2 ? 'before' : null));
    await run();
    expect(await hitsOf(tenant.id)).toBe(1500);
    expect(failures).toEqual([[tenant.id, expect.any(Error)]]);
    storage.failWhen(null);
    await run();
    expect([await hitsOf(tenant.id), failures.length]).toEqual([0, 1]);
  });

  /** As many tenants as are asked for, each with as many hits, and a run of them all. */
  const newTenants = async (count: number, hits: number) => {
    const [due] = await dueOf(await newTenant(createService()));
    if (!due) throw new Error('The tenant is never due');
    const ids = Array.from({ length: count }, () => newId('ten', AT));
    await copyTenant(due.id, ids);
    await Promise.all(ids.map((id) => hit(id, hits)));
    const failures: TenantId[] = [];
    const run = (at: number, isBroken: (id: TenantId) => boolean = () => false) =>
      createUpkeep({
        ...FOR_NONE_REMOVED,
        schedule: { ...FOR_NONE_REMOVED.schedule, listDue: async () => ids.map((id) => ({ ...due, id })) },
        storeOf: ({ id }) => {
          if (isBroken(id)) throw new Error(`No database is bound for ${id}`);
          return createUpkeepStore(openDatabase(env.DB), id);
        },
        now: () => AT,
      }).run(at, (id) => failures.push(id));
    const left = () => Promise.all(ids.map(hitsOf));
    return { ids, failures, run, left };
  };

  it('of one tenant that fails keeps no other from its own', async () => {
    const { ids, failures, run, left } = await newTenants(3, 1);
    await run(0, (id) => id === ids[1]);
    expect(await left()).toEqual([0, 1, 0]);
    expect(failures).toEqual([ids[1]]);
  });

  it('catches up with a tenant of which much is past', async () => {
    const { tenant, names, run } = await newCase();
    const before = await rowsOf(tenant.id);
    await env.DB.prepare(
      `insert into events (tenant_id, id, at, type, actor, subject, data) with recursive numbers (n) as
       (select 1 union all select n + 1 from numbers where n < 60000)
       select ?, printf('evt_%026d', n), 0, 'passcode.sent', 'system', ?, '{}' from numbers`,
    )
      .bind(tenant.id, names.customer_id)
      .run();
    await hit(tenant.id, 25_000);
    await run();
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('does so much at most, gives every tenant some of it, and leaves the rest to the next', async () => {
    const { run, left } = await newTenants(40, 5000);
    await run(0);
    // All of them have a first chunk deleted, by 13 queries each of the 650, and 130 more chunks in turn.
    expect(await left()).toEqual([...Array<number>(10).fill(0), ...Array<number>(30).fill(1000)]);
    await run(HOUR);
    expect(await left()).toEqual(Array<number>(40).fill(0));
  });

  it('begins each hour with the tenants that the one before did not come to', async () => {
    const { run, left } = await newTenants(42, 1);
    await run(0);
    expect((await left()).filter((hits) => hits === 1)).toHaveLength(2);
    await run(HOUR);
    expect((await left()).filter((hits) => hits === 1)).toHaveLength(0);
  });
});

describe('the cron trigger', () => {
  const trigger = async (bindings: Partial<Env>, at: number): Promise<void> => {
    const worker = createWorker({ now: () => AT, fetch });
    const controller = createScheduledController({ scheduledTime: new Date(at) });
    await worker.scheduled(controller, { ...env, ...bindings });
  };

  /** The minute of the hour in which a tenant is due. */
  const minuteOf = async ({ id }: TestTenant): Promise<number> =>
    (await listHour()).findIndex((due) => due.some((each) => each.id === id));

  it('keeps a tenant up in its minute of the hour, and in no other', async () => {
    const { tenant, names } = await newCase();
    const before = await rowsOf(tenant.id);
    await insertRow('used_nonces', { tenant_id: names.tenant_id, hash: 'hash', expires_at: 1 });
    const minute = await minuteOf(tenant);
    const nonces = async () => (await rowsOf(tenant.id)).used_nonces?.length;
    await trigger({}, ((minute + 1) % 60) * 60_000);
    expect(await nonces()).toBe(1);
    // With many tenants its turn comes within some hours.
    for (let hour = 0; hour < 24 && (await nonces()) === 1; hour += 1) await trigger({}, hour * HOUR + minute * 60_000);
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('keeps a disabled tenant up, too', async () => {
    const service = createService();
    const tenant = await newTenant(service, { status: 'disabled' });
    expect(await dueOf(tenant)).toMatchObject([{ id: tenant.id }]);
  });

  it('tells of a failure without what it was about', async () => {
    const storage = breakable(env);
    const { tenant } = await newCase();
    const minute = await minuteOf(tenant);
    storage.failWhen((operation) => (operation === 'D1 batch' ? 'before' : null));
    const run = () => expect(trigger(storage.bindings, minute * 60_000)).rejects.toThrow('failures');
    const lines = (await logOf(run)).split('\n').map((line) => JSON.parse(line));
    expect(lines).toContainEqual({
      ...{ level: 'error', upkeep: true, tenant: tenant.id, code: 'storage_unavailable' },
      error: 'D1 batch is broken',
    });
  });

  it('spreads tenants over the hour', async () => {
    const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
    const service = createService();
    const { id } = await newTenant(service);
    const stem = newId('ten', AT).slice(0, -2);
    const ids = [...alphabet].flatMap((one) => [...alphabet].map((other) => `${stem}${one}${other}`));
    await copyTenant(id, ids);
    const counts = (await listHour()).map((due) => due.filter((each) => each.id.startsWith(stem)).length);
    await env.DB.prepare('delete from tenants where id like ?').bind(`${stem}%`).run();
    expect(counts.reduce((sum, count) => sum + count)).toBe(ids.length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThan(10);
  });
});
