import { describe, expect, it, vi } from 'vitest';
import type { IdentityProvider } from '../../../src/outside/identity-providers/provider-checks.ts';
import { walkToCallback } from '../../support/browser.ts';
import {
  asserted,
  claimsInIdToken,
  claimsInUserInfo,
  clientSecret,
  DISCOVERY,
  newClient,
  newParty,
  newProviderKey,
  newRequest,
  newScriptedProvider,
  refused,
  signClaims,
} from '../../support/oidc.ts';
import { newCheck, outOfTime, unavailable } from '../../support/provider-checks.ts';
import { jsonAnswer, SILENCE } from '../../support/scripted.ts';
import { uniqueEmail } from '../../support/tenants.ts';

const providerAt = (
  issuer: string,
  parts: { clientIds?: string[]; clientSecret?: string | null } = {},
): IdentityProvider => ({
  type: 'oidc',
  issuer,
  clientIds: ['client'],
  clientSecret,
  ...parts,
});

/** What an app has after a sign-in on a real provider's pages: a code, and what it bound to it. */
const obtainCode = async (issuer: string, clientId: string, email = uniqueEmail()) => {
  const request = { ...newRequest(), loginHint: email };
  const started = await newParty().startAuthorization(newClient(issuer, clientId), request);
  if (started.kind !== 'started') throw new Error(started.reason);
  const { redirectUri } = request;
  const { codeVerifier, nonce } = started;
  const code = (await walkToCallback(started.url)).searchParams.get('code') ?? '';
  return { email, credentials: { kind: 'code' as const, code, redirectUri, codeVerifier, nonce } };
};

describe('at a real provider of the tenant’s', () => {
  for (const [place, issuer] of [
    ['in the ID token', claimsInIdToken],
    ['at the UserInfo endpoint', claimsInUserInfo],
  ] as const) {
    for (const clientId of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
      it(`a code is worth a person, by ${clientId}, whose claims are ${place}`, async () => {
        const { email, credentials } = await obtainCode(issuer, clientId);
        const outcome = await newCheck()(providerAt(issuer, { clientIds: [clientId] }), credentials);
        const person = { subject: email, email, isEmailVerified: true, givenName: 'Ada', familyName: 'Lovelace' };
        expect(outcome).toEqual({
          kind: 'asserted',
          assertion: { ...person, name: null },
          amr: [],
          expiresAt: expect.any(Number),
        });
      });
    }
  }

  it('an address that is not verified there is not verified', async () => {
    for (const issuer of [claimsInIdToken, claimsInUserInfo]) {
      const { credentials } = await obtainCode(issuer, 'ES256', `unverified-${uniqueEmail()}`);
      const outcome = await newCheck()(providerAt(issuer, { clientIds: ['ES256'] }), credentials);
      expect(outcome).toMatchObject(asserted({ isEmailVerified: false }));
    }
  });

  it('a code is of use once, with all that it was bound to', async () => {
    const provider = providerAt(claimsInIdToken, { clientIds: ['ES256'] });
    const check = newCheck();
    const { credentials } = await obtainCode(claimsInIdToken, 'ES256');
    expect(await check(provider, credentials)).toMatchObject(asserted());
    expect(await check(provider, credentials)).toEqual(refused('exchange_error'));
    const changes: [string, object, Parameters<typeof providerAt>[1]][] = [
      ['exchange_error', { codeVerifier: 'another-verifier'.padEnd(43, '~') }, {}],
      ['exchange_error', { codeVerifier: null }, {}],
      ['exchange_error', { redirectUri: 'https://client.example.com/another' }, {}],
      ['exchange_error', {}, { clientIds: ['RS256'] }],
      ['exchange_error', {}, { clientSecret: 'another' }],
      ['exchange_error', {}, { clientSecret: null }],
      ['token_nonce', { nonce: 'another' }, {}],
    ];
    for (const [reason, change, client] of changes) {
      const { credentials } = await obtainCode(claimsInIdToken, 'ES256');
      const other = providerAt(claimsInIdToken, { clientIds: ['ES256'], ...client });
      expect(await check(other, { ...credentials, ...change })).toEqual(refused(reason));
    }
  });

  it('another provider’s code is of no use', async () => {
    const { credentials } = await obtainCode(claimsInUserInfo, 'ES256');
    const outcome = await newCheck()(providerAt(claimsInIdToken, { clientIds: ['ES256'] }), credentials);
    expect(outcome).toEqual(refused('exchange_error'));
  });
});

