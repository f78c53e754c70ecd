import { decodeProtectedHeader, exportPKCS8, exportSPKI, generateKeyPair, importSPKI, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import type { IdentityProvider } from '../../../src/outside/identity-providers/provider-checks.ts';
import type { ScriptedAnswer } from '../../peers/scripted.ts';
import { asserted, refused } from '../../support/oidc.ts';
import {
  CHANNEL_SECRET,
  CLIENT_ID,
  newSocialProvider,
  outOfTime,
  providerOf,
  type SocialType,
  type TokenScript,
  unavailable,
} from '../../support/provider-checks.ts';
import { htmlAnswer, jsonAnswer, newScriptedPath, SILENCE } from '../../support/scripted.ts';

const TYPES: SocialType[] = ['google', 'apple', 'microsoft', 'line'];

const newAppleKey = async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { pem: await exportPKCS8(privateKey), publicKey: await importSPKI(await exportSPKI(publicKey), 'ES256') };
};

const withAppleKey = (privateKey: string): IdentityProvider => ({
  type: 'apple',
  clientIds: [CLIENT_ID, 'another'],
  signingKey: { teamId: 'TEAM123456', keyId: 'KEY1234567', privateKey },
  issuer: null,
});

const newCode = (parts: { codeVerifier?: string | null; nonce?: string } = {}) => ({
  kind: 'code' as const,
  code: 'a code: +&=',
  redirectUri: 'https://client.example.com/callback?a=b',
  codeVerifier: 'a-verifier',
  nonce: null,
  ...parts,
});

/** A provider that gives a token for a code, in order but for what the test says. */
const newIssuer = async (type: SocialType, script: TokenScript = {}) => {
  const social = await newSocialProvider(type);
  const answerWith = (answer: ScriptedAnswer) => social.answer(answer, social.tokenAt);
  const idToken = await social.newToken(script);
  await answerWith(jsonAnswer({ access_token: 'access', token_type: 'Bearer', expires_in: 3600, id_token: idToken }));
  return {
    ...social,
    answerWith,
    spend: (provider = providerOf(type), credentials = newCode(), parts = {}) =>
      social.newCheck(parts)(provider, credentials),
    sent: async () =>
      (await social.requests(social.tokenAt)).map(({ body }) => Object.fromEntries(new URLSearchParams(body))),
  };
};

