import { describe, expect, it } from 'vitest';
import { bearerHeaders, linkIn, newPerson, newSignedInWorld, readSelf, signIn } from './support/accounts.ts';
import { answerOf } from './support/answers.ts';
import { connectOidc } from './support/connections.ts';
import { UNKNOWN_CUID } from './support/customers.ts';
import { lastMailTo, mailsTo } from './support/mailbox.ts';
import { callAsOperator, customersOf } from './support/operator.ts';
import { callTo, nameOf, routesWith, servedRoutes } from './support/routes.ts';
import { rowsOf } from './support/rows.ts';
import { createService, type Service } from './support/service.ts';
import { newApp, newCustomer, newTenant, refusalOf, type TestTenant, uniqueEmail } from './support/tenants.ts';
import { putFlow } from './support/upserts.ts';

const NEW_PASSWORD = 'another horse, another battery';

const resetCodeFor = async (service: Service, tenant: TestTenant, email: string): Promise<string> => {
  const body = { email, reset_uri: '/reset' };
  expect((await service.call('POST', `${tenant.host}/customers/password_reset`, { body })).status).toBe(200);
  const [, code = ''] = /\/reset\/([A-Z0-9]{10})\s/.exec((await lastMailTo(email)).text) ?? [];
  expect(code).toHaveLength(10);
  return code;
};

/** A tenant with a person who holds one of every secret that there is. */
const newHome = async (service: Service) => {
  const { tenant, app, person, token } = await newSignedInWorld(service);
  const newcomer = await newCustomer(service, app, { send_activation: true });
  const activation = linkIn(await lastMailTo(newcomer.email), 'activate');
  const resetCode = await resetCodeFor(service, tenant, person.email);
  const newEmail = uniqueEmail();
  service.clock.advance(31);
  const self = `${tenant.host}/customers/self`;
  const changed = await service.call('PATCH', self, { headers: bearerHeaders(token), body: { email: newEmail } });
  expect(changed.status).toBe(200);
  const confirmation = linkIn(await lastMailTo(newEmail), 'confirm-email');
  service.clock.advance(31);
  return { tenant, app, person, token, newcomer, activation, resetCode, newEmail, confirmation };
};

type Home = Awaited<ReturnType<typeof newHome>>;

type Ask = { headers?: Record<string, string>; body?: unknown };

/** What a route is asked: with what is good at home, and with what is good nowhere. */
type Asked = { own: (home: Home) => Ask; nobodys: (home: Home) => Ask; refusal: Record<string, unknown> };

const asSignedIn = (body?: Record<string, unknown>): Asked => ({
  own: ({ token }) => ({ headers: bearerHeaders(token), body }),
  nobodys: () => ({ headers: bearerHeaders('a.b.c'), body }),
  refusal: { status: 401, code: 'unauthenticated' },
});

const INVALID_CODE = { status: 400, code: 'invalid_or_expired_code' };
const UNKNOWN_USER = `usr_${'0'.repeat(26)}`;
const passwords = { password: NEW_PASSWORD, password_check: NEW_PASSWORD };

const ASKED: Readonly<Record<string, Asked>> = {
  'GET /customers/self': asSignedIn(),
  'PATCH /customers/self': asSignedIn({ name: 'Eve' }),
  'DELETE /customers/self': asSignedIn(),
  'GET /customers/self/export': asSignedIn(),
  'POST /customers/login': {
    own: ({ person: { email, password } }) => ({ body: { email, password } }),
    nobodys: ({ person: { password } }) => ({ body: { email: uniqueEmail(), password } }),
    refusal: { status: 401, code: 'invalid_credentials' },
  },
  'POST /customers/newemail_confirm': {
    own: ({ confirmation: { identifier, secret: key } }) => ({ body: { identifier, key } }),
    nobodys: () => ({ body: { identifier: UNKNOWN_USER, key: 'A'.repeat(16) } }),
    refusal: INVALID_CODE,
  },
  'POST /customers/do_reset': {
    own: ({ person: { email }, resetCode: code }) => ({ body: { email, code } }),
    nobodys: () => ({ body: { email: uniqueEmail(), code: 'A'.repeat(10) } }),
    refusal: INVALID_CODE,
  },
  'POST /customers/activate': {
    own: ({ activation: { identifier, secret } }) => ({ body: { identifier, secret, ...passwords } }),
    nobodys: () => ({ body: { identifier: UNKNOWN_USER, secret: 'A'.repeat(10), ...passwords } }),
    refusal: INVALID_CODE,
  },
  'POST /customers/password_reset': {
    own: ({ person: { email } }) => ({ body: { email, reset_uri: '/reset' } }),
    nobodys: () => ({ body: { email: uniqueEmail(), reset_uri: '/reset' } }),
    // The one call that has the same answer for everybody.
    refusal: { status: 200 },
  },
};

