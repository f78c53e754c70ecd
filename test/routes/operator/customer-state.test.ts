import { describe, expect, it } from 'vitest';
import { newMember, newPerson, readSelf, signIn } from '../../support/accounts.ts';
import { UNKNOWN_CUID } from '../../support/customers.ts';
import { callAsOperator, changeCustomer, customersOf, type OperatedCustomer } from '../../support/operator.ts';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import { appHeaders, customerHeaders, newWorld, refusalOf, uniqueEmail } from '../../support/tenants.ts';

type Problem = { code: string; errors: { path: string; code: string }[] };

type Member = Awaited<ReturnType<typeof newMember>>;

/** The ways in that a customer has, and what bars them. Its token, alone or with its key, is dead for good. */
const WAYS_IN: readonly [string, (service: Service, member: Member) => Promise<Response>, Record<string, unknown>][] = [
  [
    'its password',
    (service, { tenant, person: { email, password } }) =>
      service.call('POST', `${tenant.host}/customers/login`, { body: { email, password } }),
    { status: 401, code: 'invalid_credentials' },
  ],
  [
    'its key pair',
    (service, { pair }) => service.call('GET', `/customer/${pair.cuid}`, { headers: customerHeaders(pair) }),
    { status: 401, code: 'api_access_denied' },
  ],
  [
    'an app that renews its pair',
    (service, { app, person }) =>
      service.call('GET', `/customer/${person.email}/auth/nopasscode`, { headers: appHeaders(app) }),
    { status: 401, code: 'api_access_denied' },
  ],
  [
    'an app that signs it in',
    (service, { app, person }) => service.call('GET', `/customer/${person.email}/sso`, { headers: appHeaders(app) }),
    { status: 401, code: 'api_access_denied' },
  ],
];

