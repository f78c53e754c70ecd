import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, linkIn, newPerson, signIn } from '../../support/accounts.ts';
import {
  ALIVE,
  DEAD,
  expectSessionOver,
  mailedCode,
  newBrowser,
  newSessionWorld,
  redirectByApp,
  signInByCode,
  startLogin,
} from '../../support/logins.ts';
import { lastMailTo } from '../../support/mailbox.ts';
import { eventsAbout } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { appHeaders, newCustomer, refusalOf } from '../../support/tenants.ts';

type Listed = { id: string; current: boolean; created_at: string };

const newWorld = async (profile: Record<string, unknown> = {}) => {
  const world = await newSessionWorld(createService(), profile);
  const call = (method: string, token: string, path = '') =>
    world.service.call(method, `${world.tenant.host}/v1/auth/sessions${path}`, { headers: bearerHeaders(token) });
  const list = async (token: string): Promise<Listed[]> => {
    const response = await call('GET', token);
    expect(response.status).toBe(200);
    return response.json<Listed[]>();
  };
  return { ...world, call, list };
};

const idOf = ({ access_token }: { access_token: string }): string => String(decodeJwt(access_token).sid);

const time = (milliseconds: number): string => new Date(milliseconds).toISOString();

describe('GET /v1/auth/sessions', () => {
  it('tells of a session its device, times and how it began, and nothing secret', async () => {
    const { service, tenant, app, customer, call } = await newWorld();
    const at = service.clock.now();
    const { code, state } = await redirectByApp(service, app, customer.email);
    const headers = { 'User-Agent': `Mozilla/5.0 ${'x'.repeat(300)}`, 'CF-Connecting-IP': '203.0.113.7' };
    const signedIn = await service.call('POST', `${tenant.host}/v1/auth/login`, { headers, body: { code, state } });
    const { access_token } = await signedIn.json<{ access_token: string }>();
    const response = await call('GET', access_token);
    expect([response.status, response.headers.get('Cache-Control')]).toEqual([200, 'no-store']);
    const own = (await response.json<Listed[]>()).find(({ current }) => current);
    expect(own).toEqual({
      id: idOf({ access_token }),
      current: true,
      provider: 'sso',
      device: `Mozilla/5.0 ${'x'.repeat(300)}`.slice(0, 256),
      ip: '203.0.113.7',
      place: null,
      created_at: time(at),
      last_used_at: time(at),
      expires_at: time(at + 30 * 24 * 3600 * 1000),
    });
  });

  it('tells when it was last refreshed, and when it will end', async () => {
    const lifetimes = { refresh_idle: 1000, refresh_absolute: 1500 };
    const { service, tokens, rotate, list } = await newWorld({ settings: { lifetimes } });
    const at = service.clock.now();
    service.clock.advance(300);
    const next = await rotate(tokens.refresh_token);
    const times = { created_at: time(at), last_used_at: time(at + 300_000) };
    expect(await list(next.access_token)).toMatchObject([{ ...times, expires_at: time(at + 1_300_000) }]);
    service.clock.advance(900);
    const last = await rotate(next.refresh_token);
    expect(await list(last.access_token)).toMatchObject([{ expires_at: time(at + 1_500_000) }]);
  });

  it('lists them newest first, and says which one is the current', async () => {
    const { tokens, signInElsewhere, list } = await newWorld();
    const [second, third] = [(await signInElsewhere()).tokens, (await signInElsewhere()).tokens];
    for (const asked of [tokens, second, third]) {
      const expected = [third, second, tokens].map((each) => ({ id: idOf(each), current: each === asked }));
      expect(await list(asked.access_token)).toMatchObject(expected);
    }
  });

  it('lists those that live, of the user alone', async () => {
    const lifetimes = { refresh_idle: 120 };
    const { service, app, tokens, rotate, signInElsewhere, list } = await newWorld({ settings: { lifetimes } });
    const neighbour = await newCustomer(service, app);
    await signInElsewhere(neighbour.email);
    const loggedOut = await signInElsewhere();
    await loggedOut.browser.call('POST', '/v1/auth/logout');
    await signInElsewhere();
    service.clock.advance(29);
    const current = await rotate(tokens.refresh_token);
    expect(await list(current.access_token)).toHaveLength(2);
    service.clock.advance(91);
    expect(await list(current.access_token)).toMatchObject([{ id: idOf(current), current: true }]);
  });

  it('has no current one for a token that no session has', async () => {
    const { service, tenant, app, list } = await newWorld();
    const person = await newPerson(service, tenant, app);
    const token = await signIn(service, tenant, person);
    expect(await list(token)).toEqual([]);
    const tokens = await signInByCode(newBrowser(service, tenant.host), person.email);
    expect(await list(token)).toMatchObject([{ id: idOf(tokens), current: false }]);
  });

  it('is for whoever is signed in', async () => {
    const { service, tenant } = await newWorld();
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['DELETE', '/ses_00000000000000000000000000'],
    ]) {
      const response = await service.call(method ?? '', `${tenant.host}/v1/auth/sessions${path}`);
      expect(response.headers.get('WWW-Authenticate')).toBe('Bearer');
      expect(await refusalOf(response)).toMatchObject({ status: 401, code: 'unauthenticated' });
    }
  });
});

