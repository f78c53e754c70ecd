import { describe, expect, it } from 'vitest';
import { readPublicKey } from '../../../src/outside/identity-providers/key-sets.ts';
import type { IdentityProvider } from '../../../src/outside/identity-providers/provider-checks.ts';
import { asserted, refused, signClaims } from '../../support/oidc.ts';
import { internetAt, keyNamed, newCheck, outOfTime, unavailable } from '../../support/provider-checks.ts';
import { jsonAnswer, newScriptedPath, SILENCE } from '../../support/scripted.ts';

const KEYS_URL = 'https://shop.example.com/keys';

const NAMES = {
  subject: 'uid',
  email: 'https://shop.example.com/mail',
  emailVerified: 'mail_checked',
  name: 'display',
  givenName: 'first',
  familyName: 'last',
};

type JwtProvider = Extract<IdentityProvider, { type: 'jwt' }>;

const newProvider = (parts: Partial<JwtProvider> = {}): JwtProvider => ({
  type: 'jwt',
  keys: { jwksUrl: KEYS_URL },
  issuer: 'shop',
  audience: 'accounts',
  claims: NAMES,
  ...parts,
});

/** A sign-in with a token of the tenant's service that is in order but for what the test says. */
const signIn = async (
  claims: Record<string, unknown> = {},
  {
    provider = newProvider(),
    header = {},
    key,
    nonce = null,
    path = newScriptedPath(),
    deadline,
  }: {
    provider?: JwtProvider;
    header?: Record<string, unknown>;
    key?: { kid: string; alg: string; privateKey: CryptoKey | Uint8Array };
    nonce?: string | null;
    path?: ReturnType<typeof newScriptedPath>;
    deadline?: () => AbortSignal;
  } = {},
) => {
  const own = await keyNamed('first', 'ES256');
  const by = key ?? own;
  if (!deadline) await path.answer(jsonAnswer({ keys: [own.jwk] }), '/shop.example.com/keys');
  const all = { iss: 'shop', aud: 'accounts', uid: 'person-1', exp: Math.floor(Date.now() / 1000) + 60, ...claims };
  const idToken = await signClaims(all, by.privateKey, { alg: by.alg, kid: by.kid, ...header });
  const check = newCheck({ fetch: internetAt(path), ...(deadline && { deadline }) });
  return check(provider, { kind: 'id_token', idToken, nonce });
};

