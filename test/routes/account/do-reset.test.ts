import { env } from 'cloudflare:workers';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, linkIn, newPerson, signIn } from '../../support/accounts.ts';
import { answerOf } from '../../support/answers.ts';
import { mailsTo } from '../../support/mailbox.ts';
import { mailPasscode, wrongCodes } from '../../support/passcodes.ts';
import { eventsAbout, locksOf, rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { appHeaders, newApp, newTenant, refusalOf, uniqueEmail } from '../../support/tenants.ts';

const REFUSED = {
  status: 400,
  code: 'invalid_or_expired_code',
  message: 'The code is wrong, was used, or has expired.',
};
const OWN = 'a password of my own';

/** A person who is signed in and has forgotten the password, and the calls to get in again. */
const newForgetfulWorld = async (profile: Record<string, unknown> = {}, details: Record<string, unknown> = {}) => {
  const service = createService();
  const tenant = await newTenant(service, profile);
  const app = await newApp(service, tenant);
  const person = await newPerson(service, tenant, app, details);
  const token = await signIn(service, tenant, person);
  service.clock.advance(3600);
  const at = (path: string) => `${tenant.host}/customers/${path}`;
  /** Has a code mailed, and reads it. */
  const mailCode = async (email = person.email): Promise<string> => {
    const asked = await service.call('POST', at('password_reset'), { body: { email, reset_uri: '/reset' } });
    expect(asked.status).toBe(200);
    const codes = (await mailsTo(email)).map(({ text }) => /\/reset\/([A-Z0-9]{10})\b/.exec(text)?.[1] ?? '');
    return codes.findLast((code) => code !== '') ?? '';
  };
  const reset = (code: string, more: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
    service.call('POST', at('do_reset'), { headers, body: { email: person.email, code, ...more } });
  const login = async (password: string) =>
    (await service.call('POST', at('login'), { body: { email: person.email, password } })).status;
  const selfWith = async (bearer: string) =>
    (await service.call('GET', at('self'), { headers: bearerHeaders(bearer) })).status;
  return { service, tenant, app, person, token, at, mailCode, reset, login, selfWith };
};

type World = Awaited<ReturnType<typeof newForgetfulWorld>>;

/** As many codes that are not this one. */
const wrongResetCodes = (code: string, count: number): string[] =>
  Array.from({ length: 36 }, (_, i) => code.slice(0, -1) + i.toString(36).toUpperCase())
    .filter((each) => each !== code)
    .slice(0, count);

const passphraseIn = async ({ service }: World, response: Response, code: string): Promise<string> => {
  expect(response.status).toBe(200);
  const { token } = await response.json<{ token: string }>();
  const { payload } = await jwtVerify<{ passphrase: string }>(token, new TextEncoder().encode(code), {
    currentDate: new Date(service.clock.now()),
  });
  return payload.passphrase;
};

describe('POST /customers/do_reset', () => {
  it('tells the new password in a JWT that is signed with the code, for five minutes', async () => {
    const world = await newForgetfulWorld();
    const code = await world.mailCode();
    const response = await world.reset(code);
    expect(response.status).toBe(200);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    const { token, ...others } = await response.json<{ token: string }>();
    expect(others).toEqual({});
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'HS256' });
    const at = Math.floor(world.service.clock.now() / 1000);
    const { payload } = await jwtVerify(token, new TextEncoder().encode(code), { currentDate: new Date(at * 1000) });
    // 64 bits take 11 characters of letters and digits.
    expect(payload).toEqual({ passphrase: expect.stringMatching(/^[A-Za-z0-9]{11,}$/), exp: at + 300 });
    expect(await world.selfWith(token)).toBe(401);
  });

  it('replaces the password: the new one signs in, the old one and every token from before do not', async () => {
    const world = await newForgetfulWorld();
    const { person, token, mailCode, reset, login, selfWith } = world;
    const code = await mailCode();
    expect(await selfWith(token)).toBe(200);
    const passphrase = await passphraseIn(world, await reset(code), code);
    expect(await selfWith(token)).toBe(401);
    expect(await login(person.password)).toBe(401);
    world.service.clock.advance(1);
    const fresh = await signIn(world.service, world.tenant, { email: person.email, password: passphrase });
    expect(await selfWith(fresh)).toBe(200);
    expect(await selfWith(token)).toBe(401);
  });

  it('mails that the password was changed, and what it is to nobody', async () => {
    const world = await newForgetfulWorld();
    const code = await world.mailCode();
    const passphrase = await passphraseIn(world, await world.reset(code), code);
    const mail = (await mailsTo(world.person.email)).at(-1);
    expect(mail).toMatchObject({
      to: world.person.email,
      subject: `Your password for Tenant ${world.tenant.slug} was changed`,
    });
    for (const secret of [passphrase, code]) expect(`${mail?.text}${mail?.html}`).not.toContain(secret);
  });

  it('is written in the audit log without the password, as is a wrong code', async () => {
    const world = await newForgetfulWorld();
    const code = await world.mailCode();
    for (const each of [...wrongResetCodes(code, 1), code]) {
      world.service.clock.advance(1);
      await world.reset(each, { password: OWN, password_check: OWN });
    }
    expect((await eventsAbout(world.person.cuid)).slice(-2)).toEqual([
      { type: 'login.failed', actor: 'anonymous' },
      { type: 'password.reset', actor: `user:${world.person.userId}` },
    ]);
    const rows = JSON.stringify(await rowsOf(world.tenant.id));
    for (const secret of [OWN, code]) expect(rows).not.toContain(secret);
  });

  it('gives the password that it made the lifetime that the tenant wants', async () => {
    const world = await newForgetfulWorld({ settings: { reset_passphrase_lifetime: 600 } });
    const code = await world.mailCode();
    const passphrase = await passphraseIn(world, await world.reset(code), code);
    world.service.clock.advance(599);
    expect(await world.login(passphrase)).toBe(200);
    world.service.clock.advance(1);
    expect(await world.login(passphrase)).toBe(401);
    const next = await world.mailCode();
    await world.reset(next, { password: OWN, password_check: OWN });
    world.service.clock.advance(601);
    expect(await world.login(OWN)).toBe(200);
  });
});

