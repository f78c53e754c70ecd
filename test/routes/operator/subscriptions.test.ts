import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, newPerson, newSignedInWorld, signIn } from '../../support/accounts.ts';
import { breakable } from '../../support/bindings.ts';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import { newTenant, operatorHeaders, refusalOf, type TestTenant, uniqueName } from '../../support/tenants.ts';

type Subscription = { id: string; name: string };
type Page = { items: Subscription[]; next: string | null };
type Problem = { code: string; errors: { path: string; code: string }[] };
type CustomerSubscription = Subscription & { subscribed_at: string };

const pathOf = ({ slug }: Pick<TestTenant, 'slug'>, rest = ''): string =>
  `/operator/v1/tenants/${slug}/subscriptions${rest}`;

const call = (service: Service, method: string, path: string, body?: unknown): Promise<Response> =>
  service.call(method, path, { headers: operatorHeaders, body });

const put = (service: Service, tenant: TestTenant, id: string, name: string) =>
  call(service, 'PUT', pathOf(tenant, `/${id}`), { name });

const offer = async (service: Service, tenant: TestTenant, ...ids: string[]): Promise<void> => {
  for (const id of ids) expect((await put(service, tenant, id, `About ${id}`)).status).toBe(201);
};

const list = async (service: Service, tenant: TestTenant, query = ''): Promise<Page> => {
  const response = await call(service, 'GET', pathOf(tenant, query));
  expect(response.status).toBe(200);
  return response.json<Page>();
};

/** What the account of the token has, after it was asked to have these, if any are given. */
const subscribed = async (service: Service, tenant: TestTenant, token: string, ids?: string[]) => {
  const path = `${tenant.host}/customers/self`;
  const headers = bearerHeaders(token);
  const response = ids
    ? await service.call('PATCH', path, { headers, body: { subscriptions: ids } })
    : await service.call('GET', path, { headers });
  expect(response.status).toBe(200);
  return (await response.json<{ subscriptions: CustomerSubscription[] }>()).subscriptions;
};

