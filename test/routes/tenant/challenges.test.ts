import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { linkIn } from '../../support/accounts.ts';
import { answerOf } from '../../support/answers.ts';
import { mailedCode, newBrowser, signInByCode } from '../../support/logins.ts';
import { lastMailTo, mailsTo } from '../../support/mailbox.ts';
import { changeCustomer } from '../../support/operator.ts';
import { wrongCodes } from '../../support/passcodes.ts';
import { atRest, locksOf, rowsOf } from '../../support/rows.ts';
import { appHeaders, newApp, newTenant, uniqueEmail } from '../../support/tenants.ts';
import { textsTo, uniqueNumber } from '../../support/texts.ts';
import {
  createTextingService,
  faultsIn,
  formsOf,
  newPersonWorld,
  newProvenAccount,
  newUpsertWorld,
  putFlow,
  requireAttribute,
  textedCode,
  type UpsertAnswer,
} from '../../support/upserts.ts';

/** An account that is on file, and a change of it that waits for an answer. */
const newHeldWorld = async (settings: Record<string, unknown> = {}) => {
  const world = await newUpsertWorld(settings);
  const email = uniqueEmail();
  await world.store({ email, name: 'Ada', shoeSize: 38 });
  const id = await world.hold({ email, name: 'Grace', shoeSize: 50, hat: 'top' });
  const code = await mailedCode(email);
  return { ...world, email, id, code, nameOnFile: async () => (await rowsOf(world.tenant.id)).customers?.[0]?.name };
};

