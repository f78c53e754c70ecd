import { describe, expect, it } from 'vitest';
import { putConnection } from '../../support/connections.ts';
import { callAsOperator } from '../../support/operator.ts';
import { createService, type Service } from '../../support/service.ts';
import { newTenant, refusalOf, uniqueName } from '../../support/tenants.ts';

const PUTS: [string, (service: Service, domain: string) => Promise<Response>][] = [
  [
    'a tenant',
    (service, domain) =>
      callAsOperator(service, 'PUT', `/operator/v1/tenants/${uniqueName('t')}`, { name: 'A', domains: [domain] }),
  ],
  [
    'a connection',
    async (service, domain) =>
      putConnection(service, await newTenant(service), 'company', {
        ...{ type: 'oidc', issuer: 'https://idp.example.com', client_id: 'gatehouse', client_secret: 'secret' },
        ...{ domains: [domain], signup: false },
      }),
  ],
];

describe.each(PUTS)('a domain of %s', (_, put) => {
  it.each([
    ['labels of 63 characters', `${'a'.repeat(63)}.${'b'.repeat(63)}`],
    ['a label of one character', 'a.example'],
    ['a label of digits', '1.2.example'],
    ['hyphens within', 'a-b--c.xn--p1ai'],
    ['capitals', 'A.Example'],
  ])('may have %s', async (_what, domain) => {
    expect((await put(createService(), `${uniqueName('d')}.${domain}`)).status).toBe(201);
  });

  it.each([
    'example',
    '',
    '.',
    '.example.com',
    'example.com.',
    'a..example',
    '-a.example',
    'a-.example',
    'a.-example',
    'a.example-',
    'a.x',
    `${'a'.repeat(64)}.example`,
    `a.${'x'.repeat(64)}`,
    `${'a.'.repeat(123)}example1`,
    '*.example.com',
    'a_b.example',
    'äcme.example',
    'ac me.example',
    'ada@a.example',
    'https://a.example',
    'a.example:8080',
    'a.example\n',
  ])('is not %j', async (domain) => {
    const response = await put(createService(), domain);
    expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'validation_failed' });
  });
});
