import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { breakable } from '../../support/bindings.ts';
import { identitiesOf, newScriptedCompany, signInAs } from '../../support/companies.ts';
import { connectOidc, putConnection, returnOf, uniqueDomain } from '../../support/connections.ts';
import { clientSecret } from '../../support/oidc.ts';
import { atRest, eventsAbout, rowsOf } from '../../support/rows.ts';
import { idp } from '../../support/saml.ts';
import { newSamlCompany, samlMembers } from '../../support/saml-companies.ts';
import { createService, type Service } from '../../support/service.ts';
import { newTenant, operatorHeaders, refusalOf, type TestTenant } from '../../support/tenants.ts';

const ISSUER = 'https://idp.example.com';

const oidcMembers = (changes: Record<string, unknown> = {}) => ({
  ...{ type: 'oidc', issuer: ISSUER, client_id: 'gatehouse', client_secret: clientSecret },
  ...{ domains: ['acme.example'], signup: false, ...changes },
});

const pathOf = ({ slug }: Pick<TestTenant, 'slug'>, rest = ''): string =>
  `/operator/v1/tenants/${slug}/connections${rest}`;

const call = (service: Service, method: string, path: string): Promise<Response> =>
  service.call(method, path, { headers: operatorHeaders });

const newCase = async (service = createService()) => {
  const tenant = await newTenant(service);
  return {
    service,
    tenant,
    put: (name: string, body: unknown) => putConnection(service, tenant, name, body),
    read: (name: string) => call(service, 'GET', pathOf(tenant, `/${name}`)),
    remove: (name: string) => call(service, 'DELETE', pathOf(tenant, `/${name}`)),
    list: async () => {
      const response = await call(service, 'GET', pathOf(tenant));
      expect(response.status).toBe(200);
      return response.json<{ items: Record<string, unknown>[]; next: string | null }>();
    },
  };
};

const now = (service: Service): string => new Date(service.clock.now()).toISOString();

