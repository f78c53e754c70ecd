import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { countRoundTrips } from '../../support/bindings.ts';
import {
  asLines,
  exportFrom,
  type ImportAnswer,
  importInto,
  linesOf,
  sendImport,
  summaryOf,
} from '../../support/imports.ts';
import { callAsOperator, customersOf } from '../../support/operator.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import { newApp, newCustomer, newTenant, type TestTenant } from '../../support/tenants.ts';

const identity = (subject: string) => ({ provider: 'provider:google', subject });

const newPlace = async (service = createService()) => {
  const tenant = await newTenant(service);
  const google = { type: 'google', signup: false, client_ids: ['shop'] };
  await callAsOperator(service, 'PUT', `/operator/v1/tenants/${tenant.slug}/providers/google`, google);
  return { service, tenant, import: (lines: readonly unknown[]) => importInto(service, tenant, lines) };
};

const ADA = {
  email: 'ada@example.com',
  name: 'Ada',
  phone_number: '+447700900001',
  phone_verified: true,
  identities: [identity('1')],
  users: [
    { email: 'aide@example.com', phone_number: '+447700900002', phone_verified: true, identities: [identity('2')] },
  ],
};

const addressesIn = async (service: Service, tenant: TestTenant): Promise<unknown[]> =>
  (await exportFrom(service, tenant)).map(({ email }) => email).toSorted();

describe('a customer whose address is there', () => {
  it('is left as it is, whatever the line says besides', async () => {
    const place = await newPlace();
    await place.import([ADA]);
    const before = await rowsOf(place.tenant.id);
    place.service.clock.advance(60);
    const lines = [
      { ...ADA, name: 'Another name', identities: [identity('3')], users: [{ email: 'new@example.com' }] },
      { email: ' ADA@EXAMPLE.COM', phone_number: '+447700900009', phone_verified: true },
    ];
    expect(await place.import(lines)).toMatchObject({ refused: [], summary: summaryOf({ existing: 2 }) });
    expect(await rowsOf(place.tenant.id)).toEqual(before);
  });

  it('is there, whoever made it, and whether it or its owner has the address', async () => {
    const place = await newPlace();
    const { email } = await newCustomer(place.service, await newApp(place.service, place.tenant));
    await place.import([{ ...ADA, owner_email: 'owner@example.com' }]);
    const lines = [{ email }, { email: 'Ada@example.com' }, { email: 'Owner@example.com' }];
    expect(await place.import(lines)).toMatchObject({ refused: [], summary: summaryOf({ existing: 3 }) });
  });

  it('is there once, however often a file has it', async () => {
    const place = await newPlace();
    const lines = Array.from({ length: 1500 }, (_, i) => ({
      email: i % 3 ? 'ADA@example.com' : 'ada@example.com',
      name: `No. ${i}`,
    }));
    expect(await place.import(lines)).toMatchObject({
      refused: [],
      summary: summaryOf({ created: 1, existing: 1499 }),
    });
    expect(await exportFrom(place.service, place.tenant)).toMatchObject([{ name: 'No. 0' }]);
  });

  it('is there no more when it was deleted', async () => {
    const place = await newPlace();
    await place.import([ADA]);
    const [{ id } = { id: '' }] = await exportFrom(place.service, place.tenant);
    await callAsOperator(place.service, 'DELETE', customersOf(place.tenant, `/${id}`));
    expect(await place.import([ADA])).toMatchObject({ summary: summaryOf({ created: 1 }) });
  });
});