const names = Object.keys(ASKED);
const operatorRoutes = await routesWith('operator');

/** A home, a tenant where nothing of it is good, and a call of a route at a host. */
const newHomeAndAway = async (name: string) => {
  const service = createService();
  const home = await newHome(service);
  const away = await newTenant(service);
  const [method = '', path = ''] = name.split(' ');
  const send = (ask: Ask | undefined, host: string, at: Service = service) =>
    at.call(method, `${host}${path}`, { ...ask });
  return { service, home, away, send, asked: ASKED[name] };
};

/** A service whose bare host stands for a tenant, a while after the other. */
const newServiceFor = ({ clock }: Service, defaultTenant: string | undefined): Service => {
  const other = createService({ DEFAULT_TENANT: defaultTenant });
  other.clock.advance(Math.ceil((clock.now() - other.clock.now()) / 1000) + 31);
  return other;
};

const offer = async (service: Service, { slug }: TestTenant, id: string): Promise<void> => {
  const path = `/operator/v1/tenants/${slug}/subscriptions/${id}`;
  expect((await callAsOperator(service, 'PUT', path, { name: 'News' })).status).toBe(201);
};

const subscribe = (service: Service, { host }: TestTenant, token: string, id: string) =>
  service.call('PATCH', `${host}/customers/self`, { headers: bearerHeaders(token), body: { subscriptions: [id] } });

const BARE_HOST = 'http://localhost';
const OTHER_HOST = 'https://elsewhere.example.net';

describe('every route of the account surface', () => {
  it('is tried here', () => {
    expect(names.toSorted()).toEqual(servedRoutes('/customers'));
  });
});

describe('what is good in one tenant is in another as what is good nowhere', () => {
  it.each(names)('%s', async (name) => {
    const { home, away, send, asked } = await newHomeAndAway(name);
    const mailed = await mailsTo(home.person.email);
    const before = await rowsOf(home.tenant.id);
    const foreign = await answerOf(await send(asked?.own(home), away.host));
    expect(foreign.status).toBe(asked?.refusal.status);
    if (foreign.status !== 200) expect(JSON.parse(foreign.body)).toMatchObject({ ...asked?.refusal });
    expect(foreign).toEqual(await answerOf(await send(asked?.nobodys(home), away.host)));
    expect(await rowsOf(home.tenant.id)).toEqual(before);
    expect(await mailsTo(home.person.email)).toEqual(mailed);
    // Otherwise it would be refused for another reason.
    expect((await send(asked?.own(home), home.tenant.host)).status).toBe(200);
  });
});

describe('at a host that names no tenant', () => {
  it.each(names)('%s is the default tenant’s, and at a tenant’s host it is that one’s', async (name) => {
    const { service, home, away, send, asked } = await newHomeAndAway(name);
    const before = await rowsOf(home.tenant.id);
    const elsewhere = await send(asked?.own(home), BARE_HOST, newServiceFor(service, away.slug));
    expect(elsewhere.status).toBe(asked?.refusal.status);
    const at = newServiceFor(service, home.tenant.slug);
    at.clock.advance(31);
    expect((await send(asked?.own(home), away.host, at)).status).toBe(asked?.refusal.status);
    expect(await rowsOf(home.tenant.id)).toEqual(before);
    expect((await send(asked?.own(home), OTHER_HOST, at)).status).toBe(200);
  });

  it('nothing is there without a default tenant, or with one that there is not, or that is disabled', async () => {
    const service = createService();
    const home = await newHome(service);
    const before = await rowsOf(home.tenant.id);
    const closed = await newTenant(service, { status: 'disabled' });
    for (const defaultTenant of [undefined, 'nobodys', closed.slug]) {
      const at = newServiceFor(service, defaultTenant);
      for (const host of [BARE_HOST, OTHER_HOST]) await expectNoTenant(home, host, at);
    }
    expect(await rowsOf(home.tenant.id)).toEqual(before);
  });
});

