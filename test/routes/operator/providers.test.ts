import { env } from 'cloudflare:workers';
import { exportJWK, exportPKCS8, generateKeyPair, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { newPerson } from '../../support/accounts.ts';
import { newAuthenticationWorld, outcomeOf } from '../../support/authentications.ts';
import { breakable } from '../../support/bindings.ts';
import { collectionOf } from '../../support/collections.ts';
import { identitiesOf } from '../../support/companies.ts';
import { mailsTo } from '../../support/mailbox.ts';
import { callAsOperator } from '../../support/operator.ts';
import { eventsAbout, everythingStored, rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import { newTenant, newWorld, refusalOf, uniqueEmail } from '../../support/tenants.ts';

type Body = Record<string, unknown>;

/** A public key as a JWK. */
const newPublicKey = async (alg: string): Promise<JWK> => exportJWK((await generateKeyPair(alg)).publicKey);

const PUBLIC_KEY = { ...(await newPublicKey('ES256')), alg: 'ES256', kid: 'first' };

/** A private key as PKCS #8 in PEM. */
const newPrivateKey = async (alg: string): Promise<string> =>
  exportPKCS8((await generateKeyPair(alg, { extractable: true })).privateKey);

const PRIVATE_KEY = await newPrivateKey('ES256');

const CLAIMS = {
  ...{ subject: 'sub', email: null, email_verified: null, name: null, given_name: null, family_name: null },
};

const base64url = (bytes: Uint8Array): string => bytes.toBase64({ alphabet: 'base64url', omitPadding: true });

const whsec = (bytes: number): string => `whsec_${new Uint8Array(bytes).fill(97).toBase64()}`;

/** What is said of a provider, the secrets in it, and what is told of it. */
type Case = { body: Body; secret: string | null; told: Body };

const withClientSecret = (type: string): Case => ({
  body: { type, signup: true, client_ids: ['web', 'app'], client_secret: `${type}-secret-4711`, issuer: null },
  secret: `${type}-secret-4711`,
  told: { type, signup: true, client_ids: ['web', 'app'], issuer: null, has_client_secret: true },
});

const CASES: Readonly<Record<string, Case>> = {
  google: withClientSecret('google'),
  microsoft: withClientSecret('microsoft'),
  line: withClientSecret('line'),
  apple: {
    body: {
      ...{ type: 'apple', signup: false, client_ids: ['com.example.app'], issuer: 'https://apple.example.com' },
      signing_key: { team_id: 'TEAM', key_id: 'KEY', private_key: PRIVATE_KEY },
    },
    secret: PRIVATE_KEY.split('\n')[2] ?? '',
    told: {
      ...{ type: 'apple', signup: false, client_ids: ['com.example.app'], issuer: 'https://apple.example.com' },
      signing_key: { team_id: 'TEAM', key_id: 'KEY' },
    },
  },
  facebook: {
    body: { type: 'facebook', signup: true, app_id: '42', app_secret: 'facebook-secret-4711' },
    secret: 'facebook-secret-4711',
    told: { type: 'facebook', signup: true, app_id: '42', base_url: null },
  },
  oidc: {
    body: {
      ...{ type: 'oidc', signup: false, issuer: 'https://idp.example.com', client_ids: ['gatehouse'] },
      client_secret: 'oidc-secret-4711',
    },
    secret: 'oidc-secret-4711',
    told: {
      ...{ type: 'oidc', signup: false, issuer: 'https://idp.example.com', client_ids: ['gatehouse'] },
      has_client_secret: true,
    },
  },
  'jwt by a URL of keys': {
    body: {
      ...{ type: 'jwt', signup: true, issuer: 'us', audience: 'them' },
      keys: { jwks_url: 'https://idp.example.com/keys' },
      claims: {
        subject: 'employee',
        email: 'mail',
        email_verified: 'mail_ok',
        given_name: 'first',
        family_name: 'last',
      },
    },
    secret: null,
    told: {
      ...{ type: 'jwt', signup: true, issuer: 'us', audience: 'them' },
      keys: { jwks_url: 'https://idp.example.com/keys' },
      claims: {
        ...{ subject: 'employee', email: 'mail', email_verified: 'mail_ok', name: null },
        ...{ given_name: 'first', family_name: 'last' },
      },
    },
  },
  'jwt by a key': {
    body: { type: 'jwt', signup: false, issuer: 'us', audience: 'them', keys: { public_key: PUBLIC_KEY } },
    secret: null,
    told: {
      ...{ type: 'jwt', signup: false, issuer: 'us', audience: 'them', keys: { public_key: PUBLIC_KEY } },
      claims: CLAIMS,
    },
  },
  http: {
    body: { type: 'http', signup: true, url: 'https://hooks.example.com/sign-in', secret: whsec(24) },
    secret: whsec(24),
    told: { type: 'http', signup: true, url: 'https://hooks.example.com/sign-in' },
  },
  otp: {
    body: { type: 'otp', signup: true, enabled: true },
    secret: null,
    told: { type: 'otp', signup: true, enabled: true },
  },
  password: {
    body: { type: 'password', enabled: false },
    secret: null,
    told: { type: 'password', signup: false, enabled: false },
  },
};

const cases = Object.entries(CASES);

const bodyOf = (name: string, changes: Body = {}): Body => ({ ...CASES[name]?.body, ...changes });

const without = (body: Body, ...names: string[]): Body =>
  Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)));

