import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { countRoundTrips } from '../../support/bindings.ts';
import { connectOidc } from '../../support/connections.ts';
import { asLines, exportFrom, importInto, NDJSON, sendImport, summaryOf } from '../../support/imports.ts';
import { callAsOperator, customersOf, offerSubscriptions } from '../../support/operator.ts';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { newTenant, operatorHeaders, refusalOf, uniqueEmail } from '../../support/tenants.ts';

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(new TextEncoder().encode(text));

/** A tenant of the test's own, with all that a customer can refer to. */
const newPlace = async (profile: Record<string, unknown> = {}) => {
  const service = createService();
  const tenant = await newTenant(service, profile);
  await offerSubscriptions(service, tenant, 'news', 'offers');
  await connectOidc(service, tenant, 'https://idp.example.com');
  const google = { type: 'google', signup: false, client_ids: ['shop'] };
  await callAsOperator(service, 'PUT', `/operator/v1/tenants/${tenant.slug}/providers/google`, google);
  return { service, tenant, import: (body: BodyInit | readonly unknown[]) => importInto(service, tenant, body) };
};

const EVERYTHING = {
  email: 'Office@Analytical.example',
  owner_email: 'Ada@Example.com',
  status: 'disabled',
  api_access: false,
  company: 'Analytical Engines',
  name: 'Ada Lovelace',
  type: 'wholesale',
  address: '12 St James’s Square',
  address_line_2: 'Second floor',
  city: 'London',
  region: 'Greater London',
  postal_code: 'SW1Y 4JH',
  country: 'GB',
  latitude: 51.507,
  longitude: -0.135,
  phone: '020 7946 0000',
  mobile: '07700 900000',
  website: 'www.analytical.example',
  birth_date: '1915-12-10',
  timezone: 'Europe/London',
  attributes: { tier: 'gold', "it's": [1.5, true, null, { deep: 'ü"\\' }] },
  given_name: 'Ada',
  family_name: 'Lovelace',
  locale: 'en-GB',
  email_verified: true,
  phone_number: '+447700900001',
  phone_verified: true,
  identities: [
    { provider: 'connection:company', subject: 'ada|1' },
    { provider: 'provider:google', subject: '1815' },
  ],
  created_at: '2019-05-06T07:08:09.010Z',
  phones: [{ number: '+442079460000', type: 'work' }],
  owner_phones: [{ number: '+447700900001', type: 'mobile' }],
  subscriptions: ['news', 'offers'],
  users: [
    {
      email: 'Charles@Example.com',
      given_name: 'Charles',
      family_name: 'Babbage',
      locale: 'en',
      email_verified: false,
      phone_number: '+447700900002',
      phone_verified: true,
      identities: [{ provider: 'provider:google', subject: '1791' }],
      created_at: '2020-05-06T07:08:09.010Z',
      phones: [{ number: '+447700900003', type: 'home' }],
    },
    {
      email: 'mary@example.com',
      ...{ given_name: 'Mary', family_name: null, locale: null, email_verified: true },
      ...{ phone_number: null, phone_verified: false, identities: [], phones: [] },
      created_at: '2021-05-06T07:08:09.010Z',
    },
  ],
};

