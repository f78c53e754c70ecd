import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { breakable } from '../../support/bindings.ts';
import { createService } from '../../support/service.ts';
import { operatorHeaders, refusalOf } from '../../support/tenants.ts';

const DEEP = '/healthz?deep=1';

describe('GET /healthz', () => {
  it('tells everybody that the service is up, at every host, without asking its storage', async () => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    storage.failWhen(() => 'before');
    for (const host of ['http://localhost', 'http://nobody.localhost']) {
      const response = await service.call('GET', `${host}/healthz`);
      expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
    }
    expect(storage.operations()).toBe(0);
  });

  it('tries D1 and KV for the operator', async () => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    storage.failWhen(null);
    const response = await service.call('GET', DEEP, { headers: operatorHeaders });
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
    expect(storage.operations()).toBe(2);
  });

  it.each(['D1', 'KV'])('tells the operator when %s is down, and not what it said', async (binding) => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    storage.failWhen((operation) => (operation.startsWith(binding) ? 'before' : null));
    const response = await service.call('GET', DEEP, { headers: operatorHeaders });
    expect(response.headers.get('Retry-After')).toBe('5');
    const text = await response.clone().text();
    expect(text).not.toContain('broken');
    expect(await refusalOf(response)).toMatchObject({ status: 503, code: 'storage_unavailable' });
  });

  it('looks deep for the operator alone', async () => {
    const storage = breakable(env);
    for (const headers of [{}, { Authorization: 'Bearer wrong' }]) {
      const response = await createService(storage.bindings).call('GET', DEEP, { headers });
      expect(await refusalOf(response)).toMatchObject({ status: 401, code: 'unauthenticated' });
    }
    const without = createService({ ...storage.bindings, OPERATOR_TOKEN: undefined });
    expect((await without.call('GET', DEEP, { headers: operatorHeaders })).status).toBe(401);
    expect(storage.operations()).toBe(0);
  });

  it('refuses a depth that there is not', async () => {
    const response = await createService().call('GET', '/healthz?deep=2', { headers: operatorHeaders });
    expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'validation_failed' });
  });
});
