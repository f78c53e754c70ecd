import { describe, expect, it } from 'vitest';
import type { ScriptedAnswer } from '../../peers/scripted.ts';
import { asserted, DISCOVERY, finish, newScriptedProvider, outOfTime, refused } from '../../support/oidc.ts';
import { htmlAnswer, jsonAnswer, newScriptedPath, SILENCE } from '../../support/scripted.ts';

const withoutEmail = { email: undefined, email_verified: undefined, given_name: undefined, family_name: undefined };

describe('a person', () => {
  it('is as the UserInfo endpoint says when the ID token has no address', async () => {
    const provider = await newScriptedProvider();
    const userInfo = { sub: 'person-1', email: 'grace@example.com', given_name: 'Grace' };
    await provider.answer(jsonAnswer(userInfo), '/userinfo');
    expect(await finish(provider, { claims: { ...withoutEmail, email_verified: true } })).toMatchObject(
      asserted({ email: 'grace@example.com', isEmailVerified: false, givenName: 'Grace', familyName: null }),
    );
    const [request] = await provider.requests('/userinfo');
    expect(request?.headers).toMatchObject({ authorization: 'Bearer access' });
  });

  it('has no address when there is none', async () => {
    const provider = await newScriptedProvider();
    await provider.answer(jsonAnswer({ sub: 'person-1', email_verified: true }), '/userinfo');
    const nobody = { subject: 'person-1', email: null, isEmailVerified: false, givenName: null, familyName: null };
    expect(await finish(provider, { claims: withoutEmail })).toMatchObject(asserted(nobody));
    await provider.answer(jsonAnswer({ ...provider.metadata, userinfo_endpoint: undefined }), DISCOVERY);
    expect(await finish(provider, { claims: withoutEmail })).toMatchObject(asserted(nobody));
  });

  for (const email_verified of ['true', 'false', 1, null, undefined, {}, [true]]) {
    it(`has no verified address when the provider says ${JSON.stringify(email_verified)} to that`, async () => {
      expect(await finish(await newScriptedProvider(), { claims: { email_verified } })).toMatchObject(
        asserted({ email: 'ada@example.com', isEmailVerified: false }),
      );
    });
  }

  it('has no name that is none', async () => {
    const claims = { given_name: { a: 1 }, family_name: 'x'.repeat(255) };
    expect(await finish(await newScriptedProvider(), { claims })).toMatchObject(
      asserted({ givenName: null, familyName: null }),
    );
  });

  it('has proved who it is in the ways that the provider names', async () => {
    const provider = await newScriptedProvider();
    expect(await finish(provider, { claims: { amr: ['pwd', 'otp'] } })).toMatchObject({ amr: ['pwd', 'otp'] });
    for (const amr of [undefined, 'pwd', ['pwd', 1], [''], ['x'.repeat(65)], Array.from({ length: 17 }, () => 'pwd')]) {
      expect(await finish(provider, { claims: { amr } })).toMatchObject({ kind: 'asserted', amr: [] });
    }
  });
});

describe('a UserInfo endpoint', () => {
  const unsigned = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJwZXJzb24tMSJ9.';
  const answers: [string, string, ScriptedAnswer][] = [
    ['tells of another person', 'userinfo_sub', jsonAnswer({ sub: 'person-2', email: 'eve@example.com' })],
    ['does not say of whom it tells', 'userinfo_invalid', jsonAnswer({ email: 'eve@example.com' })],
    ['answers HTML', 'userinfo_invalid', htmlAnswer],
    ['answers a JWT', 'userinfo_invalid', { headers: { 'Content-Type': 'application/jwt' }, body: unsigned }],
    ['is out of order', 'userinfo_invalid', { status: 500 }],
    ['does not take the access token', 'userinfo_error', { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } }],
    ['says too much', 'userinfo_too_large', jsonAnswer({ sub: 'person-1' }, { ending: 'endless' })],
  ];
  for (const [what, reason, answer] of answers) {
    it(`that ${what} is refused`, async () => {
      const provider = await newScriptedProvider();
      await provider.answer(answer, '/userinfo');
      expect(await finish(provider, { claims: withoutEmail })).toEqual(refused(reason));
    });
  }

  it('that redirects is refused', async () => {
    const provider = await newScriptedProvider();
    const elsewhere = newScriptedPath();
    await elsewhere.answer(jsonAnswer({ sub: 'person-1', email: 'ada@example.com' }));
    await provider.answer({ status: 302, headers: { Location: elsewhere.url } }, '/userinfo');
    expect(await finish(provider, { claims: withoutEmail })).toEqual(refused('userinfo_redirect'));
    expect(await elsewhere.requests()).toEqual([]);
  });

  it('that is silent is refused in time', async () => {
    const provider = await newScriptedProvider();
    await provider.answer(SILENCE, '/userinfo');
    const outcome = await outOfTime(
      () => provider.untilOpen(1, '/userinfo'),
      (party) => finish(provider, { party, claims: withoutEmail }),
    );
    expect(outcome).toEqual(refused('userinfo_timeout'));
  });
});