describe('POST /customers/do_reset with a password', () => {
  it('sets that one, which ends every token from before, and says so', async () => {
    const { service, person, token, mailCode, reset, login, selfWith } = await newForgetfulWorld();
    const response = await reset(await mailCode(), { password: OWN, password_check: OWN });
    expect(response.status).toBe(200);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(await response.json()).toEqual({ result: 'updated' });
    service.clock.advance(1);
    expect([await selfWith(token), await login(person.password), await login(OWN)]).toEqual([401, 401, 200]);
    expect((await mailsTo(person.email)).at(-1)?.subject).toMatch(/^Your password .* was changed$/);
  });

  it('refuses a weak one, says what is wrong with it, and leaves the code good', async () => {
    const world = await newForgetfulWorld({ name: 'The Corner Shop' }, { name: 'Ada Lovelace' });
    const { person, token, reset, login, selfWith } = world;
    const [local = ''] = person.email.split('@');
    const code = await world.mailCode();
    for (const [password, message] of [
      ['7 chars', /8/],
      ['ж'.repeat(257), /256/],
      ['iloveyou1', /list/],
      ['PassWord', /list/],
      [person.email.toUpperCase(), /email/],
      [local, /email/],
      ['ada lovelace', /name/],
      ['the corner shop', /name/],
    ] as const) {
      const response = await reset(code, { password, password_check: password });
      const problem = await response.json<{ code: string; errors: unknown }>();
      expect([password, response.status, problem.code]).toEqual([password, 400, 'weak_password']);
      expect(problem.errors).toEqual([{ path: 'password', code: 'invalid', message: expect.stringMatching(message) }]);
    }
    expect([await login(person.password), await selfWith(token)]).toEqual([200, 200]);
    expect((await reset(code, { password: OWN, password_check: OWN })).status).toBe(200);
  });

  it('does not tell who lacks the code what the person is called', async () => {
    const { mailCode, reset } = await newForgetfulWorld({}, { name: 'Ada Lovelace' });
    const [wrong = ''] = wrongResetCodes(await mailCode(), 1);
    const body = { password: 'ada lovelace', password_check: 'ada lovelace' };
    expect(await refusalOf(await reset(wrong, body))).toEqual(REFUSED);
  });

  it('tells every fault at once, and leaves the code good', async () => {
    const { mailCode, reset } = await newForgetfulWorld();
    const code = await mailCode();
    for (const [body, expected] of [
      [{ password: OWN }, 'password_check required'],
      [{ password_check: OWN }, 'password_check invalid'],
      [{ password: OWN, password_check: `${OWN}.` }, 'password_check invalid'],
      [{ code: 7, email: 'nobody', token: 'x' }, 'code invalid, email invalid, token unknown_member'],
      [{ code: undefined, email: undefined }, 'code required, email required'],
    ] as const) {
      const response = await reset(code, body);
      const problem = await response.json<{ code: string; errors: { path: string; code: string }[] }>();
      expect([response.status, problem.code]).toEqual([400, 'validation_failed']);
      const faults = problem.errors.map((each) => `${each.path} ${each.code}`);
      expect(faults.toSorted().join(', ')).toBe(expected);
    }
    expect((await reset(code)).status).toBe(200);
  });
});

