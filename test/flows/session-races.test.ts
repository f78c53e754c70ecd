import { describe, expect, it } from 'vitest';
import { bearerHeaders } from '../support/accounts.ts';
import {
  ALIVE,
  DEAD,
  expectSessionOver,
  mailedCode,
  newBrowser,
  newLoginWorld,
  newSessionWorld,
  newStartWorld,
  postLogin,
  redirectByApp,
  type SignedIn,
  startLogin,
} from '../support/logins.ts';
import { mailsTo } from '../support/mailbox.ts';
import { wrongCodes } from '../support/passcodes.ts';
import { rowsOf } from '../support/rows.ts';
import { createService } from '../support/service.ts';
import { appHeaders, operatorHeaders, uniqueEmail } from '../support/tenants.ts';

const countOf = (responses: readonly Response[], ...statuses: number[]): number =>
  responses.filter(({ status }) => statuses.includes(status)).length;

const atOnce = <T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => work(i)));

const tokensIn = (responses: readonly Response[]): Promise<SignedIn[]> =>
  Promise.all(responses.map((response) => response.json<SignedIn>()));

const eventCount = async (tenantId: string, type: string) =>
  (await rowsOf(tenantId)).events?.filter((event) => event.type === type).length;

describe('simultaneous refreshes', () => {
  it('of one token, 50 of them, rotate it once and all get the very same successor', async () => {
    const { service, tenant, tokens, refresh, rotate, statusesOf } = await newSessionWorld(createService());
    const responses = await atOnce(50, () => refresh(tokens.refresh_token));
    expect(countOf(responses, 200)).toBe(50);
    const all = await tokensIn(responses);
    const [successor = '', ...others] = new Set(all.map(({ refresh_token }) => refresh_token));
    expect(others).toEqual([]);
    expect(successor).not.toBe(tokens.refresh_token);
    expect((await rowsOf(tenant.id)).sessions).toMatchObject([{ generation: 2, revoked_at: null }]);
    for (const each of all.slice(0, 3)) expect(await statusesOf(each)).toEqual(ALIVE);
    service.clock.advance(60);
    expect(await statusesOf(await rotate(successor))).toEqual(ALIVE);
    expect(await eventCount(tenant.id, 'session.reuse_detected')).toBe(0);
  });

  it('of a token that was rotated long ago notice one theft', async () => {
    const { service, tenant, tokens, refresh, rotate } = await newSessionWorld(createService());
    const next = await rotate(tokens.refresh_token);
    service.clock.advance(10);
    const responses = await atOnce(20, () => refresh(tokens.refresh_token));
    expect(countOf(responses, 401)).toBe(20);
    expect(await eventCount(tenant.id, 'session.reuse_detected')).toBe(1);
    await expectSessionOver(await refresh(next.refresh_token));
  });

  it('of a stolen token and of the newest leave no session alive', async () => {
    const { service, tokens, refresh, rotate, statusesOf } = await newSessionWorld(createService());
    const next = await rotate(tokens.refresh_token);
    service.clock.advance(10);
    const responses = await atOnce(20, (i) => refresh(i % 2 === 0 ? tokens.refresh_token : next.refresh_token));
    for (const response of responses.filter(({ status }) => status === 200)) {
      const survivor = await response.json<SignedIn>();
      expect(await statusesOf(survivor)).toEqual(DEAD);
      await expectSessionOver(await refresh(survivor.refresh_token));
    }
    expect(countOf(responses, 200, 401)).toBe(20);
    await expectSessionOver(await refresh(next.refresh_token));
  });
});

