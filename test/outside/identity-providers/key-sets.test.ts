import { describe, expect, it } from 'vitest';
import { createGuardedFetch } from '../../../src/outside/http.ts';
import { createKeySets, readPublicKey } from '../../../src/outside/identity-providers/key-sets.ts';
import type { ScriptedAnswer } from '../../peers/scripted.ts';
import { asserted, refused } from '../../support/oidc.ts';
import { keyNamed, newSocialProvider, outOfTime, unavailable } from '../../support/provider-checks.ts';
import { htmlAnswer, jsonAnswer, newScriptedPath, SILENCE } from '../../support/scripted.ts';

describe('the keys of a provider', () => {
  it('are fetched again for an unknown one, once a minute, and after five minutes', async () => {
    const google = await newSocialProvider('google');
    const [first, second, third] = [google.key, await keyNamed('second', 'RS256'), await keyNamed('third', 'RS256')];
    const begin = Date.now();
    let now = begin;
    const check = google.newCheck({ now: () => now });
    const signInBy = (key: typeof first) => google.signIn({ check, key, now });

    expect(await signInBy(first)).toMatchObject(asserted());
    await google.publish(second.jwk);
    now = begin + 59_999;
    expect(await signInBy(second)).toEqual(refused('token_key'));
    expect(await signInBy(first)).toMatchObject(asserted());
    expect(await google.keyRequests()).toBe(1);

    now = begin + 60_000;
    expect(await signInBy(second)).toMatchObject(asserted());
    expect(await google.keyRequests()).toBe(2);
    for (let attempt = 0; attempt < 5; attempt += 1) expect(await signInBy(third)).toEqual(refused('token_key'));
    expect(await signInBy(first)).toEqual(refused('token_key'));
    expect(await google.keyRequests()).toBe(2);

    now = begin + 359_999;
    expect(await signInBy(second)).toMatchObject(asserted());
    expect(await google.keyRequests()).toBe(2);
    now = begin + 360_000;
    expect(await signInBy(second)).toMatchObject(asserted());
    expect(await google.keyRequests()).toBe(3);
  });

  it('are fetched once for any number of tokens that make names up, at the same time too', async () => {
    const google = await newSocialProvider('google');
    let now = Date.now();
    const check = google.newCheck({ now: () => now });
    expect(await google.signIn({ check, now })).toMatchObject(asserted());
    now += 61_000;
    const strangers = Array.from({ length: 8 }, (_, i) =>
      google.signIn({ check, now, header: { kid: `made-up-${i}` } }),
    );
    for (const outcome of await Promise.all(strangers)) expect(outcome).toEqual(refused('token_key'));
    expect(await google.keyRequests()).toBe(2);
    expect(await google.signIn({ check, now })).toMatchObject(asserted());
  });

  it('stay good when they are asked for in vain, and nobody asks for a minute', async () => {
    const google = await newSocialProvider('google');
    let now = Date.now();
    const check = google.newCheck({ now: () => now });
    expect(await google.signIn({ check, now })).toMatchObject(asserted());
    now += 61_000;
    await google.answer({ status: 503 }, google.keysAt);
    expect(await google.signIn({ check, now, header: { kid: 'x' } })).toEqual(unavailable('keys_outage'));
    expect(await google.signIn({ check, now, header: { kid: 'x' } })).toEqual(refused('token_key'));
    expect(await google.signIn({ check, now })).toMatchObject(asserted());
    expect(await google.keyRequests()).toBe(2);
  });

  it('come back when the provider does', async () => {
    const google = await newSocialProvider('google');
    const check = google.newCheck();
    await google.answer({ status: 503 }, google.keysAt);
    expect(await google.signIn({ check })).toEqual(unavailable('keys_outage'));
    await google.publish(google.key.jwk);
    expect(await google.signIn({ check })).toMatchObject(asserted());
  });

  const answers: [string, object, (jwk: object) => ScriptedAnswer][] = [
    ['out of order', unavailable('keys_outage'), () => ({ status: 503 })],
    ['not there', refused('keys_error'), () => ({ status: 404 })],
    ['HTML', refused('keys_invalid'), () => htmlAnswer],
    ['no list', refused('keys_invalid'), (jwk) => jsonAnswer({ keys: jwk })],
    ['nothing', refused('keys_invalid'), () => jsonAnswer(null)],
    [
      'too many to look at',
      refused('keys_invalid'),
      (jwk) => jsonAnswer({ keys: Array.from({ length: 101 }, () => jwk) }),
    ],
    ['without end', refused('keys_too_large'), (jwk) => jsonAnswer({ keys: [jwk] }, { ending: 'endless' })],
    ['a list of nothing', refused('token_key'), () => jsonAnswer({ keys: [] })],
    ['nonsense', refused('token_key'), () => jsonAnswer({ keys: [null, 1, 'x', [], {}, { kty: 1 }, { kty: 'RSA' }] })],
    ['for encrypting', refused('token_key'), (jwk) => jsonAnswer({ keys: [{ ...jwk, use: 'enc' }] })],
    ['for signing alone', refused('token_key'), (jwk) => jsonAnswer({ keys: [{ ...jwk, key_ops: ['sign'] }] })],
    ['for another algorithm', refused('token_key'), (jwk) => jsonAnswer({ keys: [{ ...jwk, alg: 'RS512' }] })],
    ['two of one name', refused('token_key'), (jwk) => jsonAnswer({ keys: [jwk, jwk] })],
    ['too short', refused('token_key'), (jwk) => jsonAnswer({ keys: [{ ...jwk, n: 'AQAB'.repeat(32) }] })],
    [
      'secret',
      refused('token_key'),
      () => jsonAnswer({ keys: [{ kty: 'oct', kid: 'first', alg: 'RS256', k: 'AAAA' }] }),
    ],
  ];
  for (const [what, outcome, answerOf] of answers) {
    it(`that are ${what} verify nothing`, async () => {
      const google = await newSocialProvider('google');
      await google.answer(answerOf(google.key.jwk), google.keysAt);
      expect(await google.signIn()).toEqual(outcome);
    });
  }

  it('are taken from among what is not understood', async () => {
    const google = await newSocialProvider('google');
    await google.publish(null, { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AAAA', kid: 'first' }, google.key.jwk, { kid: 1 });
    expect(await google.signIn()).toMatchObject(asserted());
  });

  it('need no name where there is one alone', async () => {
    const google = await newSocialProvider('google');
    expect(await google.signIn({ header: { kid: undefined } })).toMatchObject(asserted());
    await google.publish(google.key.jwk, (await keyNamed('second', 'RS256')).jwk);
    expect(await google.signIn({ header: { kid: undefined } })).toEqual(refused('token_key'));
  });

  it('that are elsewhere are not looked for there', async () => {
    const google = await newSocialProvider('google');
    const elsewhere = newScriptedPath();
    await elsewhere.answer(jsonAnswer({ keys: [google.key.jwk] }));
    await google.answer({ status: 302, headers: { Location: elsewhere.url } }, google.keysAt);
    expect(await google.signIn()).toEqual(refused('keys_redirect'));
    expect(await elsewhere.requests()).toEqual([]);
  });

  it('that do not come are given up in time', async () => {
    const google = await newSocialProvider('google');
    await google.answer(SILENCE, google.keysAt);
    const outcome = await outOfTime(
      () => google.untilOpen(1, google.keysAt),
      (deadline) => google.signIn({ deadline }),
    );
    expect(outcome).toEqual(unavailable('keys_timeout'));
  });

  it('of a hundred sets are remembered, the oldest of which goes first', async () => {
    const path = newScriptedPath();
    await path.answer(jsonAnswer({ keys: [{ kty: 'RSA', kid: 'a', d: 'secret' }] }));
    const asked: string[] = [];
    const fetchKeys = createGuardedFetch({
      fetch: (input) => {
        asked.push(new URL(String(input)).search);
        return fetch(path.url);
      },
      allowsLoopback: true,
      deadline: new AbortController().signal,
    });
    const sets = createKeySets({ now: Date.now });
    const find = (name: number) => sets.find(`${path.url}?${name}`, 'a', fetchKeys);
    for (let name = 0; name < 100; name += 1) expect(await find(name)).toEqual([{ kty: 'RSA', kid: 'a' }]);
    await find(0);
    expect(asked.length).toBe(100);
    await find(100);
    await find(1);
    expect(asked.length).toBe(101);
    await find(0);
    expect(asked.slice(100)).toEqual(['?100', '?0']);
  });
});

describe('a key that an operator names', () => {
  it('is a public one', async () => {
    const { jwk } = await keyNamed('first', 'ES256');
    expect(readPublicKey({ ...jwk, ext: true, x5c: ['…'] })).toEqual(jwk);
    for (const secret of ['d', 'p', 'k', 'priv']) expect(readPublicKey({ ...jwk, [secret]: 'AAAA' })).toBeNull();
    for (const none of [null, 'x', [], {}, { kty: 'oct' }, { kty: 'oct', k: 'AAAA' }, { kty: 'EC', x: 1 }]) {
      expect(readPublicKey(none)).toBeNull();
    }
  });
});
