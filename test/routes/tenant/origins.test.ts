import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { countRoundTrips } from '../../support/bindings.ts';
import { createService, type Service } from '../../support/service.ts';
import { newTenant, refusalOf, type TestTenant, uniqueEmail } from '../../support/tenants.ts';

const SHOP = 'https://shop.example.com';
const OTHER = 'https://other.example.com';

const preflight = (Origin: string) => ({
  headers: { Origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type' },
});

/** What a page of the origin is let do at a path: in its preflight, in its call, and where that is refused. */
const letIn = async (service: Service, path: string, origin: string): Promise<(string | null)[]> => {
  const headers = { Origin: origin };
  const answers = [
    await service.call('OPTIONS', path, preflight(origin)),
    await service.call('POST', path, { headers, body: { email: uniqueEmail() } }),
    await service.call('POST', path, { headers, body: { company: 'No identifier' } }),
    await service.call('GET', path, { headers }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([204, 200, 412, 401]);
  return answers.map((answer) => answer.headers.get('Access-Control-Allow-Origin'));
};

const EVERYWHERE = [SHOP, SHOP, SHOP, SHOP];
const NOWHERE = [null, null, null, null];

const newTwoTenants = async () => {
  const service = createService();
  const tenant = await newTenant(service, { origins: [SHOP] });
  const other = await newTenant(service, { origins: [OTHER] });
  return { service, tenant, other };
};

const FORMS: [string, (tenant: TestTenant) => string][] = [
  ['slug at the bare host', ({ slug }) => `/api/${slug}/customer`],
  ['id at the bare host', ({ id }) => `/api/${id}/customer`],
  ['slug at a host of nobody', ({ slug }) => `https://elsewhere.example.net/api/${slug}/customer`],
  ['slug at its own host', ({ host, slug }) => `${host}/api/${slug}/customer`],
];

describe('a path that names a tenant', () => {
  it.each(FORMS)('lets the tenant’s own origin in by its %s', async (_, pathOf) => {
    const { service, tenant } = await newTwoTenants();
    expect(await letIn(service, pathOf(tenant), SHOP)).toEqual(EVERYWHERE);
  });

  it.each(FORMS)('lets no origin of another tenant in by its %s', async (_, pathOf) => {
    const { service, tenant } = await newTwoTenants();
    expect(await letIn(service, pathOf(tenant), OTHER)).toEqual(NOWHERE);
  });

  it.each([
    ['no JSON', 400, { 'Content-Type': 'application/json' }, '{"email": '],
    ['no object', 400, { 'Content-Type': 'application/json' }, '[]'],
    ['of another type', 415, { 'Content-Type': 'text/plain' }, '{}'],
    ['too large', 413, { 'Content-Type': 'application/json' }, JSON.stringify({ company: 'x'.repeat(64 * 1024) })],
  ])('lets its pages, and no others, read why a body that is %s is refused', async (_, status, type, rawBody) => {
    const { service, tenant } = await newTwoTenants();
    const readableAt = async (origin: string) => {
      const headers = { Origin: origin, ...type };
      const answer = await service.call('POST', `/api/${tenant.slug}/customer`, { headers, rawBody });
      expect(answer.status).toBe(status);
      return answer.headers.get('Access-Control-Allow-Origin');
    };
    expect(await readableAt(SHOP)).toBe(SHOP);
    expect(await readableAt(OTHER)).toBeNull();
  });

  it('lets its pages send credentials, and only those that it names', async () => {
    const { service, tenant } = await newTwoTenants();
    const { headers } = await service.call('OPTIONS', `/api/${tenant.slug}/customer`, preflight(SHOP));
    expect(headers.get('Access-Control-Allow-Credentials')).toBe('true');
    expect(headers.get('Access-Control-Allow-Methods')).toContain('POST');
    expect(headers.get('Vary')).toContain('Origin');
  });

  it('lets the origins in that its settings name in place of the others', async () => {
    const service = createService();
    const { slug } = await newTenant(service, { origins: [SHOP], settings: { cors_origins: [OTHER] } });
    expect(await letIn(service, `/api/${slug}/customer`, SHOP)).toEqual(NOWHERE);
  });

  it('is asked for the origins, and not the default tenant', async () => {
    const { service, tenant, other } = await newTwoTenants();
    const withDefault = createService({ DEFAULT_TENANT: other.slug });
    withDefault.clock.advance((service.clock.now() - withDefault.clock.now()) / 1000);
    const path = `/api/${tenant.slug}/customer`;
    expect(await letIn(withDefault, path, SHOP)).toEqual(EVERYWHERE);
    expect(await letIn(withDefault, path, OTHER)).toEqual(NOWHERE);
  });

  it('tells the tenant’s pages its keys', async () => {
    const { service, tenant } = await newTwoTenants();
    const path = `/api/${tenant.slug}/.well-known/jwks.json`;
    const { headers } = await service.call('GET', path, { headers: { Origin: SHOP } });
    expect(headers.get('Access-Control-Allow-Origin')).toBe(SHOP);
  });

  it.each([
    ['nobody', () => '/api/nobody/customer'],
    ['another than the host', ({ slug }: TestTenant, { host }: TestTenant) => `${host}/api/${slug}/customer`],
  ])('lets nobody in where it names %s', async (_, pathOf) => {
    const { service, tenant, other } = await newTwoTenants();
    for (const origin of [SHOP, OTHER]) {
      const path = pathOf(tenant, other);
      const answers = [
        await service.call('OPTIONS', path, preflight(origin)),
        await service.call('POST', path, { headers: { Origin: origin }, body: {} }),
      ];
      for (const answer of answers) {
        expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
        expect(await refusalOf(answer)).toMatchObject({ status: 404, code: 'tenant_not_found' });
      }
    }
  });

  it('costs a preflight no round trip where the tenant is known', async () => {
    const counter = countRoundTrips(env);
    const service = createService(counter.bindings);
    const { slug } = await newTenant(service, { origins: [SHOP] });
    const ask = async () => {
      await service.call('OPTIONS', `/api/${slug}/customer`, preflight(SHOP));
    };
    expect((await counter.during(ask)).depth).toBe(1);
    expect((await counter.during(ask)).depth).toBe(0);
  });
});