const { pathOf, callsOf, eventsOf: providerEventsOf } = collectionOf('providers');

const newCase = async (service = createService()) => {
  const tenant = await newTenant(service);
  return { service, tenant, ...callsOf(service, tenant) };
};

const now = (service: Service): string => new Date(service.clock.now()).toISOString();

describe('PUT /operator/v1/tenants/{slug}/providers/{name}', () => {
  it.each(cases)('makes a provider of the type %s, and tells all but its secrets', async (_, { body, told }) => {
    const { service, tenant, put, read, list } = await newCase();
    const response = await put('theirs', body);
    expect(response.status).toBe(201);
    const provider = { name: 'theirs', ...told, created_at: now(service), updated_at: now(service) };
    expect(await response.json()).toEqual(provider);
    expect(await (await read('theirs')).json()).toEqual(provider);
    expect(await list()).toEqual({ items: [provider], next: null });
    const event = { type: 'provider.updated', actor: 'operator', subject: tenant.id, data: { name: 'theirs' } };
    expect(await providerEventsOf(tenant.id)).toEqual([event]);
  });

  it('tells that there is no secret where there is none', async () => {
    const { put } = await newCase();
    for (const name of ['google', 'microsoft', 'line', 'oidc']) {
      for (const body of [without(bodyOf(name), 'client_secret'), bodyOf(name, { client_secret: null })]) {
        expect(await (await put(name, body)).json()).toMatchObject({ has_client_secret: false });
      }
    }
    expect(await (await put('apple', without(bodyOf('apple'), 'signing_key'))).json()).toMatchObject({
      signing_key: null,
    });
  });

  it('keeps every secret sealed, and tells none in any answer', async () => {
    const { put, read, list, remove } = await newCase();
    const answers: Response[] = [];
    for (const [i, [, { body }]] of cases.entries()) {
      answers.push(await put(`p-${i}`, body), await put(`p-${i}`, body), await read(`p-${i}`));
      // A secret in a member that is refused is not told either.
      answers.push(await put(`p-${i}`, { ...body, signup: 'yes' }), await put('NOT-A-NAME', body));
    }
    const told = [JSON.stringify(await list()), ...(await Promise.all(answers.map((each) => each.text())))].join();
    const stored = await everythingStored();
    for (const [, { secret }] of cases) {
      if (secret === null) continue;
      expect(told).not.toContain(secret);
      expect(stored).not.toContain(secret);
      expect(stored).not.toContain(btoa(secret));
    }
    expect(told).not.toMatch(/sealed/i);
    expect(await (await remove('p-0')).text()).toBe('');
  });

  it('replaces a provider, which keeps its time of creation and nothing else', async () => {
    const { service, tenant, put, list } = await newCase();
    await put('theirs', bodyOf('google'));
    const createdAt = now(service);
    service.clock.advance(5);
    const response = await put('theirs', bodyOf('http'));
    expect(response.status).toBe(200);
    const replaced = await response.json<Body>();
    const times = { created_at: createdAt, updated_at: now(service) };
    expect(replaced).toEqual({ name: 'theirs', ...CASES.http?.told, ...times });
    expect((await list()).items).toEqual([replaced]);
    expect((await rowsOf(tenant.id)).providers).toHaveLength(1);
    expect((await providerEventsOf(tenant.id)).map(({ type }) => type)).toEqual([
      'provider.updated',
      'provider.updated',
    ]);
  });

  it('lets one name mean another provider in another tenant', async () => {
    const service = createService();
    const [ours, theirs] = [await newCase(service), await newCase(service)];
    await ours.put('same', bodyOf('google'));
    expect((await theirs.put('same', bodyOf('oidc'))).status).toBe(201);
    expect(await (await ours.read('same')).json()).toMatchObject({ type: 'google' });
    expect((await theirs.remove('same')).status).toBe(204);
    expect((await ours.read('same')).status).toBe(200);
  });

  it.each([24, 25, 26, 64])('takes a secret of %i bytes for a provider of the type http', async (bytes) => {
    const { put } = await newCase();
    expect((await put('hook', bodyOf('http', { secret: whsec(bytes) }))).status).toBe(201);
  });

  it.each(['RS256', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])('takes a public key for %s', async (alg) => {
    const { put } = await newCase();
    const key = await newPublicKey(alg);
    for (const public_key of [key, { ...key, alg }, { ...key, alg, use: 'sig', key_ops: ['verify'], kid: 'first' }]) {
      const response = await put('theirs', bodyOf('jwt by a key', { keys: { public_key } }));
      expect(response.ok).toBe(true);
      expect(await response.json()).toMatchObject({ keys: { public_key } });
    }
  });
});

