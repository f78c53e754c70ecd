import { describe, expect, it } from 'vitest';
import { answerOf } from './support/answers.ts';
import { listCustomers, readCustomer, UNKNOWN_CUID } from './support/customers.ts';
import { mailsTo } from './support/mailbox.ts';
import { mailPasscode, wrongCodes } from './support/passcodes.ts';
import { callTo, type DocumentedRoute, type Names, nameOf, namesCustomer, routesWith } from './support/routes.ts';
import { rowsOf } from './support/rows.ts';
import { createService } from './support/service.ts';
import {
  appHeaders,
  customerHeaders,
  newApp,
  newCustomer,
  newTenant,
  newWorld,
  operatorHeaders,
  refusalOf,
  uniqueEmail,
} from './support/tenants.ts';

const UNKNOWN_APP = `app_${'0'.repeat(26)}`;
const EVERY_PERMISSION = { permissions: ['passcode', 'nopasscode', 'sso', 'all_customers'] };

/** Two tenants: one with a customer, and another one, whose app may do everything. */
const newTenants = async () => {
  const service = createService();
  const theirs = await newWorld(service);
  const tenant = await newTenant(service);
  const app = await newApp(service, tenant, EVERY_PERMISSION);
  const customer = await newCustomer(service, app);
  return { service, theirs, ours: { tenant, app, customer } };
};

const NO_NAMES: Names = { cuid: UNKNOWN_CUID, email: '', identifier: '', slug: '', id: UNKNOWN_APP };

/** The ways to name a customer, or none that there is. */
const waysToName = ({ template }: DocumentedRoute, { cuid, email }: { cuid: string; email: string }): Names[] => {
  const identifiers = template.includes('{identifier}') ? [cuid, email] : [''];
  return identifiers.map((identifier) => ({ ...NO_NAMES, cuid, email, identifier }));
};

const ofCustomers = (routes: DocumentedRoute[]) =>
  routes.filter(namesCustomer).map((route) => [nameOf(route), route] as const);

const appRoutes = await routesWith('superkey');
const customerRoutes = await routesWith('key');
const operatorRoutes = await routesWith('operator');

describe('a customer of another tenant is for an app as one that does not exist', () => {
  it.each(ofCustomers(appRoutes))('%s', async (_, route) => {
    const { service, theirs, ours } = await newTenants();
    const before = await rowsOf(theirs.tenant.id);
    const nobody = { cuid: UNKNOWN_CUID, email: uniqueEmail() };
    for (const host of ['http://localhost', ours.tenant.host, theirs.tenant.host]) {
      const ask = async (names: Names) => {
        const { path, call } = callTo(route, names);
        const response = await service.call(route.method, `${host}${path}`, {
          headers: appHeaders(ours.app),
          ...call,
        });
        return answerOf(response);
      };
      const expected = waysToName(route, nobody);
      for (const [i, names] of waysToName(route, theirs.customer).entries()) {
        const answer = await ask(names);
        expect(answer.status).toBe(404);
        expect(answer).toEqual(await ask(expected[i] ?? NO_NAMES));
      }
    }
    expect(await rowsOf(theirs.tenant.id)).toEqual(before);
    expect(await mailsTo(theirs.customer.email)).toEqual([]);
  });
});

describe('a customer of another tenant is for a customer as one that does not exist', () => {
  it.each(ofCustomers(customerRoutes))('%s', async (_, route) => {
    const { service, theirs, ours } = await newTenants();
    const before = await rowsOf(theirs.tenant.id);
    for (const host of ['http://localhost', ours.tenant.host, theirs.tenant.host]) {
      const ask = async (names: Names) => {
        const { path, call } = callTo(route, names);
        const headers = customerHeaders(ours.customer);
        return answerOf(await service.call(route.method, `${host}${path}`, { headers, ...call }));
      };
      const answer = await ask({ ...NO_NAMES, cuid: theirs.customer.cuid });
      expect(answer.status).toBe(404);
      expect(answer).toEqual(await ask(NO_NAMES));
    }
    expect(await rowsOf(theirs.tenant.id)).toEqual(before);
  });
});

describe('an app of another tenant is for the operator as one that does not exist', () => {
  const routes = operatorRoutes.filter(({ template }) => template.includes('/apps/{id}'));

  it.each(routes.map((route) => [nameOf(route), route] as const))('%s', async (_, route) => {
    const { service, theirs, ours } = await newTenants();
    const before = await rowsOf(theirs.tenant.id);
    const ask = async (id: string) => {
      const { path, call } = callTo(route, { ...NO_NAMES, slug: ours.tenant.slug, id });
      return answerOf(await service.call(route.method, path, { headers: operatorHeaders, ...call }));
    };
    const answer = await ask(theirs.app.id);
    expect(answer.status).toBe(404);
    expect(answer).toEqual(await ask(UNKNOWN_APP));
    expect(await rowsOf(theirs.tenant.id)).toEqual(before);
  });
});