describe('at a sub-domain that names no tenant', () => {
  it('nothing is there, whatever the default tenant is', async () => {
    const service = createService();
    const home = await newHome(service);
    await expectNoTenant(home, 'http://nobody.localhost', newServiceFor(service, home.tenant.slug));
  });
});

/** Fails unless every route answers at the host that there is no tenant. */
const expectNoTenant = async (home: Home, host: string, at: Service): Promise<void> => {
  for (const [name, { own }] of Object.entries(ASKED)) {
    const [method = '', path = ''] = name.split(' ');
    const refusal = await refusalOf(await at.call(method, `${host}${path}`, own(home)));
    expect([name, refusal]).toMatchObject([name, { status: 404, code: 'tenant_not_found' }]);
  }
};

describe('one address in two tenants', () => {
  /** Two people of one address, each signed in at home. */
  const newTwins = async () => {
    const service = createService();
    const theirs = await newSignedInWorld(service);
    const tenant = await newTenant(service);
    const app = await newApp(service, tenant);
    const { email } = theirs.person;
    const person = await newPerson(service, tenant, app, { email });
    return { service, theirs, ours: { tenant, app, person, token: await signIn(service, tenant, person) }, email };
  };

  const loginAt = (service: Service, { host }: TestTenant, email: string, password: string) =>
    service.call('POST', `${host}/customers/login`, { body: { email, password } });

  it('is two people, each with a password, a name, and an end of its own', async () => {
    const { service, theirs, ours, email } = await newTwins();
    expect(ours.person.cuid).not.toBe(theirs.person.cuid);
    expect(ours.person.userId).not.toBe(theirs.person.userId);
    for (const [tenant, password] of [
      [ours.tenant, theirs.person.password],
      [theirs.tenant, ours.person.password],
    ] as const) {
      const refused = await loginAt(service, tenant, email, password);
      expect(await refusalOf(refused)).toMatchObject({ status: 401, code: 'invalid_credentials' });
    }
    const before = await rowsOf(theirs.tenant.id);
    const headers = bearerHeaders(ours.token);
    const self = `${ours.tenant.host}/customers/self`;
    const { password: current_password } = ours.person;
    const body = { name: 'Eve', password: NEW_PASSWORD, current_password };
    expect((await service.call('PATCH', self, { headers, body })).status).toBe(200);
    service.clock.advance(1);
    const token = await signIn(service, ours.tenant, { email, password: NEW_PASSWORD });
    expect((await service.call('DELETE', self, { headers: bearerHeaders(token) })).status).toBe(200);
    expect(await rowsOf(theirs.tenant.id)).toEqual(before);
    const read = await readSelf(service, theirs.tenant, theirs.token);
    expect(await read.json()).toMatchObject({ id: theirs.person.cuid, email, name: null });
  });

  it('has a reset code in the one that is none in the other', async () => {
    const { service, theirs, ours, email } = await newTwins();
    const code = await resetCodeFor(service, theirs.tenant, email);
    const before = await rowsOf(ours.tenant.id);
    const reset = (host: string) => service.call('POST', `${host}/customers/do_reset`, { body: { email, code } });
    expect(await refusalOf(await reset(ours.tenant.host))).toMatchObject(INVALID_CODE);
    expect((await rowsOf(ours.tenant.id)).users).toEqual(before.users);
    expect((await readSelf(service, ours.tenant, ours.token)).status).toBe(200);
    expect((await reset(theirs.tenant.host)).status).toBe(200);
  });

  it('is locked in the one by wrong passwords, and not in the other', async () => {
    const { service, theirs, ours, email } = await newTwins();
    for (let count = 0; count < 10; count++) await loginAt(service, ours.tenant, email, 'wrong');
    expect((await loginAt(service, ours.tenant, email, ours.person.password)).status).toBe(429);
    expect((await loginAt(service, theirs.tenant, email, theirs.person.password)).status).toBe(200);
  });

  it('has a token in the one that signs nobody in to the other', async () => {
    const { service, theirs, ours } = await newTwins();
    for (const [tenant, token] of [
      [ours.tenant, theirs.token],
      [theirs.tenant, ours.token],
    ] as const) {
      expect((await readSelf(service, tenant, token)).status).toBe(401);
    }
  });

  it('can be changed to in the one while it is taken in the other', async () => {
    const { service, theirs, ours } = await newTwins();
    const other = await newPerson(service, theirs.tenant, theirs.app);
    const self = `${ours.tenant.host}/customers/self`;
    const headers = bearerHeaders(ours.token);
    expect((await service.call('PATCH', self, { headers, body: { email: other.email } })).status).toBe(200);
    const { identifier, secret: key } = linkIn(await lastMailTo(other.email), 'confirm-email');
    const body = { identifier, key };
    expect((await service.call('POST', `${ours.tenant.host}/customers/newemail_confirm`, { body })).status).toBe(200);
    expect(await (await readSelf(service, ours.tenant, ours.token)).json()).toMatchObject({ email: other.email });
  });
});