describe('a provider of the tenant’s', () => {
  const newToken = async (
    provider: Awaited<ReturnType<typeof newScriptedProvider>>,
    claims: Record<string, unknown> = {},
    key: { alg: string; kid: string; privateKey: CryptoKey | Uint8Array } = provider.key,
  ) => {
    const iat = Math.floor(Date.now() / 1000);
    const all = { iss: provider.issuer, aud: 'client', sub: 'person-1', iat, exp: iat + 60, ...claims };
    return signClaims(all, key.privateKey, { alg: key.alg, kid: key.kid });
  };

  const signIn = async (issuer: string, idToken: string, check = newCheck()) =>
    check(providerAt(issuer), { kind: 'id_token', idToken, nonce: null });

  it('is asked for its metadata and keys once', async () => {
    const provider = await newScriptedProvider();
    const check = newCheck();
    for (let times = 0; times < 3; times += 1) {
      expect(await signIn(provider.issuer, await newToken(provider), check)).toMatchObject(asserted());
    }
    expect([await provider.calls(DISCOVERY), await provider.calls('/keys')]).toEqual([1, 1]);
  });

  it('does not speak for another', async () => {
    const [here, there] = [await newScriptedProvider(), await newScriptedProvider()];
    const check = newCheck();
    expect(await signIn(here.issuer, await newToken(there), check)).toEqual(refused('token_signature'));
    expect(await signIn(here.issuer, await newToken(here, { iss: there.issuer }), check)).toEqual(refused('token_iss'));
    expect(await signIn(here.issuer, await newToken(here, { aud: 'another' }), check)).toEqual(refused('token_aud'));
  });

  it('does not sign with a secret that we share', async () => {
    const provider = await newScriptedProvider();
    const secret = { alg: 'HS256', kid: 'first', privateKey: new TextEncoder().encode(clientSecret) };
    expect(await signIn(provider.issuer, await newToken(provider, {}, secret))).toEqual(refused('token_alg'));
  });

  it('may sign with any public key', async () => {
    for (const alg of ['RS512', 'PS384', 'ES384', 'Ed25519']) {
      const provider = await newScriptedProvider();
      const key = await newProviderKey('other', alg);
      await provider.answer(jsonAnswer({ keys: [key.jwk] }), '/keys');
      expect(await signIn(provider.issuer, await newToken(provider, {}, key))).toMatchObject(asserted());
    }
  });

  const metadata: [string, object, (metadata: object) => object][] = [
    ['is another issuer', refused('discovery_issuer'), (all) => ({ ...all, issuer: claimsInIdToken })],
    ['keeps its keys inside', refused('discovery_url'), (all) => ({ ...all, jwks_uri: 'https://10.0.0.1/keys' })],
    ['takes codes inside', refused('discovery_url'), (all) => ({ ...all, token_endpoint: 'http://intranet.local/' })],
    ['has no keys', refused('discovery_invalid'), (all) => ({ ...all, jwks_uri: undefined })],
  ];
  for (const [what, outcome, change] of metadata) {
    it(`that ${what} is refused`, async () => {
      const provider = await newScriptedProvider();
      await provider.answer(jsonAnswer(change(provider.metadata)), DISCOVERY);
      expect(await signIn(provider.issuer, await newToken(provider))).toEqual(outcome);
      expect(await provider.calls('/keys')).toBe(0);
    });
  }

  it('that is down, silent or not there is unavailable', async () => {
    const provider = await newScriptedProvider();
    const token = await newToken(provider);
    await provider.answer({ status: 502 }, DISCOVERY);
    expect(await signIn(provider.issuer, token)).toEqual(unavailable('discovery_outage'));
    await provider.answer(SILENCE, DISCOVERY);
    const silent = await outOfTime(
      () => provider.untilOpen(1, DISCOVERY),
      (deadline) => signIn(provider.issuer, token, newCheck({ deadline })),
    );
    expect(silent).toEqual(unavailable('discovery_timeout'));
    const offline = newCheck({ fetch: () => Promise.reject(new Error('offline')) });
    expect(await signIn(provider.issuer, token, offline)).toEqual(unavailable('discovery_network'));
  });

  it('on this machine is a developer’s alone', async () => {
    const provider = await newScriptedProvider();
    const check = newCheck({ allowsLoopback: false });
    expect(await signIn(provider.issuer, await newToken(provider), check)).toEqual(refused('discovery_url'));
    expect(await provider.calls(DISCOVERY)).toBe(0);
  });
});

describe('the calls of one check', () => {
  it('share a deadline of five seconds', async () => {
    const timeout = vi.spyOn(AbortSignal, 'timeout');
    const signals: (AbortSignal | null | undefined)[] = [];
    try {
      const { credentials } = await obtainCode(claimsInUserInfo, 'ES256');
      timeout.mockClear();
      const check = newCheck({
        fetch: (input, init) => {
          signals.push(init?.signal);
          return fetch(input, init);
        },
      });
      expect(await check(providerAt(claimsInUserInfo, { clientIds: ['ES256'] }), credentials)).toMatchObject(
        asserted(),
      );
      expect(timeout.mock.calls).toEqual([[5000]]);
      expect(signals).toEqual(Array.from({ length: 4 }, () => timeout.mock.results[0]?.value));
    } finally {
      timeout.mockRestore();
    }
  });
});
