import { describe, expect, it } from 'vitest';
import type { ScriptedAnswer } from '../../peers/scripted.ts';
import {
  asserted,
  finish,
  newParty,
  newProviderKey,
  newScriptedProvider,
  outOfTime,
  refused,
} from '../../support/oidc.ts';
import { htmlAnswer, jsonAnswer, newScriptedPath, SILENCE } from '../../support/scripted.ts';

describe('the keys of a provider', () => {
  it('are fetched again for an unknown one, once a minute, and after five minutes', async () => {
    const provider = await newScriptedProvider();
    const [first, second, third] = [provider.key, await newProviderKey('second'), await newProviderKey('third')];
    const begin = Date.now();
    let now = begin;
    const party = newParty({ now: () => now });
    const finishBy = (key: typeof first) => finish(provider, { party, key, now });

    expect(await finishBy(first)).toMatchObject(asserted());
    await provider.answer(jsonAnswer({ keys: [second.jwk] }), '/keys');
    now = begin + 55_000;
    expect(await finishBy(second)).toEqual(refused('signature_key'));
    expect(await finishBy(first)).toMatchObject(asserted());
    expect(await provider.calls('/keys')).toBe(1);

    now = begin + 65_000;
    expect(await finishBy(second)).toMatchObject(asserted());
    expect(await provider.calls('/keys')).toBe(2);
    for (let attempt = 0; attempt < 5; attempt += 1) expect(await finishBy(third)).toEqual(refused('signature_key'));
    expect(await finishBy(first)).toEqual(refused('signature_key'));
    expect(await provider.calls('/keys')).toBe(2);

    now = begin + 355_000;
    expect(await finishBy(second)).toMatchObject(asserted());
    expect(await provider.calls('/keys')).toBe(2);
    now = begin + 375_000;
    expect(await finishBy(second)).toMatchObject(asserted());
    expect(await provider.calls('/keys')).toBe(3);
  });

  it('are fetched again once, and no more, for one that stays unknown', async () => {
    const provider = await newScriptedProvider();
    let now = Date.now();
    const party = newParty({ now: () => now });
    expect(await finish(provider, { party, now })).toMatchObject(asserted());
    now += 65_000;
    const key = await newProviderKey('second');
    expect(await finish(provider, { party, now, key })).toEqual(refused('signature_key'));
    expect(await provider.calls('/keys')).toBe(2);
  });

  it('are not forgotten when they cannot be fetched again', async () => {
    const provider = await newScriptedProvider();
    let now = Date.now();
    const party = newParty({ now: () => now });
    expect(await finish(provider, { party, now })).toMatchObject(asserted());
    now += 65_000;
    await provider.answer({ status: 500 }, '/keys');
    const key = await newProviderKey('second');
    expect(await finish(provider, { party, now, key })).toEqual(refused('signature_invalid'));
    expect(await finish(provider, { party, now })).toMatchObject(asserted());
  });

  it('are not shared by providers that name them alike', async () => {
    const [one, other] = [await newScriptedProvider(), await newScriptedProvider()];
    const party = newParty();
    expect(await finish(one, { party })).toMatchObject(asserted());
    expect(await finish(other, { party, key: one.key })).toEqual(refused('signature_invalid'));
    expect(await finish(other, { party })).toMatchObject(asserted());
  });

  const answers: [string, string, (jwk: object) => ScriptedAnswer][] = [
    ['out of order', 'signature_invalid', () => ({ status: 503 })],
    ['HTML', 'signature_invalid', () => htmlAnswer],
    ['no list', 'signature_invalid', (jwk) => jsonAnswer({ keys: jwk })],
    ['a list of nothing', 'signature_key', () => jsonAnswer({ keys: [] })],
    ['for encrypting', 'signature_key', (jwk) => jsonAnswer({ keys: [{ ...jwk, use: 'enc' }] })],
    ['no points of their curve', 'signature_invalid', (jwk) => jsonAnswer({ keys: [{ ...jwk, x: 'AAAA' }] })],
    ['too many', 'signature_too_large', (jwk) => jsonAnswer({ keys: [jwk] }, { ending: 'endless' })],
  ];
  for (const [what, reason, answerOf] of answers) {
    it(`that are ${what} are refused`, async () => {
      const provider = await newScriptedProvider();
      await provider.answer(answerOf(provider.key.jwk), '/keys');
      expect(await finish(provider)).toEqual(refused(reason));
    });
  }

  it('that are elsewhere are refused', async () => {
    const provider = await newScriptedProvider();
    const elsewhere = newScriptedPath();
    await elsewhere.answer(jsonAnswer({ keys: [provider.key.jwk] }));
    await provider.answer({ status: 307, headers: { Location: elsewhere.url } }, '/keys');
    expect(await finish(provider)).toEqual(refused('signature_redirect'));
    expect(await elsewhere.requests()).toEqual([]);
  });

  it('that do not come are refused in time', async () => {
    const provider = await newScriptedProvider();
    await provider.answer(SILENCE, '/keys');
    const outcome = await outOfTime(
      () => provider.untilOpen(1, '/keys'),
      (party) => finish(provider, { party }),
    );
    expect(outcome).toEqual(refused('signature_timeout'));
  });
});
