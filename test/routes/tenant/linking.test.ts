import { describe, expect, it } from 'vitest';
import { newPerson } from '../../support/accounts.ts';
import {
  type AuthenticationWorld,
  type Issuer,
  newAuthenticationWorld,
  newIssuer,
  outcomeOf,
  peopleOf,
  tokenIn,
} from '../../support/authentications.ts';
import { DISCOVERY } from '../../support/oidc.ts';
import { callAsOperator, changeCustomer, customersOf } from '../../support/operator.ts';
import { CLIENT_ID } from '../../support/provider-checks.ts';
import { atRest, eventsAbout, rowsOf } from '../../support/rows.ts';
import { htmlAnswer, jsonAnswer, SILENCE } from '../../support/scripted.ts';
import { newCustomer, uniqueEmail, uniqueName } from '../../support/tenants.ts';

const FAILED = [422, 'authentication_failed'];
const LINK_REQUIRED = [422, 'link_required'];
const DOWN = [502, 'provider_unavailable'];
const IN = [200, ''];

const newSubject = () => ({ sub: uniqueName('sub'), email: uniqueEmail(), email_verified: true });

/** How somebody signs in with a token of an issuer, which is for a person of the test's own but for what it says. */
const signingIn = (world: AuthenticationWorld, issuer: Issuer, name: string, person = newSubject()) => {
  const send = async (claims: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
    world.authenticate(name, { id_token: await issuer.newToken({ ...person, ...claims }), ...more });
  return {
    person,
    send,
    attempt: async (claims: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
      outcomeOf(await send(claims, more)),
    /** The claims of the token that it gives. */
    signIn: async (claims: Record<string, unknown> = {}) => world.claimsOf(await tokenIn(await send(claims))),
  };
};

const newWorld = async ({ signup = false, world: given }: { signup?: boolean; world?: AuthenticationWorld } = {}) => {
  const world = given ?? (await newAuthenticationWorld());
  const issuer = await newIssuer(world.service);
  const provider = { type: 'google', client_ids: [CLIENT_ID], issuer: issuer.url, signup };
  await world.put('google', provider);
  const people = () => peopleOf(world.tenant);
  return {
    ...world,
    ...signingIn(world, issuer, 'google'),
    world,
    issuer,
    provider,
    people,
    /** Fails unless whatever the work does leaves everybody as they are. */
    expectNoChange: async (work: () => Promise<unknown>): Promise<void> => {
      const before = await people();
      await work();
      expect(await people()).toEqual(before);
    },
  };
};

describe('who a provider’s person is', () => {
  it('is whoever has an address that both sides have verified', async () => {
    const { service, tenant, app, person, signIn, people, profileOf, send } = await newWorld();
    const owner = await newPerson(service, tenant, app, { name: 'Ada Lovelace' });
    const { email } = owner;
    const before = await people();
    expect(await signIn({ email: email.toUpperCase(), name: 'Mallory' })).toMatchObject({
      sub: owner.userId,
      cid: owner.cuid,
      provider: 'google',
    });
    const { identities, ...others } = await people();
    const users = before.users.map((user) => ({ ...user, updated_at: service.clock.now() }));
    expect(others).toEqual({ customers: before.customers, users });
    expect(identities).toEqual([
      expect.objectContaining({ provider: 'provider:google', subject: person.sub, user_id: owner.userId }),
    ]);
    expect(await profileOf(await tokenIn(await send({ email })))).toMatchObject({
      email,
      name: 'Ada Lovelace',
      provider: 'google',
    });
    expect((await eventsAbout(owner.cuid)).filter(({ type }) => type === 'user.linked')).toHaveLength(1);
  });

  it('is whoever it was before, whatever the provider says of its address now', async () => {
    const { service, tenant, app, signIn, expectNoChange } = await newWorld();
    const owner = await newPerson(service, tenant, app);
    const other = await newPerson(service, tenant, app);
    await signIn({ email: owner.email });
    await expectNoChange(async () => {
      for (const claims of [
        { email: other.email },
        { email: other.email, email_verified: false },
        { email: owner.email, email_verified: false },
        { email: uniqueEmail() },
        { email: undefined, email_verified: undefined },
      ]) {
        expect((await signIn(claims)).sub).toBe(owner.userId);
      }
    });
  });

  for (const [what, claims] of [
    ['says that it is not', { email_verified: false }],
    ['does not say so', { email_verified: undefined }],
    ['says so in words', { email_verified: 'true' }],
    ['says so by a number', { email_verified: 1 }],
  ] as const) {
    it(`is nobody whose address the provider has not verified, when it ${what}`, async () => {
      const { service, tenant, app, attempt, expectNoChange } = await newWorld({ signup: true });
      const { email } = await newPerson(service, tenant, app);
      await expectNoChange(async () => expect(await attempt({ email, ...claims })).toEqual(LINK_REQUIRED));
    });
  }

  it('is nobody whose account has not verified the address', async () => {
    const { service, app, attempt, expectNoChange } = await newWorld({ signup: true });
    const { email } = await newCustomer(service, app);
    await expectNoChange(async () => {
      expect(await attempt({ email })).toEqual(LINK_REQUIRED);
      expect(await attempt({ email, email_verified: false })).toEqual(LINK_REQUIRED);
    });
  });

  it('is not whoever registered the address before its owner came, until the owner has verified it', async () => {
    const { upsert, person, attempt, signIn, expectNoChange, signInByMail, claimsOf } = await newWorld({
      signup: true,
    });
    expect((await upsert({ email: person.email, firstName: 'Mallory' })).status).toBe(200);
    await expectNoChange(async () => expect(await attempt()).toEqual(LINK_REQUIRED));
    const { sub } = await claimsOf(await signInByMail(person.email));
    expect((await signIn()).sub).toBe(sub);
  });

  it('is nobody whom the provider knows as another', async () => {
    const { service, tenant, app, signIn, attempt, expectNoChange } = await newWorld({ signup: true });
    const { email } = await newPerson(service, tenant, app);
    await signIn({ email });
    const claims = { email, sub: uniqueName('another') };
    await expectNoChange(async () => expect(await attempt(claims)).toEqual(LINK_REQUIRED));
  });

  it('is nobody in particular when its address is none', async () => {
    const { attempt, expectNoChange } = await newWorld();
    await expectNoChange(async () => {
      for (const email of ['', 'nobody', 'a@b@example.com', ['a@example.com'], null, `a@example.com\nBcc: b`]) {
        expect([email, ...(await attempt({ email }))]).toEqual([email, ...FAILED]);
      }
    });
  });
});

describe('a provider’s person who is new', () => {
  it('is turned away unless the provider may bring newcomers', async () => {
    const { attempt, expectNoChange } = await newWorld();
    await expectNoChange(async () => {
      expect(await attempt()).toEqual(FAILED);
      expect(await attempt({ email: undefined })).toEqual(FAILED);
    });
  });

  it('gets an account with the address that the provider has verified', async () => {
    const { person, send, claimsOf, profileOf, people, signIn } = await newWorld({ signup: true });
    const { email } = person;
    const token = await tokenIn(await send({ given_name: 'Ada', family_name: 'Lovelace' }));
    expect(await profileOf(token)).toMatchObject({
      ...{ email, emailVerified: true, phoneVerified: false, provider: 'google' },
      ...{ firstName: 'Ada', lastName: 'Lovelace', name: 'Ada Lovelace' },
    });
    const { sub, cid } = await claimsOf(token);
    expect((await signIn()).sub).toBe(sub);
    const { customers, users, identities } = await people();
    expect([customers, users, identities].map(({ length }) => length)).toEqual([1, 1, 1]);
    expect((await eventsAbout(String(cid))).map(({ type }) => type)).toContain('customer.created');
  });

  it('gets one with its name as its script has it', async () => {
    const { send, profileOf } = await newWorld({ signup: true });
    const token = await tokenIn(await send({ given_name: '太郎', family_name: '山田' }));
    expect(await profileOf(token)).toMatchObject({ firstName: '太郎', lastName: '山田', name: '山田 太郎' });
  });

  it('gets an account without the address that the provider has not verified, which stays free', async () => {
    const { person, send, profileOf, upsert, signIn, people } = await newWorld({ signup: true });
    for (const email_verified of [false, undefined]) {
      const sub = uniqueName('sub');
      const token = await tokenIn(await send({ sub, email_verified }));
      expect(await profileOf(token)).toMatchObject({ email: null, emailVerified: false });
      expect((await signIn({ sub, email_verified })).sub).toBe((await signIn({ sub })).sub);
    }
    expect((await people()).customers).toHaveLength(2);
    expect(JSON.stringify(await people())).not.toContain(person.email);
    expect((await upsert({ email: person.email })).status).toBe(200);
    expect((await people()).customers).toHaveLength(3);
  });

  it('gets one account, even if it comes twenty times at once', async () => {
    const { signIn, people } = await newWorld({ signup: true });
    const subjects = await Promise.all(Array.from({ length: 20 }, async () => (await signIn()).sub));
    expect(new Set(subjects).size).toBe(1);
    const { customers, users, identities } = await people();
    expect([customers, users, identities].map(({ length }) => length)).toEqual([1, 1, 1]);
  });

  it('gets one account, even if it comes by two providers at once', async () => {
    const { world, person, people, signIn } = await newWorld({ signup: true });
    const issuer = await newIssuer(world.service);
    await world.put('apple', { type: 'apple', client_ids: [CLIENT_ID], issuer: issuer.url, signup: true });
    const other = signingIn(world, issuer, 'apple', person);
    const [here, there] = await Promise.all([signIn(), other.signIn()]);
    expect(here.sub).toBe(there.sub);
    const { customers, identities } = await people();
    expect([customers, identities].map(({ length }) => length)).toEqual([1, 2]);
  });

  it('is linked once, even if it comes twenty times at once', async () => {
    const { service, tenant, app, signIn, people } = await newWorld();
    const { email, userId } = await newPerson(service, tenant, app);
    const subjects = await Promise.all(Array.from({ length: 20 }, async () => (await signIn({ email })).sub));
    expect(new Set(subjects)).toEqual(new Set([userId]));
    expect((await people()).identities).toHaveLength(1);
  });
});

describe('what a provider says', () => {
  it('is good in one tenant: the same subject elsewhere is another person', async () => {
    const here = await newWorld({ signup: true });
    const world = await newAuthenticationWorld({}, here.service);
    await world.put('google', here.provider);
    const there = signingIn(world, here.issuer, 'google', here.person);
    const [first, second] = [await here.signIn(), await there.signIn()];
    expect(first.sub).not.toBe(second.sub);
    expect([first.tid, second.tid]).toEqual([here.tenant.id, world.tenant.id]);
    expect((await peopleOf(world.tenant)).customers).toHaveLength(1);
    expect((await here.people()).customers).toHaveLength(1);
  });

  it('is good for one provider: the same subject elsewhere is another person', async () => {
    const { world, person, issuer, signIn } = await newWorld({ signup: true });
    await world.put('company', { type: 'oidc', issuer: issuer.url, client_ids: [CLIENT_ID], signup: true });
    const other = signingIn(world, issuer, 'company', person);
    const first = await signIn({ email: undefined });
    expect((await other.signIn({ email: undefined })).sub).not.toBe(first.sub);
  });

  it('is refused when it is for another app, as another tenant’s is', async () => {
    const here = await newWorld({ signup: true });
    const world = await newAuthenticationWorld({}, here.service);
    await world.put('google', { ...here.provider, client_ids: ['client-of-another-tenant'] });
    const there = signingIn(world, here.issuer, 'google', here.person);
    await here.expectNoChange(async () => {
      for (const aud of ['client-of-another-tenant', 'another', undefined, [CLIENT_ID, 'another']]) {
        expect([aud, ...(await here.attempt({ aud }))]).toEqual([aud, ...FAILED]);
      }
    });
    expect(await there.attempt()).toEqual(FAILED);
    expect(await there.attempt({ aud: 'client-of-another-tenant' })).toEqual(IN);
  });

  it('is refused, and changes nothing, when its issuer, times or signature are wrong', async () => {
    const { service, issuer, person, authenticate, attempt, expectNoChange } = await newWorld({ signup: true });
    const now = Math.floor(service.clock.now() / 1000);
    const [header = '', payload = '', signature = ''] = (await issuer.newToken(person)).split('.');
    const other = (await issuer.newToken({ ...person, sub: 'another' })).split('.')[1] ?? '';
    await expectNoChange(async () => {
      for (const claims of [
        { iss: 'https://accounts.google.com' },
        { exp: now - 120 },
        { exp: undefined },
        { iat: now + 3600 },
        { nbf: now + 3600 },
        { sub: undefined },
        { sub: '' },
      ]) {
        expect([claims, ...(await attempt(claims))]).toEqual([claims, ...FAILED]);
      }
      for (const id_token of [
        'x',
        `${header}.${payload}.`,
        `${header}.${other}.${signature}`,
        `${btoa('{"alg":"none"}').replaceAll('=', '')}.${payload}.`,
        await issuer.newToken(person, { kid: 'unknown' }),
      ]) {
        expect(await outcomeOf(await authenticate('google', { id_token }))).toEqual(FAILED);
      }
    });
  });

  it('is refused for a customer that is disabled, who is not linked either', async () => {
    const { service, tenant, app, signIn, attempt, expectNoChange } = await newWorld({ signup: true });
    const { cuid, email } = await newPerson(service, tenant, app);
    await changeCustomer(service, tenant, cuid, { status: 'disabled' });
    await expectNoChange(async () => expect(await attempt({ email })).toEqual(FAILED));
    await changeCustomer(service, tenant, cuid, { status: 'active' });
    service.clock.advance(1);
    await signIn({ email });
    await changeCustomer(service, tenant, cuid, { status: 'disabled' });
    await expectNoChange(async () => expect(await attempt({ email })).toEqual(FAILED));
  });

  it('is of nobody any more whose account was deleted', async () => {
    const { service, tenant, signIn, people } = await newWorld({ signup: true });
    const { sub, cid } = await signIn();
    expect((await callAsOperator(service, 'DELETE', customersOf(tenant, `/${cid}`))).status).toBe(204);
    expect(await people()).toEqual({ customers: [], users: [], identities: [] });
    expect((await signIn()).sub).not.toBe(sub);
  });

  it('counts no longer when the operator takes the provider away, or puts another in its place', async () => {
    const { service, tenant, provider, put, attempt, signIn, people } = await newWorld({ signup: true });
    const claims = { email: undefined, email_verified: undefined };
    const { sub } = await signIn(claims);
    await put('google', { ...provider, client_ids: [CLIENT_ID, 'another'] });
    expect((await signIn(claims)).sub).toBe(sub);
    const path = `/operator/v1/tenants/${tenant.slug}/providers/google`;
    expect((await callAsOperator(service, 'DELETE', path)).status).toBe(204);
    expect(await attempt(claims)).toEqual([400, 'unknown_provider']);
    expect((await people()).identities).toEqual([]);
    await put('google', provider);
    expect((await signIn(claims)).sub).not.toBe(sub);
    const other = await newIssuer(service);
    await put('google', { ...provider, issuer: other.url });
    expect((await people()).identities).toEqual([]);
    expect(await attempt(claims)).toEqual(FAILED);
  });
});

const DAY = 24 * 3600;

describe('a token with a nonce', () => {
  it('is good once', async () => {
    const { issuer, person, authenticate, expectNoChange, attempt } = await newWorld({ signup: true });
    const nonce = uniqueName('nonce');
    const body = { id_token: await issuer.newToken({ ...person, nonce }), nonce };
    expect(await outcomeOf(await authenticate('google', body))).toEqual(IN);
    await expectNoChange(async () => {
      expect(await outcomeOf(await authenticate('google', body))).toEqual(FAILED);
      expect(await attempt({ nonce, sub: 'another' }, { nonce })).toEqual(FAILED);
    });
    expect(await attempt({ nonce: 'n-2' }, { nonce: 'n-2' })).toEqual(IN);
  });

  it('is good once, even if it comes twenty times at once', async () => {
    const { issuer, person, authenticate } = await newWorld({ signup: true });
    const nonce = uniqueName('nonce');
    const body = { id_token: await issuer.newToken({ ...person, nonce }), nonce };
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async () => outcomeOf(await authenticate('google', body))),
    );
    expect(outcomes.filter(([status]) => status === 200)).toHaveLength(1);
    expect(outcomes.filter(([status]) => status === 422)).toHaveLength(19);
  });

  it('is refused with another nonce, or none in it, which leaves the nonce unused', async () => {
    const { attempt } = await newWorld({ signup: true });
    const nonce = uniqueName('nonce');
    expect(await attempt({ nonce: 'another' }, { nonce })).toEqual(FAILED);
    expect(await attempt({}, { nonce })).toEqual(FAILED);
    expect(await attempt({ nonce }, { nonce: '' })).toEqual(FAILED);
    expect(await attempt({ nonce }, { nonce })).toEqual(IN);
  });

  it('is its tenant’s and its provider’s own', async () => {
    const { world, issuer, person, provider, attempt, put } = await newWorld({ signup: true });
    const nonce = uniqueName('nonce');
    expect(await attempt({ nonce }, { nonce })).toEqual(IN);
    await put('company', { ...provider, type: 'oidc' });
    const other = signingIn(world, issuer, 'company', person);
    expect((await other.attempt({ nonce, sub: 'x', email: undefined }, { nonce }))[0]).toBe(200);
  });

  it('is at rest in no form that can be read', async () => {
    const { tenant, issuer, person, authenticate } = await newWorld();
    const nonce = uniqueName('nonce');
    const id_token = await issuer.newToken({ ...person, nonce });
    expect(await outcomeOf(await authenticate('google', { id_token, nonce }))).toEqual(FAILED);
    const stored = await atRest(tenant.id);
    for (const secret of [nonce, id_token, person.sub, person.email]) expect(stored).not.toContain(secret);
  });

  it.each([
    ['days', 72 * 3600],
    ['a year', 365 * DAY],
    ['a minute', 60.5],
  ])('is good once, also if it is good for %s', async (_, seconds) => {
    const { service, issuer, person, authenticate, attempt } = await newWorld({ signup: true });
    const nonce = uniqueName('nonce');
    const now = Math.floor(service.clock.now() / 1000);
    const claims = { nonce, iat: now, exp: now + seconds };
    const body = { id_token: await issuer.newToken({ ...person, ...claims }), nonce };
    expect(await outcomeOf(await authenticate('google', body))).toEqual(IN);
    // Till the last of the five seconds that clocks may differ by.
    for (const share of [seconds * 0.1, seconds * 0.4, seconds * 0.5 - 1, 5]) {
      service.clock.advance(share);
      expect(await outcomeOf(await authenticate('google', body))).toEqual(FAILED);
      // It is the nonce: the token itself is as good as one with another.
      const other = uniqueName('nonce');
      expect(await attempt({ ...claims, nonce: other }, { nonce: other })).toEqual(IN);
    }
  });

  it('that never ends is good once', async () => {
    const { service, attempt, tenant } = await newWorld({ signup: true });
    const nonce = uniqueName('nonce');
    expect(await attempt({ nonce, exp: 1e300 }, { nonce })).toEqual(IN);
    service.clock.advance(100 * 365 * DAY);
    const iat = Math.floor(service.clock.now() / 1000);
    expect(await attempt({ nonce, exp: 1e300, iat }, { nonce })).toEqual(FAILED);
    expect((await rowsOf(tenant.id)).used_nonces).toHaveLength(1);
  });

  it('is forgotten when it has ended', async () => {
    const { service, attempt, tenant } = await newWorld({ signup: true });
    const used = async () => (await rowsOf(tenant.id)).used_nonces?.length;
    expect(await attempt({ nonce: 'n-1' }, { nonce: 'n-1' })).toEqual(IN);
    service.clock.advance(DAY);
    expect(await attempt({ nonce: 'n-2' }, { nonce: 'n-2' })).toEqual(IN);
    expect(await used()).toBe(1);
  });

  // Open: whoever overheard the token leaves the nonce out.
  it('is good once, also if the nonce is left out the second time', async () => {
    const { issuer, person, authenticate } = await newWorld({ signup: true });
    const nonce = uniqueName('nonce');
    const id_token = await issuer.newToken({ ...person, nonce });
    expect(await outcomeOf(await authenticate('google', { id_token, nonce }))).toEqual(IN);
    expect(await outcomeOf(await authenticate('google', { id_token }))).toEqual(FAILED);
  });
});

