import { env } from 'cloudflare:workers';
import { getTableColumns, getTableName, is } from 'drizzle-orm';
import { SQLiteTable } from 'drizzle-orm/sqlite-core';
import { describe, expect, it } from 'vitest';
import * as schema from '../../../src/storage/schema.ts';
import { bearerHeaders, linkIn, newAccountWorld, newPerson } from '../../support/accounts.ts';
import { DETAILS } from '../../support/customers.ts';
import { lastMailTo } from '../../support/mailbox.ts';
import { offerSubscriptions } from '../../support/operator.ts';
import { mailPasscode } from '../../support/passcodes.ts';
import { rowsOf } from '../../support/rows.ts';
import { appHeaders, type CustomerPair } from '../../support/tenants.ts';

type Exported = Record<string, unknown>;
type Export = Record<string, Exported[]> & { customer: Exported };

/** Why a column is not exported. */
const SECRET = { withheld: 'a secret, or a hash of one' };
const TENANT = { withheld: 'the same for everybody' };
const PARENT = { withheld: 'the customer that is exported' };
const COMPARISON_FORM = { withheld: 'the comparison form of an address that is exported' };

/** Where every column of every table about customers is exported: a column that is added has to be decided on here. */
const TABLES: Readonly<Record<string, { in: string; columns: Record<string, string | { withheld: string }> }>> = {
  customers: {
    in: 'customer',
    columns: {
      tenant_id: TENANT,
      id: 'id',
      company: 'company',
      email: 'email',
      email_key: COMPARISON_FORM,
      name: 'name',
      address: 'address',
      city: 'address_town',
      region: 'address_region',
      postal_code: 'address_postcode',
      country: 'country',
      phone: 'phone',
      mobile: 'mobile',
      website: 'website',
      type: 'type',
      address_line_2: 'address_line_2',
      birth_date: 'birth_date',
      timezone: 'timezone',
      latitude: 'latitude',
      longitude: 'longitude',
      attributes: 'attributes',
      status: 'status',
      has_api_access: 'api_access',
      created_by_app: 'created_by_app',
      version: 'version',
      created_at: 'created_at',
      updated_at: 'updated_at',
    },
  },
  users: {
    in: 'users',
    columns: {
      tenant_id: TENANT,
      id: 'id',
      customer_id: PARENT,
      email: 'email',
      email_key: COMPARISON_FORM,
      is_owner: 'owner',
      given_name: 'first_name',
      family_name: 'last_name',
      locale: 'locale',
      phone: 'phone',
      phone_verified_at: 'phone_verified_at',
      password_hash: SECRET,
      password_expires_at: 'password_expires_at',
      activated_at: 'activated_at',
      valid_after: 'tokens_valid_after',
      pending_email: 'pending_email',
      pending_email_expires_at: 'pending_email_expires_at',
      created_at: 'created_at',
      updated_at: 'updated_at',
    },
  },
  api_keys: {
    in: 'api_keys',
    columns: {
      tenant_id: TENANT,
      key: 'key',
      customer_id: PARENT,
      app_id: 'app',
      token_hash: SECRET,
      created_at: 'created_at',
      renewed_at: 'renewed_at',
    },
  },
  customer_subscriptions: {
    in: 'subscriptions',
    columns: { tenant_id: TENANT, customer_id: PARENT, subscription_id: 'id', subscribed_at: 'subscribed_at' },
  },
  phones: {
    in: 'phones',
    columns: {
      tenant_id: TENANT,
      id: 'id',
      customer_id: PARENT,
      user_id: 'user',
      number: 'number',
      type: { withheld: 'an id, whose name is exported' },
    },
  },
  aws_credentials: {
    in: 'aws_credentials',
    columns: {
      tenant_id: TENANT,
      user_id: 'user',
      access_key: 'access_key',
      sealed_secret_access: SECRET,
      cmk_id: 'cmk_id',
      region: 'region',
      sealed_private_key: SECRET,
      public_key: 'public_key',
      user_arn: 'user_arn',
      created_at: 'created_at',
    },
  },
  identities: {
    in: 'identities',
    columns: {
      tenant_id: TENANT,
      provider: 'provider',
      subject: 'subject',
      user_id: 'user',
      created_at: 'created_at',
    },
  },
  sessions: {
    in: 'sessions',
    columns: {
      tenant_id: TENANT,
      id: 'id',
      user_id: 'user',
      customer_id: PARENT,
      generation: { withheld: 'how many tokens there were, for us to count' },
      provider: 'provider',
      amr: 'amr',
      sealed_logout_hint: SECRET,
      created_at: 'created_at',
      last_used_at: 'last_used_at',
      idle_expires_at: 'idle_expires_at',
      expires_at: 'expires_at',
      revoked_at: 'revoked_at',
      recent_rotations: { withheld: 'when tokens took each other’s place, within seconds' },
      ip: 'ip',
      user_agent: 'device',
      place: 'place',
    },
  },
  challenges: {
    in: 'one_time_secrets',
    columns: {
      tenant_id: TENANT,
      purpose: 'purpose',
      subject: 'subject',
      id: 'id',
      customer_id: PARENT,
      attempts: 'attempts',
      consumed_at: 'consumed_at',
      consumed_by: SECRET,
      created_at: 'created_at',
      expires_at: 'expires_at',
    },
  },
  held_changes: {
    in: 'held_changes',
    columns: {
      tenant_id: TENANT,
      id: { withheld: 'what a challenge is answered by' },
      subject: { withheld: 'a keyed hash of an address that is exported' },
      customer_id: PARENT,
      sealed_change: SECRET,
      expires_at: 'expires_at',
    },
  },
  idempotency: {
    in: 'kept_answers',
    columns: {
      tenant_id: TENANT,
      app_id: 'app',
      key: 'key',
      customer_id: PARENT,
      request_hash: SECRET,
      sealed_answer: SECRET,
      expires_at: 'expires_at',
    },
  },
  events: {
    in: 'events',
    columns: {
      tenant_id: TENANT,
      id: 'id',
      at: 'at',
      type: 'type',
      actor: 'actor',
      subject: 'subject',
      ip: 'ip',
      user_agent: 'user_agent',
      data: 'data',
    },
  },
};