describe('PUT /operator/v1/tenants/{slug}/connections/{name}', () => {
  it('connects an OpenID provider, and tells all but the secret', async () => {
    const { service, tenant, put, read, list } = await newCase();
    const response = await put('acme', oidcMembers({ domains: ['Acme.Example', 'acme.test', 'acme.example'] }));
    expect(response.status).toBe(201);
    const connection = {
      ...{ name: 'acme', type: 'oidc', issuer: ISSUER, client_id: 'gatehouse', signup: false },
      ...{ domains: ['acme.example', 'acme.test'], created_at: now(service), updated_at: now(service) },
    };
    expect(await response.json()).toEqual(connection);
    expect(await (await read('acme')).json()).toEqual(connection);
    expect(await list()).toEqual({ items: [connection], next: null });
    expect((await eventsAbout(tenant.id)).at(-1)).toEqual({ type: 'connection.updated', actor: 'operator' });
  });

  it('connects a provider for as many domains as one may have, also in place of others', async () => {
    const { put, read } = await newCase();
    const named = (stem: string) =>
      Array.from({ length: 100 }, (_, i) => `${stem}-${String(i).padStart(3, '0')}.example`);
    for (const [domains, status] of [
      [named('first'), 201],
      [named('second'), 200],
    ] as const) {
      const response = await put('acme', oidcMembers({ domains }));
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ domains });
      expect(await (await read('acme')).json()).toMatchObject({ domains });
    }
  });

  it('connects a SAML provider by its members', async () => {
    const { service, put, read } = await newCase();
    const response = await put('acme', samlMembers());
    expect(response.status).toBe(201);
    const connection = {
      ...{ name: 'acme', type: 'saml', entity_id: idp.entityId, sso_url: `${idp.url}/sso`, slo_url: `${idp.url}/slo` },
      ...{ domains: ['example.com'], signup: true, sign_requests: false, signing_certificate: null },
      certificates: [idp.keys.idp.certificate],
      ...{ created_at: now(service), updated_at: now(service) },
    };
    expect(await response.json()).toEqual(connection);
    expect(await (await read('acme')).json()).toEqual(connection);
  });

  it('connects a SAML provider by its metadata, with the same outcome', async () => {
    const { put, read } = await newCase();
    const metadata_xml = await (await fetch(`${idp.url}/metadata`)).text();
    const body = { type: 'saml', domains: ['example.com'], signup: true, metadata_xml };
    expect((await put('by-metadata', body)).status).toBe(201);
    const { name, ...told } = await (await read('by-metadata')).json<Record<string, unknown>>();
    const { put: putOther, read: readOther } = await newCase();
    await putOther('by-members', samlMembers());
    const {
      created_at,
      updated_at,
      name: _,
      ...others
    } = await (await readOther('by-members')).json<Record<string, unknown>>();
    expect([name, created_at, updated_at]).not.toContain(undefined);
    expect(told).toMatchObject(others);
  });

  it('replaces a connection, which keeps its time of creation and nothing else', async () => {
    const { service, tenant, put, list } = await newCase();
    await put('acme', oidcMembers());
    const createdAt = now(service);
    service.clock.advance(5);
    const response = await put('acme', samlMembers());
    expect(response.status).toBe(200);
    const replaced = await response.json<Record<string, unknown>>();
    expect(replaced).toMatchObject({
      type: 'saml',
      domains: ['example.com'],
      created_at: createdAt,
      updated_at: now(service),
    });
    expect(replaced).not.toHaveProperty('issuer');
    expect((await list()).items).toEqual([replaced]);
    expect((await rowsOf(tenant.id)).connection_domains).toHaveLength(1);
  });

  it('makes a pair of keys for a connection that signs, keeps it, and shows the certificate alone', async () => {
    const { put } = await newCase();
    const certificateOf = async (body: unknown) =>
      (await (await put('acme', body)).json<{ signing_certificate: string | null }>()).signing_certificate;
    const first = await certificateOf(samlMembers({ sign_requests: true }));
    expect(first).toMatch(/^-----BEGIN CERTIFICATE-----/);
    expect(await certificateOf(samlMembers({ sign_requests: true, signup: false }))).toBe(first);
    expect(await certificateOf(samlMembers())).toBeNull();
    expect(await certificateOf(samlMembers({ sign_requests: true }))).not.toBe(first);
  });

  it('makes one connection, with one pair of keys, when it is asked for it five times at once', async () => {
    const { put, list } = await newCase();
    const body = samlMembers({ sign_requests: true });
    const responses = await Promise.all(Array.from({ length: 5 }, () => put('acme', body)));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 201]);
    const { items } = await list();
    for (const response of responses) expect(items).toEqual([await response.json()]);
  });

  it('makes one connection when it is asked for it 20 times at once', async () => {
    const { put, list } = await newCase();
    const responses = await Promise.all(Array.from({ length: 20 }, () => put('acme', oidcMembers())));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([...Array<number>(19).fill(200), 201]);
    expect((await list()).items).toHaveLength(1);
  });

  it('keeps client secrets and private keys sealed, and tells neither', async () => {
    const { tenant, put, read, list } = await newCase();
    await put('acme', oidcMembers());
    await put('other', samlMembers({ sign_requests: true }));
    const told = JSON.stringify([await list(), await (await read('acme')).json(), await (await read('other')).json()]);
    const stored = await atRest(tenant.id);
    // How every RSA key begins in PKCS #8.
    for (const secret of [clientSecret, 'PRIVATE KEY', 'ADANBgkqhkiG9w0BAQEFAASC']) {
      expect(stored).not.toContain(secret);
      expect(told).not.toContain(secret);
    }
    expect(told).not.toMatch(/seal|secret/i);
  });

  it('takes a provider’s key by a certificate that has expired, for trust does not come from that', async () => {
    const { put } = await newCase();
    const { createSigningPair } = await import('../../../src/outside/identity-providers/saml.ts');
    const { certificate } = await createSigningPair('idp.example.com', Date.parse('2001-01-01T00:00:00Z'));
    expect((await put('acme', samlMembers({ certificates: [certificate, idp.keys.ec.certificate] }))).status).toBe(201);
  });
});