describe('DELETE /v1/auth/sessions/:id', () => {
  it('ends that session at once, everywhere, and no other', async () => {
    const { customer, tokens, refresh, rotate, signInElsewhere, statusesOf, call, list } = await newWorld();
    const elsewhere = (await signInElsewhere()).tokens;
    expect((await call('DELETE', tokens.access_token, `/${idOf(elsewhere)}`)).status).toBe(204);
    expect(await statusesOf(elsewhere)).toEqual(DEAD);
    await expectSessionOver(await refresh(elsewhere.refresh_token));
    expect(await statusesOf(tokens)).toEqual(ALIVE);
    expect(await list(tokens.access_token)).toMatchObject([{ id: idOf(tokens) }]);
    await rotate(tokens.refresh_token);
    const revoked = { type: 'session.revoked', actor: `user:${tokens.user_id}` };
    expect((await eventsAbout(customer.cuid)).at(-1)).toEqual(revoked);
  });

  it('can end the very session that asks', async () => {
    const { tokens, refresh, statusesOf, call } = await newWorld();
    expect((await call('DELETE', tokens.access_token, `/${idOf(tokens)}`)).status).toBe(204);
    expect(await statusesOf(tokens)).toEqual(DEAD);
    await expectSessionOver(await refresh(tokens.refresh_token));
  });

  it('knows no session that there is not, is over, or is another’s', async () => {
    const world = await newWorld();
    const { service, app, tokens, signInElsewhere, statusesOf, call } = world;
    const over = await signInElsewhere();
    await over.browser.call('POST', '/v1/auth/logout');
    const neighbours = (await signInElsewhere((await newCustomer(service, app)).email)).tokens;
    const stranger = await newSessionWorld(service);
    const ids = [
      idOf(over.tokens),
      idOf(neighbours),
      idOf(stranger.tokens),
      'ses_00000000000000000000000000',
      'x',
      '%27',
    ];
    for (const id of ids) {
      const response = await call('DELETE', tokens.access_token, `/${id}`);
      expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'session_not_found' });
    }
    expect(await statusesOf(neighbours)).toEqual(ALIVE);
    expect(await stranger.statusesOf(stranger.tokens)).toEqual(ALIVE);
  });

  it('is refused to a token whose session is over', async () => {
    const { browser, tokens, signInElsewhere, statusesOf, call } = await newWorld();
    const elsewhere = (await signInElsewhere()).tokens;
    await browser.call('POST', '/v1/auth/logout');
    for (const path of ['', `/${idOf(elsewhere)}`]) {
      const response = await call('DELETE', tokens.access_token, path);
      expect(await refusalOf(response)).toMatchObject({ status: 401, code: 'unauthenticated' });
    }
    expect(await statusesOf(elsewhere)).toEqual(ALIVE);
  });
});

