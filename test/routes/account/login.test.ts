import { env } from 'cloudflare:workers';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { computeArgon2 } from '../../../src/crypto/argon2.ts';
import { bearerHeaders, newPerson } from '../../support/accounts.ts';
import { answerOf } from '../../support/answers.ts';
import { disableCustomer } from '../../support/customers.ts';
import { eventsAbout } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { appHeaders, newApp, newCustomer, newTenant, refusalOf, uniqueEmail } from '../../support/tenants.ts';

const INVALID = {
  status: 401,
  code: 'invalid_credentials',
  message: 'The email address or the password is wrong.',
};
const WRONG = 'not the password of anybody';

/** A tenant, a person with a password, and the call that signs in. */
const newLoginWorld = async (profile: Record<string, unknown> = {}) => {
  const service = createService();
  const tenant = await newTenant(service, profile);
  const app = await newApp(service, tenant);
  const person = await newPerson(service, tenant, app);
  const post = (call: Parameters<typeof service.call>[2]) =>
    service.call('POST', `${tenant.host}/customers/login`, call);
  const login = (password = person.password, email = person.email, headers: Record<string, string> = {}) =>
    post({ headers, body: { email, password } });
  return { service, tenant, app, person, post, login };
};

const changeUser = (userId: string, column: string, value: string | number | null) =>
  env.DB.prepare(`update users set ${column} = ? where id = ?`).bind(value, userId).run();

const passwordHashOf = (userId: string) =>
  env.DB.prepare('select password_hash from users where id = ?').bind(userId).first<string>('password_hash');

const expectLimited = async (response: Response): Promise<number> => {
  expect(await refusalOf(response)).toMatchObject({ status: 429, code: 'rate_limited' });
  return Number(response.headers.get('Retry-After'));
};

/** The password tags that the work compares. */
const tagsComparedBy = async (work: () => Promise<unknown>): Promise<string[]> => {
  const spy = vi.spyOn(crypto.subtle, 'timingSafeEqual');
  try {
    await work();
    return spy.mock.calls.map(([tag]) => (tag instanceof Uint8Array ? tag.toHex() : ''));
  } finally {
    spy.mockRestore();
  }
};

/** The tag of contract 3: argon2id with OWASP's parameters. */
const argon2 = (password: string, salt: Uint8Array) =>
  computeArgon2(new TextEncoder().encode(password), salt, 32, {
    kind: 'argon2id',
    version: 0x13,
    memoryKibibytes: 19_456,
    passes: 2,
    lanes: 1,
  }).toHex();

describe('POST /customers/login', () => {
  it('gives an access token of the tenant that opens the account, and nothing else', async () => {
    const { service, tenant, person, login } = await newLoginWorld();
    const response = await login();
    expect(response.status).toBe(200);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(response.headers.get('Content-Type')).toMatch(/^application\/json\b/);
    expect(response.headers.get('Set-Cookie')).toBeNull();
    const { token, ...others } = await response.json<{ token: string }>();
    expect(others).toEqual({});
    const published = await service.call('GET', `${tenant.host}/.well-known/jwks.json`);
    const keys = await published.json<JSONWebKeySet>();
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys), {
      currentDate: new Date(service.clock.now()),
    });
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: keys.keys[0]?.kid, typ: 'at+jwt' });
    const at = Math.floor(service.clock.now() / 1000);
    expect(payload).toEqual({
      iss: `${tenant.host}:8787`,
      aud: tenant.id,
      sub: person.userId,
      cid: person.cuid,
      tid: tenant.id,
      provider: 'password',
      amr: ['pwd'],
      auth_time: at,
      iat: at,
      exp: at + 24 * 3600,
      jti: expect.stringMatching(/^tok_/),
    });
    const self = await service.call('GET', `${tenant.host}/customers/self`, { headers: bearerHeaders(token) });
    expect(await self.json()).toMatchObject({ id: person.cuid, email: person.email });
  });

  it('knows the address in any case, with white space around it', async () => {
    const { person, login } = await newLoginWorld();
    expect((await login(person.password, `  ${person.email.toUpperCase()}\t`)).status).toBe(200);
  });

  it('takes the password exactly as it is', async () => {
    const { person, login } = await newLoginWorld({ settings: { rate_limits: { password_failures: 100 } } });
    const { password } = person;
    for (const other of [` ${password}`, `${password} `, password.toUpperCase(), password.slice(0, -1), '', 'null']) {
      expect(await refusalOf(await login(other))).toEqual(INVALID);
    }
    expect((await login()).status).toBe(200);
  });

  it('is written in the audit log, as is a wrong password', async () => {
    const { service, tenant, person, login } = await newLoginWorld();
    await login(WRONG);
    service.clock.advance(1);
    await login();
    expect((await eventsAbout(person.cuid)).slice(-2)).toEqual([
      { type: 'login.failed', actor: 'anonymous' },
      { type: 'login.succeeded', actor: `user:${person.userId}` },
    ]);
    const logged = await env.DB.prepare('select data from events where tenant_id = ?').bind(tenant.id).all();
    expect(JSON.stringify(logged.results)).not.toMatch(new RegExp(`${WRONG}|${person.password}|${person.email}`));
  });
});

