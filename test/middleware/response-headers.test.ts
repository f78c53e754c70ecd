import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { breakable } from '../support/bindings.ts';
import { createService } from '../support/service.ts';
import { appHeaders, newTenant, newWorld } from '../support/tenants.ts';

describe('every answer', () => {
  it('carries the security headers, whatever its status', async () => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const { tenant, app, customer } = await newWorld(service);
    const headers = appHeaders(app);
    const answers = [
      await service.call('GET', `/customer/${customer.cuid}`, { headers }),
      await service.call('GET', '/customer/none', { headers }),
      await service.call('GET', '/nothing'),
      await service.call('PUT', '/customer', { headers, body: {} }),
      await service.call('GET', `${tenant.host}/customer`),
      await service.call('DELETE', `/customer/${customer.cuid}`, { headers }),
    ];
    storage.failWhen(() => 'before');
    answers.push(await service.call('GET', '/customer', { headers }));
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 404, 405, 403, 204, 503]);
    for (const { headers: sent, status } of answers) {
      expect(sent.get('Strict-Transport-Security'), String(status)).toBe('max-age=63072000; includeSubDomains');
      expect(sent.get('X-Content-Type-Options')).toBe('nosniff');
      expect(sent.get('Referrer-Policy')).toBe('no-referrer');
      expect(sent.get('Content-Security-Policy')).toBe("default-src 'none'; frame-ancestors 'none'");
      expect(sent.get('Cache-Control')).toBe('no-store');
      expect(sent.get('X-Powered-By')).toBeNull();
    }
  });

  it('carries an id of its own, which a problem document repeats', async () => {
    const service = createService();
    const ids = new Set<string | null>();
    for (const chosen of ['mine', 'x'.repeat(300)]) {
      const response = await service.call('GET', '/nothing', { headers: { 'x-request-id': chosen } });
      const id = response.headers.get('x-request-id');
      const { instance, type } = await response.json<{ instance: string; type: string }>();
      expect(id).not.toBe(chosen);
      expect(instance).toBe(`urn:request:${id}`);
      expect(type).toMatch(/^https:\/\/.+\/problems\/not_found$/);
      ids.add(id);
    }
    expect(ids.size).toBe(2);
  });
});

describe('a browser of another origin', () => {
  const origin = 'https://shop.example.com';

  it('is let in with credentials from the tenant’s own origins, errors included', async () => {
    const service = createService();
    const tenant = await newTenant(service, { origins: [origin, 'https://www.example.com'] });
    const refused = await service.call('GET', `${tenant.host}/customer`, { headers: { Origin: origin } });
    expect(refused.status).toBe(403);
    expect(refused.headers.get('Access-Control-Allow-Origin')).toBe(origin);
    expect(refused.headers.get('Access-Control-Allow-Credentials')).toBe('true');
    expect(refused.headers.get('Vary')).toContain('Origin');
  });

  it('asks first, and is told what it may send', async () => {
    const service = createService();
    const tenant = await newTenant(service, { origins: [origin] });
    const response = await service.call('OPTIONS', `${tenant.host}/customer`, {
      headers: { Origin: origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'x-evil' },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe(origin);
    expect(response.headers.get('Access-Control-Allow-Methods')).toContain('POST');
    expect(response.headers.get('Access-Control-Allow-Headers')).not.toContain('x-evil');
  });

  for (const foreign of [
    'https://evil.example.net',
    'null',
    'http://shop.example.com',
    'https://shop.example.com.evil.example.net',
    'https://evil-shop.example.com',
    'https://shop.example.com:8443',
  ]) {
    it(`is not let in from ${foreign}`, async () => {
      const service = createService();
      const tenant = await newTenant(service, { origins: [origin] });
      for (const method of ['GET', 'OPTIONS']) {
        const response = await service.call(method, `${tenant.host}/customer`, {
          headers: { Origin: foreign, 'Access-Control-Request-Method': 'GET' },
        });
        expect(response.headers.get('Access-Control-Allow-Origin')).toBeNull();
      }
    });
  }

  it('is not let in from a sibling tenant, nor where the host names no tenant', async () => {
    const service = createService();
    const [one, sibling] = [await newTenant(service, { origins: [origin] }), await newTenant(service)];
    const headers = { Origin: sibling.host };
    const response = await service.call('GET', `${one.host}/customer`, { headers });
    expect(response.headers.get('Access-Control-Allow-Origin')).toBeNull();
    const bare = await service.call('GET', 'http://localhost/customer', { headers: { Origin: origin } });
    expect(bare.headers.get('Access-Control-Allow-Origin')).toBeNull();
  });

  it('is let in from other origins than the tenant’s where its settings say so', async () => {
    const service = createService();
    const tenant = await newTenant(service, {
      origins: [origin],
      settings: { cors_origins: ['https://app.example.com'] },
    });
    const allowedFor = async (from: string) =>
      (await service.call('GET', `${tenant.host}/customer`, { headers: { Origin: from } })).headers.get(
        'Access-Control-Allow-Origin',
      );
    expect(await allowedFor('https://app.example.com')).toBe('https://app.example.com');
    expect(await allowedFor(origin)).toBeNull();
  });
});
