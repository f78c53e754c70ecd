import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { linkIn } from '../../support/accounts.ts';
import { lastMailTo } from '../../support/mailbox.ts';
import { eventsAbout, locksOf, rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { newApp, newCustomer, newTenant, refusalOf } from '../../support/tenants.ts';

const REFUSED = {
  status: 400,
  code: 'invalid_or_expired_code',
  message: 'The code is wrong, was used, or has expired.',
};
const PASSWORD = 'aAy1wweFw';

/** A customer that was mailed a link, and the call that activates it. */
const newMailedWorld = async (profile: Record<string, unknown> = {}, details: Record<string, unknown> = {}) => {
  const service = createService();
  const tenant = await newTenant(service, profile);
  const app = await newApp(service, tenant);
  const customer = await newCustomer(service, app, { send_activation: true, ...details });
  const link = linkIn(await lastMailTo(customer.email), 'activate');
  const post = (body: Record<string, unknown>, headers: Record<string, string> = {}, host = tenant.host) =>
    service.call('POST', `${host}/customers/activate`, { headers, body });
  const activate = (more: Record<string, unknown> = {}, headers: Record<string, string> = {}, host = tenant.host) =>
    post(
      { identifier: link.identifier, secret: link.secret, password: PASSWORD, password_check: PASSWORD, ...more },
      headers,
      host,
    );
  const login = async (password = PASSWORD) =>
    (await service.call('POST', `${tenant.host}/customers/login`, { body: { email: customer.email, password } }))
      .status;
  const readUser = () => env.DB.prepare('select * from users where id = ?').bind(link.identifier).first();
  return { service, tenant, app, customer, link, post, activate, login, readUser };
};

type World = Awaited<ReturnType<typeof newMailedWorld>>;

const wrongSecrets = (secret: string, count: number): string[] =>
  Array.from({ length: 36 }, (_, i) => secret.slice(0, -1) + i.toString(36).toUpperCase())
    .filter((each) => each !== secret)
    .slice(0, count);

describe('the mail that activates', () => {
  it.each([
    [{ site_url: 'https://shop.example.com' }, () => 'https://shop.example.com'],
    [{}, ({ tenant }: World) => `${tenant.host}:8787`],
  ])('carries a link to the tenant’s site %j', async (profile, siteOf) => {
    const world = await newMailedWorld(profile);
    const { url, identifier, secret } = world.link;
    expect(url).toBe(`${siteOf(world)}/activate/${identifier}/${secret}`);
    expect(secret).toMatch(/^[A-Z0-9]{10,}$/);
    const mail = await lastMailTo(world.customer.email);
    expect(mail.html).toContain(`<a href="${url}">`);
    expect(mail.from.name).toBe(`Tenant ${world.tenant.slug}`);
    const { challenges } = await rowsOf(world.tenant.id);
    expect(challenges).toMatchObject([{ expires_at: world.service.clock.now() + 7 * 86_400_000, attempts: 0 }]);
    expect(JSON.stringify(await rowsOf(world.tenant.id))).not.toContain(secret);
  });

  it('is consumed by no GET or HEAD of the link, nor of the route', async () => {
    const { service, tenant, link, activate, login } = await newMailedWorld();
    const before = await rowsOf(tenant.id);
    const { identifier, secret } = link;
    for (const method of ['GET', 'HEAD']) {
      for (let i = 0; i < 6; i++) await service.call(method, link.url);
      const query = `identifier=${identifier}&secret=${secret}&password=${PASSWORD}&password_check=${PASSWORD}`;
      const response = await service.call(method, `${tenant.host}/customers/activate?${query}`);
      expect([response.status, response.headers.get('Allow')]).toEqual([405, 'POST']);
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
    expect((await activate()).status).toBe(200);
    expect(await login()).toBe(200);
  });
});

describe('POST /customers/activate', () => {
  it('activates the user with the password that it chose, and says so', async () => {
    const { service, customer, link, activate, login, readUser } = await newMailedWorld();
    expect(await login()).toBe(401);
    const response = await activate();
    expect(response.status).toBe(200);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(await response.json()).toEqual({ result: 'activated' });
    expect(await readUser()).toMatchObject({
      activated_at: service.clock.now(),
      password_hash: expect.stringMatching(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/),
    });
    expect(await login()).toBe(200);
    expect(await eventsAbout(customer.cuid)).toContainEqual({
      type: 'customer.activated',
      actor: `user:${link.identifier}`,
    });
  });

  it('does it once: a second time changes nothing', async () => {
    const { activate, login, readUser } = await newMailedWorld();
    expect((await activate()).status).toBe(200);
    const before = await readUser();
    const other = { password: 'another password', password_check: 'another password' };
    for (const more of [{}, other]) expect(await refusalOf(await activate(more))).toEqual(REFUSED);
    expect(await readUser()).toEqual(before);
    expect([await login(), await login(other.password)]).toEqual([200, 401]);
  });

  it('takes the secret until seven days are over', async () => {
    const { service, activate } = await newMailedWorld();
    service.clock.advance(7 * 86_400 - 1);
    expect((await activate()).status).toBe(200);
  });

  const REFUSALS: Readonly<Record<string, (world: World) => Promise<Response>>> = {
    'a wrong secret': ({ activate, link }) => activate({ secret: wrongSecrets(link.secret, 1)[0] }),
    'no secret at all': ({ activate }) => activate({ secret: '' }),
    'the secret with something behind it': ({ activate, link }) => activate({ secret: `${link.secret}\n` }),
    'a secret that has expired': ({ service, activate }) => {
      service.clock.advance(7 * 86_400);
      return activate();
    },
    'the secret of somebody else': async ({ service, app, activate }) => {
      const { email } = await newCustomer(service, app, { send_activation: true });
      return activate({ secret: linkIn(await lastMailTo(email), 'activate').secret });
    },
    'an identifier that nobody has': ({ activate }) => activate({ identifier: `usr_${'0'.repeat(26)}` }),
    'an identifier that is none': ({ activate }) => activate({ identifier: 'test-user-4' }),
    'the email address for an identifier': ({ activate, customer }) => activate({ identifier: customer.email }),
    'the host of another tenant': async ({ service, activate }) => activate({}, {}, (await newTenant(service)).host),
  };

  it.each(Object.entries(REFUSALS))('refuses %s, and changes nothing', async (_, present) => {
    const world = await newMailedWorld();
    const before = await world.readUser();
    expect(await refusalOf(await present(world))).toEqual(REFUSED);
    expect(await world.readUser()).toEqual(before);
    expect(await world.login()).toBe(401);
  });

  it('takes the right secret after four wrong ones, and not after five', async () => {
    for (const [wrong, status] of [
      [4, 200],
      [5, 400],
    ] as const) {
      const { link, activate, login } = await newMailedWorld();
      for (const secret of wrongSecrets(link.secret, wrong)) {
        expect(await refusalOf(await activate({ secret }))).toEqual(REFUSED);
      }
      expect((await activate()).status).toBe(status);
      expect(await login()).toBe(status === 200 ? 200 : 401);
    }
  });

  it('refuses 20 wrong secrets in an hour and no more, whether there is such a user or not', async () => {
    const { service, link, activate } = await newMailedWorld();
    for (const identifier of [link.identifier, `usr_${'0'.repeat(26)}`]) {
      for (const secret of wrongSecrets(link.secret, 20)) {
        expect(await refusalOf(await activate({ identifier, secret }))).toEqual(REFUSED);
      }
      const response = await activate({ identifier });
      expect(await refusalOf(response)).toMatchObject({ status: 429, code: 'rate_limited' });
      expect(response.headers.get('Retry-After')).toBe('900');
    }
    service.clock.advance(900);
    expect((await activate({ secret: 'X' })).status).toBe(400);
  });

  it('is told of in the log when wrong secrets lock it', async () => {
    const { customer, link, activate } = await newMailedWorld();
    const secrets = wrongSecrets(link.secret, 20);
    for (const secret of secrets.slice(0, 19)) await activate({ secret });
    expect(await locksOf(customer.cuid)).toEqual([]);
    for (const secret of secrets.slice(19)) await activate({ secret });
    expect(await locksOf(customer.cuid)).toEqual([{ actor: 'anonymous', data: '{"by":"activation"}' }]);
  });

  it('allows 30 tries a minute from one address of the internet', async () => {
    const { activate } = await newMailedWorld();
    const from = { 'CF-Connecting-IP': '2001:db8::7' };
    for (let i = 0; i < 30; i++) expect((await activate({ identifier: `nobody ${i}` }, from)).status).toBe(400);
    const limited = await activate({}, { 'CF-Connecting-IP': '2001:db8::8' });
    expect([limited.status, limited.headers.get('Retry-After')]).toEqual([429, '60']);
    expect((await activate()).status).toBe(200);
  });

  it('refuses a weak password, says what is wrong with it, and leaves the secret good', async () => {
    const world = await newMailedWorld({ name: 'The Corner Shop' }, { name: 'Ada Lovelace' });
    const { customer, activate, login } = world;
    for (const [password, message] of [
      ['7 chars', /8/],
      ['x'.repeat(257), /256/],
      ['qwertyuiop', /list/],
      [customer.email, /email/],
      [customer.email.split('@')[0] ?? '', /email/],
      ['ADA LOVELACE', /name/],
      ['the corner shop', /name/],
    ] as const) {
      const response = await activate({ password, password_check: password });
      const problem = await response.json<{ code: string; errors: unknown }>();
      expect([password, response.status, problem.code]).toEqual([password, 400, 'weak_password']);
      expect(problem.errors).toEqual([{ path: 'password', code: 'invalid', message: expect.stringMatching(message) }]);
    }
    const password = 'ж'.repeat(256);
    expect((await activate({ password, password_check: password })).status).toBe(200);
    expect(await login(password)).toBe(200);
  });

  it('tells every fault at once, and leaves the secret good', async () => {
    const { post, activate } = await newMailedWorld();
    for (const [body, expected] of [
      [{}, 'identifier required, password required, password_check required, secret required'],
      [{ password_check: 'another' }, 'password_check invalid'],
      [{ secret: 5, identifier: null, admin: 1 }, 'admin unknown_member, identifier invalid, secret invalid'],
      [{ password: [PASSWORD], password_check: [PASSWORD] }, 'password invalid, password_check invalid'],
    ] as const) {
      const response = await (Object.keys(body).length === 0 ? post({}) : activate(body));
      const problem = await response.json<{ code: string; errors: { path: string; code: string }[] }>();
      expect([response.status, problem.code]).toEqual([400, 'validation_failed']);
      const faults = problem.errors.map(({ path, code }) => `${path} ${code}`);
      expect(faults.toSorted().join(', ')).toBe(expected);
    }
    expect((await activate()).status).toBe(200);
  });
});
