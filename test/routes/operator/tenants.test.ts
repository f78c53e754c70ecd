import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, newPerson, signIn } from '../../support/accounts.ts';
import { breakable } from '../../support/bindings.ts';
import { connectOidc } from '../../support/connections.ts';
import { copyCustomer } from '../../support/customers.ts';
import { newBrowser, signInByCode } from '../../support/logins.ts';
import { mailPasscode } from '../../support/passcodes.ts';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import { AWS_USER, newCustomerBody, newUserBody, PHONE_TYPE } from '../../support/signups.ts';
import {
  appHeaders,
  newCustomer,
  newTenant,
  newWorld,
  operatorHeaders,
  refusalOf,
  uniqueName,
} from '../../support/tenants.ts';
import { createHeldQueue, putWebhook } from '../../support/webhooks.ts';

type TenantObject = { id: string; slug: string; name: string; created_at: string; updated_at: string };
type Page = { items: TenantObject[]; next: string | null };
type Problem = { code: string; errors: { path: string; code: string }[] };

const TENANTS = '/operator/v1/tenants';

const put = (service: Service, slug: string, body: unknown): Promise<Response> =>
  service.call('PUT', `${TENANTS}/${slug}`, { headers: operatorHeaders, body });

const get = (service: Service, slug: string): Promise<Response> =>
  service.call('GET', `${TENANTS}/${slug}`, { headers: operatorHeaders });

const remove = (service: Service, slug: string, query = `?confirm=${slug}`): Promise<Response> =>
  service.call('DELETE', `${TENANTS}/${slug}${query}`, { headers: operatorHeaders });

/** Every member of a tenant, none with its default. */
const newProfile = () => ({
  name: 'Mühlen & Söhne',
  status: 'active',
  domains: [`${uniqueName('accounts')}.example.com`, `${uniqueName('accounts')}.example.org`],
  site_url: 'https://shop.example.com',
  origins: ['https://shop.example.com', 'http://localhost:3000'],
  redirect_uris: ['https://shop.example.com/signed-in'],
  logout_uri: 'https://shop.example.com/bye',
  locale: 'de',
  branding: { logo_url: 'https://shop.example.com/logo.svg', primary_color: '#1f6feb' },
  settings: {
    rate_limits: {
      auth_per_ip_per_minute: 60,
      mail_interval_seconds: 10,
      mail_per_hour: 8,
      wrong_codes_per_hour: 12,
      password_failures: 5,
    },
    lifetimes: {
      access_token_login: 600,
      access_token_account: 3600,
      access_token_tenant: 7200,
      refresh_idle: 86_400,
      refresh_absolute: 172_800,
    },
    signing_alg: 'EdDSA',
    cors_origins: ['https://app.example.com'],
    challenge: 'always',
    attributes_schema: { type: 'object', properties: { shoeSize: { type: 'integer' } } },
    profile_defaults: { locale: 'de', address: { country: 'DE' }, shoeSize: 38 },
    reset_passphrase_lifetime: 3600,
    events_retention_days: 30,
  },
});

