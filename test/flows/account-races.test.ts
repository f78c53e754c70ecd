import { env } from 'cloudflare:workers';
import { jwtVerify } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { bearerHeaders, linkIn, newPerson, signIn } from '../support/accounts.ts';
import { breakable } from '../support/bindings.ts';
import { lastMailTo, mailsTo } from '../support/mailbox.ts';
import { rowsOf } from '../support/rows.ts';
import { createService, type Service } from '../support/service.ts';
import { newApp, newCustomer, newTenant, refusalOf, uniqueEmail } from '../support/tenants.ts';

const PASSWORD = 'a password of my own';

const countOf = (responses: readonly Response[], ...statuses: number[]): number =>
  responses.filter(({ status }) => statuses.includes(status)).length;

const atOnce = <T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => work(i)));

/** A signed-in person, a customer that was mailed a link, and every call that a secret is redeemed by. */
const newRaceWorld = async (service: Service) => {
  const tenant = await newTenant(service);
  const app = await newApp(service, tenant);
  const person = await newPerson(service, tenant, app);
  const token = await signIn(service, tenant, person);
  service.clock.advance(3600);
  const post = (path: string, body: unknown) => service.call('POST', `${tenant.host}/customers/${path}`, { body });
  const login = (password: string, email = person.email) => post('login', { email, password });
  const ask = () => post('password_reset', { email: person.email, reset_uri: '/reset' });
  const reset = (code: string) => post('do_reset', { email: person.email, code });
  const readSelf = () => service.call('GET', `${tenant.host}/customers/self`, { headers: bearerHeaders(token) });
  const changeEmail = async (email: string, bearer = token) => {
    const headers = bearerHeaders(bearer);
    const asked = await service.call('PATCH', `${tenant.host}/customers/self`, { headers, body: { email } });
    expect(asked.status).toBe(200);
    const { identifier, secret } = linkIn(await lastMailTo(email), 'confirm-email');
    return { identifier, key: secret };
  };
  const newInvited = async () => {
    const { email } = await newCustomer(service, app, { send_activation: true });
    const { identifier, secret } = linkIn(await lastMailTo(email), 'activate');
    const activate = (password: string) => post('activate', { identifier, secret, password, password_check: password });
    return { email, activate };
  };
  const eventCount = (type: string) =>
    env.DB.prepare('select count(*) as count from events where tenant_id = ? and type = ?')
      .bind(tenant.id, type)
      .first<number>('count');
  return {
    service,
    tenant,
    app,
    person,
    token,
    post,
    login,
    ask,
    reset,
    readSelf,
    changeEmail,
    newInvited,
    eventCount,
  };
};

const codeIn = async ({ email }: { email: string }): Promise<string> => {
  const codes = (await mailsTo(email)).map(({ text }) => /\/reset\/([A-Z0-9]{10})\b/.exec(text)?.[1] ?? '');
  return codes.findLast((code) => code !== '') ?? '';
};

