import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { breakable } from '../support/bindings.ts';
import { DETAILS } from '../support/customers.ts';
import { mailPasscode } from '../support/passcodes.ts';
import { createService } from '../support/service.ts';
import { appHeaders, customerHeaders, newWorld, operatorHeaders, refusalOf } from '../support/tenants.ts';

let written: string[] = [];

beforeEach(() => {
  written = [];
  for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => {
      written.push(parts.map(String).join(' '));
    });
  }
});

afterEach(() => {
  vi.restoreAllMocks();
});

const lastLine = (): unknown => JSON.parse(written.at(-1) ?? '');

describe('the log', () => {
  it('has one line for a request: its id, its route by template, its status and its tenant', async () => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service);
    written = [];
    const response = await service.call('GET', `/customer/${customer.cuid}?x=1`, { headers: appHeaders(app) });
    expect(written).toHaveLength(1);
    expect(lastLine()).toEqual({
      level: 'info',
      request_id: response.headers.get('x-request-id'),
      method: 'GET',
      route: '/customer/:cuid',
      status: 200,
      duration_ms: expect.any(Number),
      tenant: tenant.id,
    });
  });

  it('tells the code of a refusal', async () => {
    await createService().call('GET', '/customer/x');
    expect(lastLine()).toMatchObject({ level: 'info', status: 403, code: 'missing_key' });
  });

  it('has no credential, address, code or other value of a person, however the call fails', async () => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const { app, customer } = await newWorld(service);
    await service.call('PATCH', `/customer/${customer.cuid}`, { headers: appHeaders(app), body: DETAILS });
    const passcode = await mailPasscode(service, app, customer.email);
    const calls = async () => {
      const headers = appHeaders(app);
      const query = `superkey=${app.superkey}&supertoken=${app.supertoken}`;
      await service.call('GET', `/customer/${customer.email}/auth?passcode=${passcode}&${query}`);
      await service.call('GET', `/customer/${customer.cuid}?key=${customer.key}&token=${customer.token}`);
      await service.call('POST', '/customer', { headers, body: { company: 'A', email: customer.email } });
      await service.call('POST', '/customer', {
        headers,
        body: { ...DETAILS, email: customer.email, extra: passcode },
      });
      await service.call('PATCH', `/customer/${customer.cuid}`, { headers, body: DETAILS });
      await service.call('GET', `/customer?q=${customer.email}`, { headers: operatorHeaders });
      await service.call('GET', '/customer', { headers: customerHeaders(customer) });
    };
    await calls();
    for (const moment of ['before', 'after'] as const) {
      storage.failWhen(() => moment);
      await calls();
      storage.failWhen((operation) => (operation.startsWith('KV') ? moment : null));
      await calls();
    }
    const secrets = [app.superkey, app.supertoken, customer.key, customer.token, passcode, env.OPERATOR_TOKEN];
    const personal = [customer.email, ...Object.values(DETAILS).filter((value) => value.length > 2)];
    const log = written.join('\n');
    expect(written.length).toBeGreaterThan(30);
    for (const value of [...secrets, ...personal, encodeURIComponent(customer.email)]) expect(log).not.toContain(value);
  });

  it('tells of a failing database in its own words, without the values that were bound', async () => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const { app } = await newWorld(service);
    storage.failWhen(() => 'before');
    await service.call('GET', '/customer', { headers: appHeaders(app) });
    expect(lastLine()).toMatchObject({
      level: 'error',
      status: 503,
      code: 'storage_unavailable',
      error: expect.stringMatching(/^D1 \w+ is broken$/),
    });
  });

  it('tells where a bug is, and neither the log nor the answer tells its message', async () => {
    const service = createService({ KEY_RATE_LIMIT: { limit: () => Promise.reject(new TypeError('canary')) } });
    const response = await service.call('GET', '/operator/v1/tenants', { headers: operatorHeaders });
    const text = await response.clone().text();
    expect(await refusalOf(response)).toMatchObject({ status: 500, code: 'internal_error' });
    expect(text).not.toMatch(/canary|TypeError|\.ts|at /);
    expect(lastLine()).toMatchObject({ level: 'error', status: 500, code: 'internal_error', error: 'TypeError' });
    expect(lastLine()).toHaveProperty('at.0', expect.stringMatching(/^at .*/));
    expect(written.join('\n')).not.toContain('canary');
  });
});