describe('a domain', () => {
  it('is one connection’s: another one cannot have it, and nothing is changed', async () => {
    const { tenant, put } = await newCase();
    expect((await put('acme', oidcMembers({ domains: ['a.example', 'b.example'] }))).status).toBe(201);
    expect((await put('other', oidcMembers({ domains: ['c.example'] }))).status).toBe(201);
    const before = await rowsOf(tenant.id);
    for (const name of ['third', 'other']) {
      const response = await put(
        name,
        oidcMembers({ domains: ['d.example', 'B.example'], issuer: 'https://new.example.com' }),
      );
      expect(await refusalOf(response)).toMatchObject({ status: 409, code: 'domain_taken' });
      expect(await rowsOf(tenant.id)).toEqual(before);
    }
  });

  it('is free again when its connection gives it up', async () => {
    const { put, remove } = await newCase();
    await put('acme', oidcMembers({ domains: ['a.example', 'b.example'] }));
    await put('acme', oidcMembers({ domains: ['b.example'] }));
    expect((await put('other', oidcMembers({ domains: ['a.example'] }))).status).toBe(201);
    expect((await remove('acme')).status).toBe(204);
    expect((await put('third', oidcMembers({ domains: ['b.example'] }))).status).toBe(201);
  });

  it('may be another tenant’s, too', async () => {
    const service = createService();
    for (const each of [await newCase(service), await newCase(service)]) {
      expect((await each.put('acme', oidcMembers())).status).toBe(201);
    }
  });

  it('goes to one of ten connections that want it at once', async () => {
    const { put, list } = await newCase();
    const responses = await Promise.all(Array.from({ length: 10 }, (_, i) => put(`c-${i}`, oidcMembers())));
    expect(responses.map(({ status }) => status).toSorted()).toEqual([201, ...Array<number>(9).fill(409)]);
    expect((await list()).items).toHaveLength(1);
  });
});

describe('the people of a connection', () => {
  const newKnown = async () => {
    const company = await newScriptedCompany({ signup: true });
    const { service, tenant, provider, domain } = company;
    await signInAs(company);
    expect(await identitiesOf(tenant.id)).toHaveLength(1);
    const told = { issuer: provider.issuer, client_id: 'ES256', domains: [domain], signup: true };
    return { ...company, told, put: (body: unknown) => putConnection(service, tenant, 'company', body) };
  };

  it.each([
    ['the client secret', { client_secret: 'another' }],
    ['the domains', { domains: [uniqueDomain()] }],
    ['whether it makes accounts', { signup: false }],
  ])('are known as before when %s is changed', async (_, changes) => {
    const { tenant, told, put } = await newKnown();
    expect((await put(oidcMembers({ ...told, ...changes }))).status).toBe(200);
    expect(await identitiesOf(tenant.id)).toHaveLength(1);
  });

  it.each([
    ['another issuer', () => oidcMembers({ issuer: 'https://other.example.com' })],
    ['a SAML provider', () => samlMembers()],
    ['a SAML provider that calls itself like the issuer', (issuer: string) => samlMembers({ entity_id: issuer })],
  ])('are forgotten when it becomes %s', async (_, write) => {
    const { tenant, provider, put } = await newKnown();
    const { users } = await rowsOf(tenant.id);
    expect((await put(write(provider.issuer))).status).toBe(200);
    expect(await identitiesOf(tenant.id)).toEqual([]);
    expect((await rowsOf(tenant.id)).users).toEqual(users);
  });

  it('of SAML are forgotten with the entity ID of their provider, not with its keys', async () => {
    const { service, tenant, begin, answerTo, post } = await newSamlCompany();
    const { state, requestId } = await begin();
    expect(returnOf(await post(await answerTo(requestId), state)).code).toBeDefined();
    const put = (changes: object) => putConnection(service, tenant, 'company', samlMembers({ ...changes }));
    expect((await put({ certificates: [idp.keys.ec.certificate], sso_url: `${idp.url}/new` })).status).toBe(200);
    expect(await identitiesOf(tenant.id)).toHaveLength(1);
    expect((await put({ entity_id: 'urn:another' })).status).toBe(200);
    expect(await identitiesOf(tenant.id)).toEqual([]);
  });

  it('are forgotten with it, and keep their accounts', async () => {
    const { service, tenant } = await newKnown();
    const { users, customers } = await rowsOf(tenant.id);
    expect((await call(service, 'DELETE', pathOf(tenant, '/company'))).status).toBe(204);
    expect(await rowsOf(tenant.id)).toMatchObject({
      identities: [],
      connections: [],
      connection_domains: [],
      users,
      customers,
    });
    expect((await eventsAbout(tenant.id)).at(-1)).toEqual({ type: 'connection.deleted', actor: 'operator' });
    expect(await refusalOf(await call(service, 'GET', pathOf(tenant, '/company')))).toMatchObject({ status: 404 });
  });

  it('are gone with their tenant, as is all of it', async () => {
    const { service, tenant } = await newKnown();
    const path = `/operator/v1/tenants/${tenant.slug}?confirm=${tenant.slug}`;
    expect((await call(service, 'DELETE', path)).status).toBe(204);
    const { events: _, ...rows } = await rowsOf(tenant.id);
    expect(Object.values(rows).flat()).toEqual([]);
  });
});