describe('POST /operator/v1/tenants/{slug}/customers/import', () => {
  it('stores all that is said of a customer, its users and what is theirs', async () => {
    const place = await newPlace();
    expect(await place.import([EVERYTHING])).toMatchObject({ refused: [], summary: summaryOf({ created: 1 }) });
    const [line] = await exportFrom(place.service, place.tenant);
    const time = new Date(place.service.clock.now()).toISOString();
    const told = { id: expect.stringMatching(/^usr_/), updated_at: time };
    expect(line).toEqual({
      ...EVERYTHING,
      id: expect.stringMatching(/^cus_/),
      app: null,
      updated_at: time,
      users: EVERYTHING.users.map((each) => ({ ...each, ...told })),
    });
    expect(await eventsAbout(line?.id ?? '')).toEqual([{ type: 'customer.created', actor: 'operator' }]);
    const { events = [] } = await rowsOf(place.tenant.id);
    expect(events.filter(({ subject }) => subject === line?.id).map(({ data }) => data)).toEqual(['{"imported":true}']);
  });

  it('stores of a customer of whom only the address is said what others have who sign up', async () => {
    const place = await newPlace();
    const nulls = Object.fromEntries(
      ['company', 'name', 'country', 'attributes', 'birth_date', 'timezone', 'password_hash', 'phone_number'].map(
        (name) => [name, null],
      ),
    );
    const summary = summaryOf({ created: 2 });
    expect(await place.import([{ email: 'a@example.com' }, { email: ' B@example.com ', ...nulls }])).toMatchObject({
      summary,
    });
    const found = await exportFrom(place.service, place.tenant);
    expect(found.map(({ email }) => email).toSorted()).toEqual(['B@example.com', 'a@example.com']);
    for (const line of found) {
      expect(line).toMatchObject({ status: 'active', api_access: true, company: null, users: [], attributes: null });
      expect(line).toMatchObject({
        email_verified: false,
        created_at: new Date(place.service.clock.now()).toISOString(),
      });
    }
  });

  it('takes whoever is known by a phone number or by an identity alone', async () => {
    const place = await newPlace();
    const people = [
      { phone_number: '+447700900001', name: 'By phone' },
      { identities: [{ provider: 'provider:google', subject: '1' }], name: 'By identity' },
    ];
    expect(await place.import(people)).toMatchObject({ refused: [], summary: summaryOf({ created: 2 }) });
    expect(await place.import(people)).toMatchObject({ refused: [], summary: summaryOf({ existing: 2 }) });
    const found = await exportFrom(place.service, place.tenant);
    expect(found.map(({ email }) => email)).toEqual([null, null]);
    expect(new Set(found.map(({ phone_number }) => phone_number))).toEqual(new Set(['+447700900001', null]));
  });

  it('numbers the lines of the file: empty ones, line ends of any kind, a byte order mark, and a last one without end', async () => {
    const place = await newPlace();
    const [first, second, third] = ['a', 'b', 'c'].map((name) => JSON.stringify({ email: `${name}@example.com` }));
    const body = `\ufeff${first}\r\n\r\n   \nnot JSON\n${second}\n\n{"email": "wrong"}\r\n${third}`;
    expect(await place.import(body)).toMatchObject({
      refused: ['4: ', '7: email'],
      summary: { lines: 8, created: 3, existing: 0, refused: 2 },
    });
  });

  it('takes a body of nothing', async () => {
    const place = await newPlace();
    for (const body of ['', '\n']) {
      const summary = { lines: body.length, created: 0, existing: 0, refused: 0 };
      expect(await place.import(body)).toEqual({ refused: [], messages: [], summary });
    }
  });

  it('reads a body however it is cut', async () => {
    const place = await newPlace();
    const bytes = bytesOf(asLines([{ email: 'a@example.com', name: 'Zoë 🦄' }, { email: 'b@example.com' }]));
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
        controller.close();
      },
    });
    expect(await place.import(body)).toMatchObject({ refused: [], summary: summaryOf({ created: 2 }) });
    expect((await exportFrom(place.service, place.tenant)).map(({ name }) => name)).toContain('Zoë 🦄');
  });

  it('tells the line of a fault across batches, and imports the others', async () => {
    const place = await newPlace();
    const lines = Array.from({ length: 1203 }, (_, i) =>
      i % 400 === 2 ? { email: 'no' } : { email: `p${i}@example.com` },
    );
    expect(await place.import(lines)).toMatchObject({
      refused: ['3: email', '403: email', '803: email', '1203: email'],
      summary: summaryOf({ created: 1199, refused: 4 }),
    });
    expect(await exportFrom(place.service, place.tenant)).toHaveLength(1199);
  });

  it('takes a line of 64 KiB, and none that is longer', async () => {
    const place = await newPlace();
    const padded = (email: string, size: number) => {
      const line = JSON.stringify({ email });
      return `${line}${' '.repeat(size - line.length)}\r\n`;
    };
    const body = [padded('a@example.com', 65_536), padded('b@example.com', 65_537), padded('c@example.com', 900_000)];
    expect(await place.import([...body, padded('d@example.com', 30)].join(''))).toMatchObject({
      refused: ['2: ', '3: '],
      messages: ['is longer than 65536 bytes', 'is longer than 65536 bytes'],
      summary: summaryOf({ created: 2, refused: 2 }),
    });
  });

  it.each([
    ['an array', '[]'],
    ['null', 'null'],
    ['a text', '"a@example.com"'],
    ['half an object', '{"email": "a@example.com"'],
    ['two objects', '{"email": "a@example.com"} {"email": "b@example.com"}'],
    ['invalid UTF-8', new Uint8Array([...bytesOf('{"email": "a@example.com", "name": "'), 0xc3, 0x28, 0x22, 0x7d])],
    ['a lone NUL', '\0'],
  ])('refuses a line that is %s, and goes on', async (_, line) => {
    const place = await newPlace();
    const parts = [typeof line === 'string' ? bytesOf(line) : line, bytesOf('\n{"email": "next@example.com"}\n')];
    const answer = await place.import(await new Blob(parts).arrayBuffer());
    expect(answer).toMatchObject({ refused: ['1: '], summary: summaryOf({ created: 1, refused: 1 }) });
  });

  it.each([
    ['nothing to know it by', { name: 'Nobody' }, ['email']],
    ['an unknown member', { email: 'a@example.com', password: 'x', nmae: 'A' }, ['password', 'nmae']],
    [
      'wrong types',
      { email: 1, name: {}, api_access: 'yes', latitude: '1', users: {} },
      ['email', 'api_access', 'name', 'latitude', 'users'],
    ],
    [
      'values out of bounds',
      { email: 'a@example.com', latitude: 91, longitude: -181, status: 'gone' },
      ['status', 'latitude', 'longitude'],
    ],
    [
      'texts too long',
      { email: 'a@example.com', company: 'x'.repeat(201), phone: '1'.repeat(41) },
      ['company', 'phone'],
    ],
    ['control characters', { email: 'a@example.com', name: 'A\nB' }, ['name']],
    ['two addresses', { email: 'a@example.com, b@example.com' }, ['email']],
    ['no country', { email: 'a@example.com', country: 'Atlantis' }, ['country']],
    ['no date', { email: 'a@example.com', birth_date: '2001-02-30' }, ['birth_date']],
    [
      'no place of time',
      { email: 'a@example.com', timezone: 'Europe/Atlantis', locale: 'x y' },
      ['timezone', 'locale'],
    ],
    ['a time that is to come', { email: 'a@example.com', created_at: '2999-01-01T00:00:00Z' }, ['created_at']],
    ['a time without zone', { email: 'a@example.com', created_at: '2019-01-01T00:00:00' }, ['created_at']],
    ['a proof of nothing', { phone_number: '+447700900001', email_verified: true }, ['email_verified']],
    ['a proof of no phone', { email: 'a@example.com', phone_verified: true }, ['phone_verified']],
    ['a phone that is not proved', { email: 'a@example.com', phone_number: '+447700900001' }, ['phone_verified']],
    ['a phone not in E.164', { phone_number: '07700 900001', country: 'GB' }, ['phone_number']],
    [
      'no phone',
      {
        email: 'a@example.com',
        phones: [{ number: '12', type: 'work' }],
        owner_phones: [{ number: '+44', type: 'fax' }],
      },
      ['phones.0.number', 'owner_phones.0.number'],
    ],
    [
      'an unknown kind of phone',
      { email: 'a@example.com', phones: [{ number: '+442079460000', type: 'pager' }] },
      ['phones.0.type'],
    ],
    ['an unknown subscription', { email: 'a@example.com', subscriptions: ['news', 'gossip'] }, ['subscriptions.1']],
    [
      'unknown providers',
      {
        email: 'a@example.com',
        identities: [
          { provider: 'provider:nobody', subject: '1' },
          { provider: 'connection:google', subject: '1' },
        ],
      },
      ['identities.0.provider', 'identities.1.provider'],
    ],
    [
      'a provider of no kind',
      { email: 'a@example.com', identities: [{ provider: 'google', subject: '1' }] },
      ['identities.0.provider'],
    ],
    [
      'two subjects of one provider',
      {
        email: 'a@example.com',
        identities: [
          { provider: 'provider:google', subject: '1' },
          { provider: 'provider:google', subject: '2' },
        ],
      },
      ['identities.1.provider'],
    ],
    ['attributes that are none', { email: 'a@example.com', attributes: ['a'] }, ['attributes']],
    [
      'attributes of known names',
      { email: 'a@example.com', attributes: { firstName: 'A', emailVerified: true } },
      ['attributes.firstName', 'attributes.emailVerified'],
    ],
    ['attributes too large', { email: 'a@example.com', attributes: { text: 'x'.repeat(16 * 1024) } }, ['attributes']],
    ['attributes too deep', { email: 'a@example.com', attributes: { deep: [[[[[[[[1]]]]]]]] } }, ['attributes.deep']],
    ['a user without address', { email: 'a@example.com', users: [{ given_name: 'B' }] }, ['users.0.email']],
    [
      'a user with faults',
      {
        email: 'a@example.com',
        users: [{ email: 'b@example.com' }, { email: 'c@example.com', company: 'C', phone_number: '1' }],
      },
      ['users.1.company'],
    ],
    [
      'a user with wrong numbers',
      {
        email: 'a@example.com',
        users: [
          { email: 'b@example.com', phone_number: '1', phone_verified: true, phones: [{ number: '1', type: 'work' }] },
        ],
      },
      ['users.0.phone_number', 'users.0.phones.0.number'],
    ],
    [
      'one address twice',
      {
        email: 'a@example.com',
        users: [{ email: 'A@example.com' }, { email: 'b@example.com' }, { email: 'b@example.com' }],
      },
      ['users.0.email', 'users.2.email'],
    ],
    [
      'one phone twice',
      {
        email: 'a@example.com',
        phone_number: '+447700900001',
        phone_verified: true,
        users: [{ email: 'b@example.com', phone_number: '+447700900001', phone_verified: true }],
      },
      ['users.0.phone_number'],
    ],
    [
      'faults of every kind at once',
      {
        ...{ email: 'a@example.com', nmae: 'A', city: 1, subscriptions: ['news', 'gossip'] },
        ...{ phone_number: '1', attributes: { deep: [[[[[[[[1]]]]]]]] }, users: [{ email: 'no' }] },
      },
      ['nmae', 'city', 'subscriptions.1', 'phone_number', 'phone_verified', 'attributes.deep', 'users.0.email'],
    ],
    [
      'wrong members, without what can only be told by them',
      {
        ...{ email: 'no', email_verified: true, phone_number: 1, phone_verified: true, country: 'Atlantis' },
        phones: [{ number: '020 7946 0000', type: 'work' }],
        users: [{ email: 'b@example.com', phones: [{ number: '020 7946 0000', type: 'work' }] }],
      },
      ['email', 'phone_number', 'country'],
    ],
    [
      'a wrong identity, and nothing else to know it by',
      { identities: [{ provider: 'x' }] },
      ['identities.0.provider', 'identities.0.subject'],
    ],
  ])('refuses %s, naming each fault', async (_, line, paths) => {
    const place = await newPlace();
    const { refused, summary } = await place.import([line, { email: uniqueEmail() }]);
    expect(refused?.toSorted()).toEqual(paths.map((path) => `1: ${path}`).toSorted());
    expect(summary).toEqual(summaryOf({ created: 1, refused: 1 }));
    expect(await exportFrom(place.service, place.tenant)).toHaveLength(1);
  });

  it('refuses a line with a text that is not of whole characters, and stores nothing of it', async () => {
    const place = await newPlace();
    const halves = [
      '"company": "A\\ud800"',
      '"attributes": {"\\udc00": 1}',
      '"users": [{"email": "\\ud800@example.com"}]',
    ];
    const lines = [...halves, '"company": "\\ud83d\\ude42 \\\\ud800"'].map(
      (member, i) => `{"email": "p${i}@example.com", ${member}}\n`,
    );
    expect(await place.import(lines.join(''))).toMatchObject({
      refused: ['1: ', '2: ', '3: '],
      summary: summaryOf({ created: 1, refused: 3 }),
    });
    expect(await exportFrom(place.service, place.tenant)).toMatchObject([{ company: '🙂 \\ud800' }]);
  });

  it('refuses a line that is nested more deeply than can be walked', async () => {
    const place = await newPlace();
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
    const body = ['attributes', 'name', 'users', 'id']
      .map(
        (name) => `{"email": "${name}@example.com", "${name}": ${name === 'attributes' ? `{"a": ${deep}}` : deep}}\n`,
      )
      .join('');
    expect(await place.import(body)).toMatchObject({
      refused: ['1: attributes.a', '2: name', '3: users.0'],
      summary: summaryOf({ created: 1, refused: 3 }),
    });
  });

  it('holds attributes to the schema of the tenant', async () => {
    const attributes_schema = { properties: { tier: { enum: ['gold', 'silver'] } }, required: ['tier'] };
    const place = await newPlace({ settings: { attributes_schema } });
    const tiers = [{ tier: 'gold' }, { tier: 'tin' }, {}, { tier: 'silver', more: 1 }];
    const lines = tiers.map((attributes, i) => ({ email: `p${i}@example.com`, attributes }));
    expect(await place.import(lines)).toMatchObject({
      refused: ['2: attributes.tier', '3: attributes.tier'],
      summary: summaryOf({ created: 2, refused: 2 }),
    });
  });

  it('never says in a fault what a password hash is', async () => {
    const place = await newPlace();
    const sent = [
      { email: 'a@example.com', password_hash: '$6$rounds=5000$secretsalt$secrettag', oops: 1 },
      { email: 'b@example.com', password_hash: '$6$secret' },
    ];
    const text = await (await sendImport(place.service, place.tenant, asLines(sent))).text();
    expect(text).toContain('password_hash');
    expect(text).not.toContain('secret');
  });

  it.each(['application/json', 'text/plain', 'application/x-ndjson; charset=latin1', 'application/x-ndjson-seq', null])(
    'refuses a body of the type %s',
    async (type) => {
      const place = await newPlace();
      const response = await place.service.call('POST', customersOf(place.tenant, '/import'), {
        headers: { ...operatorHeaders, ...(type !== null && { 'Content-Type': type }) },
        rawBody: bytesOf('{"email": "a@example.com"}\n'),
      });
      expect(await refusalOf(response)).toMatchObject({ status: 415, code: 'unsupported_media_type' });
      expect(await exportFrom(place.service, place.tenant)).toEqual([]);
    },
  );

  it('knows no tenant that there is not, and takes no other method', async () => {
    const service = createService();
    const nowhere = await sendImport(service, { slug: 'nobodys' }, '{}');
    expect(await refusalOf(nowhere)).toMatchObject({ status: 404, code: 'tenant_not_found' });
    const response = await callAsOperator(service, 'PUT', customersOf({ slug: 'nobodys' }, '/import'), {});
    expect(response.status).toBe(405);
    expect(response.headers.get('Allow')).toContain('POST');
  });

  it('has the headers of every answer', async () => {
    const place = await newPlace();
    const { headers } = await sendImport(place.service, place.tenant, '');
    expect(headers.get('Content-Type')).toBe(NDJSON);
    expect(headers.get('Cache-Control')).toBe('no-store');
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(headers.get('x-request-id')).toMatch(/^\w{26}$/);
  });

  it('writes five hundred customers at a time, in one round trip', async () => {
    const place = await newPlace();
    const lines = Array.from({ length: 1000 }, (_, i) => ({
      email: `p${i}@example.com`,
      subscriptions: ['news'],
      identities: [{ provider: 'provider:google', subject: String(i) }],
    }));
    const counted = countRoundTrips(env);
    const service = createService(counted.bindings);
    const { operations } = await counted.during(async () => {
      expect(await importInto(service, place.tenant, lines)).toMatchObject({ summary: summaryOf({ created: 1000 }) });
    });
    // The first one reads what the tenant has to offer.
    expect(operations.filter((operation) => operation.endsWith('D1 batch'))).toHaveLength(1 + 2);
  });
});
