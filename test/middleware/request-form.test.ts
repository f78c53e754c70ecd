import { describe, expect, it } from 'vitest';
import { rowsOf } from '../support/rows.ts';
import { createService, type Service } from '../support/service.ts';
import {
  appHeaders,
  newApp,
  newTenant,
  newWorld,
  operatorHeaders,
  refusalOf,
  uniqueEmail,
} from '../support/tenants.ts';

type Problem = { errors: { path: string; code: string }[] };

const newAppOf = async (service: Service) => newApp(service, await newTenant(service));

/** Posts these very bytes as a new customer. */
const postRaw = async (rawBody: BodyInit, type: string | null = 'application/json') => {
  const service = createService();
  const app = await newAppOf(service);
  return service.call('POST', '/customer', {
    headers: { ...appHeaders(app), ...(type !== null && { 'Content-Type': type }) },
    rawBody,
  });
};

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(new TextEncoder().encode(text));

/** Lists in one another, of so many levels. */
const nest = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

const goodBody = () => JSON.stringify({ company: 'A company', email: uniqueEmail() });

describe('a body', () => {
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/json, text/plain',
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'application/jsonp',
    'application/problem+json',
    'json',
  ]) {
    it(`of the type ${type} is refused with 415`, async () => {
      expect(await refusalOf(await postRaw(goodBody(), type))).toMatchObject({
        status: 415,
        code: 'unsupported_media_type',
      });
    });
  }

  it('without a type is refused with 415', async () => {
    expect(await refusalOf(await postRaw(bytesOf(goodBody()), null))).toMatchObject({ status: 415 });
  });

  for (const type of [
    'application/json',
    'APPLICATION/JSON',
    'application/json;charset=UTF-8',
    'application/json; charset="utf-8"',
  ]) {
    it(`of the type ${type} is taken`, async () => {
      expect((await postRaw(goodBody(), type)).status).toBe(201);
    });
  }

  const unreadable: Record<string, BodyInit> = {
    'that is empty': '',
    'that is no JSON': '{"company": ',
    'with a trailing comma': '{"company": "A",}',
    'that is an array': '[]',
    'that is null': 'null',
    'that is a text': '"company"',
    'that is a number': '1',
    'that is 30,000 arrays deep': '['.repeat(30_000),
    'with bytes that are no UTF-8': new Uint8Array([...bytesOf('{"company":"'), 0xc0, 0xaf, ...bytesOf('"}')]),
    'in UTF-16': new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]),
    'of compressed bytes': new Uint8Array([0x1f, 0x8b, 0x08, 0x00]),
  };
  for (const [what, body] of Object.entries(unreadable)) {
    it(`${what} is refused with 400 malformed_request`, async () => {
      expect(await refusalOf(await postRaw(body))).toMatchObject({ status: 400, code: 'malformed_request' });
    });
  }

  it.each([65, 1000, 5000])('that nests %i levels is refused with 400 on every surface', async (levels) => {
    const service = createService();
    const { tenant, app } = await newWorld(service);
    const form = `/api/${tenant.slug}/customer`;
    const settings = (member: string) => `{"name":"A","settings":{"${member}":{"x":${nest(levels - 3)}}}}`;
    const bodies: [string, string, string][] = [
      ['POST', '/customer', `{"company":"A","email":"${uniqueEmail()}","x":${nest(levels - 1)}}`],
      ['POST', `${tenant.host}/v1/auth/login`, `{"code":"A","state":${nest(levels - 1)}}`],
      ['POST', `${tenant.host}/customers/login`, `{"email":${nest(levels - 1)}}`],
      ['POST', form, `{"email":"${uniqueEmail()}","x":${nest(levels - 1)}}`],
      ['POST', form, `{"email":"${uniqueEmail()}"${',"x":{"":1'.repeat(levels - 1)}${'}'.repeat(levels)}`],
      ['POST', `${form}/authenticate?provider=otp`, `{"x":${nest(levels - 1)}}`],
      ['PUT', `/operator/v1/tenants/${tenant.slug}`, settings('profile_defaults')],
      ['PUT', `/operator/v1/tenants/${tenant.slug}`, settings('attributes_schema')],
    ];
    for (const [method, path, rawBody] of bodies) {
      const credentials = path.startsWith('/api') ? {} : { ...appHeaders(app), ...operatorHeaders };
      const headers = { ...credentials, 'Content-Type': 'application/json' };
      const refusal = await refusalOf(await service.call(method, path, { headers, rawBody }));
      expect([path, refusal]).toMatchObject([path, { status: 400, code: 'malformed_request' }]);
    }
  });

  it.each([
    ['a half of a pair', '"\\ud800X"'],
    ['the other half', '"\\uDC00"'],
    ['two first halves', '"\\ud83d\\ud83d"'],
    ['a half before a whole character', '"\\ud83d🙂"'],
    ['halves with something between', '"\\ud83d\\n\\ude42"'],
    ['a half in a list', '["a", "b\\ud800"]'],
    ['a half in the name of a member', '{"\\ud800": 1}'],
  ])('with %s in a text is refused with 400 on every surface', async (_, value) => {
    const service = createService();
    const { tenant, app } = await newWorld(service);
    const before = await rowsOf(tenant.id);
    const form = `/api/${tenant.slug}/customer`;
    const one = `/operator/v1/tenants/${tenant.slug}`;
    const bodies: [string, string, string][] = [
      ['POST', '/customer', `{"company":${value},"email":"${uniqueEmail()}"}`],
      ['POST', `${tenant.host}/v1/auth/login`, `{"code":"A","state":${value}}`],
      ['POST', `${tenant.host}/customers/login`, `{"email":"a@example.com","password":${value}}`],
      ['POST', form, `{"email":"${uniqueEmail()}","firstName":${value}}`],
      ['POST', form, `{"email":"${uniqueEmail()}","hat":${value}}`],
      ['PUT', one, `{"name":${value}}`],
      ['PUT', `${one}/subscriptions/news`, `{"name":${value}}`],
    ];
    for (const [method, path, rawBody] of bodies) {
      const credentials = path.startsWith('/api') ? {} : { ...appHeaders(app), ...operatorHeaders };
      const headers = { ...credentials, 'Content-Type': 'application/json' };
      const refusal = await refusalOf(await service.call(method, path, { headers, rawBody }));
      expect([path, refusal]).toMatchObject([path, { status: 400, code: 'malformed_request' }]);
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('with characters in escapes, and with what only looks like one, is read', async () => {
    const service = createService();
    const { slug } = await newTenant(service);
    const headers = { 'Content-Type': 'application/json' };
    const rawBody = `{"email":"${uniqueEmail()}","firstName":"\\uD83D\\ude42","hat":"\\\\ud800","t\\u00e4t":"\\"🙂\\n"}`;
    const response = await service.call('POST', `/api/${slug}/customer`, { headers, rawBody });
    expect(await response.json()).toMatchObject({ firstName: '🙂', hat: '\\ud800', tät: '"🙂\n' });
  });

  it('that nests 64 levels is read', async () => {
    const service = createService();
    const { slug } = await newTenant(service);
    const headers = { 'Content-Type': 'application/json' };
    const rawBody = `{"email":"${uniqueEmail()}","x":${nest(63)}}`;
    const response = await service.call('POST', `/api/${slug}/customer`, { headers, rawBody });
    expect((await response.json<Problem>()).errors).toMatchObject([{ path: 'x', code: 'invalid' }]);
  });

  it('over 64 KiB is refused with 413, whether its length is told or not', async () => {
    const large = JSON.stringify({ company: 'x'.repeat(64 * 1024), email: uniqueEmail() });
    const stream = new Blob([large]).stream();
    expect(await refusalOf(await postRaw(large))).toMatchObject({ status: 413, code: 'payload_too_large' });
    expect(await refusalOf(await postRaw(stream))).toMatchObject({ status: 413, code: 'payload_too_large' });
  });

  it('of 64 KiB and less is read to its end', async () => {
    const response = await postRaw(JSON.stringify({ company: 'x'.repeat(60_000), email: uniqueEmail() }));
    const { errors } = await response.json<Problem>();
    expect(errors.map(({ path }) => path)).toEqual(['company']);
  });

  for (const member of [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'id',
    'tenant_id',
    'status',
    'api_access',
  ]) {
    it(`with the member ${member} is refused, and changes no prototype`, async () => {
      const body = `{"company":"A","email":"${uniqueEmail()}","${member}":{"polluted":1}}`;
      const response = await postRaw(body);
      expect(response.status).toBe(400);
      const { errors } = await response.json<Problem>();
      expect(errors).toContainEqual(expect.objectContaining({ path: member, code: 'unknown_member' }));
      expect(Reflect.get({}, 'polluted')).toBeUndefined();
    });
  }

  it('names every fault at once, with its path', async () => {
    const response = await postRaw('{"email":"nobody","name":5,"country":"Atlantis","extra":1}');
    const { errors } = await response.json<Problem>();
    expect(errors.map(({ path, code }) => `${path} ${code}`).sort()).toEqual([
      'company required',
      'country invalid',
      'email invalid',
      'extra unknown_member',
      'name invalid',
    ]);
  });

  it('does not hinder a GET that names a type and has none', async () => {
    const service = createService();
    const app = await newAppOf(service);
    const headers = { ...appHeaders(app), 'Content-Type': 'application/json' };
    expect((await service.call('GET', '/customer', { headers })).status).toBe(200);
  });
});

describe('a path', () => {
  for (const path of ['%', '%zz', '%c0%ae%c0%ae', '%ff', 'a%2', '%e2%28%a1']) {
    it(`with ${path} is refused with 400`, async () => {
      const service = createService();
      const app = await newAppOf(service);
      const response = await service.call('GET', `/customer/${path}`, { headers: appHeaders(app) });
      expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'malformed_request' });
    });
  }

  it('is decoded once', async () => {
    const service = createService();
    const { app, customer } = await newWorld(service);
    const auth = (email: string) =>
      service.call('GET', `/customer/${email}/auth/nopasscode`, { headers: appHeaders(app) });
    expect((await auth(encodeURIComponent(customer.email))).status).toBe(200);
    expect((await auth(encodeURIComponent(encodeURIComponent(customer.email)))).status).toBe(404);
  });

  it.each(['/no/such/thing', '/operator/v1/no/such/thing'])(
    'that is not known, as %s, is 404, whatever its method and its body',
    async (path) => {
      const service = createService();
      const headers = { ...operatorHeaders, 'Content-Type': 'application/json' };
      const bodies: (() => BodyInit)[] = [() => '{"name":"A"}', () => new Blob(['{"name":"A"}']).stream()];
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH']) {
        const calls = method === 'GET' ? [{}] : bodies.map((body) => ({ rawBody: body() }));
        for (const call of calls) {
          const response = await service.call(method, path, { headers, ...call });
          expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'not_found' });
        }
      }
    },
  );
});

