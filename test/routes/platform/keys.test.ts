import { env } from 'cloudflare:workers';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, newSignedInWorld, signIn } from '../../support/accounts.ts';
import { countRoundTrips } from '../../support/bindings.ts';
import { createService, type Service } from '../../support/service.ts';
import { newTenant, operatorHeaders, refusalOf, type TestTenant } from '../../support/tenants.ts';

const JWKS = '/.well-known/jwks.json';

/** The places where a tenant publishes its keys. */
const placesOf = ({ host, slug, id }: TestTenant) => [
  `${host}${JWKS}`,
  `/api/${slug}${JWKS}`,
  `/api/${id}${JWKS}`,
  `${host}/api/${slug}${JWKS}`,
  `${host}/api/${id}${JWKS}`,
];

const readJwks = async (service: Service, { host }: TestTenant): Promise<JSONWebKeySet> => {
  const response = await service.call('GET', `${host}${JWKS}`);
  expect(response.status).toBe(200);
  return response.json<JSONWebKeySet>();
};

const kidsOf = async (service: Service, tenant: TestTenant) =>
  (await readJwks(service, tenant)).keys.map(({ kid }) => kid);

const kidOf = (token: string) => decodeProtectedHeader(token).kid;

const rotate = async (service: Service, { slug }: TestTenant, body: Record<string, unknown> = {}): Promise<string> => {
  const path = `/operator/v1/tenants/${slug}/keys/rotate`;
  const rotated = await service.call('POST', path, { headers: operatorHeaders, body });
  expect(rotated.status).toBe(201);
  return (await rotated.json<{ kid: string }>()).kid;
};

const statusOfSelf = async (service: Service, { host }: TestTenant, token: string): Promise<number> =>
  (await service.call('GET', `${host}/customers/self`, { headers: bearerHeaders(token) })).status;

/** Another isolate of the Worker, at the same time. */
const newIsolate = ({ clock }: Service, bindings: Parameters<typeof createService>[0] = {}): Service => {
  const other = createService(bindings);
  other.clock.advance(Math.ceil((clock.now() - other.clock.now()) / 1000));
  return other;
};

const LIFETIMES = { access_token_login: 60, access_token_account: 600, access_token_tenant: 120 };
const LONGEST = 600;

const ALGORITHMS = [
  ['ES256', ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'], { kty: 'EC', crv: 'P-256' }],
  ['EdDSA', ['alg', 'crv', 'kid', 'kty', 'use', 'x'], { kty: 'OKP', crv: 'Ed25519' }],
  ['RS256', ['alg', 'e', 'kid', 'kty', 'n', 'use'], { kty: 'RSA', e: 'AQAB' }],
] as const;

describe('the keys of a tenant', () => {
  it.each(ALGORITHMS)('for %s have their public members and no others', async (alg, names, members) => {
    const service = createService();
    const tenant = await newTenant(service, { settings: { signing_alg: alg } });
    for (const place of placesOf(tenant)) {
      const response = await service.call('GET', place);
      expect(response.status).toBe(200);
      expect(response.headers.get('Cache-Control')).toBe('public, max-age=300');
      expect(response.headers.get('Content-Type')).toMatch(/^application\/json\b/);
      const { keys, ...others } = await response.json<JSONWebKeySet>();
      expect(others).toEqual({});
      expect(keys.map((key) => Object.keys(key).toSorted())).toEqual([names]);
      expect(keys[0]).toMatchObject({ ...members, alg, use: 'sig' });
    }
  });

  it.each(ALGORITHMS)('for %s are all that it takes to verify a token', async (alg) => {
    const service = createService();
    const { tenant, person, token } = await newSignedInWorld(service, { settings: { signing_alg: alg } });
    const keys = createLocalJWKSet(await readJwks(service, tenant));
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer: `${tenant.host}:8787`,
      audience: tenant.id,
      typ: 'at+jwt',
      algorithms: [alg],
      currentDate: new Date(service.clock.now()),
    });
    expect(payload).toMatchObject({ sub: person.userId, cid: person.cuid, tid: tenant.id, amr: ['pwd'] });
    expect(Object.keys(protectedHeader).toSorted()).toEqual(['alg', 'kid', 'typ']);
    expect(await statusOfSelf(service, tenant, token)).toBe(200);
    const other = createLocalJWKSet(await readJwks(service, await newTenant(service)));
    await expect(jwtVerify(token, other)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });

  it('are those of the tenant alone, the same in every place', async () => {
    const service = createService();
    const [ours, theirs] = [await newTenant(service), await newTenant(service)];
    const read = async (place: string) => (await service.call('GET', place)).text();
    const [first, ...others] = await Promise.all(placesOf(ours).map(read));
    expect(new Set(others)).toEqual(new Set([first]));
    expect(await read(`${theirs.host}${JWKS}`)).not.toBe(first);
  });

  it('are not there for no tenant, another than the host’s, or a disabled one', async () => {
    const service = createService();
    const [ours, theirs, disabled] = [await newTenant(service), await newTenant(service), await newTenant(service)];
    const profile = { name: 'Closed', status: 'disabled' };
    const path = `/operator/v1/tenants/${disabled.slug}`;
    expect((await service.call('PUT', path, { headers: operatorHeaders, body: profile })).status).toBe(200);
    for (const place of [
      JWKS,
      `http://nobody.localhost${JWKS}`,
      `http://other.example.com${JWKS}`,
      `/api/nobody${JWKS}`,
      `/api/ten_${'0'.repeat(26)}${JWKS}`,
      `/api/${ours.slug.toUpperCase()}${JWKS}`,
      `${ours.host}/api/${theirs.slug}${JWKS}`,
      `${ours.host}/api/${theirs.id}${JWKS}`,
      `http://nobody.localhost/api/${ours.slug}${JWKS}`,
      ...placesOf(disabled),
    ]) {
      const response = await service.call('GET', place);
      expect([place, await refusalOf(response)]).toMatchObject([place, { status: 404, code: 'tenant_not_found' }]);
      expect(response.headers.get('Cache-Control')).toBe('no-store');
    }
  });
});

