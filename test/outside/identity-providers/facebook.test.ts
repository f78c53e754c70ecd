import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { IdentityProvider } from '../../../src/outside/identity-providers/provider-checks.ts';
import type { ScriptedAnswer } from '../../peers/scripted.ts';
import { asserted, refused, signClaims } from '../../support/oidc.ts';
import { internetAt, keyNamed, newCheck, outOfTime, unavailable } from '../../support/provider-checks.ts';
import { htmlAnswer, jsonAnswer, newScriptedPath, SILENCE } from '../../support/scripted.ts';

const { facebook } = env.TEST_IDENTITY_PROVIDERS;

const APP = { type: 'facebook' as const, appId: '1001', appSecret: 'secret of app 1001', baseUrl: facebook };

const signIn = (accessToken: string, parts: Partial<typeof APP> = {}, check = newCheck()) =>
  check({ ...APP, ...parts }, { kind: 'access_token', accessToken });

describe('an access token of Facebook’s', () => {
  it('says who somebody is, but verifies no address', async () => {
    expect(await signIn('EAA.1001.71.user')).toEqual({
      kind: 'asserted',
      assertion: {
        subject: '71',
        email: 'ada@example.com',
        isEmailVerified: false,
        givenName: 'Ada',
        familyName: 'Lovelace',
        name: 'Ada King Lovelace',
      },
      amr: [],
      expiresAt: null,
    });
  });

  it('may be of somebody without an address, and endless', async () => {
    expect(await signIn('EAA.1001.72.endless')).toMatchObject(asserted({ subject: '72', email: null }));
  });

  const tokens: [string, string, string][] = [
    ['that another app was given', 'graph_app_id', 'EAA.2002.71.user'],
    ['of a page', 'graph_type', 'EAA.1001.71.page'],
    ['that is no longer valid', 'graph_error', 'EAA.1001.71.ended'],
    ['that is none', 'graph_error', 'nonsense'],
    ['that is empty', 'graph_error', ''],
    ['of nobody', 'graph_error', 'EAA.1001.99.user'],
    ['that is our app’s own', 'graph_error', '1001|secret of app 1001'],
    ['that is too long for a URL', 'graph_url', 'E'.repeat(3000)],
  ];
  for (const [what, reason, token] of tokens) {
    it(`${what} is refused`, async () => {
      expect(await signIn(token)).toEqual(refused(reason));
    });
  }

  it('is refused where our own secret is not right', async () => {
    expect(await signIn('EAA.1001.71.user', { appSecret: 'another' })).toEqual(refused('graph_error'));
    expect(await signIn('EAA.1001.71.user', { appSecret: '' })).toEqual(refused('graph_error'));
  });

  it('is asked about at Facebook itself, unless another place is named', async () => {
    const path = newScriptedPath();
    const outcome = await newCheck({ fetch: internetAt(path) })(
      { ...APP, baseUrl: null },
      { kind: 'access_token', accessToken: 'x' },
    );
    expect(outcome).toEqual(refused('graph_error'));
    expect(await path.requests('/graph.facebook.com/v23.0/debug_token')).toHaveLength(1);
  });

  it('is no token of another kind', async () => {
    expect(await newCheck()(APP, { kind: 'data', data: {} })).toEqual(refused('credentials_kind'));
    const code = {
      kind: 'code' as const,
      code: 'x',
      redirectUri: 'https://a.example',
      codeVerifier: null,
      nonce: null,
    };
    expect(await newCheck()(APP, code)).toEqual(refused('credentials_kind'));
  });
});

