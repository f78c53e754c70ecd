import { describe, expect, it } from 'vitest';
import {
  asserted,
  claimsInIdToken,
  clientSecret,
  DISCOVERY,
  finish,
  newParty,
  newProviderKey,
  newScriptedProvider,
  refused,
  signClaims,
} from '../../support/oidc.ts';
import { jsonAnswer, newScriptedPath } from '../../support/scripted.ts';

describe('an ID token', () => {
  const nowSeconds = Math.floor(Date.now() / 1000);
  const claims: [string, string, Record<string, unknown>][] = [
    ['of another issuer', 'token_iss', { iss: claimsInIdToken }],
    ['for another client', 'token_aud', { aud: 'another' }],
    ['for other clients', 'token_aud', { aud: ['another', 'one more'], azp: 'client' }],
    ['for another client too, without saying who asked for it', 'token_aud', { aud: ['client', 'another'] }],
    ['for another client too, who asked for it', 'token_azp', { aud: ['client', 'another'], azp: 'another' }],
    ['that another client asked for', 'token_azp', { azp: 'another' }],
    ['with another nonce', 'token_nonce', { nonce: 'another' }],
    ['without a nonce', 'token_invalid', { nonce: undefined }],
    ['without a time to expire', 'token_invalid', { exp: undefined }],
    ['that is expired', 'token_exp', { exp: nowSeconds - 120 }],
    ['without a time of issue', 'token_invalid', { iat: undefined }],
    ['of yesterday', 'token_iat', { iat: nowSeconds - 86_400 }],
    ['of tomorrow', 'token_iat', { iat: nowSeconds + 86_400 }],
    ['that is not valid yet', 'token_nbf', { nbf: nowSeconds + 120 }],
    ['for another access token', 'token_at_hash', { at_hash: 'MTIzNDU2Nzg5MDEyMzQ1Ng' }],
    ['with an empty hash of the access token', 'token_at_hash', { at_hash: '' }],
    ['without a subject', 'token_invalid', { sub: undefined }],
    ['with a number for a subject', 'token_invalid', { sub: 1 }],
    ['with an empty subject', 'token_sub', { sub: '' }],
    ['with a subject of 256 characters', 'token_sub', { sub: 'x'.repeat(256) }],
    ['with a subject that is not ASCII', 'token_sub', { sub: 'ädä' }],
    ['with a line break in its subject', 'token_sub', { sub: 'ada\n' }],
  ];
  for (const [what, reason, change] of claims) {
    it(`${what} is refused`, async () => {
      expect(await finish(await newScriptedProvider(), { claims: change })).toEqual(refused(reason));
    });
  }

  it('for other clients too is taken when it was this one who asked for it', async () => {
    const change = { aud: ['client', 'another'], azp: 'client' };
    expect(await finish(await newScriptedProvider(), { claims: change })).toMatchObject(asserted());
  });

  // Made by `openssl dgst -binary`, of the access token `access`.
  const hashes = {
    ES256: 'oFYf1knNtrqnhAVfBRuteQ',
    PS256: 'oFYf1knNtrqnhAVfBRuteQ',
    EdDSA: 'kyd4-h3ZoV2sH212kLKbcOnCBajStKQ38Ae_bfT-PFI',
  };
  for (const [alg, at_hash] of Object.entries(hashes)) {
    it(`of ${alg} for the access token that came with it is taken`, async () => {
      const provider = await newScriptedProvider();
      const key = await newProviderKey('second', alg);
      await provider.answer(jsonAnswer({ keys: [key.jwk] }), '/keys');
      expect(await finish(provider, { key, claims: { at_hash } })).toMatchObject(asserted());
    });
  }

  it('is judged by the clock of the service, give or take a minute', async () => {
    const provider = await newScriptedProvider();
    const finishAhead = (aheadMs: number, change = {}) =>
      finish(provider, { party: newParty({ now: () => Date.now() + aheadMs }), claims: change });
    expect(await finishAhead(-7_200_000)).toEqual(refused('token_iat'));
    expect(await finishAhead(-75_000)).toEqual(refused('token_iat'));
    expect(await finishAhead(-45_000)).toMatchObject(asserted());
    const exp = Math.floor(Date.now() / 1000) + 60;
    expect(await finishAhead(105_000, { exp })).toMatchObject(asserted());
    expect(await finishAhead(135_000, { exp })).toEqual(refused('token_exp'));
  });

  for (const idToken of ['', 'x', 'e30.e30', 'e30.e30.e30', 'a.b.c.d.e', '###.###.###', 'W10.W10.', 'bnVsbA.bnVsbA.']) {
    it(`that is “${idToken}” is refused`, async () => {
      expect(await finish(await newScriptedProvider(), { idToken: () => idToken })).toEqual(refused('token_invalid'));
    });
  }
});

