import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { newId, type TenantId } from '../../src/crypto/ids.ts';
import { createUpkeep } from '../../src/domain/upkeep.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { createTenantDataStore, createTenantStore } from '../../src/storage/tenants.ts';
import { createUpkeepSchedule, createUpkeepStore } from '../../src/storage/upkeep.ts';
import { callAsOperator } from '../support/operator.ts';
import { insertRow, rowsOf } from '../support/rows.ts';
import { createService, type Service } from '../support/service.ts';
import { newTenant, type TestTenant, uniqueEmail } from '../support/tenants.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const enter = async (service: Service, { slug }: TestTenant): Promise<void> => {
  const response = await service.call('POST', `/api/${slug}/customer`, { body: { email: uniqueEmail() } });
  expect(response.status).toBe(200);
};

const remove = async (service: Service, { slug }: TestTenant): Promise<void> => {
  const response = await callAsOperator(service, 'DELETE', `/operator/v1/tenants/${slug}?confirm=${slug}`);
  expect(response.status).toBe(204);
};

/** A tenant that is removed while another isolate remembers it, and what that does for it then. */
const newRemoved = async () => {
  const service = createService();
  const elsewhere = createService();
  const tenant = await newTenant(service);
  await enter(elsewhere, tenant);
  await remove(service, tenant);
  const told = (await rowsOf(tenant.id)).events;
  await enter(elsewhere, tenant);
  await insertRow('signing_keys', {
    ...{ tenant_id: tenant.id, kid: 'late', algorithm: 'ES256', state: 'current', public_jwk: '{}', created_at: 0 },
    ...{ sealed_private_jwk: 'sealed', expires_at: null },
  });
  return { tenant, told, left: await rowsOf(tenant.id), removedAt: service.clock.now() };
};

const minuteOf = async ({ id }: TestTenant, from: number): Promise<number> => {
  const schedule = createUpkeepSchedule(openDatabase(env.DB));
  const hour = await Promise.all(
    Array.from({ length: 60 }, (_, minute) => schedule.listRemoved(minute, from - 1, from)),
  );
  return hour.findIndex((removed) => removed.some((each) => each.id === id));
};

/** A day of runs in that minute of the hour, at a standing clock. What else is past is left to the tests of that. */
const runDay = async (minute: number, at: number): Promise<void> => {
  const database = openDatabase(env.DB);
  const { listRemoved } = createUpkeepSchedule(database);
  const upkeep = createUpkeep({
    schedule: { listRemoved, listDue: async () => [] },
    tenants: createTenantStore(database),
    dataOf: ({ id }) => createTenantDataStore(database, id),
    storeOf: ({ id }) => createUpkeepStore(database, id),
    now: () => at,
  });
  const fail = (_: TenantId, error: unknown): never => {
    throw error;
  };
  for (let hour = 0; hour < 24; hour += 1) await upkeep.run((hour * HOUR + minute * MINUTE) * 1000, fail);
};

describe('what is written for a tenant that is removed, where it is remembered', () => {
  it('goes later: nothing of it stays but the fact', async () => {
    const { tenant, told, left, removedAt } = await newRemoved();
    expect(told).toMatchObject([{ type: 'tenant.deleted' }]);
    expect(left).toMatchObject({ customers: [{}], users: [{}], signing_keys: [{}] });
    expect(left.events?.length).toBeGreaterThan(1);
    await runDay(await minuteOf(tenant, removedAt), removedAt + 6 * MINUTE * 1000);
    const { events, ...others } = await rowsOf(tenant.id);
    expect(events).toEqual(told);
    expect(Object.values(others).flat()).toEqual([]);
  });

  it.each([
    ['another minute of the hour', 1, 6 * MINUTE],
    ['the first minutes, in which more may come', 0, 4 * MINUTE],
    ['the days after', 0, DAY],
  ])('is not looked for in %s', async (_, minutes, afterSeconds) => {
    const { tenant, left, removedAt } = await newRemoved();
    const minute = (await minuteOf(tenant, removedAt)) + minutes;
    await runDay(minute % 60, removedAt + afterSeconds * 1000);
    expect(await rowsOf(tenant.id)).toEqual(left);
  });
});

describe('the removal of what was left of tenants', () => {
  const AT = Date.now();

  /** Tenants that are gone but for a row each, and their removal. */
  const newGone = async (count: number) => {
    const ids = Array.from({ length: count }, () => newId('ten', AT));
    for (const tenant_id of ids) await insertRow('used_nonces', { tenant_id, hash: 'hash', expires_at: AT });
    const database = openDatabase(env.DB);
    const failures: TenantId[] = [];
    return {
      ids,
      failures,
      run: (hour: number, isBroken: (id: TenantId) => boolean = () => false) =>
        createUpkeep({
          schedule: { listRemoved: async () => ids.map((id) => ({ id, shard: 'DB' })), listDue: async () => [] },
          tenants: createTenantStore(database),
          dataOf: ({ id }) => {
            if (isBroken(id)) throw new Error(`No database is bound for ${id}`);
            return createTenantDataStore(database, id);
          },
          storeOf: ({ id }) => createUpkeepStore(database, id),
          now: () => AT,
        }).run(hour * HOUR * 1000, (id) => failures.push(id)),
      left: async () => {
        const rows = await Promise.all(ids.map(rowsOf));
        return ids.filter((_, i) => rows[i]?.used_nonces?.length === 1);
      },
    };
  };

  it('of one tenant that fails keeps no other from its own', async () => {
    const { ids, failures, run, left } = await newGone(3);
    await run(0, (id) => id === ids[1]);
    expect(await left()).toEqual([ids[1]]);
    expect(failures).toEqual([ids[1]]);
  });

  it('begins each hour with the tenants that the one before did not come to', async () => {
    const { run, left } = await newGone(10);
    await run(0);
    expect(await left()).toHaveLength(2);
    await run(1);
    expect(await left()).toEqual([]);
  });
});