describe('PUT /operator/v1/tenants/{slug}', () => {
  it('makes a tenant, and tells all that is said of it', async () => {
    const service = createService();
    const [slug, profile] = [uniqueName('t'), newProfile()];
    const response = await put(service, slug, profile);
    expect(response.status).toBe(201);
    const made = await response.json<TenantObject>();
    const now = new Date(service.clock.now()).toISOString();
    expect(made).toMatchObject({ ...profile, slug, created_at: now, updated_at: now });
    expect(made.id).toMatch(/^ten_[0-9a-hjkmnp-tv-z]{26}$/);
    expect(await (await get(service, slug)).json()).toEqual(made);
    expect(await eventsAbout(made.id)).toEqual([{ type: 'tenant.created', actor: 'operator' }]);
  });

  it('takes a domain that is named twice as one, when it makes a tenant and later', async () => {
    const service = createService();
    const slug = uniqueName('t');
    const [one, other] = [`${slug}.example`, `${slug}.test`];
    const profile = { ...newProfile(), domains: [one, other.toUpperCase(), one.toUpperCase(), other] };
    for (const status of [201, 200]) {
      const response = await put(service, slug, profile);
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ domains: [one, other] });
      expect(await (await get(service, slug)).json()).toMatchObject({ domains: [one, other] });
    }
  });

  it('gives what is left out the defaults of the contract', async () => {
    const response = await put(createService(), uniqueName('t'), { name: 'Plain' });
    expect(await response.json()).toMatchObject({
      status: 'active',
      domains: [],
      site_url: null,
      origins: [],
      redirect_uris: [],
      logout_uri: null,
      locale: 'en',
      branding: { logo_url: null, primary_color: null },
      settings: {
        rate_limits: {
          auth_per_ip_per_minute: 30,
          mail_interval_seconds: 30,
          mail_per_hour: 5,
          wrong_codes_per_hour: 20,
          password_failures: 10,
        },
        lifetimes: {
          access_token_login: 15 * 60,
          access_token_account: 24 * 3600,
          access_token_tenant: 24 * 3600,
          refresh_idle: 30 * 24 * 3600,
          refresh_absolute: 90 * 24 * 3600,
        },
        signing_alg: 'ES256',
        cors_origins: null,
        challenge: 'existing',
        attributes_schema: null,
        profile_defaults: {},
        reset_passphrase_lifetime: null,
        events_retention_days: 365,
      },
    });
  });

  it('replaces all that was said of a tenant, and nothing else', async () => {
    const service = createService();
    const { tenant, app, customer } = await newWorld(service, newProfile());
    const [before, told] = [await rowsOf(tenant.id), await (await get(service, tenant.slug)).json<TenantObject>()];
    service.clock.advance(10);
    const response = await put(service, tenant.slug, { name: 'Renamed' });
    expect(response.status).toBe(200);
    const replaced = await response.json<TenantObject>();
    expect(replaced).toMatchObject({ id: tenant.id, name: 'Renamed', domains: [], locale: 'en', origins: [] });
    expect(replaced.created_at).toBe(told.created_at);
    expect(Date.parse(replaced.updated_at) - Date.parse(told.updated_at)).toBe(10_000);
    expect(await (await get(service, tenant.slug)).json()).toEqual(replaced);
    const after = await rowsOf(tenant.id);
    expect({ ...after, events: [], tenant_domains: [] }).toEqual({ ...before, events: [], tenant_domains: [] });
    expect(after.tenant_domains).toEqual([]);
    expect((await eventsAbout(tenant.id)).map(({ type }) => type)).toEqual(['tenant.created', 'tenant.updated']);
    const read = await service.call('GET', `/customer/${customer.cuid}`, { headers: appHeaders(app) });
    expect(read.status).toBe(200);
  });

  for (const algorithm of ['ES256', 'EdDSA', 'RS256']) {
    it(`makes a signing key for ${algorithm}, whose private part is kept sealed`, async () => {
      const service = createService();
      const tenant = await newTenant(service, { settings: { signing_alg: algorithm } });
      const keys = (await rowsOf(tenant.id)).signing_keys ?? [];
      expect(keys).toMatchObject([{ algorithm, state: 'current' }]);
      const publicJwk: unknown = JSON.parse(String(keys[0]?.public_jwk));
      for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(publicJwk).not.toHaveProperty(member);
      expect(keys[0]?.sealed_private_jwk).toMatch(/^v1\.[\w-]+$/);
    });
  }

  it('makes keys that no other tenant has', async () => {
    const service = createService();
    const tenants = [await newTenant(service), await newTenant(service)];
    const keys = await Promise.all(tenants.map(async ({ id }) => (await rowsOf(id)).signing_keys?.[0]?.public_jwk));
    expect(new Set(keys).size).toBe(2);
  });

  const goodSlugs = ['ab', 'a1', '42', 'a-b', 'x'.repeat(40), 'a--b'];
  for (const slug of goodSlugs) {
    it(`takes the slug ${slug}`, async () => {
      const service = createService();
      expect([200, 201]).toContain((await put(service, slug, { name: 'A tenant' })).status);
      expect((await remove(service, slug)).status).toBe(204);
    });
  }

  const badSlugs = ['a', 'x'.repeat(41), 'Shop', 'a_b', 'a.b', '-ab', 'ab-', 'münchen', 'a%20b', 'a%2Fb', 'www', 'api'];
  for (const slug of [...badSlugs, 'operator', 'admin', 'docs', 'localhost']) {
    it(`refuses the slug ${slug}`, async () => {
      const response = await put(createService(), slug, { name: 'A tenant' });
      expect(response.status).toBe(400);
      const { code, errors } = await response.json<Problem>();
      expect([code, errors.map(({ path }) => path)]).toEqual(['validation_failed', ['slug']]);
    });
  }

  const faulty: Record<string, [unknown, string[]]> = {
    'without a name': [{}, ['name']],
    'with an empty name': [{ name: ' ' }, ['name']],
    'with a name of 101 characters': [{ name: 'x'.repeat(101) }, ['name']],
    'with a line break in the name': [{ name: 'A\r\nBcc: x@example.com' }, ['name']],
    'with an unknown member': [{ name: 'A', colour: 'red' }, ['colour']],
    'with an unknown setting': [{ name: 'A', settings: { rate_limit: {} } }, ['settings.rate_limit']],
    'with an unknown status': [{ name: 'A', status: 'paused' }, ['status']],
    'with domains that are none': [
      { name: 'A', domains: ['https://a.example.com', 'a.example.com:8080', 'nodots', 'a..b', '-a.example.com'] },
      ['domains.0', 'domains.1', 'domains.2', 'domains.3', 'domains.4'],
    ],
    'with web addresses that are none, or not safe': [
      {
        name: 'A',
        site_url: 'http://shop.example.com',
        redirect_uris: ['javascript:alert(1)', 'https://a:b@shop.example.com', 'https://shop.example.com/#x'],
        logout_uri: '/bye',
      },
      ['logout_uri', 'redirect_uris.0', 'redirect_uris.1', 'redirect_uris.2', 'site_url'],
    ],
    'with origins that are none': [
      { name: 'A', origins: ['*', 'null', 'https://shop.example.com/', 'https://*.example.com'] },
      ['origins.0', 'origins.1', 'origins.2', 'origins.3'],
    ],
    'with a colour that could leave its style': [
      { name: 'A', branding: { primary_color: 'red;}body{display:none' } },
      ['branding.primary_color'],
    ],
    'with an unknown locale': [{ name: 'A', locale: 'tlh' }, ['locale']],
    'with an algorithm that is none of ours': [
      { name: 'A', settings: { signing_alg: 'HS256' } },
      ['settings.signing_alg'],
    ],
    'with limits and lifetimes out of range': [
      {
        name: 'A',
        settings: {
          rate_limits: { auth_per_ip_per_minute: 0, mail_per_hour: 1.5, password_failures: 1e9 },
          lifetimes: { access_token_login: 0, refresh_idle: -1 },
        },
      },
      [
        'settings.lifetimes.access_token_login',
        'settings.lifetimes.refresh_idle',
        'settings.rate_limits.auth_per_ip_per_minute',
        'settings.rate_limits.mail_per_hour',
        'settings.rate_limits.password_failures',
      ],
    ],
    ...Object.fromEntries(
      [6, 3651, 30.5, '30', null].map((days) => [
        `whose events are kept for ${JSON.stringify(days)} days`,
        [{ name: 'A', settings: { events_retention_days: days } }, ['settings.events_retention_days']],
      ]),
    ),
  };
  it('refuses domains that are the service’s own, which stand for the tenants of their slugs', async () => {
    const [service, slug] = [createService({ BASE_DOMAIN: 'accounts.example.com' }), uniqueName('t')];
    const [free, notOurs] = [`${slug}.example.org`, `${slug}-accounts.example.com`];
    const domains = [
      free,
      free,
      'Accounts.example.com',
      `${slug}.accounts.example.com`,
      notOurs,
      'a.b.accounts.example.com',
    ];
    for (const status of [404, 200]) {
      const refused = await put(service, slug, { name: 'A', domains });
      expect(refused.status).toBe(400);
      const { code, errors } = await refused.json<Problem>();
      expect([code, errors.map(({ path }) => path)]).toEqual([
        'validation_failed',
        ['domains.2', 'domains.3', 'domains.5'],
      ]);
      expect((await get(service, slug)).status).toBe(status);
      expect((await put(service, slug, { name: 'A', domains: [free, notOurs] })).status).toBeLessThan(300);
    }
    expect(await (await get(service, slug)).json()).toMatchObject({ domains: [free, notOurs] });
  });

  for (const [what, [body, paths]] of Object.entries(faulty)) {
    it(`refuses a tenant ${what}, naming each fault, and makes none`, async () => {
      const [service, slug] = [createService(), uniqueName('t')];
      const response = await put(service, slug, body);
      expect(response.status).toBe(400);
      const { errors } = await response.json<Problem>();
      // Several faults of one member are several entries.
      expect([...new Set(errors.map(({ path }) => path))].toSorted()).toEqual(paths);
      expect((await get(service, slug)).status).toBe(404);
    });
  }

  it('gives a domain to one tenant alone, in whatever case it is written', async () => {
    const service = createService();
    const domain = `${uniqueName('accounts')}.example.com`;
    const owner = await newTenant(service, { domains: [domain] });
    const [slug, other] = [uniqueName('t'), await newTenant(service)];
    for (const each of [slug, other.slug]) {
      const refused = await put(service, each, { name: 'Greedy', domains: [domain.toUpperCase()] });
      expect(await refusalOf(refused)).toMatchObject({ status: 409, code: 'domain_taken' });
    }
    expect((await get(service, slug)).status).toBe(404);
    expect(await (await get(service, other.slug)).json()).toMatchObject({ name: `Tenant ${other.slug}`, domains: [] });
    expect((await put(service, owner.slug, { name: 'Owner', domains: [] })).status).toBe(200);
    expect((await put(service, other.slug, { name: 'Heir', domains: [domain] })).status).toBe(200);
  });

  it('makes one tenant when it is asked for it 20 times at once', async () => {
    const [service, slug] = [createService(), uniqueName('t')];
    const responses = await Promise.all(Array.from({ length: 20 }, () => put(service, slug, { name: 'Racing' })));
    const statuses = responses.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([...Array<number>(19).fill(200), 201]);
    const ids = await Promise.all(responses.map(async (each) => (await each.json<TenantObject>()).id));
    const [id = ''] = ids;
    expect(new Set(ids).size).toBe(1);
    expect((await rowsOf(id)).signing_keys).toHaveLength(1);
  });

  it('makes nothing of a tenant when the database fails', async () => {
    const storage = breakable(env);
    const [service, slug] = [createService(storage.bindings), uniqueName('t')];
    storage.failWhen((operation) => (operation === 'D1 batch' ? 'before' : null));
    const refused = await put(service, slug, { name: 'A tenant', domains: [`${slug}.example.com`] });
    expect(await refusalOf(refused)).toMatchObject({ status: 503, code: 'storage_unavailable' });
    storage.failWhen(null);
    expect((await get(service, slug)).status).toBe(404);
    expect((await put(service, slug, { name: 'A tenant', domains: [`${slug}.example.com`] })).status).toBe(201);
  });
});