describe('a key that was rotated', () => {
  it('signs no longer, and stays published until every token that it signed has expired', async () => {
    const service = createService();
    const { tenant, person, token } = await newSignedInWorld(service, { settings: { lifetimes: LIFETIMES } });
    const [old] = await kidsOf(service, tenant);
    expect(kidOf(token)).toBe(old);
    const kid = await rotate(service, tenant);
    expect(await kidsOf(service, tenant)).toEqual([kid, old]);
    const fresh = await signIn(service, tenant, person);
    expect(kidOf(fresh)).toBe(kid);
    expect([await statusOfSelf(service, tenant, token), await statusOfSelf(service, tenant, fresh)]).toEqual([
      200, 200,
    ]);

    service.clock.advance(LONGEST - 1);
    expect(await statusOfSelf(service, tenant, token)).toBe(200);
    service.clock.advance(1);
    expect(await kidsOf(service, tenant)).toEqual([kid, old]);
    // For as long as another isolate may have signed with it.
    service.clock.advance(59);
    expect(await kidsOf(service, tenant)).toEqual([kid, old]);
    service.clock.advance(1);
    expect(await kidsOf(service, tenant)).toEqual([kid]);
    expect(await statusOfSelf(service, tenant, token)).toBe(401);
    expect(kidOf(await signIn(service, tenant, person))).toBe(kid);
  });

  it('keeps its own end when the next one is rotated', async () => {
    const service = createService();
    const tenant = await newTenant(service, { settings: { lifetimes: LIFETIMES } });
    const [first] = await kidsOf(service, tenant);
    service.clock.advance(1);
    const second = await rotate(service, tenant);
    service.clock.advance(LONGEST);
    const third = await rotate(service, tenant);
    expect(await kidsOf(service, tenant)).toEqual([third, second, first]);
    service.clock.advance(60);
    expect(await kidsOf(service, tenant)).toEqual([third, second]);
  });

  it('is followed by one for the algorithm that the tenant has then', async () => {
    const service = createService();
    const { tenant, person, token } = await newSignedInWorld(service);
    const body = { name: 'A tenant', settings: { signing_alg: 'EdDSA' } };
    const path = `/operator/v1/tenants/${tenant.slug}`;
    expect((await service.call('PUT', path, { headers: operatorHeaders, body })).status).toBe(200);
    await rotate(service, tenant);
    expect((await readJwks(service, tenant)).keys.map(({ alg }) => alg)).toEqual(['EdDSA', 'ES256']);
    const fresh = await signIn(service, tenant, person);
    expect(decodeProtectedHeader(fresh).alg).toBe('EdDSA');
    for (const each of [token, fresh]) expect(await statusOfSelf(service, tenant, each)).toBe(200);
  });

  it('may sign for a minute more in an isolate that remembers it, and those tokens live as long as any', async () => {
    const service = createService();
    const { tenant, person } = await newSignedInWorld(service, { settings: { lifetimes: LIFETIMES } });
    const elsewhere = newIsolate(service);
    const [old] = await kidsOf(elsewhere, tenant);
    const kid = await rotate(service, tenant);
    for (const { clock } of [service, elsewhere]) clock.advance(58);
    const late = await signIn(elsewhere, tenant, person);
    expect(kidOf(late)).toBe(old);
    for (const { clock } of [service, elsewhere]) clock.advance(2);
    expect(kidOf(await signIn(elsewhere, tenant, person))).toBe(kid);
    for (const { clock } of [service, elsewhere]) clock.advance(LONGEST - 3);
    for (const at of [service, elsewhere]) expect(await statusOfSelf(at, tenant, late)).toBe(200);
  });
});

