import { describe, expect, it } from 'vitest';
import { disableCustomer } from '../../support/customers.ts';
import {
  type Browser,
  mailedCode,
  newBrowser,
  newLoginWorld,
  postLogin,
  redirectByApp,
  startLogin,
} from '../../support/logins.ts';
import { mailPasscode, wrongCodes } from '../../support/passcodes.ts';
import { eventsAbout, locksOf, rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { appHeaders, newCustomer, operatorHeaders, refusalOf, uniqueEmail } from '../../support/tenants.ts';

const FAILED = { status: 401, code: 'login_failed', message: expect.any(String) };
const STRANGE = 'a'.repeat(43);

/** What a browser presents. */
type Attempt = { browser: Browser; code: string; state: string };

/** A world with a sign-in that was begun, and whose code is known. */
const newBegunWorld = async (profile: Record<string, unknown> = {}) => {
  const service = createService();
  const world = await newLoginWorld(service, profile);
  const begin = async (email = world.customer.email, browser = world.browser): Promise<Attempt> => {
    const state = await startLogin(browser, email);
    return { browser, code: await mailedCode(email), state };
  };
  const right = await begin();
  const login = ({ browser, code, state }: Attempt) => postLogin(browser, code, state);
  return { ...world, begin, right, login };
};

type World = Awaited<ReturnType<typeof newBegunWorld>>;

type Case = [string, (world: World) => Promise<Attempt> | Attempt];

/** Attempts that fail, after which the right one is still good. */
const MISSES: Case[] = [
  ['a state that there is not', ({ right }) => ({ ...right, state: STRANGE })],
  ['no state', ({ right }) => ({ ...right, state: '' })],
  ['a state that is not quite it', ({ right }) => ({ ...right, state: right.state.slice(0, -1) })],
  ['a wrong code', ({ right }) => ({ ...right, code: wrongCodes(right.code, 1).join() })],
  ['no code', ({ right }) => ({ ...right, code: '' })],
  ['the code with white space', ({ right }) => ({ ...right, code: ` ${right.code}` })],
  ['the code with a digit more', ({ right }) => ({ ...right, code: `0${right.code}` })],
  [
    'the code in full-width digits',
    ({ right }) => ({
      ...right,
      code: right.code.replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    }),
  ],
  ['the state as the code', ({ right }) => ({ ...right, code: right.state })],
  [
    'the state in another browser',
    ({ service, tenant, right }) => ({ ...right, browser: newBrowser(service, tenant.host) }),
  ],
  [
    'the state in another browser that has begun a sign-in, too',
    async ({ service, tenant, right }) => {
      const browser = newBrowser(service, tenant.host);
      await startLogin(browser, uniqueEmail());
      return { ...right, browser };
    },
  ],
  [
    'the code of another state in the same browser',
    async ({ service, app, begin, right }) => {
      const other = await begin((await newCustomer(service, app)).email);
      return { ...right, code: other.code === right.code ? '' : other.code };
    },
  ],
  [
    'the state of an address that nobody has, with the code of another',
    async ({ browser, right }) => ({ ...right, state: await startLogin(browser, uniqueEmail()) }),
  ],
  [
    'an SSO redirect’s code with the state',
    async ({ service, app, customer, right }) => {
      const { code } = await redirectByApp(service, app, customer.email);
      return { ...right, code };
    },
  ],
  [
    'the state and code at another tenant, with the same cookie',
    async ({ service, right }) => {
      const { browser } = await newLoginWorld(service);
      for (const [name, value] of right.browser.cookies) browser.cookies.set(name, value);
      return { ...right, browser };
    },
  ],
];

/** What makes the right attempt fail. */
const ENDS: Case[] = [
  [
    'was used',
    async ({ right, login }) => {
      expect((await login(right)).status).toBe(200);
      return right;
    },
  ],
  [
    'is ten minutes old',
    ({ service, right }) => {
      service.clock.advance(600);
      return right;
    },
  ],
  [
    'was replaced by a newer one',
    async ({ service, begin, right }) => {
      service.clock.advance(30);
      await begin();
      return right;
    },
  ],
  [
    'was replaced by one that another browser has asked for',
    async ({ service, tenant, customer, begin, right }) => {
      service.clock.advance(30);
      await begin(customer.email, newBrowser(service, tenant.host));
      return right;
    },
  ],
  [
    'was guessed at five times',
    async ({ right, login }) => {
      for (const code of wrongCodes(right.code, 5))
        expect(await refusalOf(await login({ ...right, code }))).toEqual(FAILED);
      return right;
    },
  ],
  [
    'is of a customer that was disabled',
    async ({ customer, right }) => {
      await disableCustomer(customer.cuid);
      return right;
    },
  ],
  [
    'is of a customer that was disabled by the operator',
    async ({ service, tenant, customer, right }) => {
      const path = `/operator/v1/tenants/${tenant.slug}/customers/${customer.cuid}`;
      await service.call('PATCH', path, { headers: operatorHeaders, body: { status: 'disabled' } });
      return right;
    },
  ],
  [
    'is of a customer that was deleted',
    async ({ service, app, customer, right }) => {
      await service.call('DELETE', `/customer/${customer.cuid}`, { headers: appHeaders(app) });
      return right;
    },
  ],
];

const sessionsOf = async ({ tenant }: World) => (await rowsOf(tenant.id)).sessions;

describe('a login is refused, and opens no session,', () => {
  it.each(MISSES)('with %s; the right one is good after it', async (_, prepare) => {
    const world = await newBegunWorld();
    const response = await world.login(await prepare(world));
    expect(response.headers.get('Set-Cookie')).toBeNull();
    expect(await refusalOf(response)).toEqual(FAILED);
    expect(await sessionsOf(world)).toEqual([]);
    expect((await world.login(world.right)).status).toBe(200);
    expect(await sessionsOf(world)).toHaveLength(1);
  });

  it.each(ENDS)('when the code %s', async (_, end) => {
    const world = await newBegunWorld();
    const attempt = await end(world);
    const before = await sessionsOf(world);
    const response = await world.login(attempt);
    expect(response.headers.get('Set-Cookie')).toBeNull();
    expect(await refusalOf(response)).toEqual(FAILED);
    expect(await sessionsOf(world)).toEqual(before);
  });

  it('with a state in a cookie that siblings can set', async () => {
    const { service, tenant, right } = await newBegunWorld();
    const value = right.browser.cookies.get('__Host-login') ?? '';
    const body = { code: right.code, state: right.state };
    const headers = { Cookie: `login=${value}; __Secure-login=${value}` };
    const response = await service.call('POST', `${tenant.host}/v1/auth/login`, { headers, body });
    expect(await refusalOf(response)).toEqual(FAILED);
  });

  it('and the audit log tells of it', async () => {
    const { customer, right, login } = await newBegunWorld();
    for (const code of wrongCodes(right.code, 1)) await login({ ...right, code });
    expect((await eventsAbout(customer.cuid)).at(-1)).toEqual({ type: 'login.failed', actor: 'anonymous' });
  });
});

describe('a code', () => {
  it('is good until ten minutes are over', async () => {
    const { service, right, login } = await newBegunWorld();
    service.clock.advance(599.999);
    expect((await login(right)).status).toBe(200);
  });

  it('is good at the fifth try', async () => {
    const { right, login } = await newBegunWorld();
    for (const code of wrongCodes(right.code, 4)) await login({ ...right, code });
    expect((await login(right)).status).toBe(200);
  });

  it('can be asked for anew when it has died of wrong tries', async () => {
    const { service, right, begin, login } = await newBegunWorld();
    for (const code of wrongCodes(right.code, 5)) await login({ ...right, code });
    service.clock.advance(30);
    expect((await login(await begin())).status).toBe(200);
  });

  it('is no passcode, and a passcode is none', async () => {
    const { service, app, customer, right, login } = await newBegunWorld();
    const path = `/customer/${customer.email}/auth?passcode=${right.code}`;
    const redeemed = await service.call('GET', path, { headers: appHeaders(app) });
    expect(await refusalOf(redeemed)).toMatchObject({ status: 401, code: 'invalid_passcode' });
    service.clock.advance(30);
    const passcode = await mailPasscode(service, app, customer.email);
    if (passcode !== right.code) expect((await login({ ...right, code: passcode })).status).toBe(401);
    expect((await login(right)).status).toBe(200);
  });
});

describe('the limit on wrong codes of a person', () => {
  const expectLocked = async (response: Response, seconds = 900): Promise<void> => {
    expect(await refusalOf(response)).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(response.headers.get('Retry-After')).toBe(String(seconds));
  };

  it('refuses the right one too after 20 in an hour, over all codes, and ends after 15 minutes', async () => {
    const { service, begin, right, login } = await newBegunWorld({ settings: { rate_limits: { mail_per_hour: 100 } } });
    let attempt = right;
    for (let codes = 0; codes < 4; codes++) {
      for (const code of wrongCodes(attempt.code, 5)) expect((await login({ ...attempt, code })).status).toBe(401);
      service.clock.advance(30);
      attempt = await begin();
    }
    await expectLocked(await login(attempt), 870);
    service.clock.advance(839);
    attempt = await begin();
    service.clock.advance(30);
    await expectLocked(await login(attempt), 1);
    service.clock.advance(1);
    expect((await login(attempt)).status).toBe(200);
  });

  it('is the same for an address that nobody has', async () => {
    const { browser, login } = await newBegunWorld();
    const state = await startLogin(browser, uniqueEmail());
    for (const code of wrongCodes('000000', 20)) {
      expect(await refusalOf(await login({ browser, code, state }))).toEqual(FAILED);
    }
    await expectLocked(await login({ browser, code: '000000', state }));
  });

  it('is told of in the log when it locks, of somebody alone', async () => {
    const { service, tenant, customer, browser, right, login } = await newBegunWorld({
      settings: { rate_limits: { wrong_codes_per_hour: 5 } },
    });
    const codes = wrongCodes(right.code, 6);
    for (const code of codes.slice(0, 4)) await login({ ...right, code });
    expect(await locksOf(customer.cuid)).toEqual([]);
    for (const code of codes.slice(4)) await login({ ...right, code });
    expect(await locksOf(customer.cuid)).toEqual([{ actor: 'anonymous', data: '{"by":"email"}' }]);
    service.clock.advance(31);
    const before = await rowsOf(tenant.id);
    const state = await startLogin(browser, uniqueEmail());
    for (const code of codes) await login({ browser, code, state });
    expect((await rowsOf(tenant.id)).events).toEqual(before.events);
  });

  it('counts passcodes and login codes together', async () => {
    const { service, app, customer, right, login } = await newBegunWorld();
    for (const code of wrongCodes(right.code, 16)) {
      const path = `/customer/${customer.email}/auth?passcode=${code}`;
      expect((await service.call('GET', path, { headers: appHeaders(app) })).status).toBe(401);
    }
    for (const code of wrongCodes(right.code, 4)) expect((await login({ ...right, code })).status).toBe(401);
    await expectLocked(await login(right));
    const passcode = await service.call('GET', `/customer/${customer.email}/auth?passcode=123456`, {
      headers: appHeaders(app),
    });
    await expectLocked(passcode);
  });

  it('leaves other persons alone', async () => {
    const { service, app, right, begin, login } = await newBegunWorld({
      settings: { rate_limits: { wrong_codes_per_hour: 5 } },
    });
    for (const code of wrongCodes(right.code, 5)) await login({ ...right, code });
    expect((await login(right)).status).toBe(429);
    expect((await login(await begin((await newCustomer(service, app)).email))).status).toBe(200);
  });
});

describe('the limit on attempts from one address of the internet', () => {
  it('refuses the right code after 30 in a minute, starts among them, and leaves it good', async () => {
    const { service, tenant, right } = await newBegunWorld();
    const login = (body: unknown, ip = '203.0.113.7') => {
      const cookie = `__Host-login=${right.browser.cookies.get('__Host-login')}`;
      const headers = { Cookie: cookie, 'CF-Connecting-IP': ip };
      return service.call('POST', `${tenant.host}/v1/auth/login`, { headers, body });
    };
    const start = await service.call('POST', `${tenant.host}/v1/auth/startlogin`, {
      headers: { 'CF-Connecting-IP': '203.0.113.7' },
      body: { email_address: uniqueEmail() },
    });
    expect(start.status).toBe(200);
    for (let i = 1; i < 30; i++) expect((await login({ code: `${100_000 + i}`, state: STRANGE })).status).toBe(401);
    const body = { code: right.code, state: right.state };
    const refused = await login(body);
    expect(await refusalOf(refused)).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(refused.headers.get('Retry-After')).toBe('60');
    expect((await login({ code: 'x'.repeat(43), state: STRANGE })).status).toBe(429);
    expect((await login(body, '203.0.113.8')).status).toBe(200);
  });
});