/** Fails unless exactly these members are refused, and nothing is stored. */
const expectFaults = async (
  body: unknown,
  paths: string[],
  { service = createService(), name = 'theirs' }: { service?: Service; name?: string } = {},
): Promise<void> => {
  const tenant = await newTenant(service);
  const before = await rowsOf(tenant.id);
  const response = await callAsOperator(service, 'PUT', pathOf(tenant, name), body);
  const { code, errors = [] } = await response.json<{ code: string; errors?: { path: string }[] }>();
  expect([response.status, code]).toEqual([400, 'validation_failed']);
  expect([...new Set(errors.map(({ path }) => path))].toSorted()).toEqual(paths.toSorted());
  expect(await rowsOf(tenant.id)).toEqual(before);
};

describe('a provider is refused, and every fault of it named,', async () => {
  const withKey = (public_key: unknown) => bodyOf('jwt by a key', { keys: { public_key } });
  const faulty: [string, unknown, string[]][] = [
    ['without anything', {}, ['type']],
    ['of a type that there is not', { type: 'saml', signup: true }, ['type']],
    ['of a type in capitals', bodyOf('google', { type: 'Google' }), ['type']],
    ...(['google', 'microsoft', 'line', 'apple'] as const).map((type): [string, unknown, string[]] => [
      `of the type ${type}, with nothing but that`,
      { type },
      ['signup', 'client_ids'],
    ]),
    ['of the type facebook, with nothing but that', { type: 'facebook' }, ['signup', 'app_id', 'app_secret']],
    ['of the type oidc, with nothing but that', { type: 'oidc' }, ['signup', 'issuer', 'client_ids']],
    ['of the type jwt, with nothing but that', { type: 'jwt' }, ['signup', 'keys', 'issuer', 'audience']],
    ['of the type http, with nothing but that', { type: 'http' }, ['signup', 'url', 'secret']],
    ['of the type otp, with nothing but that', { type: 'otp' }, ['signup', 'enabled']],
    ['of the type password, with nothing but that', { type: 'password' }, ['enabled']],
    ...cases.map(([name, { body }]): [string, unknown, string[]] => [
      `of the type ${name}, with members that there are not`,
      { ...body, is_admin: true, name: 'x' },
      ['is_admin', 'name'],
    ]),
    [
      'with members of another type',
      bodyOf('otp', { client_ids: ['x'], url: 'https://a.example' }),
      ['client_ids', 'url'],
    ],
    ['with switches that are texts', { type: 'otp', signup: 'yes', enabled: 1 }, ['signup', 'enabled']],
    ['of passwords, with signup', { type: 'password', signup: true, enabled: true }, ['signup']],
    ['with no client id', bodyOf('google', { client_ids: [] }), ['client_ids']],
    ['with a client id that is a text', bodyOf('google', { client_ids: 'web' }), ['client_ids']],
    ['with 21 client ids', bodyOf('oidc', { client_ids: Array<string>(21).fill('x') }), ['client_ids']],
    [
      'with client ids that are none',
      bodyOf('oidc', { client_ids: ['web', ' ', 7, 'x'.repeat(501)] }),
      ['client_ids.1', 'client_ids.2', 'client_ids.3'],
    ],
    [
      'with empty texts',
      { type: 'facebook', signup: true, app_id: ' ', app_secret: '', base_url: '' },
      ['app_id', 'app_secret', 'base_url'],
    ],
    ...['google', 'microsoft', 'line', 'apple', 'oidc'].flatMap((type) =>
      ['/?q=1', '/#f', '?', '#', '/a?q#f'].map((rest): [string, unknown, string[]] => [
        `of the type ${type}, with an issuer that ends in ${rest}`,
        bodyOf(type, { issuer: `https://idp.example.com${rest}` }),
        ['issuer'],
      ]),
    ),
    ['with a secret that is too long', bodyOf('google', { client_secret: 'x'.repeat(4097) }), ['client_secret']],
    [
      'with half a signing key',
      bodyOf('apple', { signing_key: { team_id: 'T', secret: 'x' } }),
      [...['signing_key.key_id', 'signing_key.private_key', 'signing_key.secret']],
    ],
    [
      'with claims that there are not',
      bodyOf('jwt by a key', { claims: { phone: 'tel', subject: null } }),
      [...['claims.phone', 'claims.subject']],
    ],
    ['with no keys', bodyOf('jwt by a key', { keys: {} }), ['keys']],
    [
      'with keys of both kinds',
      bodyOf('jwt by a key', { keys: { jwks_url: 'https://a.example', public_key: PUBLIC_KEY } }),
      ['keys'],
    ],
    ...['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].map((member): [string, unknown, string[]] => [
      `with the member ${member} of a key that is not public`,
      withKey({ ...PUBLIC_KEY, [member]: 'c2VjcmV0' }),
      [`keys.public_key.${member}`],
    ]),
    [
      'with a public key that lacks half of itself',
      withKey({ kty: 'EC', crv: 'P-256', x: 'AQAB' }),
      ['keys.public_key.y'],
    ],
    ['with a public key that is only a kind', withKey({ kty: 'RSA' }), ['keys.public_key.n', 'keys.public_key.e']],
    ...[
      ['that is empty', ''],
      ['without its prefix', new Uint8Array(24).toBase64()],
      ['with nothing after its prefix', 'whsec_'],
      ['of 23 bytes', whsec(23)],
      ['of 65 bytes', whsec(65)],
      ['that is no base64', `whsec_${'-'.repeat(32)}`],
      ['with a character too many for base64', `${whsec(24)}A`],
      ['with padding too much', `${whsec(24)}==`],
      ['with a prefix in capitals', whsec(24).replace('whsec', 'WHSEC')],
    ].map(([what, secret]): [string, unknown, string[]] => [
      `of the type http, with a secret ${what}`,
      bodyOf('http', { secret }),
      ['secret'],
    ]),
    ...[
      ['that is no point of its curve', { ...PUBLIC_KEY, y: PUBLIC_KEY.x }],
      ['with coordinates too short', { ...PUBLIC_KEY, x: 'AQAB' }],
      ['that is no base64', { ...PUBLIC_KEY, x: '!' }],
      ['of a curve that there is not', { ...PUBLIC_KEY, crv: 'P-257', alg: undefined }],
      ['of another curve', { ...PUBLIC_KEY, crv: 'P-384', alg: 'ES384' }],
      ['of a curve with the name of something else', { ...PUBLIC_KEY, crv: '__proto__', alg: undefined }],
      ['for an algorithm of another kind', { ...PUBLIC_KEY, alg: 'RS256' }],
      ['for an algorithm that there is not', { ...PUBLIC_KEY, alg: 'none' }],
      ['for an HMAC', { kty: 'RSA', n: 'AA', e: 'AQAB', alg: 'HS256' }],
      ['for agreement', { kty: 'OKP', crv: 'X25519', x: base64url(new Uint8Array(32).fill(9)) }],
      ['for encryption', { ...PUBLIC_KEY, use: 'enc' }],
      ['that may not verify', { ...PUBLIC_KEY, key_ops: ['encrypt'] }],
      ['of RSA that is nothing', { kty: 'RSA', n: 'AA', e: 'AQAB' }],
      ['of RSA with 1024 bits', { kty: 'RSA', n: base64url(new Uint8Array(128).fill(255)), e: 'AQAB' }],
      ['of Ed25519 that is too short', { kty: 'OKP', crv: 'Ed25519', x: 'AQAB' }],
    ].map(([what, public_key]): [string, unknown, string[]] => [
      `with a public key ${what}`,
      withKey(public_key),
      ['keys.public_key'],
    ]),
    ...[
      ['that is no key', 'nonsense'],
      ['that is only dressed as one', PRIVATE_KEY.replace(/^[^-]+$/gm, 'bm9uc2Vuc2U=')],
      ['that is cut off', PRIVATE_KEY.replace(/\n.+(\n-----END)/, '$1')],
      ['of another curve', await newPrivateKey('ES384')],
      ['of RSA', await newPrivateKey('RS256')],
    ].map(([what, private_key]): [string, unknown, string[]] => [
      `of the type apple, with a signing key ${what}`,
      bodyOf('apple', { signing_key: { team_id: 'TEAM', key_id: 'KEY', private_key } }),
      ['signing_key.private_key'],
    ]),
    ['with a symmetric key', withKey({ kty: 'oct', k: 'c2VjcmV0' }), ['keys']],
  ];
  it.each(faulty)('%s', async (_, body, paths) => {
    await expectFaults(body, paths);
  });

  it.each(['UPPER', 'a b', 'ä', 'a_b', 'a.b', 'x'.repeat(41), 'a/b', '..%2f'])('by the name %j', async (name) => {
    await expectFaults(bodyOf('google'), ['name'], { name: encodeURIComponent(name) });
  });

  it('with the faults of its name', async () => {
    const { put } = await newCase();
    expect(await refusalOf(await put('UPPER', { type: 'otp' }))).toMatchObject({ code: 'validation_failed' });
  });

  it.each(['google', 'apple', 'line', 'microsoft', 'facebook', 'otp', 'password'])(
    'by the name %s, of any other type',
    async (name) => {
      for (const [other, { body }] of cases) if (other !== name) await expectFaults(body, ['type'], { name });
      expect((await (await newCase()).put(name, bodyOf(name))).status).toBe(201);
    },
  );

  it('by the name of passwords, which goes on letting people in by theirs', async () => {
    const { service, tenant, app, authenticate } = await newAuthenticationWorld();
    const { email, password } = await newPerson(service, tenant, app);
    const { put, read } = callsOf(service, tenant);
    const kept = { type: 'password', enabled: true };
    await put('password', kept);
    const refused = await put('password', { type: 'otp', signup: true, enabled: true });
    expect(await refusalOf(refused)).toMatchObject({ status: 400, code: 'validation_failed' });
    expect(await (await read('password')).json()).toMatchObject(kept);
    expect((await authenticate('password', { email, password })).status).toBe(200);
  });

  it.each(['a', 'x'.repeat(40), 'acme-2', 'googles'])('not by the name %j', async (name) => {
    expect((await (await newCase()).put(name, bodyOf('oidc'))).status).toBe(201);
  });
});