describe('a code', () => {
  for (const type of TYPES) {
    it(`is spent at ${type} for a token that is checked like any other`, async () => {
      const issuer = await newIssuer(type);
      expect(await issuer.spend()).toMatchObject(asserted({ email: 'ada@example.com' }));
      const { code, redirectUri, codeVerifier } = newCode();
      expect(await issuer.sent()).toEqual([
        {
          grant_type: 'authorization_code',
          code,
          redirect_uri: redirectUri,
          code_verifier: codeVerifier,
          client_id: CLIENT_ID,
          ...(type !== 'apple' && { client_secret: CHANNEL_SECRET }),
        },
      ]);
      expect(await (await newIssuer(type, { claims: { aud: 'another' } })).spend()).toEqual(refused('token_aud'));
      expect(await (await newIssuer(type, { claims: { iss: 'x' } })).spend()).toEqual(refused('token_iss'));
      expect(await (await newIssuer(type, { header: { kid: 'x' } })).spend()).toEqual(refused('token_key'));
    });
  }

  it('may come without a verifier', async () => {
    const google = await newIssuer('google');
    expect(await google.spend(undefined, newCode({ codeVerifier: null }))).toMatchObject(asserted());
    expect(await google.sent()).not.toEqual([expect.objectContaining({ code_verifier: expect.anything() })]);
  });

  it('is spent as our first client, for whom the token has to be', async () => {
    const provider = providerOf('google', { clientIds: ['another', CLIENT_ID] });
    const google = await newIssuer('google');
    expect(await google.spend(provider)).toEqual(refused('token_aud'));
    expect(await google.sent()).toMatchObject([{ client_id: 'another' }]);
  });

  it('brings a token with the nonce that the caller bound', async () => {
    const google = await newIssuer('google', { claims: { nonce: 'n-1' } });
    expect(await google.spend(undefined, newCode({ nonce: 'n-1' }))).toMatchObject(asserted());
    expect(await google.spend(undefined, newCode({ nonce: 'n-2' }))).toEqual(refused('token_nonce'));
  });

  it('is of no use where there is no client', async () => {
    const google = await newIssuer('google');
    expect(await google.spend(providerOf('google', { clientIds: [] }))).toEqual(refused('credentials_kind'));
    expect(await google.sent()).toEqual([]);
  });

  const answers: [string, object, ScriptedAnswer][] = [
    ['refuses it', refused('exchange_error'), jsonAnswer({ error: 'invalid_grant' }, { status: 400 })],
    ['refuses the client', refused('exchange_error'), jsonAnswer({ error: 'invalid_client' }, { status: 401 })],
    ['gives no ID token', refused('exchange_invalid'), jsonAnswer({ access_token: 'a', token_type: 'Bearer' })],
    ['gives a number for one', refused('exchange_invalid'), jsonAnswer({ id_token: 1 })],
    ['gives none', refused('token_form'), jsonAnswer({ id_token: '' })],
    ['answers HTML', refused('exchange_invalid'), htmlAnswer],
    ['answers a list', refused('exchange_invalid'), jsonAnswer([])],
    ['says too much', refused('exchange_too_large'), jsonAnswer({ id_token: 'x' }, { ending: 'endless' })],
    ['is out of order', unavailable('exchange_outage'), { status: 500 }],
    ['has too much to do', unavailable('exchange_outage'), { status: 429 }],
  ];
  for (const [what, outcome, answer] of answers) {
    it(`is of no use when the provider ${what}`, async () => {
      const google = await newIssuer('google');
      await google.answerWith(answer);
      expect(await google.spend()).toEqual(outcome);
    });
  }

  it('does not follow a redirect', async () => {
    const elsewhere = newScriptedPath();
    const google = await newIssuer('google');
    await google.answerWith({ status: 307, headers: { Location: elsewhere.url } });
    expect(await google.spend()).toEqual(refused('exchange_redirect'));
    expect(await elsewhere.requests()).toEqual([]);
  });

  it('is given up when the provider is silent', async () => {
    const google = await newIssuer('google');
    await google.answerWith(SILENCE);
    const outcome = await outOfTime(
      () => google.untilOpen(1, google.tokenAt),
      (deadline) => google.spend(undefined, undefined, { deadline }),
    );
    expect(outcome).toEqual(unavailable('exchange_timeout'));
  });

  it('is given up when nobody is there', async () => {
    const google = await newIssuer('google');
    const offline = () => Promise.reject(new Error('no route to host'));
    expect(await google.spend(undefined, undefined, { fetch: offline })).toEqual(unavailable('exchange_network'));
  });
});

describe('our client secret at Apple', () => {
  it('is a JWT of our own, for five minutes', async () => {
    const { pem, publicKey } = await newAppleKey();
    const apple = await newIssuer('apple');
    const now = Date.now();
    expect(await apple.spend(withAppleKey(pem), undefined, { now: () => now })).toMatchObject(asserted());
    const [sent] = await apple.sent();
    const secret = sent?.client_secret ?? '';
    expect(decodeProtectedHeader(secret)).toMatchObject({ alg: 'ES256', kid: 'KEY1234567' });
    const { payload } = await jwtVerify(secret, publicKey, { algorithms: ['ES256'], currentDate: new Date(now) });
    const iat = Math.floor(now / 1000);
    expect(payload).toEqual({
      iss: 'TEAM123456',
      sub: CLIENT_ID,
      aud: 'https://appleid.apple.com',
      iat,
      exp: iat + 300,
    });
  });

  it('is signed with a key that is one', async () => {
    const apple = await newIssuer('apple');
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    for (const pem of [
      '',
      'x',
      '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----',
      await exportPKCS8(privateKey),
    ]) {
      expect(await apple.spend(withAppleKey(pem))).toEqual(refused('exchange_invalid'));
    }
    expect(await apple.sent()).toEqual([]);
  });
});