describe('DELETE /v1/auth/sessions', () => {
  it('ends all of the user’s sessions but the one that asks', async () => {
    const { service, app, customer, tokens, refresh, signInElsewhere, statusesOf, call } = await newWorld();
    const [second, third] = [(await signInElsewhere()).tokens, (await signInElsewhere()).tokens];
    const neighbours = (await signInElsewhere((await newCustomer(service, app)).email)).tokens;
    expect((await call('DELETE', second.access_token)).status).toBe(204);
    for (const each of [tokens, third]) {
      expect(await statusesOf(each)).toEqual(DEAD);
      await expectSessionOver(await refresh(each.refresh_token));
    }
    expect(await statusesOf(second)).toEqual(ALIVE);
    expect(await statusesOf(neighbours)).toEqual(ALIVE);
    const revoked = { type: 'session.revoked', actor: `user:${tokens.user_id}` };
    expect((await eventsAbout(customer.cuid)).at(-1)).toEqual(revoked);
  });

  it('ends all of them for a token that no session has', async () => {
    const { service, tenant, app, statusesOf, call } = await newWorld();
    const person = await newPerson(service, tenant, app);
    const token = await signIn(service, tenant, person);
    const tokens = await signInByCode(newBrowser(service, tenant.host), person.email);
    expect((await call('DELETE', token)).status).toBe(204);
    expect(await statusesOf(tokens)).toEqual(DEAD);
  });

  it('is no news where there is no other', async () => {
    const { customer, tokens, statusesOf, call } = await newWorld();
    const before = await eventsAbout(customer.cuid);
    expect((await call('DELETE', tokens.access_token)).status).toBe(204);
    expect(await statusesOf(tokens)).toEqual(ALIVE);
    expect(await eventsAbout(customer.cuid)).toEqual(before);
  });
});

/** A person with a password, signed in by a code. */
const newPersonWorld = async () => {
  const world = await newWorld();
  const { service, tenant, app } = world;
  const person = await newPerson(service, tenant, app);
  const tokens = await signInByCode(newBrowser(service, tenant.host), person.email);
  service.clock.advance(31);
  const account = (method: string, path: string, body: unknown, headers: Record<string, string> = {}) =>
    service.call(method, `${tenant.host}/customers/${path}`, { headers, body });
  return { ...world, person, tokens, account };
};

const PASSWORD = 'another horse, another battery';

const DEATHS: [string, (world: Awaited<ReturnType<typeof newPersonWorld>>) => Promise<Response>][] = [
  [
    'the user changes the password, even with the session’s own token',
    ({ account, tokens, person }) => {
      const body = { password: PASSWORD, current_password: person.password };
      return account('PATCH', 'self', body, bearerHeaders(tokens.access_token));
    },
  ],
  [
    'the password is reset',
    async ({ account, person }) => {
      await account('POST', 'password_reset', { email: person.email, reset_uri: '/reset' });
      const [, code = ''] = /\/reset\/([A-Z0-9]{10})\b/.exec((await lastMailTo(person.email)).text) ?? [];
      return account('POST', 'do_reset', { email: person.email, code, password: PASSWORD, password_check: PASSWORD });
    },
  ],
  [
    'the customer is deleted by the app',
    ({ service, app, person }) => service.call('DELETE', `/customer/${person.cuid}`, { headers: appHeaders(app) }),
  ],
  [
    'the customer deletes itself',
    ({ account, tokens }) => account('DELETE', 'self', undefined, bearerHeaders(tokens.access_token)),
  ],
];

describe('every session of a user is over at once when', () => {
  it.each(DEATHS)('%s', async (_, end) => {
    const world = await newPersonWorld();
    const { tokens, refresh, service, tenant } = world;
    expect((await end(world)).status).toBeLessThan(300);
    service.clock.advance(1);
    await expectSessionOver(await refresh(tokens.refresh_token));
    const headers = bearerHeaders(tokens.access_token);
    const own = await service.call('GET', `${tenant.host}/v1/auth/sessions`, { headers });
    expect(await refusalOf(own)).toMatchObject({ status: 401, code: 'unauthenticated' });
  });

  it('the password is chosen by an activation link, which a code had overtaken', async () => {
    const { service, tenant, app, account, refresh } = await newPersonWorld();
    const { email } = await newCustomer(service, app, { send_activation: true });
    const { identifier, secret } = linkIn(await lastMailTo(email), 'activate');
    service.clock.advance(30);
    const tokens = await signInByCode(newBrowser(service, tenant.host), email);
    service.clock.advance(1);
    const body = { identifier, secret, password: PASSWORD, password_check: PASSWORD };
    expect((await account('POST', 'activate', body)).status).toBe(200);
    await expectSessionOver(await refresh(tokens.refresh_token));
  });

  it('but not the next one', async () => {
    const { service, tenant, person, statusesOf, account, tokens } = await newPersonWorld();
    const body = { password: PASSWORD, current_password: person.password };
    await account('PATCH', 'self', body, bearerHeaders(tokens.access_token));
    service.clock.advance(30);
    const browser = newBrowser(service, tenant.host);
    const state = await startLogin(browser, person.email);
    const code = await mailedCode(person.email);
    const response = await browser.call('POST', '/v1/auth/login', { body: { code, state } });
    expect(await statusesOf(await response.json())).toEqual(ALIVE);
  });
});