/** The members that tell the Worker whom to call. */
const URLS: [string, (url: string) => Body][] = [
  ...['google', 'microsoft', 'line', 'apple', 'oidc'].map((type): [string, (url: string) => Body] => [
    'issuer',
    (issuer) => bodyOf(type, { issuer }),
  ]),
  ['base_url', (base_url) => bodyOf('facebook', { base_url })],
  ['keys.jwks_url', (jwks_url) => bodyOf('jwt by a URL of keys', { keys: { jwks_url } })],
  ['url', (url) => bodyOf('http', { url })],
];

/** A service as it is deployed: not on a developer's machine. */
const newDeployed = () => createService({ BASE_DOMAIN: 'accounts.example.com' });

describe('a URL that the Worker is told to call must be public', () => {
  it.each([
    'https://10.0.0.1',
    'https://169.254.169.254/latest',
    'https://[fd00::1]',
    'https://[::ffff:10.0.0.1]',
    'https://167772161',
    'https://idp',
    'https://idp.internal',
    'https://idp.local',
    'http://idp.example.com',
    'https://user:pass@idp.example.com',
    'ftp://idp.example.com',
    'file:///etc/passwd',
    'javascript:alert(1)',
    '//idp.example.com',
    'nonsense',
    `https://idp.example.com/${'x'.repeat(2048)}`,
  ])('%s is refused everywhere', async (url) => {
    for (const service of [createService(), newDeployed()]) {
      for (const [path, write] of URLS) await expectFaults(write(url), [path], { service });
    }
  });

  it.each(['http://127.0.0.1', 'https://localhost', 'https://localhost.', 'https://[::1]', 'https://2130706433'])(
    '%s is refused but on a developer’s machine',
    async (url) => {
      const { put } = await newCase();
      for (const [i, [path, write]] of URLS.entries()) {
        await expectFaults(write(url), [path], { service: newDeployed() });
        expect((await put(`p-${i}`, write(url))).status).toBe(201);
      }
    },
  );

  it('https://idp.example.com is taken everywhere', async () => {
    for (const service of [createService(), newDeployed()]) {
      const { put } = await newCase(service);
      for (const [i, [, write]] of URLS.entries()) {
        expect((await put(`p-${i}`, write('https://idp.example.com'))).status).toBe(201);
      }
    }
  });

  it('the issuer of a jwt is only a name', async () => {
    const { put } = await newCase(newDeployed());
    expect((await put('theirs', bodyOf('jwt by a key', { issuer: 'http://localhost' }))).status).toBe(201);
  });
});