const BROWSER = { 'CF-Connecting-IP': '203.0.113.9', 'User-Agent': 'A browser' };

/** A person of whom every column holds something, and the call that exports it. */
const newHeldWorld = async () => {
  const world = await newAccountWorld();
  const { service, tenant, app, person, token, self, change, post } = world;
  const headers = appHeaders(app);
  await service.call('PATCH', `/customer/${person.cuid}`, { headers, body: DETAILS });
  await offerSubscriptions(service, tenant, 'news');
  const pendingEmail = `next-${person.email}`;
  const body = { mobile: '+44 7700 900123', subscriptions: ['news'], email: pendingEmail };
  expect((await change(body, BROWSER)).status).toBe(200);
  const { secret } = linkIn(await lastMailTo(pendingEmail), 'confirm-email');
  await post('newemail_confirm', { identifier: person.userId, key: 'WRONG' });
  const passcode = await mailPasscode(service, app, person.email);
  const renewed = await service.call('GET', `/customer/${person.cuid}/auth`, { headers });
  const pair = await renewed.json<CustomerPair>();
  const at = service.clock.now();
  const run = (sql: string, ...values: unknown[]) =>
    env.DB.prepare(sql)
      .bind(...values)
      .run();
  const { cuid, userId } = person;
  await run("update customers set type = 'business', address_line_2 = 'Flat 3' where id = ?", cuid);
  await run("update users set locale = 'de', given_name = 'Ada', family_name = 'Lovelace' where id = ?", userId);
  await run('update users set password_expires_at = ? where id = ?', at + 10_000, userId);
  await run(
    `update customers set birth_date = '1815-12-10', timezone = 'Europe/London', latitude = 51.5074, longitude = -0.1278,
      attributes = '{"shoe":{"size":38}}' where id = ?`,
    cuid,
  );
  await run("update users set phone = '+447700900123', phone_verified_at = ? where id = ?", at, userId);
  await run(
    "insert into held_changes values (?, 'chg_1', 'a subject', ?, 'a sealed change', ?)",
    tenant.id,
    cuid,
    at + 30_000,
  );
  await run("insert into phones values (?, 'phn_1', ?, ?, '+447700900123', 'a type')", tenant.id, cuid, userId);
  await run("insert into identities values (?, 'connection:acme', 'subject', ?, ?)", tenant.id, userId, at);
  await run(
    `insert into aws_credentials (tenant_id, user_id, access_key, sealed_secret_access, cmk_id, region,
      sealed_private_key, public_key, user_arn, created_at)
      values (?, ?, 'access', 'a sealed secret', 'cmk', 'eu-west-2', 'a sealed key', 'public', 'arn', ?)`,
    ...[tenant.id, userId, at],
  );
  await run(
    `insert into sessions values (?, 'ses_1', ?, ?, 1, 'email', '["otp"]', 'a sealed hint', ?, ?, ?, ?, ?,
      '[]', '203.0.113.9', 'A browser', 'London, GB')`,
    ...[tenant.id, userId, cuid, at, at + 1, at + 2, at + 3, at + 4],
  );
  await run(
    "insert into idempotency values (?, ?, 'order-1', ?, 'a request’s hash', 'a sealed answer', ?)",
    ...[tenant.id, app.id, person.cuid, at + 20_000],
  );
  return {
    ...world,
    secrets: [secret, passcode, pair.token, person.password],
    exportAll: () => service.call('GET', `${self}/export`, { headers: bearerHeaders(token) }),
  };
};

/** How a value of D1 is told: times in ISO 8601, documents and truth values as JSON has them. */
const toldAs = (member: string, value: unknown): unknown => {
  if (typeof value === 'number' && /(^|_)(at|after)$/.test(member)) return new Date(value).toISOString();
  if (member === 'owner' || member === 'api_access') return value === 1;
  return ['data', 'amr', 'attributes'].includes(member) && typeof value === 'string' ? JSON.parse(value) : value;
};