describe('simultaneous logins', () => {
  it('with one mailed code, 50 of them, open one session', async () => {
    const { tenant, customer, browser, service } = await newLoginWorld(createService());
    const state = await startLogin(browser, customer.email);
    const code = await mailedCode(customer.email);
    const Cookie = `__Host-login=${browser.cookies.get('__Host-login')}`;
    const login = () =>
      service.call('POST', `${tenant.host}/v1/auth/login`, { headers: { Cookie }, body: { code, state } });
    const responses = await atOnce(50, login);
    expect(countOf(responses, 200)).toBe(1);
    expect(countOf(responses, 401, 429)).toBe(49);
    const { sessions = [], login_states: states = [] } = await rowsOf(tenant.id);
    expect(sessions).toHaveLength(1);
    expect(states.filter(({ consumed_at }) => consumed_at === null)).toEqual([]);
    expect(await eventCount(tenant.id, 'session.created')).toBe(1);
  });

  it('with one authorization code, 50 of them, open one session', async () => {
    const { service, tenant, app, customer, browser } = await newLoginWorld(createService());
    const { code, state } = await redirectByApp(service, app, customer.email);
    const responses = await atOnce(50, () => postLogin(browser, code, state));
    expect([countOf(responses, 200), countOf(responses, 401, 429)]).toEqual([1, 49]);
    expect((await rowsOf(tenant.id)).sessions).toHaveLength(1);
  });

  it('compare five of 100 wrong codes at most, with the right one among them', async () => {
    const { tenant, customer, browser } = await newLoginWorld(createService());
    const state = await startLogin(browser, customer.email);
    const code = await mailedCode(customer.email);
    const wrong = wrongCodes(code, 100);
    const tried = [...wrong.slice(0, 50), code, ...wrong.slice(50)];
    const responses = await Promise.all(tried.map((each) => postLogin(browser, each, state)));
    const { challenges = [], sessions = [] } = await rowsOf(tenant.id);
    expect(challenges).toHaveLength(1);
    expect(challenges[0]?.attempts).toBeLessThanOrEqual(5);
    expect(sessions).toHaveLength(challenges[0]?.consumed_at === null ? 0 : 1);
    expect(countOf(responses, 200)).toBe(sessions.length);
    expect(countOf(responses, 200, 401, 429)).toBe(101);
  });

  it('of a customer without a key make one key', async () => {
    const { service, tenant, app, customer } = await newLoginWorld(createService());
    const redirects = await Promise.all(Array.from({ length: 10 }, () => redirectByApp(service, app, customer.email)));
    const path = `/operator/v1/tenants/${tenant.slug}/apps/${app.id}`;
    expect((await service.call('DELETE', path, { headers: operatorHeaders })).status).toBe(204);
    const responses = await Promise.all(
      redirects.map(({ code, state }) => postLogin(newBrowser(service, tenant.host), code, state)),
    );
    expect(countOf(responses, 200)).toBe(10);
    expect(new Set((await tokensIn(responses)).map(({ access_key }) => access_key)).size).toBe(1);
    expect((await rowsOf(tenant.id)).api_keys).toHaveLength(1);
  });

  it('in one browser that brought a session leave that one dead', async () => {
    const { service, app, customer, browser, tokens, statusesOf } = await newSessionWorld(createService());
    const [one, other] = [
      await redirectByApp(service, app, customer.email),
      await redirectByApp(service, app, customer.email),
    ];
    const responses = await Promise.all([one, other].map(({ code, state }) => postLogin(browser, code, state)));
    expect(countOf(responses, 200)).toBe(2);
    expect(await statusesOf(tokens)).toEqual(DEAD);
  });
});

describe('simultaneous starts', () => {
  it.each([1, 0])('for one address, 20 of them, mail one code (known: %i)', async (known) => {
    const { customer, start } = await newStartWorld(createService());
    const email_address = known ? customer.email : uniqueEmail();
    const responses = await atOnce(20, () => start({ email_address }));
    expect([countOf(responses, 200), countOf(responses, 429)]).toEqual([1, 19]);
    expect(await mailsTo(email_address)).toHaveLength(known);
  });
});

type World = Awaited<ReturnType<typeof newSessionWorld>>;

/** What ends a session, as it may come between the refreshes of it. */
const ENDS: [string, (world: World) => Promise<Response>][] = [
  ['its logout', ({ post, tokens }) => post('logout', { refresh_token: tokens.refresh_token })],
  [
    'its revocation',
    async ({ service, tenant, signInElsewhere }) => {
      const { tokens } = await signInElsewhere();
      const headers = bearerHeaders(tokens.access_token);
      return service.call('DELETE', `${tenant.host}/v1/auth/sessions`, { headers });
    },
  ],
  [
    'the deletion of its customer',
    ({ service, app, customer }) => service.call('DELETE', `/customer/${customer.cuid}`, { headers: appHeaders(app) }),
  ],
  [
    'the disabling of its customer',
    ({ service, tenant, customer }) =>
      service.call('PATCH', `/operator/v1/tenants/${tenant.slug}/customers/${customer.cuid}`, {
        headers: operatorHeaders,
        body: { status: 'disabled' },
      }),
  ],
];

describe('a session that is refreshed during', () => {
  it.each(ENDS)('%s is over after it', async (_, end) => {
    const world = await newSessionWorld(createService());
    const { tokens, browser, refresh, statusesOf } = world;
    const refreshes = atOnce(5, () => refresh(tokens.refresh_token));
    const [ended, ...others] = await Promise.all([end(world), refreshes, browser.call('POST', '/v1/auth/refresh')]);
    expect(ended.ok).toBe(true);
    const responses = others.flat();
    expect(countOf(responses, 200, 401)).toBe(6);
    for (const response of responses.filter(({ status }) => status === 200)) {
      const survivor = await response.json<SignedIn>();
      await expectSessionOver(await refresh(survivor.refresh_token));
      expect((await statusesOf(survivor))[0]).toBe(401);
    }
    await expectSessionOver(await refresh(tokens.refresh_token));
    expect((await statusesOf(tokens))[0]).toBe(401);
  });
});

describe('a login that is overtaken', () => {
  it.each(ENDS.slice(2))('by %s leaves no session alive', async (_, end) => {
    const world = await newSessionWorld(createService());
    const { service, app, customer, tenant, statusesOf, refresh } = world;
    const { code, state } = await redirectByApp(service, app, customer.email);
    const [ended, response] = await Promise.all([end(world), postLogin(newBrowser(service, tenant.host), code, state)]);
    expect([ended.ok, countOf([response], 200, 401)]).toEqual([true, 1]);
    if (response.status !== 200) return;
    const survivor = await response.json<SignedIn>();
    expect((await statusesOf(survivor))[0]).toBe(401);
    await expectSessionOver(await refresh(survivor.refresh_token));
  });
});