describe('a login that is refused', () => {
  const REASONS: Readonly<Record<string, (world: Awaited<ReturnType<typeof newLoginWorld>>) => Promise<unknown>>> = {
    'a customer that is disabled': ({ person }) => disableCustomer(person.cuid),
    'a customer that was deleted': ({ service, app, person }) =>
      service.call('DELETE', `/customer/${person.cuid}`, { headers: appHeaders(app) }),
    'a user who was not activated': ({ person }) => changeUser(person.userId, 'activated_at', null),
    'a user without a password': ({ person }) => changeUser(person.userId, 'password_hash', null),
    'a password that was to be changed by now': ({ service, person }) =>
      changeUser(person.userId, 'password_expires_at', service.clock.now()),
    'a hash that nothing can read': ({ person }) => changeUser(person.userId, 'password_hash', '$1$salt$tag'),
  };

  it('says the same in the same words for a wrong password, an unknown address and a new customer', async () => {
    const { service, app, person, login } = await newLoginWorld();
    const wrong = await login(WRONG);
    expect(wrong.headers.get('Content-Type')).toBe('application/problem+json');
    expect(wrong.headers.get('Cache-Control')).toBe('no-store');
    const expected = await answerOf(wrong.clone());
    expect(await wrong.json()).toEqual({
      type: 'https://localhost/problems/invalid_credentials',
      title: 'Unauthorized',
      ...INVALID,
      instance: expect.stringMatching(/^urn:request:/),
    });
    const { email } = await newCustomer(service, app, { send_activation: true });
    expect(await answerOf(await login(person.password, uniqueEmail()))).toEqual(expected);
    expect(await answerOf(await login(WRONG, email))).toEqual(expected);
  });

  it.each(Object.entries(REASONS))('says the same for %s, whose password is right', async (_, change) => {
    const world = await newLoginWorld();
    const expected = await answerOf(await world.login(WRONG));
    await change(world);
    expect(await answerOf(await world.login())).toEqual(expected);
  });

  it('says the same at the host of another tenant', async () => {
    const { service, person } = await newLoginWorld();
    const other = await newTenant(service);
    const call = { body: { email: person.email, password: person.password } };
    expect(await refusalOf(await service.call('POST', `${other.host}/customers/login`, call))).toEqual(INVALID);
  });

  it('has computed argon2 once, whoever it is about', async () => {
    const world = await newLoginWorld();
    const { person, login } = world;
    const salt = Uint8Array.fromBase64((await passwordHashOf(person.userId))?.split('$')[4] ?? '');
    expect(await tagsComparedBy(() => login(WRONG))).toEqual([argon2(WRONG, salt)]);
    // The salt of nobody.
    const expected = [argon2(WRONG, new Uint8Array(16))];
    expect(await tagsComparedBy(() => login(WRONG, uniqueEmail()))).toEqual(expected);
    const { email } = await newCustomer(world.service, world.app);
    expect(await tagsComparedBy(() => login(WRONG, email))).toEqual(expected);
    await disableCustomer(person.cuid);
    expect(await tagsComparedBy(() => login())).toEqual([argon2(person.password, salt)]);
  });

  it('takes a password that we made until it was to be changed', async () => {
    const { service, person, login } = await newLoginWorld();
    await changeUser(person.userId, 'password_expires_at', service.clock.now() + 1);
    expect((await login()).status).toBe(200);
  });
});