describe('an ID token with a signature', () => {
  const base64url = (value: unknown) =>
    new TextEncoder().encode(JSON.stringify(value)).toBase64({ alphabet: 'base64url', omitPadding: true });

  /** A provider that lists the algorithms that are never taken. */
  const newCarelessProvider = async () => {
    const provider = await newScriptedProvider();
    const algorithms = { id_token_signing_alg_values_supported: ['none', 'HS256', 'ES256'] };
    await provider.answer(jsonAnswer({ ...provider.metadata, ...algorithms }), DISCOVERY);
    return provider;
  };

  it('that is none is refused, whatever the provider lists', async () => {
    for (const alg of ['none', 'None', 'NONE']) {
      const idToken = (claims: unknown) => `${base64url({ alg, kid: 'first' })}.${base64url(claims)}.`;
      expect(await finish(await newCarelessProvider(), { idToken })).toEqual(refused('token_invalid'));
    }
  });

  it('by the client’s secret is refused, whatever the provider lists', async () => {
    const key = { kid: 'first', alg: 'HS256', privateKey: new TextEncoder().encode(clientSecret.padEnd(32)) };
    expect(await finish(await newCarelessProvider(), { key })).toEqual(refused('token_invalid'));
  });

  it('by the public key as a secret is refused', async () => {
    const provider = await newCarelessProvider();
    const privateKey = new TextEncoder().encode(JSON.stringify(provider.key.jwk));
    const key = { kid: 'first', alg: 'HS256', privateKey };
    expect(await finish(provider, { key })).toEqual(refused('token_invalid'));
  });

  it('by another’s key of the same name is refused', async () => {
    const key = await newProviderKey('first');
    expect(await finish(await newScriptedProvider(), { key })).toEqual(refused('signature_invalid'));
  });

  it('by a key that it brings itself is refused', async () => {
    const provider = await newScriptedProvider();
    const key = await newProviderKey('own');
    const elsewhere = newScriptedPath();
    await elsewhere.answer(jsonAnswer({ keys: [key.jwk] }));
    const { kid: _kid, use: _use, ...jwk } = key.jwk;
    expect(await finish(provider, { key, header: { jwk, jku: elsewhere.url } })).toEqual(refused('signature_key'));
    expect(await elsewhere.requests()).toEqual([]);
  });

  it('of another kind than the key’s is refused', async () => {
    const key = await newProviderKey('first', 'RS256');
    expect(await finish(await newScriptedProvider(), { key })).toEqual(refused('signature_key'));
  });

  it('that stands for other claims is refused', async () => {
    const provider = await newScriptedProvider();
    const signed = await signClaims({}, provider.key.privateKey, { alg: 'ES256', kid: 'first' });
    const [header, , signature] = signed.split('.');
    const idToken = (claims: unknown) => `${header}.${base64url(claims)}.${signature}`;
    expect(await finish(provider, { idToken })).toEqual(refused('signature_invalid'));
  });

  it('that is missing is refused', async () => {
    const idToken = (claims: unknown) => `${base64url({ alg: 'ES256', kid: 'first' })}.${base64url(claims)}.`;
    expect(await finish(await newScriptedProvider(), { idToken })).toEqual(refused('signature_invalid'));
  });

  it('that has to be understood in another way is refused', async () => {
    const header = { crit: ['unknown'], unknown: true };
    expect(await finish(await newScriptedProvider(), { header })).toEqual(refused('token_invalid'));
  });

  it('by no key among two without names is refused', async () => {
    const provider = await newScriptedProvider();
    const other = await newProviderKey('second');
    await provider.answer(jsonAnswer({ keys: [provider.key.jwk, other.jwk] }), '/keys');
    expect(await finish(provider, { header: { kid: undefined } })).toEqual(refused('signature_key'));
  });
});
