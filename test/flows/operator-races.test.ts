import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders } from '../support/accounts.ts';
import { overtakable } from '../support/bindings.ts';
import { NAMED_MAKERS } from '../support/named.ts';
import { callAsOperator, customersOf, offerSubscriptions } from '../support/operator.ts';
import { rowsOf } from '../support/rows.ts';
import { createService } from '../support/service.ts';
import { AWS_USER, newColleague, newOwnerWorld, PHONE_TYPE } from '../support/signups.ts';
import { appHeaders, newApp, newTenant, refusalOf } from '../support/tenants.ts';

const MAKERS: typeof NAMED_MAKERS = { ...NAMED_MAKERS, subscriptions: offerSubscriptions };

/** A tenant with an app and a customer that has two users, and what is done with them. */
const newPeopledWorld = async (service = createService()) => {
  const world = await newOwnerWorld(service);
  const { tenant, owner } = world;
  const colleague = await newColleague(service, tenant, owner);
  const app = await newApp(service, tenant, { permissions: ['all_customers'] });
  const path = { customer: customersOf(tenant, `/${owner.customerId}`), app: appPathOf(tenant, app) };
  const operate = (method: string, url: string, body?: unknown) => callAsOperator(service, method, url, body);
  const callAsApp = (method: string, body?: unknown) =>
    service.call(method, `/customer/${owner.customerId}`, { headers: appHeaders(app), body });
  const callAsItself = (method: string, body?: unknown) =>
    service.call(method, `${tenant.host}/customers/self`, { headers: bearerHeaders(owner.token), body });
  return { ...world, colleague, path, operate, callAsApp, callAsItself };
};

const appPathOf = ({ slug }: { slug: string }, { id }: { id: string }) => `/operator/v1/tenants/${slug}/apps/${id}`;

type World = Awaited<ReturnType<typeof newPeopledWorld>>;
type Call = (world: World) => Promise<Response>;

const atOnce = (count: number, work: () => Promise<Response>): Promise<Response[]> =>
  Promise.all(Array.from({ length: count }, work));

const statusesOf = (responses: readonly Response[]): number[] => responses.map(({ status }) => status).toSorted();

const eventsOf = async (tenantId: string, type: string) =>
  (await rowsOf(tenantId)).events?.filter((event) => event.type === type);

const removeApp = ({ operate, path }: World) => operate('DELETE', path.app);
const removeCustomer = ({ operate, path }: World) => operate('DELETE', path.customer);
const removeUser = ({ call, colleague }: World) => call('DELETE', `/users/${colleague.id}`);

/** What is removed by whom, and the answers to the first and to the others. */
const REMOVALS: readonly [string, Call, string, number, number][] = [
  ['app by the operator', removeApp, 'app.deleted', 204, 404],
  ['customer by the operator', removeCustomer, 'customer.deleted', 204, 404],
  ['customer by an app', ({ callAsApp }) => callAsApp('DELETE'), 'customer.deleted', 204, 404],
  ['customer by itself', ({ callAsItself }) => callAsItself('DELETE'), 'customer.deleted', 200, 401],
  ['user by its owner', removeUser, 'user.deleted', 204, 404],
];

describe('simultaneous removals', () => {
  it.each(Object.entries(MAKERS))(
    'of one of the %s, 20 of them, remove it once and tell of it once',
    async (noun, make) => {
      const service = createService();
      const tenant = await newTenant(service);
      await make(service, tenant, 'ours');
      const path = `/operator/v1/tenants/${tenant.slug}/${noun}/ours`;
      const responses = await atOnce(20, () => callAsOperator(service, 'DELETE', path));
      expect(statusesOf(responses)).toEqual([204, ...Array<number>(19).fill(404)]);
      expect(await eventsOf(tenant.id, `${noun.slice(0, -1)}.deleted`)).toHaveLength(1);
    },
  );

  it.each(REMOVALS)(
    'of one %s, 20 of them, remove it once and tell of it once',
    async (_, remove, type, done, gone) => {
      const world = await newPeopledWorld();
      const responses = await atOnce(20, () => remove(world));
      expect(statusesOf(responses)).toEqual([done, ...Array<number>(19).fill(gone)]);
      expect(await eventsOf(world.tenant.id, type)).toHaveLength(1);
    },
  );

  it('of one customer by everybody who may, remove it once and tell of it once', async () => {
    const { tenant, path, operate, callAsApp, callAsItself } = await newPeopledWorld();
    const removals = [() => operate('DELETE', path.customer), () => callAsApp('DELETE'), () => callAsItself('DELETE')];
    const responses = (await Promise.all(removals.map((remove) => atOnce(7, remove)))).flat();
    expect(responses.filter(({ ok }) => ok)).toHaveLength(1);
    expect(responses.filter(({ status }) => status === 404 || status === 401)).toHaveLength(20);
    expect(await eventsOf(tenant.id, 'customer.deleted')).toHaveLength(1);
  });

  it('of one tenant, 20 of them, remove it once and leave the fact in the log', async () => {
    const { tenant, operate } = await newPeopledWorld();
    const path = `/operator/v1/tenants/${tenant.slug}?confirm=${tenant.slug}`;
    const responses = await atOnce(20, () => operate('DELETE', path));
    expect(statusesOf(responses)).toEqual([204, ...Array<number>(19).fill(404)]);
    const { events = [], ...others } = await rowsOf(tenant.id);
    expect(events.map(({ type }) => type)).toEqual(['tenant.deleted']);
    expect(Object.values(others).flat()).toEqual([]);
  });

  it.each([1, 2, 3])(
    'of one tenant, of which one is done before batch %i of the other, leave the fact',
    async (batch) => {
      const storage = overtakable(env);
      const { tenant, operate } = await newPeopledWorld(createService(storage.bindings));
      const path = `/operator/v1/tenants/${tenant.slug}?confirm=${tenant.slug}`;
      let left: unknown = null;
      storage.overtake('D1 batch', batch, async () => {
        expect((await operate('DELETE', path)).status).toBe(204);
        left = await rowsOf(tenant.id);
      });
      expect(await refusalOf(await operate('DELETE', path))).toMatchObject({ status: 404, code: 'tenant_not_found' });
      expect(left).toMatchObject({ events: [{ type: 'tenant.deleted' }] });
      expect(await rowsOf(tenant.id)).toEqual(left);
    },
  );
});

