import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { hashToken } from '../../src/crypto/hashing.ts';
import { bearerHeaders } from '../support/accounts.ts';
import { breakable } from '../support/bindings.ts';
import {
  ALIVE,
  DEAD,
  mailedCode,
  newBrowser,
  newSessionWorld,
  postLogin,
  signInByCode,
  startLogin,
} from '../support/logins.ts';
import { mailsTo } from '../support/mailbox.ts';
import { rowsOf } from '../support/rows.ts';
import { createService } from '../support/service.ts';
import { newCustomer, refusalOf } from '../support/tenants.ts';

const newBreakableWorld = async () => {
  const storage = breakable(env);
  const world = await newSessionWorld(createService(storage.bindings));
  const neighbour = await newCustomer(world.service, world.app);
  return { storage, neighbour, ...world };
};

type World = Awaited<ReturnType<typeof newBreakableWorld>>;

const expectUnavailable = async (response: Response): Promise<void> => {
  expect(await refusalOf(response)).toMatchObject({ status: 503, code: 'storage_unavailable' });
  expect(response.headers.get('Retry-After')).toBe('5');
};

/** All rows, but for what counts attempts: an attempt is counted before it is known how it ends. */
const stateOf = async ({ tenant }: World) => ({ ...(await rowsOf(tenant.id)), rate_hits: [] });

/** A call, and what its client does after a failure: in the end it has what it wanted. */
type Operation = {
  prepare: (world: World) => Promise<() => Promise<Response>>;
  recover: (world: World, call: () => Promise<Response>) => Promise<void>;
};

const OPERATIONS: Readonly<Record<string, Operation>> = {
  'a start of a sign-in': {
    prepare: async ({ browser, neighbour }) => {
      const body = { email_address: neighbour.email };
      return () => browser.call('POST', '/v1/auth/startlogin', { body });
    },
    recover: async ({ service, browser, neighbour }) => {
      service.clock.advance(30);
      await signInByCode(browser, neighbour.email);
    },
  },
  'a login': {
    prepare: async ({ browser, neighbour }) => {
      const state = await startLogin(browser, neighbour.email);
      const code = await mailedCode(neighbour.email);
      return () => postLogin(browser, code, state);
    },
    recover: async ({ service, browser, neighbour, statusesOf }) => {
      service.clock.advance(30);
      expect(await statusesOf(await signInByCode(browser, neighbour.email))).toEqual(ALIVE);
    },
  },
  'a refresh': {
    prepare:
      async ({ browser }) =>
      () =>
        browser.call('POST', '/v1/auth/refresh'),
    recover: async ({ service, browser, statusesOf }, call) => {
      const retried = await call();
      expect(retried.status).toBe(200);
      expect(await statusesOf(await retried.json())).toEqual(ALIVE);
      service.clock.advance(60);
      expect((await browser.call('POST', '/v1/auth/refresh')).status).toBe(200);
    },
  },
  'a logout': {
    prepare:
      async ({ browser }) =>
      () =>
        browser.call('POST', '/v1/auth/logout'),
    recover: async ({ tokens, statusesOf }, call) => {
      expect((await call()).status).toBe(200);
      expect(await statusesOf(tokens)).toEqual(DEAD);
    },
  },
  'a revocation': {
    prepare: async ({ service, tenant, tokens, customer }) => {
      service.clock.advance(30);
      await signInByCode(newBrowser(service, tenant.host), customer.email);
      const headers = bearerHeaders(tokens.access_token);
      return () => service.call('DELETE', `${tenant.host}/v1/auth/sessions`, { headers });
    },
    recover: async ({ service, tenant, tokens }, call) => {
      expect((await call()).status).toBe(204);
      const headers = bearerHeaders(tokens.access_token);
      const left = await service.call('GET', `${tenant.host}/v1/auth/sessions`, { headers });
      expect(await left.json()).toMatchObject([{ current: true }]);
    },
  },
};