describe('PUT /operator/v1/tenants/{slug}/subscriptions/{id}', () => {
  it('offers a subscription, which customers can have from then on', async () => {
    const service = createService();
    const { tenant, token } = await newSignedInWorld(service);
    const id = uniqueName('news');
    const response = await put(service, tenant, id, '  Mühlen & Söhne  ');
    expect(response.status).toBe(201);
    const offered = { id, name: 'Mühlen & Söhne' };
    expect(await response.json()).toEqual(offered);
    expect(await list(service, tenant)).toEqual({ items: [offered], next: null });
    expect(await (await call(service, 'GET', pathOf(tenant, `/${id}`))).json()).toEqual(offered);
    const subscribed_at = new Date(service.clock.now()).toISOString();
    expect(await subscribed(service, tenant, token, [id])).toEqual([{ ...offered, subscribed_at }]);
    expect(await eventsAbout(id)).toEqual([{ type: 'subscription.updated', actor: 'operator' }]);
  });

  it('says the same when it is repeated, at once too, and offers nothing twice', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const answers = await Promise.all(Array.from({ length: 5 }, () => put(service, tenant, 'news', 'News')));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 201]);
    for (const answer of answers) expect(await answer.json()).toEqual({ id: 'news', name: 'News' });
    service.clock.advance(1);
    expect((await put(service, tenant, 'news', 'News')).status).toBe(200);
    expect((await list(service, tenant)).items).toEqual([{ id: 'news', name: 'News' }]);
  });

  it('gives it another name, which customers that have it are shown', async () => {
    const service = createService();
    const { tenant, token } = await newSignedInWorld(service);
    const [id, other] = [uniqueName('a'), uniqueName('b')];
    await offer(service, tenant, id, other);
    const [had, otherHad] = await subscribed(service, tenant, token, [id, other]);
    service.clock.advance(10);
    const renamed = await put(service, tenant, id, 'Novelties');
    expect(renamed.status).toBe(200);
    expect(await renamed.json()).toEqual({ id, name: 'Novelties' });
    expect(await subscribed(service, tenant, token)).toEqual([{ ...had, name: 'Novelties' }, otherHad]);
    const told = { type: 'subscription.updated', actor: 'operator' };
    expect([await eventsAbout(id), await eventsAbout(other)]).toEqual([[told, told], [told]]);
  });

  it.each(['a', '0', 'News', 'a.b_c-d', '..a', 'x'.repeat(100)])('takes the id %j', async (id) => {
    const service = createService();
    const tenant = await newTenant(service);
    expect((await put(service, tenant, id, 'News')).status).toBe(201);
    expect((await list(service, tenant)).items).toEqual([{ id, name: 'News' }]);
  });

  it.each(['a%20b', '%20', 'a%2Fb', 'n%C3%A4he', 'a%00', 'a%0A', 'a%3Ab', 'x'.repeat(101)])(
    'refuses the id %j, and offers nothing',
    async (id) => {
      const service = createService();
      const tenant = await newTenant(service);
      const response = await put(service, tenant, id, 'News');
      expect(response.status).toBe(400);
      const { code, errors } = await response.json<Problem>();
      expect([code, errors.map(({ path }) => path)]).toEqual(['validation_failed', ['id']]);
      expect((await list(service, tenant)).items).toEqual([]);
    },
  );

  it.each<[string, unknown, string]>([
    ['without a name', {}, 'name'],
    ['with an empty name', { name: '' }, 'name'],
    ['with a name of spaces', { name: '   ' }, 'name'],
    ['with null for a name', { name: null }, 'name'],
    ['with a number for a name', { name: 7 }, 'name'],
    ['with a name of 101 characters', { name: 'x'.repeat(101) }, 'name'],
    ['with a line break in its name', { name: 'a\nb' }, 'name'],
    ['with its id in the body', { name: 'News', id: 'other' }, 'id'],
    ['with a member that there is not', { name: 'News', price: 1 }, 'price'],
  ])('refuses a subscription %s, and changes none', async (_, body, path) => {
    const service = createService();
    const tenant = await newTenant(service);
    await offer(service, tenant, 'news');
    const before = await rowsOf(tenant.id);
    for (const id of ['news', 'sales']) {
      const response = await call(service, 'PUT', pathOf(tenant, `/${id}`), body);
      expect(response.status).toBe(400);
      const { code, errors } = await response.json<Problem>();
      expect([code, errors.map((each) => each.path)]).toEqual(['validation_failed', [path]]);
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
  });
});

describe('GET /operator/v1/tenants/{slug}/subscriptions', () => {
  it('lists them by id, page by page', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    await offer(service, tenant, 'c', 'a', 'e', 'b', 'd');
    const pages: string[][] = [];
    let cursor: string | null = '';
    while (cursor !== null && pages.length < 4) {
      const page: Page = await list(service, tenant, `?limit=2${cursor && `&cursor=${cursor}`}`);
      pages.push(page.items.map(({ id }) => id));
      cursor = page.next;
    }
    expect(pages).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    expect((await list(service, tenant)).items.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect((await list(service, tenant, '?limit=5')).next).toBeNull();
  });

  it('gives an empty page where nothing is offered', async () => {
    const service = createService();
    expect(await list(service, await newTenant(service))).toEqual({ items: [], next: null });
  });

  it.each(['?limit=0', '?limit=1001', '?limit=x', '?limit=', '?cursor=', '?cursor=a%20b'])(
    'refuses %s',
    async (query) => {
      const service = createService();
      const response = await call(service, 'GET', pathOf(await newTenant(service), query));
      expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'validation_failed' });
    },
  );
});

