import { describe, expect, it } from 'vitest';
import { bearerHeaders, newPerson, readSelf } from '../../support/accounts.ts';
import { answerOf } from '../../support/answers.ts';
import { newAuthenticationWorld, outcomeOf, tokenIn } from '../../support/authentications.ts';
import { changeCustomer } from '../../support/operator.ts';
import { eventsAbout } from '../../support/rows.ts';
import { newCustomer, newTenant, uniqueEmail } from '../../support/tenants.ts';

const FAILED = [422, 'authentication_failed'];
const LIMITED = [429, 'rate_limited'];
const WRONG = 'not the password of anybody';

const newWorld = async (profile: Record<string, unknown> = {}) => {
  const world = await newAuthenticationWorld(profile);
  const { service, tenant, app, authenticate } = world;
  const person = await newPerson(service, tenant, app);
  const { password, email } = person;
  return {
    ...world,
    person,
    signIn: async (by = password, address = email, headers: Record<string, string> = {}) =>
      outcomeOf(await authenticate('password', { email: address, password: by }, headers)),
    /** The status of the same on the account surface. */
    login: async (by = password) =>
      (await service.call('POST', `${tenant.host}/customers/login`, { body: { email, password: by } })).status,
  };
};

describe('signing in with a password at a tenant’s forms', () => {
  it('knows the address in any case, and the password as it is', async () => {
    const { person, signIn } = await newWorld({ settings: { rate_limits: { password_failures: 100 } } });
    expect(await signIn(person.password, `  ${person.email.toUpperCase()} `)).toEqual([200, '']);
    for (const other of [` ${person.password}`, person.password.toUpperCase(), person.password.slice(0, -1), '']) {
      expect(await signIn(other)).toEqual(FAILED);
    }
  });

  it('fails alike for a wrong password and for nobody', async () => {
    const { service, app, person, authenticate } = await newWorld();
    const { email: withoutPassword } = await newCustomer(service, app);
    const wrong = await answerOf(await authenticate('password', { email: person.email, password: WRONG }));
    expect(wrong.status).toBe(422);
    for (const email of [uniqueEmail(), withoutPassword]) {
      expect(await answerOf(await authenticate('password', { email, password: WRONG }))).toEqual(wrong);
    }
  });

  it('fails for a customer that is disabled, and ends what was signed in', async () => {
    const { service, tenant, path, person, signIn, authenticate } = await newWorld();
    const { cuid, email, password } = person;
    const token = await tokenIn(await authenticate('password', { email, password }));
    await changeCustomer(service, tenant, cuid, { status: 'disabled' });
    expect(await signIn()).toEqual(FAILED);
    const read = await service.call('GET', path, { headers: bearerHeaders(token) });
    expect(await outcomeOf(read)).toEqual([401, 'unauthenticated']);
    expect((await readSelf(service, tenant, token)).status).toBe(401);
  });

  it('fails in another tenant', async () => {
    const { service, person } = await newWorld();
    const other = await newTenant(service);
    const { email, password } = person;
    const url = `/api/${other.slug}/customer/authenticate?provider=password`;
    expect(await outcomeOf(await service.call('POST', url, { body: { email, password } }))).toEqual(FAILED);
  });

  it('shares its limit with the account surface, and refuses the right password meanwhile', async () => {
    const { service, signIn, login, person, authenticate } = await newWorld();
    for (let times = 0; times < 5; times += 1) {
      expect(await signIn(WRONG)).toEqual(FAILED);
      expect(await login(WRONG)).toBe(401);
    }
    expect(await signIn()).toEqual(LIMITED);
    expect(await login()).toBe(429);
    const { email, password } = person;
    const limited = await authenticate('password', { email, password });
    expect(Number(limited.headers.get('Retry-After'))).toBeGreaterThan(0);
    service.clock.advance(900);
    expect(await signIn()).toEqual([200, '']);
    expect(await login()).toBe(200);
  });

  it('is limited for addresses that nobody has, too', async () => {
    const { signIn } = await newWorld();
    const email = uniqueEmail();
    for (let times = 0; times < 10; times += 1) expect(await signIn(WRONG, email)).toEqual(FAILED);
    expect(await signIn(WRONG, email)).toEqual(LIMITED);
  });

  it('compares ten passwords of twenty that come at once', async () => {
    const { signIn } = await newWorld();
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => signIn(WRONG)));
    expect(outcomes.filter(([status]) => status === 422)).toHaveLength(10);
    expect(outcomes.filter(([status]) => status === 429)).toHaveLength(10);
  });

  it('is limited by where it comes from, together with codes', async () => {
    const { signIn, authenticate, service } = await newWorld({
      settings: { rate_limits: { auth_per_ip_per_minute: 4 } },
    });
    const from = { 'CF-Connecting-IP': '203.0.113.77' };
    expect(await signIn(WRONG, uniqueEmail(), from)).toEqual(FAILED);
    expect(await signIn(WRONG, uniqueEmail(), from)).toEqual(FAILED);
    const challenge = { id: `chg_${'0'.repeat(26)}`, code: '123456' };
    expect((await authenticate('otp', { email: uniqueEmail() }, from)).status).toBe(202);
    expect((await authenticate('otp', { challenge }, from)).status).toBe(410);
    expect(await signIn(WRONG, uniqueEmail(), from)).toEqual(LIMITED);
    expect((await authenticate('otp', { email: uniqueEmail() }, from)).status).toBe(429);
    expect((await authenticate('otp', { challenge }, from)).status).toBe(429);
    expect(await signIn(undefined, undefined, { 'CF-Connecting-IP': '203.0.113.78' })).toEqual([200, '']);
    service.clock.advance(60);
    expect(await signIn(undefined, undefined, from)).toEqual([200, '']);
  });

  it('is written in the audit log, as is a wrong password', async () => {
    const { service, person, signIn } = await newWorld();
    await signIn(WRONG);
    service.clock.advance(1);
    await signIn();
    expect((await eventsAbout(person.cuid)).slice(-2)).toEqual([
      { type: 'login.failed', actor: 'anonymous' },
      { type: 'login.succeeded', actor: `user:${person.userId}` },
    ]);
  });
});