describe('a challenge', () => {
  it('tells its id, its kind, when it ends, and as much of the destination as tells nobody anything', async () => {
    const { service, store, post } = await newUpsertWorld();
    const [email, phone] = [uniqueEmail(), uniqueNumber()];
    await store({ email });
    await store({ phone });
    const expiresAt = new Date(service.clock.now() + 600_000).toISOString();
    const id = expect.stringMatching(/^chg_\w+$/);
    expect(await post({ email: email.toUpperCase() })).toEqual({
      status: 202,
      body: { challenge: { id, type: 'email_otp', destination: `${email[0]}•••@example.com`, expiresAt } },
    });
    expect(await post({ phone })).toEqual({
      status: 202,
      body: { challenge: { id, type: 'sms_otp', destination: `•••${phone.slice(-2)}`, expiresAt } },
    });
    expect([(await mailsTo(email)).length, (await textsTo(phone)).length]).toEqual([1, 1]);
  });

  it('goes to what is on file, and never to what was sent', async () => {
    const { store, hold, tenant, person, own } = await newPersonWorld();
    const number = uniqueNumber();
    await store({ email: person.email, phone: number }, own);
    const [email, phone] = [uniqueEmail(), uniqueNumber()];
    await hold({ id: person.cuid, email, phone });
    expect([(await mailsTo(email)).length, (await textsTo(phone)).length]).toEqual([0, 0]);
    expect(await textsTo(number)).toEqual([]);
    expect((await mailsTo(person.email)).length).toBe(2);
    expect((await rowsOf(tenant.id)).users).toMatchObject([{ pending_email: null }]);
  });

  it('lets nothing of the held change be seen before it is answered, and applies it once after', async () => {
    const { id, code, answer, tenant } = await newHeldWorld();
    const before = await rowsOf(tenant.id);
    expect(before.customers).toMatchObject([{ name: 'Ada', attributes: '{"shoeSize":38}' }]);
    expect(await answer(id, code)).toMatchObject({
      status: 200,
      body: { name: 'Grace', shoeSize: 50, hat: 'top', emailVerified: true },
    });
    expect(await answer(id, code)).toMatchObject({ status: 410, body: { code: 'challenge_over' } });
    const { events = [], held_changes: held } = await rowsOf(tenant.id);
    expect(events.filter(({ type }) => type === 'customer.updated')).toHaveLength(1);
    expect(held).toEqual([]);
  });

  it('of another address stays good until that may be mailed, and changes the account once', async () => {
    const { service, tenant, store, hold, answer } = await newUpsertWorld();
    const [email, other] = [uniqueEmail(), uniqueEmail()];
    const { id } = await store({ email, name: 'Ada' });
    const asked = await service.call('POST', `/api/${tenant.slug}/customer/authenticate?provider=otp`, {
      body: { email: other },
    });
    expect(asked.status).toBe(202);
    const held = await hold({ id, email: other, name: 'Grace' });
    const code = await mailedCode(email);
    expect((await answer(held, code)).status).toBe(429);
    expect((await rowsOf(tenant.id)).customers).toMatchObject([{ name: 'Ada' }]);
    service.clock.advance(31);
    expect(await answer(held, code)).toMatchObject({ status: 200, body: { email, name: 'Grace' } });
    const { users, events = [] } = await rowsOf(tenant.id);
    expect(users).toMatchObject([{ email, pending_email: other }]);
    expect(events.filter(({ type }) => type === 'customer.updated')).toHaveLength(1);
    expect((await lastMailTo(other)).text).toContain('/confirm-email/');
  });

  it('is applied to what the account has become meanwhile, and guesses overwrite nothing', async () => {
    const { store, hold, answer, person, own } = await newPersonWorld();
    const { email } = person;
    await store({ email, locale: 'de', name: 'Ada Lovelace', address: { city: 'London', country: 'GB' } }, own);
    const id = await hold(
      { email, firstName: 'Augusta', address: { region: 'Kent' } },
      { headers: { 'Accept-Language': 'fr' } },
    );
    await store({ email, company: 'Engines Ltd' }, own);
    expect(await answer(id, await mailedCode(email))).toMatchObject({
      status: 200,
      body: {
        ...{ company: 'Engines Ltd', name: 'Ada Lovelace', firstName: 'Augusta', locale: 'de' },
        address: { city: 'London', country: 'GB', region: 'Kent' },
      },
    });
  });

  it('changes the phone to the one that was sent, however it was written', async () => {
    const { store, hold, answer } = await newUpsertWorld();
    const email = uniqueEmail();
    await store({ email, phone: uniqueNumber() });
    const id = await hold({ email, phone: '020 7946 0000', address: { country: 'GB' } });
    expect(await answer(id, await mailedCode(email))).toMatchObject({ status: 200, body: { phone: '+442079460000' } });
  });

  it('is answered by itself', async () => {
    const { id, code, post, nameOnFile } = await newHeldWorld();
    expect(await post({ challenge: { id, code }, name: 'Eve' })).toMatchObject({ status: 412 });
    expect(await post({ challenge: { id, code }, birthDate: 'yesterday' })).toMatchObject({ status: 412 });
    const codeless = await post({ challenge: { id } });
    expect([codeless.status, faultsIn(codeless)]).toEqual([412, ['challenge.code']]);
    expect(await nameOnFile()).toBe('Ada');
  });

  it('refuses wrong codes with 422 five times, and then even the right one with 410', async () => {
    const { id, code, answer, nameOnFile } = await newHeldWorld();
    for (const wrong of wrongCodes(code, 5)) {
      expect(await answer(id, wrong)).toMatchObject({ status: 422, body: { code: 'challenge_failed' } });
    }
    expect(await answer(id, code)).toMatchObject({ status: 410, body: { code: 'challenge_over' } });
    expect(await nameOnFile()).toBe('Ada');
  });

  it('tells what is wrong with the attributes to the right code alone, which stays good', async () => {
    const { service, tenant, store, hold, answer } = await newUpsertWorld();
    const app = await newApp(service, tenant, { permissions: ['all_customers'] });
    const email = uniqueEmail();
    const half = 'x'.repeat(10_000);
    await store({ email, one: half });
    const id = await hold({ email, two: half });
    const code = await mailedCode(email);
    for (const wrong of wrongCodes(code, 3)) {
      expect(await answer(id, wrong)).toMatchObject({ status: 422, body: { code: 'challenge_failed' } });
    }
    for (let i = 0; i < 3; i += 1) {
      expect(await answer(id, code)).toMatchObject({ status: 412, body: { code: 'validation_failed' } });
    }
    await store({ email, one: null }, { headers: appHeaders(app) });
    expect(await answer(id, code)).toMatchObject({ status: 200, body: { two: half } });
  });

  it('that is over does not tell either what is wrong with the attributes', async () => {
    const { store, hold, answer } = await newUpsertWorld();
    const email = uniqueEmail();
    const half = 'x'.repeat(10_000);
    await store({ email, one: half });
    const id = await hold({ email, two: half });
    const code = await mailedCode(email);
    for (const wrong of wrongCodes(code, 5)) expect((await answer(id, wrong)).status).toBe(422);
    expect(await answer(id, code)).toMatchObject({ status: 410, body: { code: 'challenge_over' } });
  });

  it('of whoever has guessed too often does not tell it either', async () => {
    const { service, store, hold, answer } = await newUpsertWorld({ rate_limits: { wrong_codes_per_hour: 5 } });
    const email = uniqueEmail();
    const half = 'x'.repeat(10_000);
    await store({ email, one: half });
    const first = await hold({ email });
    for (const wrong of wrongCodes(await mailedCode(email), 5)) expect((await answer(first, wrong)).status).toBe(422);
    service.clock.advance(31);
    const id = await hold({ email, two: half });
    expect(await answer(id, await mailedCode(email))).toMatchObject({ status: 429 });
  });

  it('asks nothing of attributes that the change leaves as they are', async () => {
    const { service, tenant, store, hold, answer } = await newUpsertWorld();
    const email = uniqueEmail();
    await store({ email, shoeSize: 38 });
    const id = await hold({ email, name: 'Ada' });
    await requireAttribute(service, tenant, 'hat');
    expect(await answer(id, await mailedCode(email))).toMatchObject({ status: 200, body: { name: 'Ada' } });
  });

  it.each([
    [599, 200],
    [600, 410],
    [601, 410],
  ])('is answered after %i seconds with %i', async (seconds, status) => {
    const { service, id, code, answer, nameOnFile } = await newHeldWorld();
    service.clock.advance(seconds);
    expect((await answer(id, code)).status).toBe(status);
    expect(await nameOnFile()).toBe(status === 200 ? 'Grace' : 'Ada');
  });

  it('is over when there is a newer one', async () => {
    const { service, id, code, email, hold, answer, nameOnFile } = await newHeldWorld();
    service.clock.advance(31);
    const newer = await hold({ email, name: 'Newer' });
    expect((await answer(id, code)).status).toBe(410);
    const newCode = await mailedCode(email);
    expect((await answer(id, newCode)).status).toBe(410);
    expect(await nameOnFile()).toBe('Ada');
    expect(await answer(newer, newCode)).toMatchObject({ status: 200, body: { name: 'Newer' } });
  });

  it('is not answered by the code of another one', async () => {
    const { id, code, store, hold, answer, tenant } = await newHeldWorld();
    const other = uniqueEmail();
    await store({ email: other, name: 'Other' });
    const otherId = await hold({ email: other, name: 'Eve' });
    expect((await answer(otherId, code)).status).toBe(422);
    expect((await answer(id, await mailedCode(other))).status).toBe(422);
    const names = (await rowsOf(tenant.id)).customers?.map(({ name }) => name).toSorted();
    expect(names).toEqual(['Ada', 'Other']);
  });

  it.each(['change', 'sign-in'])('of a %s is not answered any more when its address has changed', async (kind) => {
    const { service, tenant, post, store, person, own } = await newPersonWorld();
    const { cuid, email } = person;
    const send = async (body: unknown) => {
      if (kind === 'change') return post(body);
      const response = await service.call('POST', `/api/${tenant.slug}/customer/authenticate?provider=otp`, { body });
      return { status: response.status, body: await response.json<UpsertAnswer['body']>() };
    };
    const asked = await send({ email, ...(kind === 'change' && { name: 'Eve' }) });
    const challenge = { id: asked.body.challenge?.id, code: await mailedCode(email) };
    const wanted = uniqueEmail();
    await store({ id: cuid, email: wanted }, own);
    const { identifier, secret } = linkIn(await lastMailTo(wanted), 'confirm-email');
    const body = { identifier, key: secret };
    expect((await service.call('POST', `${tenant.host}/customers/newemail_confirm`, { body })).status).toBe(200);
    for (let i = 0; i < 5; i += 1) {
      expect(await send({ challenge })).toMatchObject({ status: 422, body: { code: 'challenge_failed' } });
    }
    expect(await send({ challenge })).toMatchObject({ status: 410 });
    expect((await rowsOf(tenant.id)).customers).toMatchObject([{ name: expect.not.stringContaining('Eve') }]);
  });

  it('is not answered for an account that is disabled meanwhile', async () => {
    const { service, tenant, person, hold, answer } = await newPersonWorld();
    const id = await hold({ email: person.email, name: 'Eve' });
    const code = await mailedCode(person.email);
    await changeCustomer(service, tenant, person.cuid, { status: 'disabled' });
    expect(await answer(id, code)).toMatchObject({ status: 422, body: { code: 'challenge_failed' } });
    await changeCustomer(service, tenant, person.cuid, { status: 'active' });
    expect(await answer(id, code)).toMatchObject({ status: 422, body: { code: 'challenge_failed' } });
    expect((await rowsOf(tenant.id)).customers).toMatchObject([{ name: expect.not.stringContaining('Eve') }]);
  });

  it('that was sent before everything was signed out is not answered any more', async () => {
    const { service, tenant, person, hold, answer } = await newPersonWorld();
    const id = await hold({ email: person.email, name: 'Eve' });
    const code = await mailedCode(person.email);
    service.clock.advance(31);
    await service.call('POST', `${tenant.host}/customers/password_reset`, {
      body: { email: person.email, reset_uri: '/reset' },
    });
    const [, reset] = /\/reset\/([A-Z0-9]{10})/.exec((await lastMailTo(person.email)).text) ?? [];
    const password = 'an entirely new passphrase';
    const done = await service.call('POST', `${tenant.host}/customers/do_reset`, {
      body: { email: person.email, code: reset, password, password_check: password },
    });
    expect(done.status).toBe(200);
    expect(await answer(id, code)).toMatchObject({ status: 422, body: { code: 'challenge_failed' } });
  });

  it('is nothing in another tenant', async () => {
    const { service, id, code, email, answer, nameOnFile } = await newHeldWorld();
    const other = formsOf(service, await newTenant(service));
    await other.store({ email });
    expect(await other.answer(id, code)).toMatchObject({ status: 410, body: { code: 'challenge_over' } });
    expect(await nameOnFile()).toBe('Ada');
    expect((await answer(id, code)).status).toBe(200);
  });

  it('that there never was is over', async () => {
    const { answer } = await newUpsertWorld();
    for (const id of ['', 'chg_', 'chg_unknown', "' or 1=1", 'x'.repeat(200)]) {
      expect(await answer(id, '000000')).toMatchObject({ status: 410 });
    }
  });

  it('leaves neither its code nor what it holds at rest in clear', async () => {
    const { store, hold, tenant } = await newUpsertWorld();
    const email = uniqueEmail();
    await store({ email });
    const secret = crypto.randomUUID();
    await hold({ email, company: secret, attribute: secret });
    const code = await mailedCode(email);
    const stored = await atRest(tenant.id);
    expect(stored).not.toContain(secret);
    expect(stored).not.toContain(`"${code}"`);
    for (const text of [code, `${email}${code}`, `${tenant.id}${code}`]) {
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
      expect(stored).not.toContain(digest.toHex());
      expect(stored).not.toContain(digest.toBase64({ alphabet: 'base64url', omitPadding: true }));
    }
  });

  it.each(['email', 'phone'])('goes out once in 30 seconds and five times an hour to one %s', async (member) => {
    const { service, store, hold, post } = await newUpsertWorld();
    const whom = { [member]: member === 'email' ? uniqueEmail() : uniqueNumber() };
    await store(whom);
    for (let i = 0; i < 5; i += 1) {
      await hold(whom);
      expect(await post(whom)).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
      service.clock.advance(31);
    }
    const refused = await formsOf(service, await newTenant(service)).post(whom);
    expect(refused.status).toBe(200);
    expect((await post(whom)).status).toBe(429);
    service.clock.advance(3600);
    await hold(whom);
  });

  it('that may not go out yet holds nothing, and leaves the one before as it is', async () => {
    const { tenant, email, id, code, post, answer } = await newHeldWorld();
    const note = 'x'.repeat(9000);
    for (let i = 0; i < 3; i += 1) expect((await post({ email, name: 'Eve', note })).status).toBe(429);
    const { held_changes: held = [] } = await rowsOf(tenant.id);
    expect(held.map((each) => each.id)).toEqual([id]);
    expect(await answer(id, code)).toMatchObject({ status: 200, body: { name: 'Grace' } });
  });

  it('tells when to come again', async () => {
    const { email, send } = await newHeldWorld();
    const response = await send({ email });
    expect([response.status, response.headers.get('Retry-After')]).toEqual([429, '30']);
  });

  it('counts wrong codes of a person over all its challenges, and tells of the lock', async () => {
    const { service, tenant, store, hold, answer } = await newUpsertWorld({
      rate_limits: { wrong_codes_per_hour: 5 },
    });
    const email = uniqueEmail();
    await store({ email, name: 'Ada' });
    const id = await hold({ email });
    const codes = wrongCodes(await mailedCode(email), 5);
    const [customer] = (await rowsOf(tenant.id)).customers ?? [];
    const locks = () => locksOf(String(customer?.id));
    for (const wrong of codes.slice(0, 4)) expect((await answer(id, wrong)).status).toBe(422);
    expect(await locks()).toEqual([]);
    expect((await answer(id, codes[4] ?? '')).status).toBe(422);
    expect(await locks()).toEqual([{ actor: 'anonymous', data: '{"by":"challenge"}' }]);
    service.clock.advance(31);
    const next = await hold({ email, name: 'Eve' });
    expect((await answer(next, await mailedCode(email))).status).toBe(429);
  });

  it('of a phone is refused with 422 where texts are not set up, and nothing is stored', async () => {
    const service = createTextingService({ SMS_URL: undefined });
    const { store, post, tenant } = await newUpsertWorld({}, service);
    const phone = uniqueNumber();
    await store({ phone });
    const before = await rowsOf(tenant.id);
    expect(await post({ phone, name: 'Eve' })).toMatchObject({ status: 422, body: { code: 'sms_unavailable' } });
    const other = uniqueNumber();
    expect(await post({ phone: other }, { flow: 'preregistration' })).toMatchObject({ status: 422 });
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('that the mail server refuses is none, and the next try need not wait', async () => {
    const { store, post, tenant } = await newUpsertWorld();
    const email = `refused-${crypto.randomUUID()}@example.com`;
    await store({ email });
    for (let i = 0; i < 2; i += 1) expect(await post({ email })).toMatchObject({ body: { code: 'mail_refused' } });
    expect((await rowsOf(tenant.id)).challenges).toEqual([]);
  });
});

describe('a tenant that challenges always', () => {
  const ALWAYS = { challenge: 'always' };

  it.each(['email', 'phone'])(
    'answers the same for an account that there is and for a new one, by %s',
    async (member) => {
      const { service, tenant, send, hold, answer } = await newUpsertWorld(ALWAYS);
      const next = () => (member === 'email' ? `p${uniqueEmail()}` : uniqueNumber());
      const known = next();
      const id = await hold({ [member]: known, name: 'Ada' });
      expect((await rowsOf(tenant.id)).customers).toEqual([]);
      const code = member === 'email' ? await mailedCode(known) : await textedCode(known);
      const created = await answer(id, code);
      expect(created).toMatchObject({
        status: 200,
        body: { [member]: known, name: 'Ada', [`${member}Verified`]: true },
      });
      service.clock.advance(31);
      const said = [];
      for (const each of [known, next()]) {
        const answered = await answerOf(await send({ [member]: each, name: 'Eve' }));
        said.push({ ...answered, body: answered.body.replace(/chg_\w+/, '').replace(/•\d\d/, '•') });
        const again = await answerOf(await send({ [member]: each, name: 'Eve' }));
        expect(again.status).toBe(429);
      }
      expect(said[1]).toEqual(said[0]);
      expect((await rowsOf(tenant.id)).customers).toMatchObject([{ name: 'Ada' }]);
    },
  );

  it('answers the same for an account that is disabled, to the last wrong code', async () => {
    const { service, tenant, hold, answer, answerStatuses } = await newAlwaysWorld();
    const email = uniqueEmail();
    const id = await hold({ email, name: 'Ada' });
    const { body } = await answer(id, await mailedCode(email));
    service.clock.advance(31);
    await changeCustomer(service, tenant, body.id ?? '', { status: 'disabled' });
    const known = await answerStatuses(await hold({ email, name: 'Eve' }));
    const fresh = await answerStatuses(await hold({ email: uniqueEmail(), name: 'Eve' }));
    expect(known).toEqual([422, 422, 422, 422, 422, 410]);
    expect(fresh).toEqual(known);
    expect((await rowsOf(tenant.id)).customers).toMatchObject([{ name: 'Ada' }]);
  });

  it('mails a code to an account that is disabled as to any other, which is never right', async () => {
    const { tenant, app, service, store, hold, post, answer } = await newAlwaysWorld();
    const [email, unreachable] = [uniqueEmail(), `refused-${uniqueEmail()}`];
    for (const each of [email, unreachable]) {
      const { id = '' } = await store({ email: each, name: 'Ada' }, { headers: appHeaders(app) });
      await changeCustomer(service, tenant, id, { status: 'disabled' });
    }
    const id = await hold({ email, name: 'Eve' });
    expect(await mailsTo(email)).toHaveLength(1);
    expect(await answer(id, await mailedCode(email))).toMatchObject({
      status: 422,
      body: { code: 'challenge_failed' },
    });
    for (const each of [unreachable, `refused-${uniqueEmail()}`]) {
      expect(await post({ email: each, name: 'Eve' })).toMatchObject({ status: 500, body: { code: 'mail_refused' } });
    }
    expect((await rowsOf(tenant.id)).customers?.map(({ name }) => name)).toEqual(['Ada', 'Ada']);
  });

  const newAlwaysWorld = async () => {
    const world = await newUpsertWorld(ALWAYS);
    return {
      ...world,
      answerStatuses: async (id: string) => {
        const statuses = [];
        for (let i = 0; i < 6; i += 1) statuses.push((await world.answer(id, `00000${i}`)).status);
        return statuses;
      },
    };
  };
});

describe('whoever wants to have the account of somebody else', () => {
  it('does not get it by a code that went to another address', async () => {
    const { store, hold, answer, person, tenant } = await newPersonWorld();
    const mine = uniqueEmail();
    await store({ email: mine });
    const mineId = await hold({ email: mine });
    const theirId = await hold({ email: person.email, name: 'Eve' });
    expect((await answer(theirId, await mailedCode(mine))).status).toBe(422);
    expect((await answer(mineId, await mailedCode(mine))).status).toBe(200);
    expect((await rowsOf(tenant.id)).customers?.map(({ name }) => name)).not.toContain('Eve');
  });

  it('does not get it by an answer with a token of its own', async () => {
    const { service, hold, post, own, tenant } = await newPersonWorld();
    const victim = await newProvenAccount({ ...(await newUpsertWorld({}, service)), ...formsOf(service, tenant) });
    const id = await hold({ email: victim, name: 'Eve' }, own);
    for (const code of wrongCodes('000000', 2)) {
      expect((await post({ challenge: { id, code } }, own)).status).toBe(422);
    }
    expect((await rowsOf(tenant.id)).customers?.map(({ name }) => name)).not.toContain('Eve');
  });

  it('cannot put another change in the place of one that waits', async () => {
    const { service, tenant, id, code, email, hold, answer } = await newHeldWorld();
    service.clock.advance(31);
    const evil = await hold({ email, name: 'Eve' });
    expect((await answer(evil, code)).status).toBe(422);
    expect((await answer(id, await mailedCode(email))).status).toBe(410);
    expect((await rowsOf(tenant.id)).customers).toMatchObject([{ name: 'Ada' }]);
  });

  it('cannot swap what is held by swapping rows: each is sealed for its own challenge', async () => {
    const { tenant, id, code, store, hold, answer } = await newHeldWorld();
    const mine = uniqueEmail();
    await store({ email: mine });
    const evil = await hold({ email: mine, name: 'Eve' });
    await env.DB.prepare(
      'update held_changes set sealed_change = (select sealed_change from held_changes where id = ?) where id = ?',
    )
      .bind(evil, id)
      .run();
    expect((await answer(id, code)).status).toBeGreaterThanOrEqual(400);
    expect((await rowsOf(tenant.id)).customers?.map(({ name }) => name)).not.toContain('Eve');
  });

  /** An account that somebody made with the address of somebody else, and proved by a number of its own. */
  const newTrap = async () => {
    const world = await newUpsertWorld();
    const { service, tenant, post, answer } = world;
    await putFlow(service, tenant, 'text', [{ kind: 'challenge', channel: 'sms' }]);
    const [victim, number] = [uniqueEmail(), uniqueNumber()];
    const prepared = await post({ email: victim, phone: number }, { flow: 'text' });
    const proved = await answer(prepared.body.challenge?.id ?? '', await textedCode(number));
    expect(proved).toMatchObject({ status: 200, body: { phone: number, phoneVerified: false, emailVerified: false } });
    const authenticate = (body: unknown) =>
      service.call('POST', `/api/${tenant.slug}/customer/authenticate?provider=otp`, { body });
    /** The account that a text to the number opens, and the token for it. */
    const signIn = async () => {
      service.clock.advance(31);
      const { challenge } = await (await authenticate({ phone: number })).json<{ challenge: { id: string } }>();
      const response = await authenticate({ challenge: { id: challenge.id, code: await textedCode(number) } });
      return response.status === 200 ? response.json<string>() : null;
    };
    const opened = async (token: string | null) => {
      const response = await world.read(token ?? 'none');
      return response.status === 200 ? (await response.json<{ id: string }>()).id : null;
    };
    const early = await signIn();
    service.clock.advance(31);
    return {
      ...world,
      victim,
      id: proved.body.id ?? '',
      /** Fails if the number, or a token that it gave before, opens the account. */
      expectNoDoor: async () => {
        service.clock.advance(31);
        expect(await opened(early)).not.toBe(proved.body.id);
        expect(await opened(await signIn())).not.toBe(proved.body.id);
      },
    };
  };

  it('keeps no door to an account that it made with the address of somebody else, who proves the address', async () => {
    const { victim, hold, answer, expectNoDoor } = await newTrap();
    const id = await hold({ email: victim, name: 'The victim' });
    expect(await answer(id, await mailedCode(victim))).toMatchObject({
      status: 200,
      body: { emailVerified: true, phoneVerified: false },
    });
    await expectNoDoor();
  });

  it('keeps none when the other one signs in by a mailed code', async () => {
    const { service, tenant, victim, expectNoDoor } = await newTrap();
    await signInByCode(newBrowser(service, tenant.host), victim);
    await expectNoDoor();
  });

  it('keeps none when the other one chooses a password by a mailed link', async () => {
    const { service, tenant, victim, id, expectNoDoor } = await newTrap();
    const app = await newApp(service, tenant, { permissions: ['all_customers'] });
    const headers = appHeaders(app);
    await formsOf(service, tenant).store({ id, name: 'The victim' }, { headers, flow: 'activation' });
    const { identifier, secret } = linkIn(await lastMailTo(victim), 'activate');
    const password = `correct horse ${crypto.randomUUID()}`;
    const activated = await service.call('POST', `${tenant.host}/customers/activate`, {
      body: { identifier, secret, password, password_check: password },
    });
    expect(activated.status).toBe(200);
    await expectNoDoor();
  });
});