describe('DELETE /operator/v1/tenants/{slug}/subscriptions/{id}', () => {
  it('takes it back, from every customer that has it, and leaves the others', async () => {
    const service = createService();
    const { tenant, app, token } = await newSignedInWorld(service);
    const second = await signIn(service, tenant, await newPerson(service, tenant, app));
    const [id, other] = [uniqueName('a'), uniqueName('b')];
    await offer(service, tenant, id, other);
    const [, kept] = await subscribed(service, tenant, token, [id, other]);
    await subscribed(service, tenant, second, [id]);

    const response = await call(service, 'DELETE', pathOf(tenant, `/${id}`));
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(await subscribed(service, tenant, token)).toEqual([kept]);
    expect(await subscribed(service, tenant, second)).toEqual([]);
    expect((await list(service, tenant)).items.map((each) => each.id)).toEqual([other]);
    expect(await eventsAbout(id)).toEqual([
      { type: 'subscription.updated', actor: 'operator' },
      { type: 'subscription.deleted', actor: 'operator' },
    ]);
    const body = { subscriptions: [id] };
    const again = await service.call('PATCH', `${tenant.host}/customers/self`, { headers: bearerHeaders(token), body });
    expect(await refusalOf(again)).toMatchObject({ status: 400, code: 'validation_failed' });
  });

  it('does not give it back to those who had it when it is offered anew', async () => {
    const service = createService();
    const { tenant, token } = await newSignedInWorld(service);
    await offer(service, tenant, 'news');
    await subscribed(service, tenant, token, ['news']);
    expect((await call(service, 'DELETE', pathOf(tenant, '/news'))).status).toBe(204);
    await offer(service, tenant, 'news');
    expect(await subscribed(service, tenant, token)).toEqual([]);
  });
});

describe('a subscription', () => {
  it.each([
    ['GET', 'unknown'],
    ['DELETE', 'unknown'],
    ['GET', 'a%20b'],
    ['DELETE', 'NEWS'],
  ])('that is not offered is not found by %s …/%s', async (method, id) => {
    const service = createService();
    const tenant = await newTenant(service);
    await offer(service, tenant, 'news');
    const before = await rowsOf(tenant.id);
    const response = await call(service, method, pathOf(tenant, `/${id}`));
    expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'subscription_not_found' });
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it.each(['GET', 'PUT', 'DELETE'])('of a name that cannot be decoded is refused by %s', async (method) => {
    const service = createService();
    const body = method === 'PUT' ? { name: 'News' } : undefined;
    const response = await call(service, method, pathOf(await newTenant(service), '/%E0%A4%A'), body);
    expect(response.status).toBe(400);
  });

  it.each([
    ['PUT', '/news', { name: 'News' }],
    ['GET', '', undefined],
    ['GET', '/news', undefined],
    ['DELETE', '/news', undefined],
  ])('of no tenant is not found by %s …/subscriptions%s', async (method, rest, body) => {
    for (const slug of [uniqueName('nobody'), 'NOBODY', 'x']) {
      const response = await call(createService(), method, pathOf({ slug }, rest), body);
      expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'tenant_not_found' });
    }
  });

  it.each([
    ['PUT', '/news', { name: 'Novelties' }],
    ['GET', '', undefined],
    ['GET', '/news', undefined],
    ['DELETE', '/news', undefined],
  ])('is the operator’s alone: %s …/subscriptions%s', async (method, rest, body) => {
    const service = createService();
    const { tenant, token } = await newSignedInWorld(service);
    await offer(service, tenant, 'news');
    const before = await rowsOf(tenant.id);
    for (const headers of [{}, bearerHeaders('wrong'), bearerHeaders(token)]) {
      const response = await service.call(method, pathOf(tenant, rest), { headers, body });
      expect(await refusalOf(response)).toMatchObject({ status: 401, code: 'unauthenticated' });
      expect(response.headers.get('WWW-Authenticate')).toBe('Bearer');
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it.each([
    ['PUT', { name: 'Novelties' }],
    ['DELETE', undefined],
  ])('is not changed by half by %s when the database fails', async (method, body) => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const { tenant, token } = await newSignedInWorld(service);
    await offer(service, tenant, 'news');
    await subscribed(service, tenant, token, ['news']);
    const before = await rowsOf(tenant.id);
    storage.failWhen((operation) => (operation === 'D1 batch' ? 'before' : null));
    const refused = await call(service, method, pathOf(tenant, '/news'), body);
    expect(await refusalOf(refused)).toMatchObject({ status: 503, code: 'storage_unavailable' });
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('is the operator’s to change also while its tenant is disabled', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const body = { name: 'Closed', status: 'disabled' };
    expect((await call(service, 'PUT', `/operator/v1/tenants/${tenant.slug}`, body)).status).toBe(200);
    await offer(service, tenant, 'news');
    expect((await call(service, 'GET', pathOf(tenant, '/news'))).status).toBe(200);
    expect((await call(service, 'DELETE', pathOf(tenant, '/news'))).status).toBe(204);
  });
});