describe('a login that cannot be read', () => {
  it('is told of every fault at once, and is not counted as a try', async () => {
    const { post, login } = await newLoginWorld({ settings: { rate_limits: { password_failures: 3 } } });
    for (const [body, expected] of [
      [{}, 'email required, password required'],
      [{ email: 'nobody', password: 5, admin: true }, 'admin unknown_member, email invalid, password invalid'],
      [{ email: ['a@b.example'], password: null }, 'email invalid, password invalid'],
      [{ email: 'a@b.example\r\nBcc: c@d.example', password: { $ne: '' } }, 'email invalid, password invalid'],
      [{ email: `${'a'.repeat(250)}@b.example`, password: 'x'.repeat(1025) }, 'email invalid, password invalid'],
    ]) {
      const response = await post({ body });
      const problem = await response.json<{ code: string; errors: { path: string; code: string }[] }>();
      expect([response.status, problem.code]).toEqual([400, 'validation_failed']);
      const faults = problem.errors.map(({ path, code }) => `${path} ${code}`);
      expect(faults.toSorted().join(', ')).toBe(expected);
    }
    expect((await login()).status).toBe(200);
  });

  const json = 'application/json';
  it.each([
    ['text', '{"email":"a@b.example","password":"x"}', 'text/plain', 415, 'unsupported_media_type'],
    ['a form', 'email=a%40b.example&password=x', 'application/x-www-form-urlencoded', 415, 'unsupported_media_type'],
    ['half of an object', '{"email":', json, 400, 'malformed_request'],
    ['an array', '[]', json, 400, 'malformed_request'],
    ['bytes that are no UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), json, 400, 'malformed_request'],
    ['more than 64 KiB', `{"password":"${'x'.repeat(65_536)}"}`, json, 413, 'payload_too_large'],
  ])('is %s', async (_, rawBody, type, status, code) => {
    const service = createService();
    const { host } = await newTenant(service);
    const call = { headers: { 'Content-Type': type }, rawBody };
    const response = await service.call('POST', `${host}/customers/login`, call);
    expect(await refusalOf(response)).toMatchObject({ status, code });
  });

  it('is no GET', async () => {
    const service = createService();
    const { host } = await newTenant(service);
    const response = await service.call('GET', `${host}/customers/login`);
    expect([response.status, response.headers.get('Allow')]).toEqual([405, 'POST']);
  });
});

describe('the limit on wrong passwords', () => {
  it('refuses even the right one after ten in 15 minutes, for longer each time, and ends by itself', async () => {
    const { service, login } = await newLoginWorld();
    for (let i = 0; i < 10; i++) expect((await login(WRONG)).status).toBe(401);
    const waits: number[] = [];
    let waited = 0;
    while (waited < 15 * 60) {
      const wait = await expectLimited(await login());
      expect(await expectLimited(await login(WRONG))).toBe(wait);
      waits.push(wait);
      service.clock.advance(wait - 1);
      expect(await expectLimited(await login())).toBe(1);
      service.clock.advance(1);
      waited += wait;
      if (waited < 15 * 60) expect((await login(WRONG)).status).toBe(401);
    }
    expect(waits.length).toBeGreaterThan(2);
    expect(waits).toEqual([...new Set(waits)].toSorted((a, b) => a - b));
    expect(waited).toBe(15 * 60);
    expect((await login()).status).toBe(200);
  });

  it('tells of each lock in the log, when it begins', async () => {
    const { service, person, login } = await newLoginWorld({ settings: { rate_limits: { password_failures: 3 } } });
    const locks = async () => (await eventsAbout(person.cuid)).filter(({ type }) => type === 'login.locked').length;
    await login(WRONG);
    await login();
    for (const [tries, begun] of [
      [2, 0],
      [1, 1],
      [2, 1],
    ] as const) {
      await Promise.all(Array.from({ length: tries }, () => login(WRONG)));
      expect(await locks()).toBe(begun);
    }
    service.clock.advance(60);
    await login(WRONG);
    expect(await locks()).toBe(2);
    service.clock.advance(15 * 60);
    await login();
    expect(await locks()).toBe(2);
  });

  it('lets the right password in when the first lock is over, and forgets the wrong ones then', async () => {
    const { service, login } = await newLoginWorld();
    for (let i = 0; i < 10; i++) await login(WRONG);
    const wait = await expectLimited(await login());
    // What is refused is not counted: it makes nothing longer.
    for (let i = 0; i < 20; i++) await expectLimited(await login(WRONG));
    service.clock.advance(wait);
    expect((await login()).status).toBe(200);
    for (let i = 0; i < 9; i++) expect((await login(WRONG)).status).toBe(401);
    expect((await login()).status).toBe(200);
  });

  it('counts ten in any 15 minutes, and no more', async () => {
    const { service, login } = await newLoginWorld();
    for (let i = 0; i < 9; i++) await login(WRONG);
    service.clock.advance(15 * 60);
    for (let i = 0; i < 10; i++) expect((await login(WRONG)).status).toBe(401);
    await expectLimited(await login());
  });

  it('holds for an unknown address in the same words, in any case of it', async () => {
    const { person, login } = await newLoginWorld({ settings: { rate_limits: { password_failures: 3 } } });
    const nobody = uniqueEmail();
    for (const email of [person.email, nobody]) {
      for (let i = 0; i < 3; i++) expect((await login(WRONG, email)).status).toBe(401);
    }
    const known = await answerOf(await login(WRONG, person.email.toUpperCase()));
    expect(known.status).toBe(429);
    expect(await answerOf(await login(WRONG, nobody.toUpperCase()))).toEqual(known);
  });

  it('leaves other persons and other tenants alone', async () => {
    const { service, tenant, app, person, login } = await newLoginWorld({
      settings: { rate_limits: { password_failures: 3 } },
    });
    const other = await newPerson(service, tenant, app);
    const elsewhere = await newTenant(service);
    for (let i = 0; i < 4; i++) {
      const call = { body: { email: person.email, password: WRONG } };
      await service.call('POST', `${elsewhere.host}/customers/login`, call);
    }
    expect((await login()).status).toBe(200);
    for (let i = 0; i < 4; i++) await login(WRONG);
    expect((await login(other.password, other.email)).status).toBe(200);
    await expectLimited(await login());
  });

  it('survives a restart', async () => {
    const { service, tenant, person, login } = await newLoginWorld({
      settings: { rate_limits: { password_failures: 3 } },
    });
    for (let i = 0; i < 3; i++) await login(WRONG);
    const restarted = createService();
    restarted.clock.advance((service.clock.now() - restarted.clock.now()) / 1000);
    const call = { body: { email: person.email, password: person.password } };
    await expectLimited(await restarted.call('POST', `${tenant.host}/customers/login`, call));
  });
});

describe('the limit on attempts from one address of the internet', () => {
  const from = (ip: string) => ({ 'CF-Connecting-IP': ip });

  it('allows 30 a minute, whoever they are about, and is no try of a password', async () => {
    const { service, person, login } = await newLoginWorld({ settings: { rate_limits: { password_failures: 3 } } });
    const ip = from('203.0.113.7');
    for (let i = 0; i < 30; i++) expect((await login(WRONG, uniqueEmail(), ip)).status).toBe(401);
    for (let i = 0; i < 4; i++) expect(await expectLimited(await login(person.password, person.email, ip))).toBe(60);
    expect((await login(person.password, person.email, from('203.0.113.8'))).status).toBe(200);
    service.clock.advance(59);
    expect(await expectLimited(await login(person.password, person.email, ip))).toBe(1);
    service.clock.advance(1);
    expect((await login(person.password, person.email, ip)).status).toBe(200);
  });

  it('takes an IPv6 network of 64 bits for one address, however it is written', async () => {
    const { person, login } = await newLoginWorld({ settings: { rate_limits: { auth_per_ip_per_minute: 4 } } });
    const network = ['2001:db8:0:12::1', '2001:0DB8:0000:0012:ffff:1:2:3', '2001:db8::12:0:0:0:9', '2001:DB8:0:12::'];
    for (const ip of network) expect((await login(WRONG, uniqueEmail(), from(ip))).status).toBe(401);
    for (const ip of network) await expectLimited(await login(person.password, person.email, from(ip)));
    expect((await login(person.password, person.email, from('2001:db8:0:13::1'))).status).toBe(200);
  });

  it('believes no other header', async () => {
    const { login } = await newLoginWorld({ settings: { rate_limits: { auth_per_ip_per_minute: 1 } } });
    const forged = (ip: string) => ({
      'X-Forwarded-For': ip,
      'X-Real-IP': ip,
      'True-Client-IP': ip,
      Forwarded: `for=${ip}`,
    });
    expect((await login(WRONG, uniqueEmail(), { ...from('203.0.113.9'), ...forged('198.51.100.1') })).status).toBe(401);
    await expectLimited(await login(WRONG, uniqueEmail(), { ...from('203.0.113.9'), ...forged('198.51.100.2') }));
    for (let i = 0; i < 2; i++) expect((await login(WRONG, uniqueEmail(), forged('198.51.100.3'))).status).toBe(401);
  });
});

describe('a hash that was made elsewhere', () => {
  const text = (plain: string) => new TextEncoder().encode(plain).toBase64({ omitPadding: true });
  const hex = (digits: string) => Uint8Array.fromHex(digits).toBase64({ omitPadding: true });

  it.each([
    // Openwall’s vectors of bcrypt.
    ['bcrypt', 'U*U*U', '$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a'],
    // RFC 6070, section 2.
    [
      'PBKDF2',
      'passwordPASSWORDpassword',
      `$pbkdf2$4096$${text('saltSALTsaltSALTsaltSALTsaltSALTsalt')}$${hex('3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038')}`,
    ],
    // RFC 7914, section 12.
    [
      'scrypt',
      'pleaseletmein',
      `$scrypt$ln=14,r=8,p=1$${text('SodiumChloride')}$${hex('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887')}`,
    ],
    // The tests of argon2’s reference implementation.
    [
      'argon2i with less of everything',
      'password',
      '$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY',
    ],
  ])('of %s is taken, and is one of ours after the first login', async (_, password, hash) => {
    const { person, login } = await newLoginWorld();
    await changeUser(person.userId, 'password_hash', hash);
    expect(await refusalOf(await login(person.password))).toEqual(INVALID);
    expect(await refusalOf(await login(hash))).toEqual(INVALID);
    expect(await passwordHashOf(person.userId)).toBe(hash);
    expect((await login(password)).status).toBe(200);
    const upgraded = await passwordHashOf(person.userId);
    expect(upgraded).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect((await login(password)).status).toBe(200);
    expect(await passwordHashOf(person.userId)).toBe(upgraded);
    expect(await refusalOf(await login(person.password))).toEqual(INVALID);
  });

  it('stays as it is when its user may not sign in', async () => {
    const { person, login } = await newLoginWorld();
    const hash = '$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a';
    await changeUser(person.userId, 'password_hash', hash);
    await disableCustomer(person.cuid);
    expect(await refusalOf(await login('U*U*U'))).toEqual(INVALID);
    expect(await passwordHashOf(person.userId)).toBe(hash);
  });
});