describe('a change of a connection', () => {
  const hasIdp = async (service: Service, tenant: TestTenant, email_address: string): Promise<boolean> => {
    const response = await service.call('POST', `${tenant.host}/v1/auth/startlogin`, { body: { email_address } });
    expect(response.status).toBe(200);
    return (await response.json<{ has_idp: boolean }>()).has_idp;
  };

  it('is seen at once where it was made, and elsewhere within 60 seconds', async () => {
    const [here, elsewhere] = [createService(), createService()];
    const tenant = await newTenant(here);
    expect(await hasIdp(here, tenant, 'a@example.com')).toBe(false);
    expect(await hasIdp(elsewhere, tenant, 'b@example.com')).toBe(false);
    expect((await putConnection(here, tenant, 'acme', samlMembers())).status).toBe(201);
    expect(await hasIdp(here, tenant, 'c@example.com')).toBe(true);
    elsewhere.clock.advance(60);
    expect(await hasIdp(elsewhere, tenant, 'd@example.com')).toBe(true);
    expect((await call(here, 'DELETE', pathOf(tenant, '/acme'))).status).toBe(204);
    expect(await hasIdp(here, tenant, 'e@example.com')).toBe(false);
    elsewhere.clock.advance(60);
    expect(await hasIdp(elsewhere, tenant, 'f@example.com')).toBe(false);
  });

  it('is seen by the operator at once, everywhere', async () => {
    const { tenant, put } = await newCase();
    const elsewhere = createService();
    const path = pathOf(tenant, '/acme');
    expect((await call(elsewhere, 'GET', path)).status).toBe(404);
    await put('acme', oidcMembers());
    expect((await call(elsewhere, 'GET', path)).status).toBe(200);
  });

  it('is not done by half when the database fails', async () => {
    const storage = breakable(env);
    const { tenant, put, remove } = await newCase(createService(storage.bindings));
    await put('acme', oidcMembers());
    const before = await rowsOf(tenant.id);
    const changes = [
      { change: () => put('acme', samlMembers()), reads: 1 },
      { change: () => put('new', samlMembers()), reads: 1 },
      { change: () => remove('acme'), reads: 0 },
    ];
    for (const { change, reads } of changes) {
      let batches = 0;
      storage.failWhen((operation) => {
        if (operation === 'D1 batch') batches += 1;
        return operation === 'D1 batch' && batches === reads + 1 ? 'before' : null;
      });
      expect(await refusalOf(await change())).toMatchObject({ status: 503, code: 'storage_unavailable' });
      storage.failWhen(null);
      expect(await rowsOf(tenant.id)).toEqual(before);
    }
  });
});

describe('what names no connection', () => {
  it.each(['GET', 'DELETE'])('is told by %s', async (method) => {
    const service = createService();
    const [{ tenant }, other] = [await newCase(service), await newTenant(service)];
    await connectOidc(service, other, ISSUER);
    for (const name of ['unknown', 'company', 'UPPER', '%20', "'"]) {
      const response = await call(service, method, pathOf(tenant, `/${name}`));
      expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'connection_not_found' });
    }
    expect((await call(service, 'GET', pathOf(other, '/company'))).status).toBe(200);
  });
});

describe('what names no tenant', () => {
  it.each([
    ['PUT', '/acme', oidcMembers()],
    ['GET', '', undefined],
    ['GET', '/acme', undefined],
    ['DELETE', '/acme', undefined],
  ])('is told by %s …/connections%s', async (method, rest, body) => {
    const path = pathOf({ slug: 'nobodys' }, rest);
    const response = await createService().call(method, path, { headers: operatorHeaders, body });
    expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'tenant_not_found' });
  });
});

describe('the list of connections', () => {
  it('is empty at first, then by name, and one tenant’s alone', async () => {
    const service = createService();
    const [ours, theirs] = [await newCase(service), await newCase(service)];
    expect(await ours.list()).toEqual({ items: [], next: null });
    for (const name of ['beta', 'alpha', 'gamma']) await ours.put(name, oidcMembers({ domains: [`${name}.example`] }));
    expect((await ours.list()).items.map(({ name }) => name)).toEqual(['alpha', 'beta', 'gamma']);
    expect((await ours.list()).items.map(({ domains }) => domains)).toEqual([
      ['alpha.example'],
      ['beta.example'],
      ['gamma.example'],
    ]);
    expect(await theirs.list()).toEqual({ items: [], next: null });
  });
});