describe('PATCH /operator/v1/tenants/{slug}/customers/{cuid}', () => {
  it.each(WAYS_IN)(
    'closes %s to a customer that is disabled, and opens it when it is enabled',
    async (_, come, bar) => {
      const service = createService();
      const member = await newMember(service);
      expect((await come(service, member)).status).toBeLessThan(400);
      await changeCustomer(service, member.tenant, member.person.cuid, { status: 'disabled' });
      expect(await refusalOf(await come(service, member))).toMatchObject(bar);
      await changeCustomer(service, member.tenant, member.person.cuid, { status: 'active' });
      service.clock.advance(1);
      expect((await come(service, member)).status).toBeLessThan(400);
    },
  );

  it('ends the tokens of a customer that is disabled for good, alone or beside its key', async () => {
    const service = createService();
    const member = await newMember(service);
    const { tenant, person, token, pair } = member;
    const withKey = () =>
      service.call('GET', `/customer/${person.cuid}`, { headers: customerHeaders({ ...pair, token }) });
    expect([(await readSelf(service, member.tenant, token)).status, (await withKey()).status]).toEqual([200, 200]);
    for (const status of ['disabled', 'active']) {
      await changeCustomer(service, tenant, person.cuid, { status });
      service.clock.advance(1);
      const alone = await refusalOf(await readSelf(service, member.tenant, token));
      expect([status, alone]).toMatchObject([status, { status: 401, code: 'unauthenticated' }]);
      const beside = await refusalOf(await withKey());
      expect([status, beside]).toMatchObject([status, { status: 403, code: 'invalid_token' }]);
    }
    expect((await readSelf(service, member.tenant, await signIn(service, tenant, person))).status).toBe(200);
  });

  it('does not tell a disabled customer from nobody when it signs in', async () => {
    const service = createService();
    const { tenant, person } = await newMember(service);
    await changeCustomer(service, tenant, person.cuid, { status: 'disabled' });
    const login = async (email: string) =>
      refusalOf(
        await service.call('POST', `${tenant.host}/customers/login`, { body: { email, password: person.password } }),
      );
    expect(await login(person.email)).toEqual(await login(uniqueEmail()));
  });

  it.each([{ status: 'active' }, { api_access: false }, { api_access: true }, {}])(
    'ends no token by %j, and none of another customer by any change',
    async (body) => {
      const service = createService();
      const member = await newMember(service);
      const { tenant, app, person, token } = member;
      const neighbour = await newPerson(service, tenant, app);
      await changeCustomer(service, tenant, person.cuid, body);
      await changeCustomer(service, tenant, neighbour.cuid, { status: 'disabled', api_access: false });
      service.clock.advance(1);
      expect((await readSelf(service, member.tenant, token)).status).toBe(200);
      expect((await service.call('GET', `/customer/${person.cuid}`, { headers: appHeaders(app) })).status).toBe(
        body.api_access === false ? 401 : 200,
      );
    },
  );

  it('takes the API away and gives it back, without touching the password', async () => {
    const service = createService();
    const member = await newMember(service);
    const { tenant, app, person, pair } = member;
    const asked = [
      () => service.call('GET', `/customer/${person.cuid}`, { headers: customerHeaders(pair) }),
      () => service.call('GET', `/customer/${person.cuid}`, { headers: appHeaders(app) }),
      () => service.call('GET', `/customer/${person.cuid}/auth`, { headers: appHeaders(app) }),
    ];
    expect(await changeCustomer(service, tenant, person.cuid, { api_access: false })).toMatchObject({
      status: 'active',
      api_access: false,
    });
    for (const ask of asked) {
      expect(await refusalOf(await ask())).toMatchObject({ status: 401, code: 'api_access_denied' });
    }
    expect((await readSelf(service, member.tenant, await signIn(service, tenant, person))).status).toBe(200);
    await changeCustomer(service, tenant, person.cuid, { api_access: true });
    for (const ask of asked) expect((await ask()).status).toBe(200);
  });

  it('changes what is named, leaves the rest, and tells of it in the log', async () => {
    const service = createService();
    const { tenant, customer } = await newWorld(service);
    const before = await (
      await callAsOperator(service, 'GET', customersOf(tenant, `/${customer.cuid}`))
    ).json<OperatedCustomer>();
    service.clock.advance(10);
    const changed = await changeCustomer(service, tenant, customer.cuid, { status: 'disabled' });
    const updated_at = new Date(service.clock.now()).toISOString();
    expect(changed).toEqual({ ...before, status: 'disabled', updated_at });
    expect(await (await callAsOperator(service, 'GET', customersOf(tenant, `/${customer.cuid}`))).json()).toEqual(
      changed,
    );
    service.clock.advance(10);
    const both = await changeCustomer(service, tenant, customer.cuid, { status: 'active', api_access: false });
    expect(both).toMatchObject({ status: 'active', api_access: false });
    const told = { type: 'customer.updated', actor: 'operator' };
    expect((await eventsAbout(customer.cuid)).slice(1)).toEqual([told, told]);
    expect(JSON.stringify((await rowsOf(tenant.id)).events)).not.toContain(customer.email);
  });

  it.each([
    [{}, {}],
    [{}, { status: 'active' }],
    [{}, { api_access: true }],
    [{ status: 'disabled' }, { status: 'disabled' }],
    [
      { status: 'disabled', api_access: false },
      { status: 'disabled', api_access: false },
    ],
  ])('after %j, changes nothing by %j, and answers with what is', async (before, body) => {
    const service = createService();
    const { tenant, customer } = await newWorld(service);
    const changed = await changeCustomer(service, tenant, customer.cuid, before);
    const rows = await rowsOf(tenant.id);
    service.clock.advance(10);
    expect(await changeCustomer(service, tenant, customer.cuid, body)).toEqual(changed);
    expect(await rowsOf(tenant.id)).toEqual(rows);
  });

  it.each<[unknown, string]>([
    [{ status: 'gone' }, 'status'],
    [{ status: null }, 'status'],
    [{ status: 'Disabled' }, 'status'],
    [{ api_access: 'false' }, 'api_access'],
    [{ api_access: null }, 'api_access'],
    [{ api_access: 0 }, 'api_access'],
    [{ status: 'disabled', name: 'Eve' }, 'name'],
    [{ status: 'disabled', email: 'eve@example.com' }, 'email'],
    [{ status: 'disabled', id: UNKNOWN_CUID }, 'id'],
    [{ status: 'disabled', password: 'correct horse battery' }, 'password'],
    [{ status: 'disabled', tenant_id: 'ten_x' }, 'tenant_id'],
  ])('refuses %j, and changes nothing', async (body, path) => {
    const service = createService();
    const { tenant, customer } = await newWorld(service);
    const before = await rowsOf(tenant.id);
    const response = await callAsOperator(service, 'PATCH', customersOf(tenant, `/${customer.cuid}`), body);
    expect(response.status).toBe(400);
    const { code, errors } = await response.json<Problem>();
    expect([code, errors.map((each) => each.path)]).toEqual(['validation_failed', [path]]);
    expect(await rowsOf(tenant.id)).toEqual(before);
  });
});