/** The column that says which customer a row is about, where it is not `customer_id`. */
const ABOUT: Readonly<Record<string, string>> = {
  customers: 'id',
  events: 'subject',
  identities: 'user_id',
  aws_credentials: 'user_id',
};

describe('GET /customers/self/export', () => {
  const tables = Object.values(schema).filter((each) => is(each, SQLiteTable));
  const columnsOf = (table: SQLiteTable) => Object.values(getTableColumns(table)).map(({ name }) => name);

  it('decides on every column of every table that knows customers', () => {
    const about = tables.filter(
      (table) =>
        columnsOf(table).some((name) => ['customer_id', 'user_id', 'subject'].includes(name)) ||
        table === schema.customers,
    );
    expect(about.map(getTableName).toSorted()).toEqual(Object.keys(TABLES).toSorted());
    for (const table of about) {
      const decided = Object.keys(TABLES[getTableName(table)]?.columns ?? {});
      expect(decided.toSorted()).toEqual(columnsOf(table).toSorted());
    }
  });

  it.each(Object.entries(TABLES))('gives every row of %s about the customer, but for secrets', async (table, told) => {
    const { service, tenant, app, person, exportAll } = await newHeldWorld();
    await newPerson(service, tenant, app);
    const rows = ((await rowsOf(tenant.id))[table] ?? []).filter((row) =>
      [person.cuid, person.userId].some((id) => row[ABOUT[table] ?? 'customer_id'] === id),
    );
    const exported = await (await exportAll()).json<Export>();
    const given = told.in === 'customer' ? [exported.customer] : (exported[told.in] ?? []);
    const members = Object.entries(told.columns).flatMap(([column, member]) =>
      typeof member === 'string' ? [{ column, member }] : [],
    );
    const expected = rows.map((row) =>
      Object.fromEntries(members.map(({ column, member }) => [member, toldAs(member, row[column])])),
    );
    expect(expected.length).toBeGreaterThan(0);
    expect(given).toHaveLength(expected.length);
    for (const each of expected) expect(given).toContainEqual(expect.objectContaining(each));
    // A member that holds nothing in any row could not be seen to be missing.
    for (const { column } of members) expect(rows.map((row) => row[column])).toContainEqual(expect.anything());
  });

  it('tells since when and until when changes are held, and nothing of what they are', async () => {
    const { service, tenant, person, exportAll } = await newHeldWorld();
    service.clock.advance(60);
    const since = service.clock.now();
    const body = { email: person.email, name: 'Mallory', shoe: { size: 50 } };
    const held = await service.call('POST', `/api/${tenant.slug}/customer`, { body });
    expect(held.status).toBe(202);
    const { challenge } = await held.json<{ challenge: { id: string; expiresAt: string } }>();
    service.clock.advance(5);
    const text = await (await exportAll()).text();
    const exported: Export = JSON.parse(text);
    expect(exported.held_changes?.at(-1)).toEqual({
      created_at: new Date(since).toISOString(),
      expires_at: challenge.expiresAt,
    });
    for (const told of ['Mallory', '"size":50', challenge.id]) expect(text).not.toContain(told);
  });

  it('tells where and with what the person did something', async () => {
    const { exportAll } = await newHeldWorld();
    const { events } = await (await exportAll()).json<Export>();
    expect(events).toContainEqual(
      expect.objectContaining({
        type: 'customer.updated',
        ip: BROWSER['CF-Connecting-IP'],
        user_agent: BROWSER['User-Agent'],
      }),
    );
  });

  it('holds no secret and no hash of one', async () => {
    const { tenant, secrets, exportAll } = await newHeldWorld();
    const response = await exportAll();
    expect(response.status).toBe(200);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    const text = await response.text();
    const rows = await rowsOf(tenant.id);
    const hashes = Object.entries(TABLES).flatMap(([table, { columns }]) =>
      Object.entries(columns)
        .filter(([, member]) => member === SECRET)
        .flatMap(([column]) => (rows[table] ?? []).map((row) => row[column]).filter((value) => value !== null)),
    );
    expect(hashes.length).toBeGreaterThan(3);
    for (const secret of [...secrets, ...hashes]) expect(text).not.toContain(secret);
    expect(text).not.toContain('argon2');
  });

  it('holds nothing of another customer, nor of another tenant', async () => {
    const { service, tenant, app, exportAll } = await newHeldWorld();
    const neighbour = await newPerson(service, tenant, app, { name: 'Grace Hopper' });
    const other = await newAccountWorld({}, service);
    const text = await (await exportAll()).text();
    for (const { cuid, userId, email } of [neighbour, other.person]) {
      for (const value of [cuid, userId, email]) expect(text).not.toContain(value);
    }
    expect(text).not.toContain('Grace Hopper');
  });
});