describe('whom a provider knows', () => {
  /** A tenant where the provider knows somebody, as others do. */
  const newKnown = async (body: Body) => {
    const service = createService();
    const [{ tenant, app }, other] = [await newWorld(service), await newWorld(service)];
    const calls = callsOf(service, tenant);
    expect((await calls.put('theirs', body)).status).toBe(201);
    const person = await newPerson(service, tenant, app);
    const foreign = await newPerson(service, other.tenant, other.app);
    const known = env.DB.prepare('insert into identities values (?, ?, ?, ?, 0)');
    const others = ['provider:others', 'connection:theirs', 'theirs', 'provider:theirs-2'];
    await env.DB.batch([
      ...['provider:theirs', ...others].map((name) => known.bind(tenant.id, name, 'subject', person.userId)),
      known.bind(other.tenant.id, 'provider:theirs', 'subject', foreign.userId),
    ]);
    const knowing = async () => (await identitiesOf(tenant.id)).map(({ provider }) => provider);
    const isForeignKnown = async () => (await identitiesOf(other.tenant.id)).length === 1;
    return { service, tenant, ...calls, others, knowing, isForeignKnown };
  };

  it.each([
    ['oidc', { client_secret: 'another' }],
    ['oidc', { client_secret: null }],
    ['oidc', { signup: true }],
    ['google', { client_ids: ['another'] }],
    ['apple', { signing_key: null }],
    ['facebook', { app_secret: 'another' }],
    ['facebook', { base_url: 'https://graph.example.com' }],
    ['jwt by a key', { audience: 'another' }],
    ['jwt by a key', { keys: { jwks_url: 'https://idp.example.com/keys' } }],
    ['http', { secret: whsec(32) }],
  ])('is known as before when a provider of the type %s changes to %j', async (name, changes) => {
    const { put, others, knowing } = await newKnown(bodyOf(name));
    expect((await put('theirs', bodyOf(name, changes))).status).toBe(200);
    expect(await knowing()).toEqual(['provider:theirs', ...others]);
  });

  it.each([
    ['oidc', { issuer: 'https://other.example.com' }],
    ['google', { issuer: 'https://other.example.com' }],
    ['google', { type: 'microsoft' }],
    ['apple', { issuer: null }],
    ['facebook', { app_id: '43' }],
    ['jwt by a key', { issuer: 'others' }],
    ['jwt by a key', { claims: { subject: 'employee' } }],
    ['http', { url: 'https://other.example.com' }],
  ])('is forgotten when a provider of the type %s changes to %j', async (name, changes) => {
    const { tenant, put, others, knowing, isForeignKnown } = await newKnown(bodyOf(name));
    const { users, customers } = await rowsOf(tenant.id);
    expect((await put('theirs', bodyOf(name, changes))).status).toBe(200);
    expect(await knowing()).toEqual(others);
    expect(await isForeignKnown()).toBe(true);
    expect(await rowsOf(tenant.id)).toMatchObject({ users, customers });
  });

  it('is forgotten when the provider becomes one of another type of the same issuer', async () => {
    const { put, others, knowing } = await newKnown(bodyOf('oidc'));
    const issuer = 'https://idp.example.com';
    expect((await put('theirs', bodyOf('google', { issuer }))).status).toBe(200);
    expect(await knowing()).toEqual(others);
  });

  it('is forgotten with it, and keeps the account', async () => {
    const { tenant, remove, read, list, others, knowing, isForeignKnown } = await newKnown(bodyOf('oidc'));
    const { users, customers } = await rowsOf(tenant.id);
    expect((await remove('theirs')).status).toBe(204);
    expect(await knowing()).toEqual(others);
    expect(await isForeignKnown()).toBe(true);
    expect(await rowsOf(tenant.id)).toMatchObject({ users, customers, providers: [] });
    expect(await list()).toEqual({ items: [], next: null });
    expect(await refusalOf(await read('theirs'))).toMatchObject({ status: 404, code: 'provider_not_found' });
    const event = { type: 'provider.deleted', actor: 'operator', subject: tenant.id, data: { name: 'theirs' } };
    expect((await providerEventsOf(tenant.id)).at(-1)).toEqual(event);
  });
});

