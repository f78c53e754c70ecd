import { describe, expect, it } from 'vitest';
import { asserted, refused, signClaims } from '../../support/oidc.ts';
import {
  CLIENT_ID,
  DIRECTORY,
  keyNamed,
  newSocialProvider,
  providerOf,
  SOCIAL,
  type SocialType,
} from '../../support/provider-checks.ts';
import { jsonAnswer } from '../../support/scripted.ts';

const TYPES: SocialType[] = ['google', 'apple', 'microsoft', 'line'];

const toBase64url = (text: string): string =>
  new TextEncoder().encode(text).toBase64({ alphabet: 'base64url', omitPadding: true });

for (const type of TYPES) {
  const { alg } = SOCIAL[type];

  describe(`a token of ${type}’s`, () => {
    it('says who somebody is', async () => {
      const subject = type === 'microsoft' ? `${DIRECTORY}:person-1` : 'person-1';
      const person = { email: 'ada@example.com', isEmailVerified: true, givenName: 'Ada', familyName: 'Lovelace' };
      const provider = await newSocialProvider(type);
      const exp = Math.floor(Date.now() / 1000) + 100;
      expect(await provider.signIn({ claims: { name: 'Ada Lovelace', exp } })).toEqual({
        kind: 'asserted',
        assertion: { subject, ...person, name: 'Ada Lovelace' },
        amr: type === 'line' ? ['linesso'] : [],
        expiresAt: exp * 1000,
      });
    });

    it('may say no more than that', async () => {
      const nothing = { email: undefined, given_name: undefined, family_name: undefined };
      const nobody = { email: null, isEmailVerified: false, givenName: null, familyName: null, name: null };
      const provider = await newSocialProvider(type);
      expect(await provider.signIn({ claims: nothing })).toMatchObject(asserted(nobody));
    });

    const nowSeconds = Math.floor(Date.now() / 1000);
    const changes: [string, string, Record<string, unknown>][] = [
      ['of another issuer', 'token_iss', { iss: 'https://issuer.example.com' }],
      ['of an issuer whose name begins alike', 'token_iss', { iss: `${SOCIAL[type].iss}.example.com` }],
      ['of an issuer with a slash', 'token_iss', { iss: `${SOCIAL[type].iss}/` }],
      ['of nobody', 'token_iss', { iss: undefined }],
      ['of a list of issuers', 'token_iss', { iss: [SOCIAL[type].iss] }],
      ['for another app', 'token_aud', { aud: 'another' }],
      ['for another tenant’s client id', 'token_aud', { aud: `${CLIENT_ID}-2` }],
      ['for nobody', 'token_aud', { aud: undefined }],
      ['for a list of nobody', 'token_aud', { aud: [] }],
      ['for another app, too', 'token_aud', { aud: [CLIENT_ID, 'another'], azp: CLIENT_ID }],
      ['for us twice, without saying who asked for it', 'token_azp', { aud: [CLIENT_ID, CLIENT_ID] }],
      ['that another app asked for', 'token_azp', { azp: 'another' }],
      ['that nothing asked for', 'token_azp', { azp: null }],
      ['that is expired', 'token_exp', { exp: nowSeconds - 120 }],
      ['that never expires', 'token_exp', { exp: undefined }],
      ['whose expiry is a text', 'token_exp', { exp: String(nowSeconds + 3600) }],
      ['of tomorrow', 'token_iat', { iat: nowSeconds + 86_400 }],
      ['of no time', 'token_iat', { iat: undefined }],
      ['that is not valid yet', 'token_nbf', { nbf: nowSeconds + 120 }],
      ['without a subject', 'token_sub', { sub: undefined }],
      ['with a number for a subject', 'token_sub', { sub: 1 }],
      ['with an empty subject', 'token_sub', { sub: '' }],
      ['with a subject of 256 characters', 'token_sub', { sub: 'x'.repeat(256) }],
      ['with a line break in its subject', 'token_sub', { sub: 'ada\n' }],
    ];
    for (const [what, reason, claims] of changes) {
      it(`${what} is refused`, async () => {
        expect(await (await newSocialProvider(type)).signIn({ claims })).toEqual(refused(reason));
      });
    }

    it('is for any of our client ids', async () => {
      const social = await newSocialProvider(type);
      const provider = providerOf(type, { clientIds: [CLIENT_ID, 'another'] });
      expect(await social.signIn({ provider, claims: { aud: 'another', azp: CLIENT_ID } })).toMatchObject(asserted());
      expect(await social.signIn({ provider, claims: { aud: ['another'] } })).toMatchObject(asserted());
      expect(await social.signIn({ provider, claims: { aud: 'third' } })).toEqual(refused('token_aud'));
    });

    it('is judged by the clock of the service, give or take a minute', async () => {
      const provider = await newSocialProvider(type);
      const now = Date.now();
      const signInAt = (aheadMs: number) =>
        provider.signIn({ now, check: provider.newCheck({ now: () => now + aheadMs }) });
      expect(await signInAt(-75_000)).toEqual(refused('token_iat'));
      expect(await signInAt(-45_000)).toMatchObject(asserted());
      expect(await signInAt(3_645_000)).toMatchObject(asserted());
      expect(await signInAt(3_675_000)).toEqual(refused('token_exp'));
    });

    it('has the nonce that the caller bound, and none if the caller bound none', async () => {
      const provider = await newSocialProvider(type);
      const claims = { nonce: 'n-1' };
      expect(await provider.signIn({ claims, nonce: 'n-1' })).toMatchObject(asserted());
      expect(await provider.signIn({ claims })).toEqual(refused('token_nonce'));
      expect(await provider.signIn({ claims, nonce: 'n-2' })).toEqual(refused('token_nonce'));
      expect(await provider.signIn({ nonce: 'n-1' })).toEqual(refused('token_nonce'));
      expect(await provider.signIn({ claims: { nonce: ['n-1'] }, nonce: 'n-1' })).toEqual(refused('token_nonce'));
      expect(await provider.signIn({ claims: { nonce: '' }, nonce: '' })).toMatchObject(asserted());
    });

    it('with another’s signature is refused', async () => {
      const provider = await newSocialProvider(type);
      const { privateKey } = await keyNamed('another', alg);
      const { kid } = provider.key;
      expect(await provider.signIn({ key: { kid, alg, privateKey } })).toEqual(refused('token_signature'));
    });

    it('without a signature is refused', async () => {
      const provider = await newSocialProvider(type);
      const unsigned = (header: object) => (token: string) =>
        `${toBase64url(JSON.stringify(header))}.${token.split('.')[1]}.`;
      for (const name of ['none', 'None', 'NONE', '']) {
        const idToken = unsigned({ alg: name, kid: 'first' });
        expect(await provider.signIn({ idToken })).toEqual(refused('token_alg'));
      }
      expect(await provider.signIn({ idToken: unsigned({ alg, kid: 'first' }) })).toEqual(refused('token_signature'));
      expect(await provider.signIn({ idToken: unsigned({ kid: 'first' }) })).toEqual(refused('token_form'));
      expect(await provider.keyRequests()).toBeLessThan(3);
    });

    it('whose claims were changed is refused', async () => {
      const provider = await newSocialProvider(type);
      const other = await provider.newToken({ claims: { sub: 'person-2' } });
      const idToken = (token: string) => [token.split('.')[0], other.split('.')[1], token.split('.')[2]].join('.');
      expect(await provider.signIn({ idToken })).toEqual(refused('token_signature'));
    });

    it('signed by HMAC with the public key is refused', async () => {
      const provider = await newSocialProvider(type);
      const { jwk } = provider.key;
      const secrets = [
        JSON.stringify(jwk),
        JSON.stringify({ keys: [jwk] }),
        'n' in jwk ? String(jwk.n) : String(jwk.x),
      ];
      for (const secret of secrets) {
        const key = { kid: 'first', alg: 'HS256', privateKey: new TextEncoder().encode(secret.padEnd(32)) };
        const reason = type === 'line' ? 'token_signature' : 'token_alg';
        expect(await provider.signIn({ key })).toEqual(refused(reason));
      }
    });

    it('of an algorithm that is not the provider’s is refused, though the key is published', async () => {
      const provider = await newSocialProvider(type);
      const key = await keyNamed('first', alg === 'RS256' ? 'ES256' : 'RS256');
      await provider.publish(key.jwk);
      expect(await provider.signIn({ key })).toEqual(refused('token_alg'));
    });

    it('that brings its own key is refused', async () => {
      const provider = await newSocialProvider(type);
      const key = await keyNamed('own', alg);
      const url = `${provider.url}/own`;
      await provider.answer(jsonAnswer({ keys: [key.jwk] }), '/own');
      for (const header of [{ jwk: key.jwk }, { jku: url }, { x5u: url }]) {
        expect(await provider.signIn({ key, header })).toEqual(refused('token_key'));
      }
      expect(await provider.requests('/own')).toEqual([]);
    });

    it('of another type is refused', async () => {
      const provider = await newSocialProvider(type);
      for (const typ of ['at+jwt', 'logout+jwt', 'secevent+jwt', '', 'JOSE']) {
        expect(await provider.signIn({ header: { typ } })).toEqual(refused('token_typ'));
      }
      expect(await provider.signIn({ header: { typ: 'JWT' } })).toMatchObject(asserted());
    });

    it('with an extension that has to be understood is refused', async () => {
      const header = { crit: ['unknown'], unknown: true };
      expect(await (await newSocialProvider(type)).signIn({ header })).toEqual(refused('token_form'));
    });

    for (const other of TYPES.filter((each) => each !== type)) {
      it(`that is ${other}’s is refused`, async () => {
        const [here, there] = [await newSocialProvider(type), await newSocialProvider(other)];
        const idToken = await there.newToken();
        const reason = SOCIAL[other].alg === alg ? 'token_signature' : 'token_alg';
        await here.publish((await keyNamed('another', alg)).jwk, {
          ...(await keyNamed('third', alg)).jwk,
          kid: 'first',
        });
        expect(await here.signIn({ idToken: () => idToken })).toEqual(refused(reason));
        // Even if they had the same keys.
        await here.publish(here.key.jwk);
        const signed = await signClaims({ ...readClaims(idToken), tid: DIRECTORY }, here.key.privateKey, {
          alg,
          kid: 'first',
        });
        expect(await here.signIn({ idToken: () => signed })).toEqual(refused('token_iss'));
      });
    }

    for (const idToken of [
      '',
      'x',
      '..',
      'e30.e30.e30',
      'a.b.c.d.e',
      'W10.W10.',
      'bnVsbA.bnVsbA.',
      'x'.repeat(17_000),
    ]) {
      it(`that is ${JSON.stringify(idToken.slice(0, 20))} is none`, async () => {
        const provider = await newSocialProvider(type);
        expect(await provider.signIn({ idToken: () => idToken })).toEqual(refused('token_form'));
        expect(await provider.keyRequests()).toBe(0);
      });
    }

    it('is all that there is to send, but for codes', async () => {
      const provider = await newSocialProvider(type);
      const idToken = await provider.newToken();
      const check = provider.newCheck();
      const kind = refused('credentials_kind');
      expect(await check(providerOf(type), { kind: 'access_token', accessToken: idToken })).toEqual(kind);
      expect(await check(providerOf(type), { kind: 'data', data: { id_token: idToken } })).toEqual(kind);
    });
  });
}

const readClaims = (token: string): Record<string, unknown> =>
  JSON.parse(new TextDecoder().decode(Uint8Array.fromBase64(token.split('.')[1] ?? '', { alphabet: 'base64url' })));