describe('a token of a tenant’s own service', () => {
  it('says who somebody is by the tenant’s names of claims', async () => {
    const person = {
      [NAMES.email]: 'ada@example.com',
      mail_checked: true,
      display: 'Ada L',
      first: 'Ada',
      last: 'Love',
    };
    const exp = Math.floor(Date.now() / 1000) + 60.5;
    expect(await signIn({ ...person, exp, amr: ['pwd'], sub: 'another', email: 'eve@example.com' })).toEqual({
      kind: 'asserted',
      assertion: {
        subject: 'person-1',
        email: 'ada@example.com',
        isEmailVerified: true,
        name: 'Ada L',
        givenName: 'Ada',
        familyName: 'Love',
      },
      amr: ['pwd'],
      expiresAt: exp * 1000,
    });
  });

  it('says nothing by names that the tenant does not have', async () => {
    const nothing = { email: null, emailVerified: null, name: null, givenName: null, familyName: null };
    const claims = { subject: 'sub', ...nothing };
    const person = { sub: 'person-2', email: 'eve@example.com', email_verified: true, name: 'Eve', null: 'x' };
    expect(await signIn(person, { provider: newProvider({ claims }) })).toMatchObject(
      asserted({ subject: 'person-2', email: null, isEmailVerified: false, name: null, givenName: null }),
    );
  });

  it('verifies no address unless it says true', async () => {
    for (const mail_checked of ['true', 1, 'yes', {}, null, undefined, false]) {
      const outcome = await signIn({ [NAMES.email]: 'ada@example.com', mail_checked });
      expect(outcome).toMatchObject(asserted({ email: 'ada@example.com', isEmailVerified: false }));
    }
  });

  it('says only what it says itself', async () => {
    for (const subject of ['__proto__', 'constructor', 'toString']) {
      const provider = newProvider({ claims: { ...NAMES, subject } });
      expect(await signIn({}, { provider })).toEqual(refused('token_sub'));
    }
  });

  const nowSeconds = Math.floor(Date.now() / 1000);
  const changes: [string, string, Record<string, unknown>][] = [
    ['of another issuer', 'token_iss', { iss: 'another' }],
    ['of nobody', 'token_iss', { iss: undefined }],
    ['for another service', 'token_aud', { aud: 'another' }],
    ['for other services', 'token_aud', { aud: ['another', 'accounts-2'] }],
    ['for nobody', 'token_aud', { aud: undefined }],
    ['that is expired', 'token_exp', { exp: nowSeconds - 61 }],
    ['that never expires', 'token_exp', { exp: undefined }],
    ['of tomorrow', 'token_iat', { iat: nowSeconds + 86_400 }],
    ['that is not valid yet', 'token_nbf', { nbf: nowSeconds + 120 }],
    ['of nobody known', 'token_sub', { uid: undefined }],
    ['of a number', 'token_sub', { uid: 42 }],
    ['of a list', 'token_sub', { uid: ['person-1'] }],
    ['of an empty name', 'token_sub', { uid: '' }],
  ];
  for (const [what, reason, claims] of changes) {
    it(`${what} is refused`, async () => {
      expect(await signIn(claims)).toEqual(refused(reason));
    });
  }

  it('may be for other services, too, and be an access token', async () => {
    expect(await signIn({ aud: ['another', 'accounts'] }, { header: { typ: 'at+jwt' } })).toMatchObject(asserted());
    expect(await signIn({}, { header: { typ: 'JWT' } })).toMatchObject(asserted());
    expect(await signIn({}, { header: { typ: 'logout+jwt' } })).toEqual(refused('token_typ'));
  });

  it('has the nonce that the caller bound, when there is one', async () => {
    expect(await signIn({ nonce: 'n-1' }, { nonce: 'n-1' })).toMatchObject(asserted());
    expect(await signIn({ nonce: 'n-1' }, { nonce: 'n-2' })).toEqual(refused('token_nonce'));
  });

  it('is not signed with a secret', async () => {
    const { jwk } = await keyNamed('first', 'ES256');
    for (const secret of [JSON.stringify(jwk), `${jwk.x}`]) {
      const key = { kid: 'first', alg: 'HS256', privateKey: new TextEncoder().encode(secret.padEnd(32)) };
      expect(await signIn({}, { key })).toEqual(refused('token_alg'));
    }
  });

  it('comes in no other way', async () => {
    const outcome = await newCheck()(newProvider(), { kind: 'data', data: { token: 'x' } });
    expect(outcome).toEqual(refused('credentials_kind'));
  });

  it('is not waited for when its keys do not come', async () => {
    const path = newScriptedPath();
    await path.answer(SILENCE, '/shop.example.com/keys');
    const outcome = await outOfTime(
      () => path.untilOpen(1, '/shop.example.com/keys'),
      (deadline) => signIn({}, { path, deadline }),
    );
    expect(outcome).toEqual(unavailable('keys_timeout'));
  });

  it('whose keys are in no place to go to is refused', async () => {
    for (const jwksUrl of [
      'https://10.0.0.1/keys',
      'http://shop.example.com/keys',
      'file:///keys',
      'https://a.internal/',
    ]) {
      const provider = newProvider({ keys: { jwksUrl } });
      expect(await signIn({}, { provider })).toEqual(refused('keys_url'));
    }
  });
});

/** The public half of the key that tokens are signed with, as the operator has it kept. */
const ownKey = async () => {
  const key = readPublicKey((await keyNamed('first', 'ES256')).jwk);
  if (!key) throw new Error('It is no public key');
  return key;
};

describe('a token of a tenant’s one key', () => {
  it('may call it anything, or nothing', async () => {
    const provider = newProvider({ keys: { publicKey: await ownKey() } });
    const path = newScriptedPath();
    for (const kid of ['first', 'another', undefined]) {
      expect(await signIn({}, { provider, path, header: { kid } })).toMatchObject(asserted({ subject: 'person-1' }));
    }
    expect(await path.requests('/shop.example.com/keys')).toEqual([]);
  });

  it('is signed with that key, by the key’s algorithm', async () => {
    const { alg: _, ...unnamed } = await ownKey();
    for (const publicKey of [await ownKey(), unnamed]) {
      const provider = newProvider({ keys: { publicKey } });
      expect(await signIn({}, { provider, key: await keyNamed('second', 'ES256') })).toEqual(
        refused('token_signature'),
      );
      expect(await signIn({}, { provider, key: await keyNamed('first', 'RS256') })).toEqual(refused('token_key'));
    }
  });
});