const USER_CHANGES = {
  first_name: 'Carl',
  phones: [{ phone_number: '+44 20 7946 0000', phone_type: PHONE_TYPE.work }],
  aws_user: AWS_USER,
};

/** What is changed by whom, in which batch, what removes it before that, and the refusal. */
const CHANGES: readonly [string, Call, number, Call, string][] = [
  [
    'a customer by the operator',
    ({ operate, path }) => operate('PATCH', path.customer, { status: 'disabled' }),
    1,
    removeCustomer,
    'customer_not_found',
  ],
  [
    'a customer by an app',
    ({ callAsApp }) => callAsApp('PATCH', { city: 'Ulm' }),
    2,
    removeCustomer,
    'customer_not_found',
  ],
  [
    'a customer by itself',
    ({ callAsItself }) => callAsItself('PATCH', { name: 'Grace' }),
    2,
    removeCustomer,
    'unauthenticated',
  ],
  [
    'a user by its owner',
    ({ call, colleague }) => call('PATCH', `/users/${colleague.id}`, USER_CHANGES),
    2,
    removeUser,
    'user_not_found',
  ],
  ['an app', ({ operate, path }) => operate('PATCH', path.app, { name: 'Changed' }), 1, removeApp, 'app_not_found'],
  [
    'the pair of an app',
    ({ operate, path }) => operate('POST', `${path.app}/rotate`, {}),
    1,
    removeApp,
    'app_not_found',
  ],
];

describe('a change that a removal overtakes', () => {
  it.each(CHANGES)(
    'of %s finds nothing, changes nothing and is not told of',
    async (_, change, batch, remove, code) => {
      const storage = overtakable(env);
      const world = await newPeopledWorld(createService(storage.bindings));
      let left: unknown = null;
      storage.overtake('D1 batch', batch, async () => {
        expect((await remove(world)).status).toBe(204);
        left = await rowsOf(world.tenant.id);
      });
      expect(await refusalOf(await change(world))).toMatchObject({ code });
      expect(left).not.toBeNull();
      expect(await rowsOf(world.tenant.id)).toEqual(left);
    },
  );

  it('of a tenant makes it anew, and leaves nothing to the one before', async () => {
    const storage = overtakable(env);
    const { tenant, operate } = await newPeopledWorld(createService(storage.bindings));
    const path = `/operator/v1/tenants/${tenant.slug}`;
    storage.overtake('D1 batch', 1, async () => {
      expect((await operate('DELETE', `${path}?confirm=${tenant.slug}`)).status).toBe(204);
    });
    const domains = [`${tenant.slug}.example.com`];
    expect((await operate('PUT', path, { name: 'Anew', domains })).status).toBe(201);
    expect(await rowsOf(tenant.id)).toMatchObject({ events: [{ type: 'tenant.deleted' }], tenant_domains: [] });
    expect(await (await operate('GET', path)).json()).toMatchObject({ name: 'Anew', domains });
  });
});

describe('a change that another overtakes', () => {
  it('of an app leaves what the other gave it and took from it', async () => {
    const storage = overtakable(env);
    const { path, operate } = await newPeopledWorld(createService(storage.bindings));
    const others = {
      permissions: ['passcode'],
      platforms: [{ name: 'shop', url: 'https://shop.example.com' }],
      query_credentials: false,
    };
    storage.overtake('D1 batch', 1, async () => {
      expect((await operate('PATCH', path.app, others)).status).toBe(200);
    });
    const changed = await operate('PATCH', path.app, { name: 'Changed' });
    expect(changed.status).toBe(200);
    expect(await changed.json()).toMatchObject({ name: 'Changed', ...others });
    expect(await storedApp(path.app)).toMatchObject({ name: 'Changed', sees_all_customers: 0 });
    expect((await operate('PATCH', path.app, { permissions: ['all_customers'] })).status).toBe(200);
    expect(await storedApp(path.app)).toMatchObject({ name: 'Changed', sees_all_customers: 1 });
  });

  it.each([
    [{ first_name: 'Carl' }, { last_name: 'Gauss' }],
    [{ last_name: 'Gauss' }, { first_name: 'Carl' }],
  ])('of a user to %j leaves its %j', async (change, other) => {
    const storage = overtakable(env);
    const { call, colleague } = await newPeopledWorld(createService(storage.bindings));
    const path = `/users/${colleague.id}`;
    storage.overtake('D1 batch', 2, async () => {
      expect((await call('PATCH', path, other)).status).toBe(200);
    });
    const changed = await call('PATCH', path, change);
    expect(changed.status).toBe(200);
    expect(await changed.json()).toMatchObject({ first_name: 'Carl', last_name: 'Gauss' });
  });
});

const storedApp = (path: string) =>
  env.DB.prepare('select name, sees_all_customers from apps where id = ?').bind(path.split('/').at(-1)).first();