describe('GET /operator/v1/tenants/{slug}', () => {
  it('knows no tenant that was never made', async () => {
    const response = await get(createService(), uniqueName('t'));
    expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'tenant_not_found' });
  });

  it('tells of a disabled tenant too', async () => {
    const service = createService();
    const tenant = await newTenant(service, { status: 'disabled' });
    expect(await (await get(service, tenant.slug)).json()).toMatchObject({ id: tenant.id, status: 'disabled' });
  });
});

describe('GET /operator/v1/tenants', () => {
  const list = async (service: Service, query: string): Promise<Page> => {
    const response = await service.call('GET', `${TENANTS}${query}`, { headers: operatorHeaders });
    expect(response.status).toBe(200);
    return response.json<Page>();
  };

  it('lists the tenants newest first, page by page, each once', async () => {
    const service = createService();
    // Later than all that other tests make.
    service.clock.advance(365 * 24 * 3600);
    const made: TenantObject[] = [];
    for (let count = 0; count < 5; count++) {
      service.clock.advance(1);
      const response = await put(service, uniqueName('t'), { name: 'Listed' });
      made.unshift(await response.json<TenantObject>());
    }
    const first = await list(service, '?limit=2');
    const second = await list(service, `?limit=2&cursor=${first.next}`);
    const third = await list(service, `?limit=2&cursor=${second.next}`);
    expect([...first.items, ...second.items, ...third.items].slice(0, 5)).toEqual(made);
    expect([first.next, second.next]).toEqual([made[1]?.id, made[3]?.id]);
    for (const { slug } of made) await remove(service, slug);
  });

  it('tells by next that nothing follows', async () => {
    const service = createService();
    expect(await list(service, `?cursor=ten_${'0'.repeat(26)}`)).toEqual({ items: [], next: null });
  });

  it.each(['?limit=0', '?limit=1001', '?limit=x', '?cursor=x', `?cursor=cus_${'0'.repeat(26)}`])(
    'refuses %s',
    async (query) => {
      const response = await createService().call('GET', `${TENANTS}${query}`, { headers: operatorHeaders });
      expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'validation_failed' });
    },
  );
});