describe('what lists', () => {
  it('shows customers of the app’s tenant alone, whatever is looked for and wherever the page begins', async () => {
    const { service, theirs, ours } = await newTenants();
    service.clock.advance(1);
    const later = await newCustomer(service, theirs.app);
    const own = [ours.customer.cuid];
    const list = async (query: string) => (await listCustomers(service, ours.app, query)).map(({ cuid }) => cuid);
    expect(await list('')).toEqual(own);
    expect(await list(`?cursor=${later.cuid}`)).toEqual(own);
    expect(await list(`?q=${theirs.customer.email}`)).toEqual([]);
    expect(await list('?q=A%20company')).toEqual(own);
  });

  it('shows the operator the apps of the tenant alone that the path names', async () => {
    const { service, theirs, ours } = await newTenants();
    const path = `/operator/v1/tenants/${ours.tenant.slug}/apps`;
    for (const query of ['', `?cursor=${theirs.app.id.slice(0, 4)}${'z'.repeat(26)}`]) {
      const response = await service.call('GET', `${path}${query}`, { headers: operatorHeaders });
      const { items } = await response.json<{ items: { id: string }[] }>();
      expect(items.map(({ id }) => id)).toEqual([ours.app.id]);
    }
  });
});

describe('one address in two tenants', () => {
  const newTwins = async () => {
    const { service, theirs, ours } = await newTenants();
    const twin = await newCustomer(service, ours.app, { email: theirs.customer.email });
    return { service, theirs, ours: { ...ours, customer: twin }, email: theirs.customer.email };
  };

  it('is two customers', async () => {
    const { service, theirs, ours } = await newTwins();
    const before = await rowsOf(theirs.tenant.id);
    expect(ours.customer.cuid).not.toBe(theirs.customer.cuid);
    const headers = appHeaders(ours.app);
    await service.call('PATCH', `/customer/${ours.customer.cuid}`, { headers, body: { city: 'Ulm' } });
    await service.call('GET', `/customer/${ours.customer.email}/auth/nopasscode`, { headers });
    await service.call('GET', `/customer/${ours.customer.email}/sso`, { headers });
    await service.call('DELETE', `/customer/${ours.customer.cuid}`, { headers });
    expect(await rowsOf(theirs.tenant.id)).toEqual(before);
  });

  it('has a passcode in the one tenant that is none in the other', async () => {
    const { service, theirs, ours, email } = await newTwins();
    const passcode = await mailPasscode(service, theirs.app, email);
    const path = `/customer/${email}/auth?passcode=${passcode}`;
    const refused = await service.call('GET', path, { headers: appHeaders(ours.app) });
    expect(await refusalOf(refused)).toMatchObject({ status: 401, code: 'invalid_passcode' });
    expect((await service.call('GET', path, { headers: appHeaders(theirs.app) })).status).toBe(200);
  });

  it('is locked in the one tenant by wrong codes, and not in the other', async () => {
    const { service, theirs, ours, email } = await newTwins();
    const passcode = await mailPasscode(service, theirs.app, email);
    const redeem = (app: typeof ours.app, code: string) =>
      service.call('GET', `/customer/${email}/auth?passcode=${code}`, { headers: appHeaders(app) });
    for (const wrong of wrongCodes(passcode, 20)) await redeem(ours.app, wrong);
    expect((await redeem(ours.app, '000000')).status).toBe(429);
    expect((await redeem(theirs.app, passcode)).status).toBe(200);
  });
});

describe('one Idempotency-Key in two tenants', () => {
  it('has two answers', async () => {
    const { service, theirs, ours } = await newTenants();
    const create = async (app: typeof ours.app) => {
      const headers = { ...appHeaders(app), 'Idempotency-Key': 'order-1' };
      const body = { company: 'Ordered', email: 'ordered@example.com' };
      const response = await service.call('POST', '/customer', { headers, body });
      expect(response.status).toBe(201);
      return response.json<{ cuid: string }>();
    };
    const [first, second] = [await create(theirs.app), await create(ours.app)];
    expect(first.cuid).not.toBe(second.cuid);
    expect([await create(theirs.app), await create(ours.app)]).toEqual([first, second]);
    expect(await readCustomer(service, theirs.app, first.cuid)).toMatchObject({ company: 'Ordered' });
    expect(await readCustomer(service, ours.app, second.cuid)).toMatchObject({ company: 'Ordered' });
  });
});