describe('a reset code that is refused', () => {
  const REFUSALS: Readonly<Record<string, (world: World, code: string) => Promise<Response>>> = {
    'one that is wrong': ({ reset }, code) => reset(wrongResetCodes(code, 1)[0] ?? ''),
    'one in small letters': ({ reset }, code) => reset(code.toLowerCase()),
    'none at all': ({ reset }) => reset(''),
    'a right one with more behind it': ({ reset }, code) => reset(`${code} `),
    'the one of another person': async ({ service, tenant, app, mailCode, reset }) =>
      reset(await mailCode((await newPerson(service, tenant, app)).email)),
    'a right one for another address': ({ reset }, code) => reset(code, { email: uniqueEmail() }),
    'one that has expired': ({ service, reset }, code) => {
      service.clock.advance(30 * 60);
      return reset(code);
    },
    'one that a newer one followed': async ({ service, mailCode, reset }, code) => {
      service.clock.advance(30);
      await mailCode();
      return reset(code);
    },
    'a passcode': async ({ service, app, person, reset }) => {
      service.clock.advance(30);
      return reset(await mailPasscode(service, app, person.email));
    },
    'the secret of the activation': async ({ person, reset }) => {
      const [mail] = await mailsTo(person.email);
      return reset(linkIn(mail ?? { text: '' }, 'activate').secret);
    },
    'one for a customer that was deleted': async ({ service, app, person, reset }, code) => {
      await service.call('DELETE', `/customer/${person.cuid}`, { headers: appHeaders(app) });
      return reset(code);
    },
    'one at the host of another tenant': async ({ service, person }, code) => {
      const { host } = await newTenant(service);
      return service.call('POST', `${host}/customers/do_reset`, { body: { email: person.email, code } });
    },
  };

  it.each(Object.entries(REFUSALS))('is %s: it gets no JWT of any kind, and changes nothing', async (_, present) => {
    const world = await newForgetfulWorld();
    const readUser = () => env.DB.prepare('select * from users where id = ?').bind(world.person.userId).first();
    const before = await readUser();
    const response = await present(world, await world.mailCode());
    expect(await response.clone().text()).not.toMatch(/token|eyJ/);
    expect(await refusalOf(response)).toEqual(REFUSED);
    expect([before, null]).toContainEqual(await readUser());
  });

  it('is one that was used', async () => {
    const world = await newForgetfulWorld();
    const code = await world.mailCode();
    const passphrase = await passphraseIn(world, await world.reset(code), code);
    for (const more of [{}, { password: OWN, password_check: OWN }]) {
      expect(await refusalOf(await world.reset(code, more))).toEqual(REFUSED);
    }
    expect(await world.login(passphrase)).toBe(200);
  });

  it('is not one that is half an hour old but for a second, nor one after four wrong ones', async () => {
    const { service, mailCode, reset } = await newForgetfulWorld();
    const code = await mailCode();
    for (const wrong of wrongResetCodes(code, 4)) expect(await refusalOf(await reset(wrong))).toEqual(REFUSED);
    service.clock.advance(30 * 60 - 1);
    expect((await reset(code)).status).toBe(200);
  });

  it('is the right one after five wrong ones, but not a new one then', async () => {
    const { service, mailCode, reset } = await newForgetfulWorld();
    const code = await mailCode();
    for (const wrong of wrongResetCodes(code, 5)) expect(await refusalOf(await reset(wrong))).toEqual(REFUSED);
    expect(await refusalOf(await reset(code))).toEqual(REFUSED);
    service.clock.advance(30);
    expect((await reset(await mailCode())).status).toBe(200);
  });

  it('answers for an address that nobody has as for a wrong code', async () => {
    const { mailCode, reset } = await newForgetfulWorld();
    const [wrong = ''] = wrongResetCodes(await mailCode(), 1);
    for (const more of [
      {},
      { password: OWN, password_check: OWN },
      { password: 'password', password_check: 'password' },
    ]) {
      const known = await answerOf(await reset(wrong, more));
      expect(await answerOf(await reset(wrong, { ...more, email: uniqueEmail() }))).toEqual(known);
    }
  });
});