describe('a change of a provider', () => {
  const UNKNOWN = [400, 'unknown_provider'];
  const FAILED = [422, 'authentication_failed'];

  it.each(['otp', 'password'])('switches %s off and on, and its removal gives back what was before', async (name) => {
    const { service, tenant, authenticate } = await newAuthenticationWorld();
    const { put, remove, read } = callsOf(service, tenant);
    const use = async () => outcomeOf(await authenticate(name, { nonsense: true }));
    expect(await refusalOf(await read(name))).toMatchObject({ status: 404, code: 'provider_not_found' });
    expect(await use()).toEqual(FAILED);
    expect((await put(name, { type: name, signup: false, enabled: false })).status).toBe(201);
    expect(await use()).toEqual(UNKNOWN);
    expect((await put(name, { type: name, signup: false, enabled: true })).status).toBe(200);
    expect(await use()).toEqual(FAILED);
    await put(name, { type: name, signup: false, enabled: false });
    expect((await remove(name)).status).toBe(204);
    expect(await use()).toEqual(FAILED);
  });

  it('switches nobody else’s sign-in off', async () => {
    const { service, tenant, app, authenticate, put } = await newAuthenticationWorld();
    const other = await newAuthenticationWorld({}, service);
    const person = await newPerson(service, tenant, app);
    await callsOf(service, other.tenant).put('password', { type: 'password', enabled: false });
    await put('otp', { type: 'otp', enabled: false });
    const { email, password } = person;
    expect((await authenticate('password', { email, password })).status).toBe(200);
    expect(await outcomeOf(await other.authenticate('password', { email, password }))).toEqual(UNKNOWN);
    expect((await other.authenticate('otp', { email: uniqueEmail() })).status).toBe(202);
  });

  it('lets a code make an account as soon as it says so', async () => {
    const { tenant, put, authenticate, signInByMail, profileOf } = await newAuthenticationWorld();
    const email = uniqueEmail();
    expect((await authenticate('otp', { email })).status).toBe(202);
    expect(await mailsTo(email)).toEqual([]);
    await put('otp', { type: 'otp', signup: true, enabled: true });
    const other = uniqueEmail();
    expect(await profileOf(await signInByMail(other))).toMatchObject({ email: other, emailVerified: true });
    expect((await rowsOf(tenant.id)).customers).toHaveLength(1);
  });

  it('is seen at once where it was made, and elsewhere within 60 seconds', async () => {
    const { service, tenant, authenticate, path } = await newAuthenticationWorld();
    const { put, remove } = callsOf(service, tenant);
    const elsewhere = createService();
    const here = async () => outcomeOf(await authenticate('theirs', {}));
    const there = async () =>
      outcomeOf(await elsewhere.call('POST', `${path}/authenticate?provider=theirs`, { body: {} }));
    expect([await here(), await there()]).toEqual([UNKNOWN, UNKNOWN]);
    await put('theirs', bodyOf('google'));
    expect(await here()).toEqual(FAILED);
    elsewhere.clock.advance(60);
    expect(await there()).toEqual(FAILED);
    await remove('theirs');
    expect(await here()).toEqual(UNKNOWN);
    elsewhere.clock.advance(60);
    expect(await there()).toEqual(UNKNOWN);
  });

  it('is seen by the operator at once, everywhere', async () => {
    const { tenant, put } = await newCase();
    const elsewhere = createService();
    expect((await callAsOperator(elsewhere, 'GET', pathOf(tenant, 'theirs'))).status).toBe(404);
    await put('theirs', bodyOf('google'));
    expect((await callAsOperator(elsewhere, 'GET', pathOf(tenant, 'theirs'))).status).toBe(200);
  });

  it('is not done by half when the database fails', async () => {
    const storage = breakable(env);
    const { tenant, put, remove } = await newCase(createService(storage.bindings));
    await put('theirs', bodyOf('oidc'));
    const before = await rowsOf(tenant.id);
    const changes = [() => put('theirs', bodyOf('google')), () => put('new', bodyOf('otp')), () => remove('theirs')];
    for (const change of changes) {
      storage.failWhen((operation) => (operation === 'D1 batch' ? 'before' : null));
      expect(await refusalOf(await change())).toMatchObject({ status: 503, code: 'storage_unavailable' });
      storage.failWhen(null);
      expect(await rowsOf(tenant.id)).toEqual(before);
    }
  });

  it('makes one provider when it is asked for it 20 times at once', async () => {
    const { put, list } = await newCase();
    const responses = await Promise.all(Array.from({ length: 20 }, () => put('theirs', bodyOf('google'))));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([...Array<number>(19).fill(200), 201]);
    const { items } = await list();
    for (const response of responses) expect(items).toEqual([await response.json()]);
  });
});

