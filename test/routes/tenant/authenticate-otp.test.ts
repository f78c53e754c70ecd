import { describe, expect, it } from 'vitest';
import { answerOf } from '../../support/answers.ts';
import {
  type AuthenticationWorld,
  challengeIn,
  newAuthenticationWorld,
  otherThan,
  outcomeOf,
  textedCode,
  tokenIn,
} from '../../support/authentications.ts';
import { mailedCode } from '../../support/logins.ts';
import { mailsTo } from '../../support/mailbox.ts';
import { changeCustomer } from '../../support/operator.ts';
import { atRest, eventsAbout, locksOf, rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { newCustomer, newTenant, uniqueEmail } from '../../support/tenants.ts';
import { textsTo, uniqueNumber } from '../../support/texts.ts';
import { putFlow, requireAttribute } from '../../support/upserts.ts';

const WRONG = [422, 'challenge_failed'];
const OVER = [410, 'challenge_over'];
const LIMITED = [429, 'rate_limited'];

/** A customer that is known by its phone. */
const newPhoneCustomer = async ({ upsert }: AuthenticationWorld): Promise<string> => {
  const phone = uniqueNumber();
  expect((await upsert({ phone, firstName: 'Grace' })).status).toBe(200);
  return phone;
};

const newWorld = async (profile: Record<string, unknown> = {}) => {
  const world = await newAuthenticationWorld(profile);
  const { cuid, email } = await newCustomer(world.service, world.app);
  return { ...world, cuid, email };
};

/** What is said of a challenge, but for what differs between any two. */
const shapeOf = async (response: Response) => {
  const answer = await answerOf(response);
  return { ...answer, body: answer.body.replace(/"id":"chg_\w{26}"/, '""').replace(/:".*?@/, ':"@') };
};

describe('signing in with a code at a tenant’s forms', () => {
  it('takes a mailed code, and the address is verified from then on', async () => {
    const { service, cuid, email, challenge, answer, profileOf, claimsOf } = await newWorld();
    const pending = await challenge({ email: ` ${email.toUpperCase()} ` });
    expect(pending).toEqual({
      id: expect.stringMatching(/^chg_\w{26}$/),
      type: 'email_otp',
      destination: `${email.slice(0, 1)}•••@example.com`,
      expiresAt: new Date(service.clock.now() + 600_000).toISOString(),
    });
    const token = await tokenIn(await answer(pending, await mailedCode(email)));
    expect(await claimsOf(token)).toMatchObject({ cid: cuid, provider: 'otp', amr: ['otp'] });
    expect(await profileOf(token)).toMatchObject({ email, emailVerified: true, phoneVerified: false });
    expect((await eventsAbout(cuid)).map(({ type }) => type)).toEqual(
      expect.arrayContaining(['challenge.sent', 'login.succeeded']),
    );
  });

  it('reads a number as the upsert that made the account: in the country that nothing but a default tells', async () => {
    const world = await newWorld({ settings: { profile_defaults: { address: { country: 'DE' } } } });
    const phone = uniqueNumber();
    const national = `0${phone.slice(3)}`;
    expect((await world.upsert({ phone: national })).status).toBe(200);
    const token = await tokenIn(
      await world.answer(await world.challenge({ phone: national }), await textedCode(phone)),
    );
    expect(await world.profileOf(token)).toMatchObject({ phone, phoneVerified: true });
  });

  it('asks nothing of attributes, which it does not change', async () => {
    const { service, tenant, email, challenge, answer } = await newWorld();
    const pending = await challenge({ email });
    await requireAttribute(service, tenant, 'hat');
    await tokenIn(await answer(pending, await mailedCode(email)));
  });

  it('takes a texted code, and the number is verified from then on', async () => {
    const world = await newWorld();
    const { challenge, answer, profileOf } = world;
    const phone = await newPhoneCustomer(world);
    const pending = await challenge({ phone: `${phone.slice(0, 3)} ${phone.slice(3, 6)} ${phone.slice(6)}` });
    expect(pending).toMatchObject({ type: 'sms_otp', destination: `•••${phone.slice(-2)}` });
    const token = await tokenIn(await answer(pending, await textedCode(phone)));
    expect(await profileOf(token)).toMatchObject({
      phone,
      phoneVerified: true,
      emailVerified: false,
      firstName: 'Grace',
    });
  });

  it('keeps no code, address or number at rest but the customer’s', async () => {
    const { tenant, email, challenge } = await newWorld();
    await challenge({ email });
    const stranger = uniqueEmail();
    await challenge({ email: stranger });
    const stored = await atRest(tenant.id, ['users', 'customers']);
    for (const secret of [await mailedCode(email), email, stranger]) expect(stored).not.toContain(secret);
  });

  it('says the same to an address or number that nobody has, sends nothing, and lets nobody in', async () => {
    const world = await newWorld();
    const { tenant, email, authenticate, challenge, answer } = world;
    const [strangeEmail, strangePhone] = [uniqueEmail(), uniqueNumber()];
    const phone = await newPhoneCustomer(world);
    expect(await shapeOf(await authenticate('otp', { email: strangeEmail }))).toEqual(
      await shapeOf(await authenticate('otp', { email })),
    );
    const texted = await shapeOf(await authenticate('otp', { phone }));
    const { status, headers } = await shapeOf(await authenticate('otp', { phone: strangePhone }));
    expect({ status, headers }).toEqual({ status: texted.status, headers: texted.headers });
    expect(await mailsTo(strangeEmail)).toEqual([]);
    expect(await textsTo(strangePhone)).toEqual([]);
    const { customers, users } = await rowsOf(tenant.id);
    const pending = await challenge({ email: uniqueEmail() });
    for (const code of ['000000', await mailedCode(email)]) {
      expect(await outcomeOf(await answer(pending, code))).toEqual(WRONG);
    }
    expect(await rowsOf(tenant.id)).toMatchObject({ customers, users });
  });

  /** Five wrong answers to a challenge, and the right one. */
  const exhaust = async ({ email, challenge, answer }: Awaited<ReturnType<typeof newWorld>>, address: string) => {
    const [pending] = [
      await challenge({ email: address }),
      await challenge({ email: email === address ? uniqueEmail() : email }),
    ];
    const code = await mailedCode(email);
    const outcomes = [];
    for (let by = 1; by <= 5; by += 1) outcomes.push(await outcomeOf(await answer(pending, otherThan(code, by))));
    return [...outcomes, await outcomeOf(await answer(pending, code))];
  };

  it('dies of five wrong codes', async () => {
    const world = await newWorld();
    expect(await exhaust(world, world.email)).toEqual([WRONG, WRONG, WRONG, WRONG, WRONG, OVER]);
  });

  it('dies of them in the same way when nobody has the address', async () => {
    expect(await exhaust(await newWorld(), uniqueEmail())).toEqual([WRONG, WRONG, WRONG, WRONG, WRONG, OVER]);
  });

  it('dies of them in the same way when its mail is refused, which the log does not call sent', async () => {
    const world = await newWorld();
    const known = `refused-${uniqueEmail()}`;
    const { id } = await (await world.upsert({ email: known })).json<{ id: string }>();
    expect(await exhaust(world, known)).toEqual([WRONG, WRONG, WRONG, WRONG, WRONG, OVER]);
    const types = (await eventsAbout(id)).map(({ type }) => type);
    expect(types).toContain('login.failed');
    expect(types).not.toContain('challenge.sent');
  });

  it('tells of a lock that too many of them begin in the log, of somebody alone', async () => {
    const settings = { rate_limits: { wrong_codes_per_hour: 5 } };
    const [known, unknown] = [await newWorld({ settings }), await newWorld({ settings })];
    const outcomes = await exhaust(known, known.email);
    expect(outcomes).toEqual([WRONG, WRONG, WRONG, WRONG, WRONG, LIMITED]);
    expect(await exhaust(unknown, uniqueEmail())).toEqual(outcomes);
    expect(await locksOf(known.cuid)).toEqual([{ actor: 'anonymous', data: '{"by":"challenge"}' }]);
    for (const subject of [unknown.cuid, unknown.tenant.id]) expect(await locksOf(subject)).toEqual([]);
  });

  it('compares five codes of twenty that come at once', async () => {
    const { email, challenge, answer } = await newWorld({ settings: { rate_limits: { wrong_codes_per_hour: 100 } } });
    const pending = await challenge({ email });
    const code = await mailedCode(email);
    const guesses = Array.from({ length: 20 }, (_, i) => answer(pending, otherThan(code, i + 1)));
    const outcomes = await Promise.all(guesses.map(async (guess) => outcomeOf(await guess)));
    expect(outcomes.filter(([, kind]) => kind === 'challenge_failed')).toHaveLength(5);
    expect(outcomes.filter(([, kind]) => kind === 'challenge_over')).toHaveLength(15);
    expect(await outcomeOf(await answer(pending, code))).toEqual(OVER);
  });

  it('is over after ten minutes, whether anybody has the address or not', async () => {
    const { service, email, challenge, answer } = await newWorld();
    const pendings = [await challenge({ email }), await challenge({ email: uniqueEmail() })];
    const code = await mailedCode(email);
    service.clock.advance(600);
    for (const pending of pendings) expect(await outcomeOf(await answer(pending, code))).toEqual(OVER);
  });

  it('is over when another one is sent, whether anybody has the address or not', async () => {
    const { service, email, challenge, answer } = await newWorld();
    const stranger = uniqueEmail();
    const older = [await challenge({ email }), await challenge({ email: stranger })];
    const code = await mailedCode(email);
    service.clock.advance(30);
    const newer = [await challenge({ email }), await challenge({ email: stranger })];
    const newCode = await mailedCode(email);
    const [known, unknown] = await Promise.all(older.map(async (pending) => outcomeOf(await answer(pending, code))));
    expect(unknown).toEqual(known);
    expect(known?.[0]).toBeGreaterThanOrEqual(410);
    const [latest] = newer;
    expect(latest && (await outcomeOf(await answer(latest, newCode)))).toEqual([200, '']);
  });

  it('is over at once when another one is sent, before that is on its way, whether anybody has the number or not', async () => {
    let onTheWay = async () => {};
    const service = createService({}, async (...request) => {
      await onTheWay();
      return fetch(...request);
    });
    const world = await newAuthenticationWorld({}, service);
    const phones = [await newPhoneCustomer(world), uniqueNumber()];
    const outcomes = [];
    for (const phone of phones) {
      const older = await world.challenge({ phone });
      service.clock.advance(30);
      const outcomeMeanwhile = Promise.withResolvers<[number, string]>();
      onTheWay = async () => {
        onTheWay = async () => {};
        outcomeMeanwhile.resolve(await outcomeOf(await world.answer(older, '000000')));
      };
      await world.challenge({ phone });
      // Nothing is sent to a number that nobody has.
      await onTheWay();
      outcomes.push(await outcomeMeanwhile.promise);
    }
    expect(outcomes).toEqual([OVER, OVER]);
  });

  it('is good once, even if fifty answers come at once', async () => {
    const { email, challenge, answer } = await newWorld({ settings: { rate_limits: { wrong_codes_per_hour: 100 } } });
    const pending = await challenge({ email });
    const code = await mailedCode(email);
    const outcomes = await Promise.all(Array.from({ length: 50 }, async () => outcomeOf(await answer(pending, code))));
    expect(outcomes.filter(([status]) => status === 200)).toHaveLength(1);
    expect(outcomes.filter(([status]) => status === 410)).toHaveLength(49);
    expect(await outcomeOf(await answer(pending, code))).toEqual(OVER);
  });

  it('is no answer to a challenge of a change, nor the other way round', async () => {
    const { service, email, upsert, challenge, answer } = await newWorld();
    const change = await challengeIn(await upsert({ email, firstName: 'Mallory' }));
    const changeCode = await mailedCode(email);
    expect(await outcomeOf(await answer(change, changeCode))).toEqual(OVER);
    expect((await upsert({ challenge: { id: change.id, code: changeCode } })).status).toBe(200);
    service.clock.advance(30);
    const pending = await challenge({ email });
    const code = await mailedCode(email);
    expect(await outcomeOf(await upsert({ challenge: { id: pending.id, code } }))).toEqual(OVER);
    expect(await outcomeOf(await answer(pending, code))).toEqual([200, '']);
  });

  it('takes the code of no other challenge, tenant or surface', async () => {
    const { service, app, tenant, email, challenge, answer } = await newWorld();
    const { email: other } = await newCustomer(service, app);
    const [pending, others] = [await challenge({ email }), await challenge({ email: other })];
    const [code, otherCode] = [await mailedCode(email), await mailedCode(other)];
    if (code !== otherCode) expect(await outcomeOf(await answer(pending, otherCode))).toEqual(WRONG);
    const stranger = await newTenant(service);
    const url = `/api/${stranger.slug}/customer/authenticate?provider=otp`;
    const elsewhere = await service.call('POST', url, { body: { challenge: { id: pending.id, code } } });
    expect(await outcomeOf(elsewhere)).toEqual(OVER);
    const login = await service.call('POST', `${tenant.host}/v1/auth/login`, { body: { code, state: pending.id } });
    expect(login.status).toBeGreaterThanOrEqual(400);
    expect(await outcomeOf(await answer(pending, code))).toEqual([200, '']);
    expect(await outcomeOf(await answer(others, otherCode))).toEqual([200, '']);
  });

  it('knows no challenge that there is not', async () => {
    const { authenticate } = await newWorld();
    for (const id of ['', 'x', `chg_${'0'.repeat(26)}`, "' or 1=1 --", 'chg_%']) {
      const outcome = await outcomeOf(await authenticate('otp', { challenge: { id, code: '123456' } }));
      expect([id, ...outcome]).toEqual([id, ...OVER]);
    }
  });

  it('is sent once in thirty seconds and five times an hour, whether anybody has the address or not', async () => {
    const { service, email, authenticate } = await newWorld();
    const stranger = uniqueEmail();
    const begin = async () =>
      Promise.all([email, stranger].map(async (each) => outcomeOf(await authenticate('otp', { email: each }))));
    for (let times = 0; times < 5; times += 1) {
      expect(await begin()).toEqual([
        [202, ''],
        [202, ''],
      ]);
      expect(await begin()).toEqual([LIMITED, LIMITED]);
      service.clock.advance(30);
    }
    expect(await begin()).toEqual([LIMITED, LIMITED]);
    const limited = await authenticate('otp', { email });
    expect(Number(limited.headers.get('Retry-After'))).toBeGreaterThan(30);
    expect(await mailsTo(email)).toHaveLength(5);
    service.clock.advance(3600);
    expect(await begin()).toEqual([
      [202, ''],
      [202, ''],
    ]);
  });

  it('is sent once of twenty that are asked for at once', async () => {
    const { email, authenticate } = await newWorld();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async () => outcomeOf(await authenticate('otp', { email }))),
    );
    expect(outcomes.filter(([status]) => status === 202)).toHaveLength(1);
    expect(outcomes.filter(([status]) => status === 429)).toHaveLength(19);
    expect(await mailsTo(email)).toHaveLength(1);
  });

  it('is locked by twenty wrong codes an hour, whether anybody has the address or not', async () => {
    const { service, email, challenge, answer } = await newWorld();
    const stranger = uniqueEmail();
    const tried = await Promise.all(
      [email, stranger].map(async (each) => {
        const pending = await challenge({ email: each });
        return { each, pending };
      }),
    );
    let pendings = tried.map(({ pending }) => pending);
    for (let round = 0; round < 4; round += 1) {
      for (let by = 1; by <= 5; by += 1) {
        const code = otherThan(await mailedCode(email), by);
        for (const pending of pendings) expect(await outcomeOf(await answer(pending, code))).toEqual(WRONG);
      }
      service.clock.advance(30);
      pendings = [await challenge({ email }), await challenge({ email: stranger })];
    }
    const code = await mailedCode(email);
    for (const pending of pendings) expect(await outcomeOf(await answer(pending, code))).toEqual(LIMITED);
  });

  it('counts the wrong codes of a person together, mailed and texted, in a flow and to sign in', async () => {
    const world = await newAuthenticationWorld({ settings: { rate_limits: { wrong_codes_per_hour: 5 } } });
    const { service, tenant, path, upsert, challenge, answer } = world;
    const steps = ['email', 'sms'].map((channel) => ({ kind: 'challenge', channel }));
    await putFlow(service, tenant, 'both', steps);
    const [email, phone] = [uniqueEmail(), uniqueNumber()];
    const answerFlow = ({ id }: { id: string }, code: string) => upsert({ challenge: { id, code } });
    const first = await challengeIn(await service.call('POST', `${path}?flow=both`, { body: { email, phone } }));
    const second = await challengeIn(await answerFlow(first, await mailedCode(email)));
    expect(await outcomeOf(await answerFlow(second, otherThan(await textedCode(phone))))).toEqual(WRONG);
    expect((await answerFlow(second, await textedCode(phone))).status).toBe(200);
    service.clock.advance(31);
    const pendings = [await challenge({ email }), await challenge({ phone })];
    const codes = [await mailedCode(email), await textedCode(phone)];
    const answers = async (by: number) =>
      Promise.all(pendings.map(async (each, i) => outcomeOf(await answer(each, otherThan(codes[i] ?? '', by)))));
    for (const by of [1, 2]) expect(await answers(by)).toEqual([WRONG, WRONG]);
    expect(await answers(0)).toEqual([LIMITED, LIMITED]);
  });

  it('lets nobody in by a number that was proved beside an address that was not', async () => {
    const world = await newAuthenticationWorld();
    const { service, tenant, path, upsert, authenticate, answer, signInByMail, profileOf } = world;
    await putFlow(service, tenant, 'by-text', [{ kind: 'challenge', channel: 'sms' }]);
    const [email, phone] = [uniqueEmail(), uniqueNumber()];
    const body = { email, phone, firstName: 'Mallory' };
    const asked = await challengeIn(await service.call('POST', `${path}?flow=by-text`, { body }));
    expect((await upsert({ challenge: { id: asked.id, code: await textedCode(phone) } })).status).toBe(200);
    service.clock.advance(31);
    const own = await signInByMail(email);
    expect(await profileOf(own)).toMatchObject({ email, emailVerified: true, phoneVerified: false });
    const pending = await challengeIn(await authenticate('otp', { phone }));
    expect(await textsTo(phone)).toHaveLength(1);
    expect(await outcomeOf(await answer(pending, await textedCode(phone)))).toEqual(WRONG);
  });

  it('lets nobody in who is disabled, and says the same', async () => {
    const { service, tenant, cuid, email, authenticate, answer } = await newWorld();
    const before = await challengeIn(await authenticate('otp', { email }));
    const code = await mailedCode(email);
    await changeCustomer(service, tenant, cuid, { status: 'disabled' });
    expect(await outcomeOf(await answer(before, code))).toEqual(WRONG);
    service.clock.advance(30);
    const after = await challengeIn(await authenticate('otp', { email }));
    expect(await mailsTo(email)).toHaveLength(1);
    expect(await outcomeOf(await answer(after, code))).toEqual(WRONG);
  });
});

describe('a sign-in with a code where newcomers are welcome', () => {
  const newOpenWorld = async () => {
    const world = await newAuthenticationWorld();
    await world.put('otp', { type: 'otp', enabled: true, signup: true });
    return world;
  };

  it('makes an account, once the code is answered, whose address is verified', async () => {
    const { tenant, challenge, answer, profileOf, claimsOf } = await newOpenWorld();
    const email = uniqueEmail();
    const pending = await challenge({ email });
    const code = await mailedCode(email);
    expect(await outcomeOf(await answer(pending, otherThan(code)))).toEqual(WRONG);
    expect(await rowsOf(tenant.id)).toMatchObject({ customers: [], users: [] });
    const token = await tokenIn(await answer(pending, code));
    expect(await claimsOf(token)).toMatchObject({ provider: 'otp', amr: ['otp'] });
    expect(await profileOf(token)).toMatchObject({ email, emailVerified: true, phoneVerified: false, provider: 'otp' });
    const { customers = [], users } = await rowsOf(tenant.id);
    expect(customers).toHaveLength(1);
    expect(users).toHaveLength(1);
    const types = (await eventsAbout(String(customers[0]?.id))).map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['customer.created', 'login.succeeded']));
  });

  // Open: the account is made without its number, so that nobody can sign in to it again.
  it('makes an account for a number, too', async () => {
    const { signInByText, profileOf, claimsOf, service } = await newOpenWorld();
    const phone = uniqueNumber();
    const token = await signInByText(phone);
    expect(await profileOf(token)).toMatchObject({ email: null, phone, phoneVerified: true, emailVerified: false });
    service.clock.advance(30);
    expect((await claimsOf(await signInByText(phone))).sub).toBe((await claimsOf(token)).sub);
  });

  it('keeps the address as it was written', async () => {
    const { challenge, answer, profileOf } = await newOpenWorld();
    const email = uniqueEmail();
    const pending = await challenge({ email: email.toUpperCase() });
    const token = await tokenIn(await answer(pending, await mailedCode(email)));
    expect(await profileOf(token)).toMatchObject({ email: email.toUpperCase() });
  });

  it('makes one account of twenty answers at once', async () => {
    const { tenant, challenge, answer } = await newOpenWorld();
    const email = uniqueEmail();
    const pending = await challenge({ email });
    const code = await mailedCode(email);
    const outcomes = await Promise.all(Array.from({ length: 20 }, async () => outcomeOf(await answer(pending, code))));
    expect(outcomes.filter(([status]) => status === 200)).toHaveLength(1);
    expect((await rowsOf(tenant.id)).customers).toHaveLength(1);
  });

  it('fails when somebody else makes the account meanwhile, and succeeds at the next try', async () => {
    const { service, tenant, challenge, answer, upsert, signInByMail, profileOf } = await newOpenWorld();
    const email = uniqueEmail();
    const pending = await challenge({ email });
    const code = await mailedCode(email);
    expect((await upsert({ email, firstName: 'Mallory' })).status).toBe(200);
    expect(await outcomeOf(await answer(pending, code))).toEqual([422, 'authentication_failed']);
    service.clock.advance(30);
    expect(await profileOf(await signInByMail(email))).toMatchObject({ email, emailVerified: true });
    expect((await rowsOf(tenant.id)).customers).toHaveLength(1);
  });
});

describe('a provider of our own that is switched off', () => {
  it('is no provider, also for a challenge from before', async () => {
    const { email, authenticate, challenge, answer, put } = await newWorld();
    const pending = await challenge({ email });
    const code = await mailedCode(email);
    for (const type of ['otp', 'password']) await put(type, { type, enabled: false });
    expect(await outcomeOf(await answer(pending, code))).toEqual([400, 'unknown_provider']);
    for (const type of ['otp', 'password']) {
      expect(await outcomeOf(await authenticate(type, { email }))).toEqual([400, 'unknown_provider']);
    }
    await put('otp', { type: 'otp', enabled: true });
    expect(await outcomeOf(await answer(pending, code))).toEqual([200, '']);
  });
});