describe('a key that was retired', () => {
  it('is gone at once with every token that it signed', async () => {
    const service = createService();
    const { tenant, person, token } = await newSignedInWorld(service);
    const second = await rotate(service, tenant);
    const later = await signIn(service, tenant, person);
    const third = await rotate(service, tenant, { retire: true });
    for (const at of [service, newIsolate(service)]) {
      expect(await kidsOf(at, tenant)).toEqual([third]);
      for (const each of [token, later]) expect(await statusOfSelf(at, tenant, each)).toBe(401);
    }
    expect(kidOf(later)).toBe(second);
    const fresh = await signIn(service, tenant, person);
    expect([kidOf(fresh), await statusOfSelf(service, tenant, fresh)]).toEqual([third, 200]);
  });

  it('is good for a minute at most in an isolate that remembers it', async () => {
    const service = createService();
    const { tenant, token } = await newSignedInWorld(service);
    const elsewhere = newIsolate(service);
    expect(await statusOfSelf(elsewhere, tenant, token)).toBe(200);
    const kid = await rotate(service, tenant, { retire: true });
    elsewhere.clock.advance(59);
    expect(await statusOfSelf(elsewhere, tenant, token)).toBe(200);
    elsewhere.clock.advance(1);
    expect(await statusOfSelf(elsewhere, tenant, token)).toBe(401);
    expect(await kidsOf(elsewhere, tenant)).toEqual([kid]);
  });

  it('is forgotten elsewhere as soon as a token of the new key is seen there', async () => {
    const service = createService();
    const { tenant, person, token } = await newSignedInWorld(service);
    const elsewhere = newIsolate(service);
    expect(await statusOfSelf(elsewhere, tenant, token)).toBe(200);
    await rotate(service, tenant, { retire: true });
    const fresh = await signIn(service, tenant, person);
    elsewhere.clock.advance(1);
    expect(await statusOfSelf(elsewhere, tenant, fresh)).toBe(200);
    expect(await statusOfSelf(elsewhere, tenant, token)).toBe(401);
  });
});

describe('a key that is new', () => {
  it('is known elsewhere a second after the keys were last looked up there', async () => {
    const service = createService();
    const { tenant, person } = await newSignedInWorld(service);
    const elsewhere = newIsolate(service);
    const before = await kidsOf(elsewhere, tenant);
    const kid = await rotate(service, tenant);
    const fresh = await signIn(service, tenant, person);
    elsewhere.clock.advance(1);
    expect(await statusOfSelf(elsewhere, tenant, fresh)).toBe(200);
    expect(await kidsOf(elsewhere, tenant)).toEqual([kid, ...before]);
  });

  it('is not looked for more than once a second, however many tokens name keys that there are not', async () => {
    const service = createService();
    const { tenant, token } = await newSignedInWorld(service);
    const counter = countRoundTrips(env);
    const elsewhere = newIsolate(service, counter.bindings);
    expect(await statusOfSelf(elsewhere, tenant, token)).toBe(200);
    elsewhere.clock.advance(1);
    const [, payload, signature] = token.split('.');
    const { operations } = await counter.during(async () => {
      for (const kid of ['one', 'two', 'three', 'four']) {
        const header = btoa(JSON.stringify({ alg: 'ES256', kid, typ: 'at+jwt' })).replaceAll('=', '');
        expect(await statusOfSelf(elsewhere, tenant, `${header}.${payload}.${signature}`)).toBe(401);
      }
    });
    expect(operations).toHaveLength(1);
    expect(await statusOfSelf(elsewhere, tenant, token)).toBe(200);
  });
});