describe('what names no provider', () => {
  it.each(['GET', 'DELETE'])('is told by %s', async (method) => {
    const service = createService();
    const [{ tenant }, other] = [await newCase(service), await newCase(service)];
    await other.put('theirs', bodyOf('google'));
    for (const name of ['unknown', 'theirs', 'otp', 'password', 'UPPER', '%20', "'", '__proto__', 'toString']) {
      const response = await callAsOperator(service, method, pathOf(tenant, name));
      expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'provider_not_found' });
    }
    expect((await other.read('theirs')).status).toBe(200);
    expect((await eventsAbout(tenant.id)).map(({ type }) => type)).toEqual(['tenant.created']);
  });
});

describe('what names no tenant', () => {
  it.each([
    ['PUT', 'theirs', bodyOf('google')],
    ['GET', undefined, undefined],
    ['GET', 'theirs', undefined],
    ['DELETE', 'theirs', undefined],
  ])('is told by %s …/providers/%s', async (method, name, body) => {
    const response = await callAsOperator(createService(), method, pathOf({ slug: 'nobodys' }, name), body);
    expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'tenant_not_found' });
  });
});

describe('the list of providers', () => {
  it('is empty at first, then by name, and one tenant’s alone', async () => {
    const service = createService();
    const [ours, theirs] = [await newCase(service), await newCase(service)];
    expect(await ours.list()).toEqual({ items: [], next: null });
    for (const name of ['beta', 'alpha', 'gamma']) await ours.put(name, bodyOf('oidc'));
    expect((await ours.list()).items.map(({ name }) => name)).toEqual(['alpha', 'beta', 'gamma']);
    expect(await theirs.list()).toEqual({ items: [], next: null });
  });

  it('is that of a disabled tenant, too', async () => {
    const service = createService();
    const tenant = await newTenant(service, { status: 'disabled' });
    const { put, list } = callsOf(service, tenant);
    expect((await put('theirs', bodyOf('google'))).status).toBe(201);
    expect((await list()).items).toHaveLength(1);
  });
});