describe('what is of another tenant is for the operator as what there is not', () => {
  const isNamed = ({ method, template }: { method: string; template: string }) =>
    template.includes('{cuid}') ||
    (/(subscriptions|connections|providers|flows)\/\{/.test(template) && method !== 'PUT');
  const routes = operatorRoutes.filter(isNamed);

  it.each(routes.map((route) => [nameOf(route), route] as const))('%s', async (_, route) => {
    const service = createService();
    const { tenant, person } = await newSignedInWorld(service);
    const away = await newTenant(service);
    await offer(service, tenant, 'news');
    await connectOidc(service, tenant, 'https://idp.example.com', {}, 'news');
    await putFlow(service, tenant, 'news', [{ kind: 'send_activation' }]);
    const otp = { type: 'otp', signup: false, enabled: true };
    await callAsOperator(service, 'PUT', `/operator/v1/tenants/${tenant.slug}/providers/news`, otp);
    const before = await rowsOf(tenant.id);
    const ask = async (cuid: string, id: string) => {
      const { path, call } = callTo(route, { cuid, id, name: id, slug: away.slug, email: '', identifier: '' });
      return answerOf(await callAsOperator(service, route.method, path, call.body));
    };
    const foreign = await ask(person.cuid, 'news');
    expect(foreign.status).toBe(404);
    expect(foreign).toEqual(await ask(UNKNOWN_CUID, 'unknown'));
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('in its lists, whatever is looked for and wherever the page begins', async () => {
    const service = createService();
    const { tenant, person } = await newSignedInWorld(service);
    const away = await newTenant(service);
    await offer(service, tenant, 'news');
    const subscriptions = `/operator/v1/tenants/${away.slug}/subscriptions`;
    const latest = `cus_${'z'.repeat(26)}`;
    for (const path of [
      subscriptions,
      `${subscriptions}?cursor=a`,
      `/operator/v1/tenants/${away.slug}/connections`,
      `/operator/v1/tenants/${away.slug}/providers`,
      ...['', `?email=${person.email}`, `?q=${person.email}`, '?status=active', `?cursor=${latest}`].map((query) =>
        customersOf(away, query),
      ),
    ]) {
      expect(await (await callAsOperator(service, 'GET', path)).json()).toEqual({ items: [], next: null });
    }
    const found = await callAsOperator(service, 'GET', customersOf(tenant, `?email=${person.email}`));
    expect(await found.json()).toMatchObject({ items: [{ id: person.cuid }] });
  });
});

describe('one subscription in two tenants', () => {
  it('is two: what becomes of the one leaves the other, and who has it', async () => {
    const service = createService();
    const [ours, theirs] = [await newSignedInWorld(service), await newSignedInWorld(service)];
    for (const { tenant } of [ours, theirs]) await offer(service, tenant, 'news');
    for (const { tenant, token } of [ours, theirs]) {
      expect((await subscribe(service, tenant, token, 'news')).status).toBe(200);
    }
    const before = await rowsOf(theirs.tenant.id);
    const path = `/operator/v1/tenants/${ours.tenant.slug}/subscriptions/news`;
    expect((await callAsOperator(service, 'PUT', path, { name: 'Renamed' })).status).toBe(200);
    expect((await callAsOperator(service, 'DELETE', path)).status).toBe(204);
    expect(await rowsOf(theirs.tenant.id)).toEqual(before);
    // It is offered there, and not here.
    const refused = await subscribe(service, ours.tenant, ours.token, 'news');
    expect(await refusalOf(refused)).toMatchObject({ status: 400, code: 'validation_failed' });
  });
});
