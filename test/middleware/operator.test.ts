import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { connectOidc } from '../support/connections.ts';
import { newBrowser, REDIRECT_URI, signInByCode } from '../support/logins.ts';
import { callTo, type DocumentedRoute, nameOf, routesWith, servedRoutes, typeOf } from '../support/routes.ts';
import { rowsOf } from '../support/rows.ts';
import { createService } from '../support/service.ts';
import { appHeaders, customerHeaders, newWorld, operatorHeaders, refusalOf } from '../support/tenants.ts';
import { insertDelivery } from '../support/webhooks.ts';

const UNAUTHENTICATED = { status: 401, code: 'unauthenticated' };
const TOKEN = env.OPERATOR_TOKEN;

const routes = await routesWith('operator');

it('every route of the operator is one that the document says is the operator’s', () => {
  expect(routes.map(nameOf).toSorted()).toEqual(servedRoutes('/operator/v1'));
});

/** What `{id}` in a route stands for, in a way that the route grants. */
const idFor = async (
  { template }: DocumentedRoute,
  { tenant, app, customer }: Awaited<ReturnType<typeof newWorld>>,
) => {
  if (template.includes('/subscriptions/')) return 'news';
  if (template.includes('/deliveries/')) return insertDelivery(tenant, 'company');
  if (template.includes('/users/')) return String((await rowsOf(tenant.id)).users?.[0]?.id);
  if (!template.includes('/sessions/')) return app.id;
  await signInByCode(newBrowser(createService(), tenant.host), customer.email);
  return String((await rowsOf(tenant.id)).sessions?.[0]?.id);
};

describe.each(routes.map((route) => [nameOf(route), route] as const))('%s', (_, route) => {
  const newCase = async (bindings: Parameters<typeof createService>[0] = {}) => {
    const world = await newWorld(createService(), { redirect_uris: [REDIRECT_URI] });
    const { tenant, customer } = world;
    const service = createService(bindings);
    const names = { cuid: customer.cuid, email: customer.email, identifier: customer.cuid };
    for (const [path, body] of [
      ['subscriptions/news', { name: 'News' }],
      ['providers/company', { type: 'otp', signup: false, enabled: true }],
      ['flows/company', { steps: [{ kind: 'send_activation' }] }],
      ['webhooks/company', { url: 'https://hooks.example.com', events: ['*'], status: 'disabled' }],
    ] as const) {
      const url = `/operator/v1/tenants/${tenant.slug}/${path}`;
      expect((await createService().call('PUT', url, { headers: operatorHeaders, body })).status).toBe(201);
    }
    const id = await idFor(route, world);
    await connectOidc(createService(), tenant, 'https://idp.example.com');
    const { path, call } = callTo(route, { ...names, slug: tenant.slug, id, name: 'company' });
    const send = (headers: Record<string, string>, url = path) =>
      service.call(route.method, url, { headers: { ...typeOf(call), ...headers }, ...call });
    return { ...world, path, send };
  };

  it('is open to the operator', async () => {
    const { send } = await newCase();
    expect((await send(operatorHeaders)).status).toBeLessThan(400);
  });

  it('is open to the operator however the scheme is written, and at every host', async () => {
    const { send, path, tenant } = await newCase();
    expect((await send({ Authorization: `bearer ${TOKEN}` }, `${tenant.host}${path}`)).status).toBeLessThan(400);
  });

  it('is closed to everybody else, and does nothing for them', async () => {
    const { send, path, tenant, app, customer } = await newCase();
    const before = await rowsOf(tenant.id);
    const others: Record<string, string>[] = [
      {},
      { Authorization: '' },
      { Authorization: 'Bearer' },
      { Authorization: 'Bearer ' },
      { Authorization: TOKEN },
      { Authorization: `Basic ${btoa(`operator:${TOKEN}`)}` },
      { Authorization: `Bearer ${TOKEN.slice(0, -1)}` },
      { Authorization: `Bearer ${TOKEN}x` },
      { Authorization: `Bearer ${TOKEN.toUpperCase()}` },
      { Authorization: `Bearer ${TOKEN}, Bearer ${TOKEN}` },
      { Authorization: `Bearer ${app.supertoken}` },
      { Authorization: `Bearer ${customer.token}` },
      { Cookie: `token=${TOKEN}` },
      { 'x-access-token': TOKEN },
      appHeaders(app),
      customerHeaders(customer),
    ];
    for (const headers of others) {
      const response = await send(headers);
      expect(await refusalOf(response)).toMatchObject(UNAUTHENTICATED);
      expect(response.headers.get('WWW-Authenticate')).toBe('Bearer');
    }
    const separator = path.includes('?') ? '&' : '?';
    for (const parameter of ['token', 'access_token', 'operator_token']) {
      expect((await send({}, `${path}${separator}${parameter}=${TOKEN}`)).status).toBe(401);
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('is not there without an OPERATOR_TOKEN, whatever is sent', async () => {
    const { send } = await newCase({ OPERATOR_TOKEN: undefined });
    for (const headers of [{}, operatorHeaders, { Authorization: 'Bearer undefined' }, { Authorization: 'Bearer ' }]) {
      expect(await refusalOf(await send(headers))).toMatchObject({ status: 404, code: 'not_found' });
    }
  });

  it('is limited in calls a minute', async () => {
    const keys: string[] = [];
    const { send } = await newCase({
      KEY_RATE_LIMIT: {
        limit: async ({ key }) => {
          keys.push(key);
          return { success: false };
        },
      },
    });
    const response = await send(operatorHeaders);
    expect(await refusalOf(response)).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(response.headers.get('Retry-After')).toBe('60');
    expect(keys).toHaveLength(1);
    expect(keys.join()).not.toContain(TOKEN);
  });
});