describe('what the Graph API says', () => {
  const inspected = { is_valid: true, app_id: '1001', type: 'USER', expires_at: 0, user_id: '71' };
  const person = { id: '71', name: 'Ada' };

  const ask = async (token: ScriptedAnswer, me: ScriptedAnswer = jsonAnswer(person), check = newCheck()) => {
    const path = newScriptedPath();
    await Promise.all([path.answer(token, '/debug_token'), path.answer(me, '/me')]);
    return signIn('token', { baseUrl: path.url }, check);
  };

  it('is taken when it is in order', async () => {
    expect(await ask(jsonAnswer({ data: inspected }))).toMatchObject(asserted({ subject: '71', name: 'Ada' }));
  });

  const nowSeconds = Math.floor(Date.now() / 1000);
  const members: [string, string, Record<string, unknown>][] = [
    ['of a token that is expired', 'graph_exp', { expires_at: nowSeconds - 1 }],
    ['of a token without an end', 'graph_exp', { expires_at: undefined }],
    ['of a token of no app', 'graph_app_id', { app_id: undefined }],
    ['of a token of no type', 'graph_type', { type: undefined }],
    ['of nobody’s token', 'graph_sub', { user_id: undefined }],
    ['of a token that is "true"ly valid', 'graph_invalid', { is_valid: 'true' }],
    ['with a number for an app', 'graph_invalid', { app_id: 1001 }],
    ['of another’s token', 'graph_id', { user_id: '72' }],
  ];
  for (const [what, reason, change] of members) {
    it(`${what} is refused`, async () => {
      expect(await ask(jsonAnswer({ data: { ...inspected, ...change } }))).toEqual(refused(reason));
    });
  }

  const answers: [string, object, ScriptedAnswer][] = [
    ['in HTML', refused('graph_invalid'), htmlAnswer],
    ['without end', refused('graph_too_large'), jsonAnswer({}, { ending: 'endless' })],
    ['from elsewhere', refused('graph_redirect'), { status: 302, headers: { Location: facebook } }],
    ['when it is out of order', unavailable('graph_outage'), { status: 500 }],
  ];
  for (const [what, outcome, answer] of answers) {
    it(`${what} is not taken`, async () => {
      expect(await ask(answer)).toEqual(outcome);
      expect(await ask(jsonAnswer({ data: inspected }), answer)).toEqual(outcome);
    });
  }

  it('too late is not waited for', async () => {
    const path = newScriptedPath();
    await path.answer(SILENCE, '/debug_token');
    const outcome = await outOfTime(
      () => path.untilOpen(1, '/debug_token'),
      (deadline) => signIn('token', { baseUrl: path.url }, newCheck({ deadline })),
    );
    expect(outcome).toEqual(unavailable('graph_timeout'));
  });
});

describe('a token of a Limited Login', () => {
  const ISSUER = 'https://www.facebook.com';

  const limited = async (claims: Record<string, unknown> = {}, nonce: string | null = null, alg = 'RS256') => {
    const path = newScriptedPath();
    const [key, published] = [await keyNamed('first', alg), await keyNamed('first', 'RS256')];
    await path.answer(jsonAnswer({ keys: [published.jwk] }), '/limited.facebook.com/.well-known/oauth/openid/jwks/');
    const iat = Math.floor(Date.now() / 1000);
    const idToken = await signClaims(
      { iss: ISSUER, aud: '1001', sub: '71', iat, exp: iat + 3600, email: 'ada@example.com', name: 'Ada', ...claims },
      key.privateKey,
      { alg, kid: 'first' },
    );
    const provider: IdentityProvider = { ...APP, baseUrl: null };
    return newCheck({ fetch: internetAt(path) })(provider, { kind: 'id_token', idToken, nonce });
  };

  it('says who somebody is, but verifies no address', async () => {
    const person = { subject: '71', email: 'ada@example.com', isEmailVerified: false, name: 'Ada' };
    expect(await limited({ email_verified: true, nonce: 'n' }, 'n')).toMatchObject(asserted(person));
  });

  it('is refused when it is another app’s, another issuer’s, of another sign-in or past', async () => {
    expect(await limited({ aud: '2002' })).toEqual(refused('token_aud'));
    expect(await limited({ iss: 'https://facebook.example.com' })).toEqual(refused('token_iss'));
    expect(await limited({ nonce: 'n' }, 'another')).toEqual(refused('token_nonce'));
    expect(await limited({ exp: 1 })).toEqual(refused('token_exp'));
    expect(await limited({}, null, 'ES256')).toEqual(refused('token_alg'));
  });

  it('is of the place that is named instead of Facebook', async () => {
    const path = newScriptedPath();
    const key = await keyNamed('first', 'RS256');
    await path.answer(jsonAnswer({ keys: [key.jwk] }), '/.well-known/oauth/openid/jwks/');
    const iat = Math.floor(Date.now() / 1000);
    const signInFrom = async (iss: string) => {
      const claims = { iss, aud: '1001', sub: '71', iat, exp: iat + 60 };
      const idToken = await signClaims(claims, key.privateKey, { alg: 'RS256', kid: 'first' });
      return newCheck()({ ...APP, baseUrl: path.url }, { kind: 'id_token', idToken, nonce: null });
    };
    expect(await signInFrom(path.url)).toMatchObject(asserted({ subject: '71' }));
    expect(await signInFrom(ISSUER)).toEqual(refused('token_iss'));
  });
});