describe.each(Object.entries(OPERATIONS))('%s', (_, { prepare, recover }) => {
  it.each(['before', 'after'] as const)(
    'answers 503 when storage fails %s any of its operations, keeps the cookies, and can be done again',
    async (moment) => {
      for (let nth = 1, isOver = false; !isOver; nth++) {
        const world = await newBreakableWorld();
        const call = await prepare(world);
        const before = [
          await stateOf(world),
          [...world.browser.cookies],
          (await mailsTo(world.neighbour.email)).length,
        ];
        let broken = 'none';
        world.storage.failWhen((name, count) => {
          if (count === nth) broken = name;
          return count === nth ? moment : null;
        });
        const response = await call();
        world.storage.failWhen(null);
        // Beyond the last operation, or with what is done after the answer.
        isOver = response.ok;
        if (isOver) {
          expect(nth).toBeGreaterThan(2);
          return;
        }
        await expectUnavailable(response);
        expect(response.headers.getSetCookie()).toEqual([]);
        const after = [await stateOf(world), [...world.browser.cookies], (await mailsTo(world.neighbour.email)).length];
        if (moment === 'before' && broken.startsWith('D1')) expect(after).toEqual(before);
        else expect(after.slice(1)).toEqual(before.slice(1));
        await recover(world, call);
      }
    },
    20_000,
  );
});

describe('a code whose login met a failing database', () => {
  it.each([1, 2])('is still good when statement %i was not done', async (nth) => {
    const world = await newBreakableWorld();
    const login = await OPERATIONS['a login']?.prepare(world);
    if (!login) throw new Error('There is no such operation');
    let statements = 0;
    world.storage.failWhen((name) => {
      if (name.startsWith('D1')) statements += 1;
      return name.startsWith('D1') && statements === nth ? 'before' : null;
    });
    await expectUnavailable(await login());
    world.storage.failWhen(null);
    expect((await login()).status).toBe(200);
  });

  it('is not counted as a wrong try when it cannot be looked up', async () => {
    const world = await newBreakableWorld();
    const login = await OPERATIONS['a login']?.prepare(world);
    if (!login) throw new Error('There is no such operation');
    world.storage.failWhen((name) => (name === 'KV get' ? 'before' : null));
    for (let i = 0; i < 6; i++) await expectUnavailable(await login());
    world.storage.failWhen(null);
    expect((await login()).status).toBe(200);
  });
});

describe('a refresh token', () => {
  it('is refused by no failure of storage: the cookie stays, and the session is not taken for stolen', async () => {
    const { storage, browser, tokens, statusesOf } = await newBreakableWorld();
    for (const operation of ['KV get', 'D1 batch']) {
      storage.failWhen((name) => (name === operation ? 'before' : null));
      for (let i = 0; i < 3; i++) await expectUnavailable(await browser.call('POST', '/v1/auth/refresh'));
    }
    storage.failWhen(null);
    expect(browser.cookies.get('__Host-refresh')).toBe(tokens.refresh_token);
    expect((await browser.call('POST', '/v1/auth/refresh')).status).toBe(200);
    expect(await statusesOf(tokens)).toEqual(ALIVE);
  });

  it('whose successor KV has lost gets it again, and it is good', async () => {
    const { service, tenant, tokens, refresh, rotate } = await newBreakableWorld();
    const { refresh_token } = await rotate(tokens.refresh_token);
    const key = `refresh_token:${tenant.id}:${await hashToken(refresh_token)}`;
    expect(await env.KV.get(key)).not.toBeNull();
    await env.KV.delete(key);
    expect((await refresh(refresh_token)).status).toBe(401);
    expect((await rotate(tokens.refresh_token)).refresh_token).toBe(refresh_token);
    service.clock.advance(60);
    await rotate(refresh_token);
  });

  it('whose rotation’s answer was lost gets the successor that was made then', async () => {
    const { storage, tenant, tokens, refresh, rotate } = await newBreakableWorld();
    storage.failWhen((name) => (name === 'D1 batch' ? 'after' : null));
    await expectUnavailable(await refresh(tokens.refresh_token));
    storage.failWhen(null);
    const first = await rotate(tokens.refresh_token);
    expect((await rotate(tokens.refresh_token)).refresh_token).toBe(first.refresh_token);
    expect((await rowsOf(tenant.id)).sessions).toMatchObject([{ generation: 2 }]);
  });
});

describe('a stale key-value store', () => {
  it('brings no session back that has ended', async () => {
    const { service, tenant, tokens, refresh, post } = await newBreakableWorld();
    const prefix = `refresh_token:${tenant.id}:`;
    const stored = await env.KV.list({ prefix });
    const entries = await Promise.all(stored.keys.map(async ({ name }) => [name, await env.KV.get(name)] as const));
    await post('logout', { refresh_token: tokens.refresh_token });
    for (const [name, value] of entries) await env.KV.put(name, value ?? '');
    expect((await refresh(tokens.refresh_token)).status).toBe(401);
    service.clock.advance(60);
    expect((await refresh(tokens.refresh_token)).status).toBe(401);
  });
});
