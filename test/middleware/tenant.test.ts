import { describe, expect, it } from 'vitest';
import { createService, type Service } from '../support/service.ts';
import {
  appHeaders,
  newApp,
  newTenant,
  operatorHeaders,
  refusalOf,
  type TestTenant,
  uniqueName,
} from '../support/tenants.ts';

/** Whether the host stands for the tenant: only there is the tenant's key known. */
const knowsKeyAt = async (service: Service, tenant: TestTenant, url: string, headers: Record<string, string> = {}) => {
  const app = await newApp(service, tenant);
  const response = await service.call('GET', `${url}/customer`, { headers: { ...appHeaders(app), ...headers } });
  if (response.status === 200) return true;
  expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'unknown_key' });
  return false;
};

const put = (service: Service, slug: string, profile: Record<string, unknown>) =>
  service.call('PUT', `/operator/v1/tenants/${slug}`, {
    headers: operatorHeaders,
    body: { name: 'Changed', ...profile },
  });

describe('the tenant of a request', () => {
  it('is the one that the sub-domain names, in any case, on any port and with a trailing dot', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    for (const host of [tenant.host, tenant.host.toUpperCase(), `${tenant.host}:8787`, `${tenant.host}.`]) {
      expect(await knowsKeyAt(service, tenant, host), host).toBe(true);
    }
  });

  it('is the one whose own domain the host is', async () => {
    const service = createService();
    const domain = `${uniqueName('accounts')}.example.com`;
    const tenant = await newTenant(service, { domains: [domain] });
    const other = await newTenant(service);
    expect(await knowsKeyAt(service, tenant, `https://${domain}`)).toBe(true);
    expect(await knowsKeyAt(service, other, `https://${domain}`)).toBe(false);
  });

  it('is named by the key where the host names none', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    expect(await knowsKeyAt(service, tenant, 'http://localhost')).toBe(true);
    expect(await knowsKeyAt(service, tenant, 'https://elsewhere.example.net')).toBe(true);
  });

  it('is not another one than the host names', async () => {
    const service = createService();
    const [one, other] = [await newTenant(service), await newTenant(service)];
    expect(await knowsKeyAt(service, one, other.host)).toBe(false);
  });

  it('does not change with headers about forwarding', async () => {
    const service = createService();
    const [one, other] = [await newTenant(service), await newTenant(service)];
    const otherHost = new URL(other.host).host;
    for (const headers of [
      { 'X-Forwarded-Host': otherHost },
      { Forwarded: `host=${otherHost}` },
      { 'X-Host': otherHost },
      { 'X-Original-Host': otherHost },
    ]) {
      expect(await knowsKeyAt(service, one, one.host, headers)).toBe(true);
      expect(await knowsKeyAt(service, other, one.host, headers)).toBe(false);
    }
  });

  it('is not there for a sub-domain that names none', async () => {
    const service = createService();
    for (const host of [uniqueName('nobody'), `a.${uniqueName('nobody')}`]) {
      const response = await service.call('GET', `http://${host}.localhost/customer`);
      expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'tenant_not_found' });
    }
  });

  it('is not there while it is disabled, but for the operator', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const app = await newApp(service, tenant);
    await put(service, tenant.slug, { status: 'disabled' });
    for (const host of [tenant.host, 'http://localhost']) {
      const response = await service.call('GET', `${host}/customer`, { headers: appHeaders(app) });
      expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'tenant_not_found' });
    }
    const read = await service.call('GET', `/operator/v1/tenants/${tenant.slug}`, { headers: operatorHeaders });
    expect(await read.json()).toMatchObject({ status: 'disabled' });
    await put(service, tenant.slug, {});
    const again = await service.call('GET', `${tenant.host}/customer`, { headers: appHeaders(app) });
    expect(again.status).toBe(200);
  });

  it('is remembered for at most 60 seconds by another isolate', async () => {
    const [service, elsewhere] = [createService(), createService()];
    const tenant = await newTenant(service);
    const app = await newApp(service, tenant);
    const readElsewhere = async () =>
      (await elsewhere.call('GET', `${tenant.host}/customer`, { headers: appHeaders(app) })).status;
    expect(await readElsewhere()).toBe(200);
    await put(service, tenant.slug, { status: 'disabled' });
    elsewhere.clock.advance(61);
    expect(await readElsewhere()).toBe(404);
  });

  it('is found as soon as it is made, also by an isolate that looked for it before', async () => {
    const service = createService();
    const slug = uniqueName('later');
    const host = `http://${slug}.localhost`;
    expect((await service.call('GET', `${host}/customer`)).status).toBe(404);
    expect((await put(service, slug, {})).status).toBe(201);
    const response = await service.call('GET', `${host}/customer`);
    expect(await refusalOf(response)).toMatchObject({ status: 403, code: 'missing_key' });
  });
});