describe('a method', () => {
  const cases: [string, string, string[]][] = [
    ['PUT', '/customer', ['GET', 'HEAD', 'POST']],
    ['DELETE', '/customer', ['GET', 'HEAD', 'POST']],
    ['POST', '/customer/some', ['DELETE', 'GET', 'HEAD', 'PATCH']],
    ['POST', '/customer/a@example.com/passcode', ['GET', 'HEAD']],
    ['POST', '/operator/v1/tenants/some', ['DELETE', 'GET', 'HEAD', 'PUT']],
    ['POST', '/operator/v1/tenants/some/connections/azure', ['DELETE', 'GET', 'HEAD', 'PUT']],
    ['PUT', '/operator/v1/tenants/some/apps/some/rotate', ['POST']],
    ['POST', '/healthz', ['GET', 'HEAD']],
    ['OPTIONS', '/healthz', ['GET', 'HEAD']],
  ];
  for (const [method, path, allowed] of cases) {
    it(`${method} is refused with 405 at ${path}, telling which are taken`, async () => {
      const response = await createService().call(method, path, { headers: operatorHeaders });
      expect(response.status).toBe(405);
      expect(response.headers.get('Allow')?.split(', ').sort()).toEqual(allowed);
    });
  }

  it('cannot be overridden by a header', async () => {
    const service = createService();
    const { app, customer } = await newWorld(service);
    const path = `/customer/${customer.cuid}`;
    const headers = { ...appHeaders(app), 'X-HTTP-Method-Override': 'DELETE' };
    expect((await service.call('POST', path, { headers })).status).toBe(405);
    expect((await service.call('GET', path, { headers: appHeaders(app) })).status).toBe(200);
  });

  it('HEAD answers as GET does, without a body', async () => {
    const service = createService();
    const { app, customer } = await newWorld(service);
    const response = await service.call('HEAD', `/customer/${customer.cuid}`, { headers: appHeaders(app) });
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
  });
});
