import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { allowInsecureRequests, customFetch, discoveryRequest, processDiscoveryResponse } from 'oauth4webapi';
import { describe, expect, it } from 'vitest';
import { newSignedInWorld } from '../../support/accounts.ts';
import { callAsOperator } from '../../support/operator.ts';
import { createService, type Service } from '../../support/service.ts';
import { newTenant, refusalOf, type TestTenant, uniqueName } from '../../support/tenants.ts';

const PATH = '/.well-known/openid-configuration';

type Metadata = { issuer: string; jwks_uri: string; id_token_signing_alg_values_supported: string[] };

const read = async (service: Service, host: string): Promise<Metadata> => {
  const response = await service.call('GET', `${host}${PATH}`);
  expect(response.status).toBe(200);
  return response.json<Metadata>();
};

const issuerOf = ({ slug }: TestTenant): string => `http://${slug}.localhost:8787`;

describe('GET /.well-known/openid-configuration', () => {
  it('tells the issuer, its keys and their algorithm, and caches may keep it for five minutes', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const response = await service.call('GET', `${tenant.host}${PATH}`);
    expect(response.headers.get('Cache-Control')).toBe('public, max-age=300');
    expect(response.headers.get('Content-Type')).toMatch(/^application\/json\b/);
    expect(await response.json()).toEqual({
      issuer: issuerOf(tenant),
      jwks_uri: `${issuerOf(tenant)}/.well-known/jwks.json`,
      response_types_supported: [],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    });
  });

  it('tells the issuer by the port that it is told, on a machine of its own', async () => {
    const service = createService({ BASE_DOMAIN: 'localhost:9000' });
    const { host, slug } = await newTenant(service);
    expect((await read(service, host)).issuer).toBe(`http://${slug}.localhost:9000`);
    const refused = await service.call('GET', `${host}/nowhere`);
    expect((await refused.json<{ type: string }>()).type).toBe('https://localhost/problems/not_found');
  });

  it('is all that a client needs to know to verify a token', async () => {
    const service = createService();
    const { tenant, person, token } = await newSignedInWorld(service);
    const issuer = new URL(issuerOf(tenant));
    const response = await discoveryRequest(issuer, {
      [allowInsecureRequests]: true,
      [customFetch]: (url: string) => service.call('GET', url),
    });
    const metadata = await processDiscoveryResponse(issuer, response);
    const published = await service.call('GET', metadata.jwks_uri ?? '');
    const { payload } = await jwtVerify(token, createLocalJWKSet(await published.json<JSONWebKeySet>()), {
      issuer: metadata.issuer,
      audience: tenant.id,
      algorithms: metadata.id_token_signing_alg_values_supported ?? [],
      currentDate: new Date(service.clock.now()),
    });
    expect(payload.sub).toBe(person.userId);
  });

  it('tells every algorithm that a token may still be signed by', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const body = { name: 'A tenant', settings: { signing_alg: 'EdDSA' } };
    const path = `/operator/v1/tenants/${tenant.slug}`;
    expect((await callAsOperator(service, 'PUT', path, body)).status).toBe(200);
    expect((await read(service, tenant.host)).id_token_signing_alg_values_supported).toEqual(['ES256']);
    expect((await callAsOperator(service, 'POST', `${path}/keys/rotate`, {})).status).toBe(201);
    expect((await read(service, tenant.host)).id_token_signing_alg_values_supported).toEqual(['ES256', 'EdDSA']);
  });

  it('names one issuer at every host of the tenant, and each tenant its own', async () => {
    const service = createService();
    const domain = `${uniqueName('accounts')}.example.com`;
    const [ours, theirs] = [await newTenant(service, { domains: [domain] }), await newTenant(service)];
    expect((await read(service, `https://${domain}`)).issuer).toBe(issuerOf(ours));
    expect((await read(service, theirs.host)).issuer).toBe(issuerOf(theirs));
  });

  it('is not there where no tenant is', async () => {
    const service = createService();
    for (const host of ['', 'http://nobody.localhost', 'http://other.example.com']) {
      const response = await service.call('GET', `${host}${PATH}`);
      expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'tenant_not_found' });
    }
  });
});