const wrongCodes = (code: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${code.slice(0, -2)}${(i + 36).toString(36).padStart(2, '0')}`);

describe('simultaneous calls', () => {
  it('activate once out of 20: the password is the one of the call that succeeded', async () => {
    const { login, newInvited, eventCount } = await newRaceWorld(createService());
    const before = (await eventCount('customer.activated')) ?? 0;
    const { email, activate } = await newInvited();
    const responses = await atOnce(20, (i) => activate(`${PASSWORD} ${i}`));
    expect([countOf(responses, 200), countOf(responses, 400, 429)]).toEqual([1, 19]);
    expect(await eventCount('customer.activated')).toBe(before + 1);
    const winner = responses.findIndex(({ status }) => status === 200);
    expect((await login(`${PASSWORD} ${winner}`, email)).status).toBe(200);
    expect((await login(`${PASSWORD} ${winner === 0 ? 1 : 0}`, email)).status).toBe(401);
  });

  it('reset a password once out of 20: the one password that is told is the one that signs in', async () => {
    const { service, person, login, ask, reset, eventCount } = await newRaceWorld(createService());
    await ask();
    const code = await codeIn(person);
    const responses = await atOnce(20, () => reset(code));
    expect([countOf(responses, 200), countOf(responses, 400, 429)]).toEqual([1, 19]);
    const bodies = await Promise.all(responses.map((response) => response.json<{ token?: string }>()));
    const [token = '', ...others] = bodies.flatMap((body) => body.token ?? []);
    expect(others).toEqual([]);
    const { payload } = await jwtVerify<{ passphrase: string }>(token, new TextEncoder().encode(code), {
      currentDate: new Date(service.clock.now()),
    });
    expect((await login(payload.passphrase)).status).toBe(200);
    expect((await login(person.password)).status).toBe(401);
    expect(await eventCount('password.reset')).toBe(1);
  });

  it('confirm a new address once out of 20', async () => {
    const { person, post, login, readSelf, changeEmail, eventCount } = await newRaceWorld(createService());
    const email = uniqueEmail();
    const body = await changeEmail(email);
    const responses = await atOnce(20, () => post('newemail_confirm', body));
    expect([countOf(responses, 200), countOf(responses, 400, 429)]).toEqual([1, 19]);
    const self = await (await readSelf()).json<Record<string, unknown>>();
    expect(self).toMatchObject({ id: person.cuid, email });
    expect(self).not.toHaveProperty('pending_email');
    expect(await eventCount('email.changed')).toBe(1);
    expect([(await login(person.password, email)).status, (await login(person.password)).status]).toEqual([200, 401]);
  });

  it('give an address that two persons want to one of them, and leave the other as it was', async () => {
    const { service, tenant, app, person, token, post, changeEmail } = await newRaceWorld(createService());
    const rival = await newPerson(service, tenant, app);
    const rivalToken = await signIn(service, tenant, rival);
    const email = uniqueEmail();
    const ours = await changeEmail(email, token);
    service.clock.advance(60);
    const theirs = await changeEmail(email, rivalToken);
    const responses = await Promise.all([post('newemail_confirm', ours), post('newemail_confirm', theirs)]);
    expect([countOf(responses, 200), countOf(responses, 409)]).toEqual([1, 1]);
    const { customers = [], users = [] } = await rowsOf(tenant.id);
    const loser = responses[0]?.status === 200 ? rival.email : person.email;
    for (const rows of [customers, users])
      expect(rows.map((row) => row.email).toSorted()).toEqual([email, loser].toSorted());
  });

  it('mail one reset code of 20 that are asked for', async () => {
    const { person, ask, eventCount } = await newRaceWorld(createService());
    const responses = await atOnce(20, ask);
    expect([countOf(responses, 200), countOf(responses, 429)]).toEqual([1, 19]);
    const mails = (await mailsTo(person.email)).filter(({ text }) => text.includes('/reset/'));
    expect([mails.length, await eventCount('user.password_reset_sent')]).toEqual([1, 1]);
  });

  it('compare five of 40 wrong reset codes at most, with a right one among them', async () => {
    const { tenant, person, ask, reset } = await newRaceWorld(createService());
    await ask();
    const code = await codeIn(person);
    const wrong = wrongCodes(code, 40).filter((each) => each !== code);
    const responses = await Promise.all([...wrong.slice(0, 20), code, ...wrong.slice(20)].map(reset));
    const { challenges = [] } = await rowsOf(tenant.id);
    const state = challenges.find(({ purpose }) => purpose === 'password_reset');
    expect(state?.attempts).toBeLessThanOrEqual(5);
    expect(countOf(responses, 200)).toBe(state?.consumed_at === null ? 0 : 1);
    expect(countOf(responses, 200, 400, 429)).toBe(wrong.length + 1);
  });

  it.each(['somebody', 'nobody'])('compare ten of 50 wrong passwords of %s at most', async (whose) => {
    const { person, login } = await newRaceWorld(createService());
    const email = whose === 'somebody' ? person.email : uniqueEmail();
    const comparisons = vi.spyOn(crypto.subtle, 'timingSafeEqual');
    const responses = await atOnce(50, (i) => login(`${PASSWORD} ${i}`, email));
    const { length } = comparisons.mock.calls;
    comparisons.mockRestore();
    expect(length).toBe(10);
    expect([countOf(responses, 401), countOf(responses, 429)]).toEqual([10, 40]);
    expect((await login(person.password, email)).status).toBe(429);
  });
});

describe('a login with the old password that a reset overtakes', () => {
  /** What is left of a login that had read the user when the reset to `PASSWORD` was done. */
  const overtakeLogin = async (oldHash?: string, oldPassword?: string) => {
    const world = await newRaceWorld(createService());
    const { service, tenant, person, post, ask } = world;
    const hash = env.DB.prepare('update users set password_hash = coalesce(?, password_hash) where id = ?');
    await hash.bind(oldHash ?? null, person.userId).run();
    await ask();
    const code = await codeIn(person);
    let isOvertaken = false;
    const DB = new Proxy(env.DB, {
      get: (target, property) => {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== 'function') return member;
        if (property !== 'batch') return member.bind(target);
        return async (...parameters: unknown[]) => {
          const result: unknown = await Reflect.apply(member, target, parameters);
          if (isOvertaken) return result;
          isOvertaken = true;
          const body = { email: person.email, code, password: PASSWORD, password_check: PASSWORD };
          expect((await post('do_reset', body)).status).toBe(200);
          return result;
        };
      },
    });
    const slow = createService({ DB });
    slow.clock.advance((service.clock.now() - slow.clock.now()) / 1000);
    const password = oldPassword ?? person.password;
    const login = { body: { email: person.email, password } };
    const response = await slow.call('POST', `${tenant.host}/customers/login`, login);
    expect(isOvertaken).toBe(true);
    service.clock.advance(60);
    return { ...world, response };
  };

  it('does not put the old one back when its hash is upgraded', async () => {
    // Openwall’s vector of bcrypt.
    const hash = '$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a';
    const { login } = await overtakeLogin(hash, 'U*U*U');
    expect([(await login(PASSWORD)).status, (await login('U*U*U')).status]).toEqual([200, 401]);
  });

  it('gives no token that lives', async () => {
    const { service, tenant, response } = await overtakeLogin();
    const { token = 'none' } = await response.json<{ token?: string }>();
    const self = await service.call('GET', `${tenant.host}/customers/self`, { headers: bearerHeaders(token) });
    expect(self.status).toBe(401);
  });
});

describe('a database that fails', () => {
  const newBreakableWorld = async () => {
    const storage = breakable(env);
    const world = await newRaceWorld(createService(storage.bindings));
    /** Lets the n-th operation on D1 from now on fail. */
    const failAt = (nth: number) => {
      let operations = 0;
      storage.failWhen((name) => {
        if (name.startsWith('D1')) operations += 1;
        return name.startsWith('D1') && operations === nth ? 'before' : null;
      });
    };
    return { storage, failAt, ...world };
  };

  const expectUnavailable = async (response: Response): Promise<void> => {
    expect(await refusalOf(response)).toMatchObject({ status: 503, code: 'storage_unavailable' });
    expect(response.headers.get('Retry-After')).toBe('5');
  };

  const REDEMPTIONS: Readonly<
    Record<string, (world: Awaited<ReturnType<typeof newRaceWorld>>) => Promise<() => Promise<Response>>>
  > = {
    'an activation': async ({ newInvited }) => {
      const { activate } = await newInvited();
      return () => activate(PASSWORD);
    },
    'a reset': async ({ person, ask, reset }) => {
      await ask();
      const code = await codeIn(person);
      return () => reset(code);
    },
    'a confirmation': async ({ post, changeEmail }) => {
      const body = await changeEmail(uniqueEmail());
      return () => post('newemail_confirm', body);
    },
  };

  for (const [name, prepare] of Object.entries(REDEMPTIONS)) {
    it.each([1, 2])(
      `leaves the secret of ${name} good, and all as it was, when operation %i is not done`,
      async (nth) => {
        const world = await newBreakableWorld();
        const redeem = await prepare(world);
        const before = await rowsOf(world.tenant.id);
        const mails = await mailsTo(world.person.email);
        world.failAt(nth);
        await expectUnavailable(await redeem());
        expect(await rowsOf(world.tenant.id)).toEqual(before);
        expect(await mailsTo(world.person.email)).toEqual(mails);
        world.storage.failWhen(null);
        expect((await world.readSelf()).status).toBe(200);
        expect((await redeem()).status).toBe(200);
      },
    );
  }

  it('counts no try of a password that it was not asked about', async () => {
    const { tenant, person, login, failAt } = await newBreakableWorld();
    const before = await rowsOf(tenant.id);
    failAt(1);
    await expectUnavailable(await login(person.password));
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('keeps nobody from signing in by not recording it', async () => {
    const { storage, service, tenant, person, login, failAt, eventCount } = await newBreakableWorld();
    const before = await eventCount('login.succeeded');
    // An isolate that knows the tenant's keys.
    await service.call('GET', `${tenant.host}/.well-known/jwks.json`);
    failAt(2);
    const response = await login(person.password);
    storage.failWhen(null);
    const { token } = await response.json<{ token: string }>();
    const read = await service.call('GET', `${tenant.host}/customers/self`, { headers: bearerHeaders(token) });
    expect(read.status).toBe(200);
    // All or nothing of the record: no event, and the try still counts.
    expect(await eventCount('login.succeeded')).toBe(before);
    const { rate_hits } = await rowsOf(tenant.id);
    expect(rate_hits?.filter(({ at }) => at === service.clock.now())).toHaveLength(1);
  });

  it('mails no reset code that cannot be redeemed, and leaves the one before good', async () => {
    const { storage, service, tenant, person, ask, reset, failAt } = await newBreakableWorld();
    await ask();
    const code = await codeIn(person);
    service.clock.advance(30);
    const before = await rowsOf(tenant.id);
    failAt(1);
    await expectUnavailable(await ask());
    expect(await rowsOf(tenant.id)).toEqual(before);
    failAt(2);
    expect((await ask()).status).toBe(200);
    storage.failWhen(null);
    expect({ ...(await rowsOf(tenant.id)), rate_hits: [] }).toEqual({ ...before, rate_hits: [] });
    expect(await codeIn(person)).toBe(code);
    expect((await reset(code)).status).toBe(200);
  });
});

describe('a mail server that is down', () => {
  const newMaillessWorld = async () => {
    const world = await newRaceWorld(createService());
    const mailless = createService({ MAIL_URL: 'smtp://127.0.0.1:1' });
    mailless.clock.advance((world.service.clock.now() - mailless.clock.now()) / 1000);
    const post = (path: string, body: unknown) =>
      mailless.call('POST', `${world.tenant.host}/customers/${path}`, { body });
    return { world, post };
  };

  it('keeps nobody from a reset', async () => {
    const { world, post } = await newMaillessWorld();
    await world.ask();
    const code = await codeIn(world.person);
    const body = { email: world.person.email, code, password: PASSWORD, password_check: PASSWORD };
    expect((await post('do_reset', body)).status).toBe(200);
    expect((await world.login(PASSWORD)).status).toBe(200);
  });

  it('leaves nothing of a reset code that was not mailed but the count, and a challenge whose code nobody has', async () => {
    const { world, post } = await newMaillessWorld();
    const before = await rowsOf(world.tenant.id);
    const asked = await post('password_reset', { email: world.person.email, reset_uri: '/reset' });
    expect(await asked.json()).toEqual({ result: 'email_sent' });
    expect((await world.ask()).status).toBe(429);
    const { challenges = [], ...after } = await rowsOf(world.tenant.id);
    const isReset = ({ purpose }: Record<string, unknown>) => purpose === 'password_reset';
    expect({ ...after, challenges: challenges.filter((each) => !isReset(each)), rate_hits: [] }).toEqual({
      ...before,
      rate_hits: [],
    });
    expect(challenges.filter(isReset)).toMatchObject([{ attempts: 0, consumed_at: null }]);
  });
});
