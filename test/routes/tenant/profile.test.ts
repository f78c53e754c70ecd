import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, newSignedInWorld } from '../../support/accounts.ts';
import { describeBearer } from '../../support/bearer-contract.ts';
import { newBrowser, signInByCode } from '../../support/logins.ts';
import { offerSubscriptions } from '../../support/operator.ts';
import { routesWith } from '../../support/routes.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { newTenant, operatorHeaders } from '../../support/tenants.ts';
import { newPersonWorld } from '../../support/upserts.ts';

const routes = (await routesWith('bearer')).filter(({ template }) => template.startsWith('/api/'));

const NO_ADDRESS = {
  ...{ line1: null, line2: null, city: null, region: null, postalCode: null, country: null },
  ...{ latitude: null, longitude: null },
};

describe('the routes of the tenant surface that take an access token and nothing else', () => {
  it('are those that the document names', () => {
    expect(routes).toEqual([{ method: 'GET', template: '/api/{tenantId}/customer' }]);
  });

  for (const route of routes) describeBearer(route);
});

describe('GET /api/{tenantId}/customer', () => {
  it('gives the members of a profile and no other, null where nothing is known', async () => {
    const { service, person, token, read, tenant } = await newPersonWorld();
    const response = await read(token);
    expect(response.status).toBe(200);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    const { createdAt, updatedAt, ...members } = await response.json<Record<string, unknown>>();
    expect(members).toEqual({
      ...{ id: person.cuid, email: person.email, phone: null, firstName: null, lastName: null, name: null },
      ...{ company: 'A company', birthDate: null, locale: null, timezone: null, website: null },
      ...{ address: NO_ADDRESS, subscriptions: [], emailVerified: true, phoneVerified: false, provider: 'password' },
    });
    for (const time of [createdAt, updatedAt]) {
      expect(Math.abs(Date.parse(String(time)) - service.clock.now())).toBeLessThan(60_000);
    }
    expect((await rowsOf(tenant.id)).events?.map(({ type }) => type)).not.toContain('customer.updated');
  });

  it('gives the attributes beside, and what another surface wrote', async () => {
    const { service, tenant, person, token, own, store, read } = await newPersonWorld();
    await offerSubscriptions(service, tenant, 'news');
    await store({ email: person.email, shoeSize: 38, tags: ['a'], nested: { x: null } }, own);
    const changes = { name: 'Ada', address: 'A street', address_town: 'Ulm', country: 'DE', subscriptions: ['news'] };
    const changed = await service.call('PATCH', `${tenant.host}/customers/self`, { ...own, body: changes });
    expect(changed.status).toBe(200);
    expect(await (await read(token)).json()).toMatchObject({
      ...{ shoeSize: 38, tags: ['a'], nested: { x: null }, name: 'Ada', subscriptions: ['news'] },
      address: { ...NO_ADDRESS, line1: 'A street', city: 'Ulm', country: 'DE' },
    });
  });

  it('names whom the person signed in with', async () => {
    const { service, tenant, person, read } = await newPersonWorld();
    const { access_token } = await signInByCode(newBrowser(service, tenant.host), person.email);
    expect(await (await read(access_token)).json()).toMatchObject({ provider: 'email' });
  });

  it('lets no attribute hide a member', async () => {
    const { tenant, person, token, read } = await newPersonWorld();
    await env.DB.prepare('update customers set attributes = ? where tenant_id = ?')
      .bind('{"id":"cus_other","email":"eve@example.com","provider":"eve","shoeSize":38}', tenant.id)
      .run();
    expect(await (await read(token)).json()).toMatchObject({
      ...{ id: person.cuid, email: person.email, provider: 'password', shoeSize: 38 },
    });
  });

  it('is there by the slug and by the id of the tenant, on its host and on any that names none', async () => {
    const { service, tenant, own } = await newPersonWorld();
    for (const host of [tenant.host, 'http://localhost', 'http://elsewhere.example.com']) {
      for (const name of [tenant.slug, tenant.id]) {
        const response = await service.call('GET', `${host}/api/${name}/customer`, own);
        expect([host, name, response.status]).toEqual([host, name, 200]);
      }
    }
  });

  it('is not there for another tenant’s path or host', async () => {
    const { service, tenant, own } = await newPersonWorld();
    const other = await newTenant(service);
    const cases: [string, number, string][] = [
      [`/api/${other.slug}/customer`, 401, 'unauthenticated'],
      [`/api/${other.id}/customer`, 401, 'unauthenticated'],
      [`${other.host}/api/${other.slug}/customer`, 401, 'unauthenticated'],
      [`${other.host}/api/${tenant.slug}/customer`, 404, 'tenant_not_found'],
      [`${other.host}/api/${tenant.id}/customer`, 404, 'tenant_not_found'],
      [`${tenant.host}/api/${other.slug}/customer`, 404, 'tenant_not_found'],
      ['/api/nobody/customer', 404, 'tenant_not_found'],
      ['/api/ten_unknown/customer', 404, 'tenant_not_found'],
      [`http://nobody.localhost/api/${tenant.slug}/customer`, 404, 'tenant_not_found'],
    ];
    for (const [url, status, code] of cases) {
      const response = await service.call('GET', url, own);
      const { code: told } = await response.json<{ code: string }>();
      expect([url, response.status, told]).toEqual([url, status, code]);
    }
  });

  it('is not there while the tenant is disabled', async () => {
    const { service, tenant, token, read } = await newPersonWorld();
    const disabled = await service.call('PUT', `/operator/v1/tenants/${tenant.slug}`, {
      headers: operatorHeaders,
      body: { name: 'Closed', status: 'disabled' },
    });
    expect(disabled.status).toBe(200);
    expect((await read(token)).status).toBe(404);
  });

  it('gives each person its own', async () => {
    const service = createService();
    const [one, other] = [await newSignedInWorld(service), await newSignedInWorld(service)];
    for (const { tenant, token, person } of [one, other]) {
      const response = await service.call('GET', `/api/${tenant.slug}/customer`, { headers: bearerHeaders(token) });
      expect(await response.json()).toMatchObject({ id: person.cuid });
    }
  });
});
