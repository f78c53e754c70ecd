import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { newSignedInWorld, readSelf, signIn } from '../../support/accounts.ts';
import { breakable } from '../../support/bindings.ts';
import { readDocument } from '../../support/document.ts';
import { callAsOperator } from '../../support/operator.ts';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import { newTenant, refusalOf, type TestTenant, uniqueName } from '../../support/tenants.ts';

type Problem = { code: string; errors: { path: string; code: string }[] };

const rotate = (service: Service, { slug }: Pick<TestTenant, 'slug'>, body: unknown = {}): Promise<Response> =>
  callAsOperator(service, 'POST', `/operator/v1/tenants/${slug}/keys/rotate`, body);

/** The keys of a tenant by id, with their state. */
const keysOf = async ({ id }: TestTenant) => {
  const { signing_keys = [] } = await rowsOf(id);
  return new Map(signing_keys.map(({ kid, state }) => [kid, state]));
};

// When a key leaves, and what its tokens are worth until then: test/routes/platform/keys.test.ts.
describe('POST /operator/v1/tenants/{slug}/keys/rotate', () => {
  it('names the new key, and tells nothing else of it', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const [old] = (await keysOf(tenant)).keys();
    const response = await rotate(service, tenant);
    expect(response.status).toBe(201);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    const { kid, ...others } = await response.json<{ kid: string }>();
    expect(others).toEqual({});
    expect(await keysOf(tenant)).toEqual(
      new Map([
        [old, 'retired'],
        [kid, 'current'],
      ]),
    );
  });

  it('is what a change of the algorithm waits for, and both are documented to be so', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const algorithms = async () => ((await rowsOf(tenant.id)).signing_keys ?? []).map(({ algorithm }) => algorithm);
    const body = { name: 'A tenant', settings: { signing_alg: 'EdDSA' } };
    expect((await callAsOperator(service, 'PUT', `/operator/v1/tenants/${tenant.slug}`, body)).status).toBe(200);
    expect(await algorithms()).toEqual(['ES256']);
    expect((await rotate(service, tenant)).status).toBe(201);
    expect((await algorithms()).toSorted()).toEqual(['ES256', 'EdDSA']);
    const { paths, components } = await readDocument();
    expect(components.schemas.TenantProfile).toHaveProperty(
      'properties.settings.properties.signing_alg.description',
      expect.stringContaining('with the next `keys/rotate`'),
    );
    expect(paths['/operator/v1/tenants/{slug}/keys/rotate']?.post).toMatchObject({
      description: expect.stringContaining('`signing_alg`'),
    });
  });

  it.each([{}, { retire: false }, { retire: true }])('is told in the log with %j', async (body) => {
    const service = createService();
    const tenant = await newTenant(service);
    const { kid } = await (await rotate(service, tenant, body)).json<{ kid: string }>();
    expect((await eventsAbout(tenant.id)).slice(1)).toEqual([{ type: 'key.rotated', actor: 'operator' }]);
    const { events = [], signing_keys = [] } = await rowsOf(tenant.id);
    const told = JSON.stringify(events);
    expect(told).toContain(kid);
    for (const { sealed_private_jwk } of signing_keys) expect(told).not.toContain(sealed_private_jwk);
  });

  it('is the tenant’s own affair: the keys and tokens of others stay', async () => {
    const service = createService();
    const [ours, theirs] = [await newTenant(service), await newSignedInWorld(service)];
    const before = await rowsOf(theirs.tenant.id);
    expect((await rotate(service, ours, { retire: true })).status).toBe(201);
    expect(await rowsOf(theirs.tenant.id)).toEqual(before);
    expect((await readSelf(service, theirs.tenant, theirs.token)).status).toBe(200);
  });

  it.each([{ retire: true }, {}])('leaves one current key when it happens ten times at once with %j', async (body) => {
    const service = createService();
    const { tenant, person } = await newSignedInWorld(service);
    const answers = await Promise.all(Array.from({ length: 10 }, () => rotate(service, tenant, body)));
    const kids = await Promise.all(answers.map(async (answer) => (await answer.json<{ kid: string }>()).kid));
    expect(new Set(kids).size).toBe(10);
    const states = [...(await keysOf(tenant)).values()];
    expect(states.filter((state) => state === 'current')).toHaveLength(1);
    const token = await signIn(service, tenant, person);
    expect((await readSelf(service, tenant, token)).status).toBe(200);
  });

  it.each<[unknown, string]>([
    [{ retire: 'true' }, 'retire'],
    [{ retire: null }, 'retire'],
    [{ retire: 1 }, 'retire'],
    [{ retire: true, kid: 'mine' }, 'kid'],
    [{ overlap: 60 }, 'overlap'],
    [{ alg: 'none' }, 'alg'],
  ])('refuses %j, and keeps the key', async (body, path) => {
    const service = createService();
    const { tenant, token } = await newSignedInWorld(service);
    const before = await rowsOf(tenant.id);
    const response = await rotate(service, tenant, body);
    expect(response.status).toBe(400);
    const { code, errors } = await response.json<Problem>();
    expect([code, errors.map((each) => each.path)]).toEqual(['validation_failed', [path]]);
    expect(await rowsOf(tenant.id)).toEqual(before);
    expect((await readSelf(service, tenant, token)).status).toBe(200);
  });

  it('finds no tenant that there is not', async () => {
    for (const slug of [uniqueName('nobody'), 'NOBODY', 'x']) {
      const response = await rotate(createService(), { slug });
      expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'tenant_not_found' });
    }
  });

  it('keeps the key when the database fails', async () => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const { tenant, token } = await newSignedInWorld(service);
    const before = await rowsOf(tenant.id);
    storage.failWhen((operation) => (operation === 'D1 batch' ? 'before' : null));
    const refused = await rotate(service, tenant, { retire: true });
    expect(await refusalOf(refused)).toMatchObject({ status: 503, code: 'storage_unavailable' });
    storage.failWhen(null);
    expect(await rowsOf(tenant.id)).toEqual(before);
    expect((await readSelf(service, tenant, token)).status).toBe(200);
  });
});
