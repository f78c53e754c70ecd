import { describe, expect, it } from 'vitest';
import { bearerHeaders } from '../../support/accounts.ts';
import { disableCustomer, UNKNOWN_CUID } from '../../support/customers.ts';
import { newBrowser, signInByCode } from '../../support/logins.ts';
import { callTo, type DocumentedRoute, nameOf, routesWith, servedRoutes } from '../../support/routes.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { newColleague, newOwner, newOwnerWorld } from '../../support/signups.ts';
import { appHeaders, newApp, newTenant, refusalOf } from '../../support/tenants.ts';

const isOfUsers = ({ template }: DocumentedRoute) => /^\/v1\/auth\/(self|users)/.test(template);
const routes = (await routesWith('bearer')).filter(isOfUsers);
const ofOneUser = routes.filter(({ template }) => template.endsWith('/{id}'));

/** An owner with a colleague, whom the calls are about. */
const newCase = async () => {
  const service = createService();
  const { tenant, owner } = await newOwnerWorld(service);
  const colleague = await newColleague(service, tenant, owner);
  const send = (
    route: DocumentedRoute,
    headers: Record<string, string>,
    { id = colleague.id, host = tenant.host } = {},
  ): Promise<Response> => {
    const { path, call } = callTo(route, { cuid: UNKNOWN_CUID, email: '', identifier: '', slug: '', id });
    return service.call(route.method, `${host}${path}`, { headers, ...call });
  };
  /** Fails unless on every route nothing is done, and the caller told to sign in. */
  const refuses = async (headers: Record<string, string>, place: Parameters<typeof send>[2] = {}) => {
    const before = await rowsOf(tenant.id);
    for (const route of routes) {
      const response = await send(route, headers, place);
      expect(response.headers.get('WWW-Authenticate')).toBe('Bearer');
      expect([nameOf(route), await refusalOf(response)]).toMatchObject([
        nameOf(route),
        { status: 401, code: 'unauthenticated' },
      ]);
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
  };
  const callSelf = (method: string, path: string, body?: unknown) =>
    service.call(method, `${tenant.host}${path}`, {
      headers: bearerHeaders(owner.token),
      ...(body !== undefined && { body }),
    });
  return { service, tenant, owner, colleague, send, refuses, callSelf };
};

describe('the routes for whoever is signed in', () => {
  it('are these', () => {
    const served = [...servedRoutes('/v1/auth/self'), ...servedRoutes('/v1/auth/users')];
    expect(routes.map(nameOf).toSorted()).toEqual(served.toSorted());
    expect(routes).toHaveLength(6);
  });

  it.each(routes.map((route) => [nameOf(route), route] as const))('are open to the owner: %s', async (_, route) => {
    const { owner, send } = await newCase();
    expect((await send(route, bearerHeaders(owner.token))).status).toBeLessThan(300);
  });

  it('want an access token', async () => {
    const { service, tenant, owner, refuses } = await newCase();
    const app = await newApp(service, tenant);
    for (const headers of [{}, { Authorization: owner.token }, { Cookie: `token=${owner.token}` }, appHeaders(app)]) {
      await refuses(headers);
    }
  });

  it('take no token of another tenant, nor at the host of another tenant', async () => {
    const { service, owner, refuses } = await newCase();
    const other = await newTenant(service);
    const stranger = await newOwner(service, other);
    await refuses(bearerHeaders(stranger.token));
    await refuses(bearerHeaders(owner.token), { host: other.host });
  });

  it('take no token once the customer is disabled', async () => {
    const { owner, refuses } = await newCase();
    await disableCustomer(owner.customerId);
    await refuses(bearerHeaders(owner.token));
  });

  it('take no token from before the password was changed', async () => {
    const { owner, refuses, callSelf } = await newCase();
    const body = { password: 'another good password', current_password: owner.password };
    expect((await callSelf('PATCH', '/customers/self', body)).status).toBe(200);
    await refuses(bearerHeaders(owner.token));
  });

  it('take no token of a session that was revoked', async () => {
    const { service, tenant, owner, send, refuses, callSelf } = await newCase();
    service.clock.advance(30);
    const { access_token } = await signInByCode(newBrowser(service, tenant.host), owner.email);
    const self = { method: 'GET', template: '/v1/auth/self' };
    expect((await send(self, bearerHeaders(access_token))).status).toBe(200);
    expect((await callSelf('DELETE', '/v1/auth/sessions')).status).toBe(204);
    await refuses(bearerHeaders(access_token));
    expect((await send(self, bearerHeaders(owner.token))).status).toBe(200);
  });

  it('take no token of a user who was removed', async () => {
    const { owner, colleague, refuses, callSelf } = await newCase();
    expect((await callSelf('DELETE', `/v1/auth/users/${colleague.id}`)).status).toBe(204);
    await refuses(bearerHeaders(colleague.token), { id: owner.id });
  });

  it('take no token once the customer is deleted', async () => {
    const { owner, refuses, callSelf } = await newCase();
    expect((await callSelf('DELETE', '/customers/self')).status).toBe(200);
    await refuses(bearerHeaders(owner.token));
  });

  it('have no user of another customer or tenant: it is as one that does not exist', async () => {
    const { service, tenant, owner, send } = await newCase();
    const elsewhere = await newTenant(service);
    const strangers = [await newOwner(service, tenant), await newOwner(service, elsewhere)];
    const before = [await rowsOf(tenant.id), await rowsOf(elsewhere.id)];
    for (const route of ofOneUser) {
      const answerTo = async (id: string) => {
        const response = await send(route, bearerHeaders(owner.token), { id });
        return { status: response.status, body: (await response.text()).replace(/urn:request:\w+/, '') };
      };
      const expected = await answerTo(`usr_${'0'.repeat(26)}`);
      expect(expected.status).toBe(404);
      for (const { id } of strangers) expect(await answerTo(id)).toEqual(expected);
    }
    expect([await rowsOf(tenant.id), await rowsOf(elsewhere.id)]).toEqual(before);
  });
});