describe('DELETE /operator/v1/tenants/{slug}', () => {
  it('wants the slug repeated, and removes nothing before', async () => {
    const service = createService();
    const { tenant } = await newWorld(service);
    const before = await rowsOf(tenant.id);
    for (const query of ['', '?confirm=', '?confirm=other', `?confirm=${tenant.slug.toUpperCase()}`]) {
      const refused = await remove(service, tenant.slug, query);
      expect(await refusalOf(refused)).toMatchObject({ status: 400, code: 'confirmation_required' });
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('removes everything of the tenant but the fact, and nothing of any other', async () => {
    const service = createService({ DELIVERIES: createHeldQueue().queue });
    const domain = `${uniqueName('accounts')}.example.com`;
    const { tenant, app, customer } = await newWorld(service, { domains: [domain] });
    const other = await newWorld(service);
    await mailPasscode(service, app, customer.email);
    const headers = { ...appHeaders(app), 'Idempotency-Key': 'kept' };
    await service.call('POST', '/customer', { headers, body: { company: 'A', email: `x@${domain}` } });
    const subscription = `${TENANTS}/${tenant.slug}/subscriptions/news`;
    await service.call('PUT', subscription, { headers: operatorHeaders, body: { name: 'News' } });
    const person = await newPerson(service, tenant, app);
    await service.call('PATCH', `${tenant.host}/customers/self`, {
      headers: bearerHeaders(await signIn(service, tenant, person)),
      body: { subscriptions: ['news'] },
    });
    const phones = [{ phone_number: '+442079460001', phone_type: PHONE_TYPE.work }];
    const user = newUserBody({ aws_user: AWS_USER });
    const signup = { customer: newCustomerBody({ phones }), user };
    expect((await service.call('POST', `${tenant.host}/v1/auth/signup`, { body: signup })).status).toBe(200);
    await signInByCode(newBrowser(service, tenant.host), person.email);
    await connectOidc(service, tenant, 'https://idp.example.com');
    await putWebhook(service, tenant, 'hooks');
    const identity = env.DB.prepare("insert into identities values (?, 'connection:company', 'subject', ?, 0)");
    await identity.bind(tenant.id, person.userId).run();
    for (const [path, body] of [
      ['providers/company', { type: 'otp', signup: false, enabled: true }],
      ['flows/welcome', { steps: [{ kind: 'send_activation' }] }],
    ] as const) {
      const url = `${TENANTS}/${tenant.slug}/${path}`;
      expect((await service.call('PUT', url, { headers: operatorHeaders, body })).status).toBe(201);
    }
    service.clock.advance(60);
    const held = await service.call('POST', `/api/${tenant.slug}/customer`, { body: { email: person.email } });
    expect(held.status).toBe(202);
    await env.DB.prepare("insert into used_nonces values (?, 'a hash', 0)").bind(tenant.id).run();
    const [full, others] = [await rowsOf(tenant.id), await rowsOf(other.tenant.id)];
    expect(Object.entries(full).filter(([, rows]) => rows.length === 0)).toEqual([]);

    expect((await remove(service, tenant.slug)).status).toBe(204);
    const { events, ...rest } = await rowsOf(tenant.id);
    expect(Object.values(rest).flat()).toEqual([]);
    expect(events).toMatchObject([{ type: 'tenant.deleted', actor: 'operator', subject: tenant.id }]);
    expect(await rowsOf(other.tenant.id)).toEqual(others);
  });

  it('ends everything that the tenant’s own could do, and frees its slug and domains', async () => {
    const service = createService();
    const domain = `${uniqueName('accounts')}.example.com`;
    const { tenant, app } = await newWorld(service, { domains: [domain] });
    await remove(service, tenant.slug);
    const list = (host: string) => service.call('GET', `${host}/customer`, { headers: appHeaders(app) });
    expect(await refusalOf(await list('http://localhost'))).toMatchObject({ status: 404, code: 'unknown_key' });
    expect(await refusalOf(await list(tenant.host))).toMatchObject({ status: 404, code: 'tenant_not_found' });
    expect(await refusalOf(await remove(service, tenant.slug))).toMatchObject({ code: 'tenant_not_found' });
    const again = await put(service, tenant.slug, { name: 'Another', domains: [domain] });
    expect(again.status).toBe(201);
    expect((await again.json<TenantObject>()).id).not.toBe(tenant.id);
    expect(await refusalOf(await list(tenant.host))).toMatchObject({ status: 404, code: 'unknown_key' });
  });

  for (const [moment, what] of [
    ['before', 'is not done'],
    ['after', 'is done and its answer lost'],
  ] as const) {
    for (const batch of [1, 2, 3]) {
      it(`can be repeated when its batch ${batch} ${what}`, async () => {
        const storage = breakable(env);
        const service = createService(storage.bindings);
        const { tenant, app } = await newWorld(service);
        await newCustomer(service, app);
        let batches = 0;
        storage.failWhen((operation) => {
          if (operation === 'D1 batch') batches += 1;
          return operation === 'D1 batch' && batches === batch ? moment : null;
        });
        expect((await remove(service, tenant.slug)).status).toBe(503);
        storage.failWhen(null);
        expect([204, 404]).toContain((await remove(service, tenant.slug)).status);
        const { events = [], ...rest } = await rowsOf(tenant.id);
        expect(Object.values(rest).flat()).toEqual([]);
        expect(events.map(({ type }) => type)).toEqual(['tenant.deleted']);
      });
    }
  }

  it('goes in portions where there is much, and goes on where it stopped', async () => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const { tenant, app } = await newWorld(service);
    await copyCustomer(tenant, 25_000);
    const left = async () => {
      const { customers = [], users = [] } = await rowsOf(tenant.id);
      return [customers.length, users.length];
    };
    expect(await left()).toEqual([25_001, 25_001]);
    let batches = 0;
    storage.failWhen((operation) => {
      if (operation === 'D1 batch') batches += 1;
      return batches > 1 ? 'before' : null;
    });
    expect((await remove(service, tenant.slug)).status).toBe(503);
    expect(await left()).toEqual([1, 1]);
    storage.failWhen(null);
    expect((await service.call('GET', '/customer', { headers: appHeaders(app) })).status).toBe(200);
    expect((await remove(service, tenant.slug)).status).toBe(204);
    expect(await left()).toEqual([0, 0]);
  });
});