describe('a sign-in with a provider that fails', () => {
  it('is written in the audit log, with why, and without what was sent', async () => {
    const { tenant, issuer, person, authenticate } = await newWorld();
    const id_token = await issuer.newToken({ ...person, aud: 'another' });
    expect(await outcomeOf(await authenticate('google', { id_token }))).toEqual(FAILED);
    const { events = [] } = await rowsOf(tenant.id);
    const failed = events.filter(({ type }) => type === 'login.failed');
    expect(failed).toEqual([expect.objectContaining({ actor: 'anonymous' })]);
    expect(JSON.stringify(failed)).toMatch(/google.*token_aud/);
    expect(JSON.stringify(failed)).not.toContain(id_token);
  });
});

describe('a provider that does not answer as it should', () => {
  it('is unavailable while its metadata or keys are, and nothing is stored', async () => {
    for (const below of [DISCOVERY, '/keys']) {
      for (const status of [500, 503, 429]) {
        const { issuer, attempt, expectNoChange } = await newWorld({ signup: true });
        await issuer.answer({ status, body: 'secret of the provider' }, below);
        await expectNoChange(async () => expect([below, ...(await attempt())]).toEqual([below, ...DOWN]));
      }
    }
  });

  it('is unavailable when nothing listens there, and says nothing of it', async () => {
    const { put, provider, send, expectNoChange } = await newWorld({ signup: true });
    await put('google', { ...provider, issuer: 'http://127.0.0.1:1' });
    await expectNoChange(async () => {
      const response = await send();
      const text = await response.clone().text();
      expect(await outcomeOf(response)).toEqual(DOWN);
      expect(text).not.toMatch(/127\.0\.0\.1|ECONN|stack/);
    });
  });

  it('is not trusted when what it says of itself makes no sense', async () => {
    const { issuer, attempt, expectNoChange } = await newWorld({ signup: true });
    await issuer.answer(htmlAnswer, DISCOVERY);
    await expectNoChange(async () => expect([422, 502]).toContain((await attempt())[0]));
  });

  it('is given five seconds', async () => {
    const { issuer, attempt, expectNoChange } = await newWorld({ signup: true });
    await issuer.answer(SILENCE, DISCOVERY);
    const begun = performance.now();
    await expectNoChange(async () => expect(await attempt()).toEqual(DOWN));
    expect(performance.now() - begun).toBeLessThan(8000);
  }, 20_000);

  it('may be asked again, and leaves a nonce unused', async () => {
    const { issuer, attempt, service } = await newWorld({ signup: true });
    await issuer.answer({ status: 500 }, '/keys');
    const nonce = uniqueName('nonce');
    expect(await attempt({ nonce }, { nonce })).toEqual(DOWN);
    await issuer.answer(jsonAnswer({ keys: [issuer.key.jwk] }), '/keys');
    service.clock.advance(60);
    expect(await attempt({ nonce }, { nonce })).toEqual(IN);
  });
});