describe('a customer who has what belongs to another', () => {
  it.each([
    ['phone number', { phone_number: '+447700900001', phone_verified: true }, 'phone_number'],
    ['phone number of a further user', { phone_number: '+447700900002', phone_verified: true }, 'phone_number'],
    ['identity', { identities: [identity('9'), identity('1')].slice(1) }, 'identities.0'],
    ['address of the owner', { owner_email: 'ADA@example.com' }, 'owner_email'],
    ['address of a user', { users: [{ email: 'b@example.com' }, { email: 'Aide@example.com' }] }, 'users.1.email'],
    [
      'phone number of a user',
      { users: [{ email: 'b@example.com', phone_number: '+447700900001', phone_verified: true }] },
      'users.0.phone_number',
    ],
    [
      'identity of a user',
      { users: [{ email: 'b@example.com', identities: [identity('2')] }] },
      'users.0.identities.0',
    ],
  ])('is refused for the %s, and nothing of it is stored', async (_, members, path) => {
    const place = await newPlace();
    await place.import([ADA]);
    const before = await rowsOf(place.tenant.id);
    const line = {
      email: 'new@example.com',
      subscriptions: [],
      phones: [{ number: '+442079460000', type: 'work' }],
      ...members,
    };
    expect(await place.import([line])).toEqual({
      refused: [`1: ${path}`],
      messages: ['belongs to another customer already'],
      summary: summaryOf({ refused: 1 }),
    });
    expect(await rowsOf(place.tenant.id)).toEqual(before);
  });

  it.each([
    ['the address', { email: 'Aide@example.com', company: 'Aide Ltd' }, 'email'],
    ['the address of its owner', { owner_email: 'aide@example.com' }, 'owner_email'],
    ['the phone number', { phone_number: '+447700900002', phone_verified: true }, 'phone_number'],
    ['the identity', { identities: [identity('2')] }, 'identities.0'],
  ])('is refused where a further user of that one has %s that it is known by', async (_, line, path) => {
    const place = await newPlace();
    await place.import([ADA]);
    const before = await rowsOf(place.tenant.id);
    expect(await place.import([ADA, line])).toEqual({
      refused: [`2: ${path}`],
      messages: ['belongs to another customer already'],
      summary: summaryOf({ existing: 1, refused: 1 }),
    });
    expect(await rowsOf(place.tenant.id)).toEqual(before);
  });

  it('is refused for all of it at once', async () => {
    const place = await newPlace();
    await place.import([ADA]);
    const { name: _, email: __, ...taken } = ADA;
    expect((await place.import([{ email: 'new@example.com', ...taken }])).refused?.toSorted()).toEqual([
      '1: identities.0',
      '1: phone_number',
      '1: users.0.email',
      '1: users.0.identities.0',
      '1: users.0.phone_number',
    ]);
  });

  it('is refused where a line before it in the file has it', async () => {
    const place = await newPlace();
    const phone = { phone_number: '+447700900001', phone_verified: true };
    const lines = [
      { email: 'a@example.com', ...phone },
      { email: 'b@example.com', ...phone },
      { email: 'c@example.com', users: [{ email: 'd@example.com' }] },
      { email: 'd@example.com', name: 'Known as a user of another' },
      { email: 'e@example.com', users: [{ email: 'a@example.com' }] },
      { email: 'f@example.com' },
    ];
    expect(await place.import(lines)).toMatchObject({
      refused: ['2: phone_number', '4: email', '5: users.0.email'],
      summary: summaryOf({ created: 3, refused: 3 }),
    });
    expect(await addressesIn(place.service, place.tenant)).toEqual(['a@example.com', 'c@example.com', 'f@example.com']);
  });

  it('is stored where the line before it, which claims the same, is not', async () => {
    const place = await newPlace();
    await place.import([{ email: 'known@example.com' }]);
    const phone = { phone_number: '+447700900001', phone_verified: true };
    const lines = [
      { email: 'known@example.com', ...phone },
      { email: 'b@example.com', users: [{ email: 'known@example.com' }], identities: [identity('1')] },
      { email: 'c@example.com', ...phone, identities: [identity('1')] },
      { email: 'd@example.com', ...phone },
    ];
    expect(await place.import(lines)).toMatchObject({
      refused: ['2: users.0.email', '4: phone_number'],
      summary: summaryOf({ created: 1, existing: 1, refused: 2 }),
    });
    expect(await addressesIn(place.service, place.tenant)).toEqual(['c@example.com', 'known@example.com']);
  });

  it('is refused with all others of a file who have the same, in a few round trips', async () => {
    const place = await newPlace();
    const phone = { phone_number: '+447700900001', phone_verified: true };
    const lines = Array.from({ length: 1000 }, (_, i) => ({ email: `p${i}@example.com`, ...phone }));
    const counted = countRoundTrips(env);
    const { operations } = await counted.during(async () => {
      const summary = summaryOf({ created: 1, refused: 999 });
      expect(await importInto(createService(counted.bindings), place.tenant, lines)).toMatchObject({ summary });
    });
    // The first one reads what the tenant has to offer.
    expect(operations.filter((operation) => operation.endsWith('D1 batch'))).toHaveLength(1 + 2);
  });
});

describe('two imports of the same customers at once', () => {
  it('make each of them once, whole, and add up', async () => {
    const place = await newPlace();
    const lines = Array.from({ length: 1200 }, (_, i) => ({
      email: `p${i}@example.com`,
      identities: [identity(String(i))],
      users: i % 10 ? [] : [{ email: `u${i}@example.com` }],
    }));
    const summaries = await Promise.all(
      [lines, lines.toReversed(), lines].map(async (each) => (await place.import(each)).summary),
    );
    const sum = (name: 'created' | 'existing' | 'refused') =>
      summaries.reduce((total, summary) => total + (summary?.[name] ?? Number.NaN), 0);
    expect([sum('created'), sum('existing'), sum('refused')]).toEqual([1200, 2400, 0]);
    const { customers = [], users = [], identities = [], events = [] } = await rowsOf(place.tenant.id);
    expect([customers, users, identities].map((rows) => rows.length)).toEqual([1200, 1320, 1200]);
    expect(events.filter(({ type }) => type === 'customer.created')).toHaveLength(1200);
    expect(new Set(identities.map(({ user_id }) => user_id)).size).toBe(1200);
  });
});

describe('another tenant', () => {
  it('has what this one has, and nothing that is imported here', async () => {
    const place = await newPlace();
    await place.import([ADA]);
    const away = await newPlace(place.service);
    const before = await rowsOf(place.tenant.id);
    expect(await away.import([ADA])).toMatchObject({ refused: [], summary: summaryOf({ created: 1 }) });
    expect(await rowsOf(place.tenant.id)).toEqual(before);
    expect(await addressesIn(place.service, away.tenant)).toEqual(['ada@example.com']);
  });

  it('has subscriptions and providers that are none of this one', async () => {
    const place = await newPlace();
    const away = await newTenant(place.service);
    await callAsOperator(place.service, 'PUT', `/operator/v1/tenants/${place.tenant.slug}/subscriptions/news`, {
      name: 'N',
    });
    const lines = asLines([{ email: 'a@example.com', subscriptions: ['news'], identities: [identity('1')] }]);
    const [refused] = await linesOf<ImportAnswer>(await sendImport(place.service, away, lines));
    expect(refused?.errors?.map(({ path }) => path)).toEqual(['subscriptions.0', 'identities.0.provider']);
  });
});