describe('the limit on wrong reset codes', () => {
  it.each(['somebody', 'nobody'])(
    'refuses even the right one of %s after 20 in an hour, for 15 minutes',
    async (whose) => {
      const world = await newForgetfulWorld();
      const email = whose === 'somebody' ? world.person.email : uniqueEmail();
      for (const wrong of wrongResetCodes('A'.repeat(10), 20)) {
        expect(await refusalOf(await world.reset(wrong, { email }))).toEqual(REFUSED);
      }
      const code = await world.mailCode();
      const refused = await world.reset(code, { email });
      expect(await refusalOf(refused)).toMatchObject({ status: 429, code: 'rate_limited' });
      expect(refused.headers.get('Retry-After')).toBe('900');
      world.service.clock.advance(899);
      expect((await world.reset(code, { email })).status).toBe(429);
      world.service.clock.advance(1);
      expect((await world.reset(code, { email })).status).toBe(whose === 'somebody' ? 200 : 400);
    },
  );

  it('is told of in the log when it locks, of somebody alone', async () => {
    const { service, tenant, person, reset } = await newForgetfulWorld();
    const codes = wrongResetCodes('A'.repeat(10), 21);
    for (const wrong of codes.slice(0, 19)) await reset(wrong);
    expect(await locksOf(person.cuid)).toEqual([]);
    for (const wrong of codes.slice(19)) await reset(wrong);
    expect(await locksOf(person.cuid)).toEqual([{ actor: 'anonymous', data: '{"by":"password_reset"}' }]);
    service.clock.advance(31);
    const before = await rowsOf(tenant.id);
    const nobody = uniqueEmail();
    for (const wrong of codes) await reset(wrong, { email: nobody });
    expect((await rowsOf(tenant.id)).events).toEqual(before.events);
  });

  it('counts them together with wrong passcodes', async () => {
    const { service, app, person, mailCode, reset } = await newForgetfulWorld();
    for (const wrong of wrongCodes('000000', 10)) {
      const path = `/customer/${person.email}/auth?passcode=${wrong}`;
      expect((await service.call('GET', path, { headers: appHeaders(app) })).status).toBe(401);
    }
    const code = await mailCode();
    for (const wrong of wrongResetCodes(code, 10)) expect((await reset(wrong)).status).toBe(400);
    expect((await reset(code)).status).toBe(429);
    const path = `/customer/${person.email}/auth?passcode=000000`;
    expect((await service.call('GET', path, { headers: appHeaders(app) })).status).toBe(429);
  });

  it('is 30 a minute from one address of the internet', async () => {
    const { mailCode, reset } = await newForgetfulWorld();
    const code = await mailCode();
    const from = (ip: string) => ({ 'CF-Connecting-IP': ip });
    for (let i = 0; i < 30; i++) {
      expect((await reset(code, { email: uniqueEmail() }, from('203.0.113.7'))).status).toBe(400);
    }
    expect((await reset(code, {}, from('203.0.113.7'))).status).toBe(429);
    expect((await reset(code, {}, from('203.0.113.8'))).status).toBe(200);
  });
});

describe('a reset code', () => {
  it('is at rest as a keyed hash alone, in KV too', async () => {
    const { mailCode } = await newForgetfulWorld();
    const code = await mailCode();
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(code)));
    const { keys } = await env.KV.list({ prefix: 'password_reset:' });
    const entries = await Promise.all(keys.map(async ({ name }) => `${name} ${await env.KV.get(name)}`));
    expect(entries.length).toBeGreaterThan(0);
    for (const form of [code, digest.toHex(), digest.toBase64(), digest.toBase64({ alphabet: 'base64url' })]) {
      expect(entries.join('\n')).not.toContain(form);
    }
  });
});
