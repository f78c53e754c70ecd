import { describe, expect, it, vi } from 'vitest';
import { walkToCallback } from '../../support/browser.ts';
import {
  asserted,
  claimsInIdToken,
  claimsInUserInfo,
  finish,
  newClient,
  newParty,
  newRequest,
  newScriptedProvider,
  refused,
} from '../../support/oidc.ts';
import { uniqueEmail } from '../../support/tenants.ts';

type Options = { clientId?: string; email?: string; manner?: 'agrees' | 'cancels' };

/** A sign-in at a real provider, up to the callback. */
const signInAt = async (issuer: string, { clientId = 'RS256', email = uniqueEmail(), manner }: Options = {}) => {
  const party = newParty();
  const client = newClient(issuer, clientId);
  const request = { ...newRequest(), loginHint: email };
  const started = await party.startAuthorization(client, request);
  if (started.kind !== 'started') throw new Error(started.reason);
  const callback = (await walkToCallback(started.url, manner)).searchParams;
  const { redirectUri, state } = request;
  const { nonce, codeVerifier } = started;
  return { party, email, client, response: { callback, redirectUri, state, nonce, codeVerifier } };
};

describe('at a real provider', () => {
  const places: [string, string][] = [
    ['in the ID token, with the client’s secret in the body', claimsInIdToken],
    ['at the UserInfo endpoint, with the client’s secret in the header', claimsInUserInfo],
  ];
  for (const [place, issuer] of places) {
    for (const clientId of ['RS256', 'PS256', 'ES256', 'EdDSA']) {
      it(`a person signs in on its pages by ${clientId}, whose claims are ${place}`, async () => {
        const { party, email, client, response } = await signInAt(issuer, { clientId });
        expect(await party.finishAuthorization(client, response)).toEqual({
          kind: 'asserted',
          assertion: { subject: email, email, isEmailVerified: true, givenName: 'Ada', familyName: 'Lovelace' },
          amr: [],
          idToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
        });
      });
    }
  }

  it('an address that is not verified there is not verified', async () => {
    const { party, client, response } = await signInAt(claimsInIdToken, { email: `unverified-${uniqueEmail()}` });
    expect(await party.finishAuthorization(client, response)).toMatchObject(asserted({ isEmailVerified: false }));
  });

  it('a person who turns back there is refused', async () => {
    const { party, client, response } = await signInAt(claimsInIdToken, { manner: 'cancels' });
    expect(response.callback.get('error')).toBe('access_denied');
    expect(await party.finishAuthorization(client, response)).toEqual(refused('callback_error'));
  });

  it('a code is of use once', async () => {
    const { party, client, response } = await signInAt(claimsInIdToken);
    expect(await party.finishAuthorization(client, response)).toMatchObject(asserted());
    expect(await party.finishAuthorization(client, response)).toEqual(refused('token_error'));
  });

  const others: [string, { clientSecret?: string; clientId?: string; codeVerifier?: string; redirectUri?: string }][] =
    [
      ['code verifier', { codeVerifier: 'another-verifier'.padEnd(43, '~') }],
      ['client secret', { clientSecret: 'another' }],
      ['client', { clientId: 'ES256' }],
      ['redirect URI', { redirectUri: 'https://client.example.com/another' }],
    ];
  for (const [what, { codeVerifier, redirectUri, ...identity }] of others) {
    it(`a code is of no use with another ${what}`, async () => {
      const { party, client, response } = await signInAt(claimsInUserInfo);
      const another = {
        ...response,
        ...(codeVerifier !== undefined && { codeVerifier }),
        ...(redirectUri !== undefined && { redirectUri }),
      };
      expect(await party.finishAuthorization({ ...client, ...identity }, another)).toEqual(refused('token_error'));
    });
  }

  it('an ID token is of no use with another nonce', async () => {
    const { party, client, response } = await signInAt(claimsInIdToken);
    const outcome = await party.finishAuthorization(client, { ...response, nonce: 'another' });
    expect(outcome).toEqual(refused('token_nonce'));
  });

  it('a code of another person’s sign-in is of no use', async () => {
    const [victim, attacker] = [await signInAt(claimsInIdToken), await signInAt(claimsInIdToken)];
    attacker.response.callback.set('code', victim.response.callback.get('code') ?? '');
    const outcome = await attacker.party.finishAuthorization(attacker.client, attacker.response);
    expect(outcome).toEqual(refused('token_error'));
  });

  it('another provider’s code is of no use', async () => {
    const [here, there] = [await signInAt(claimsInUserInfo), await signInAt(claimsInIdToken)];
    here.response.callback.set('code', there.response.callback.get('code') ?? '');
    expect(await here.party.finishAuthorization(here.client, here.response)).toEqual(refused('token_error'));
  });

  it('a callback that does not name the issuer is refused, because the provider says that it always does', async () => {
    const { party, client, response } = await signInAt(claimsInIdToken);
    response.callback.delete('iss');
    expect(await party.finishAuthorization(client, response)).toEqual(refused('callback_invalid'));
  });

  it('a dishonest provider that had the person sign in at an honest one is told no code', async () => {
    const dishonest = await newScriptedProvider();
    const { party, response } = await signInAt(claimsInIdToken);
    expect(response.callback.get('code')).toEqual(expect.any(String));
    const outcome = await party.finishAuthorization(newClient(dishonest.issuer), response);
    expect(outcome).toEqual(refused('callback_invalid'));
    expect(await dishonest.calls('/token')).toBe(0);
  });

  it('the session ends on its page', async () => {
    const { party, client, response } = await signInAt(claimsInIdToken);
    const outcome = await party.finishAuthorization(client, response);
    if (outcome.kind !== 'asserted') throw new Error(outcome.reason);
    const url = await party.endSessionUrl(client, {
      idToken: outcome.idToken,
      postLogoutRedirectUri: 'https://client.example.com/bye',
      state: 'gone',
    });
    const page = await fetch(url ?? '');
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('logout');
  });
});

describe('the calls of one sign-in', () => {
  it('share a deadline of five seconds', async () => {
    const provider = await newScriptedProvider();
    const timeout = vi.spyOn(AbortSignal, 'timeout');
    const calls: [string, AbortSignal | null | undefined][] = [];
    const party = newParty({
      fetch: (input, init) => {
        calls.push([String(input).replace(provider.url, ''), init?.signal]);
        return fetch(input, init);
      },
    });
    try {
      await provider.answer({ status: 500 }, '/userinfo');
      expect(await finish(provider, { party, claims: { email: undefined } })).toEqual(refused('userinfo_invalid'));
      expect(timeout.mock.calls).toEqual([[5000]]);
      expect(calls.map(([path]) => path)).toEqual([
        '/.well-known/openid-configuration',
        '/token',
        '/keys',
        '/userinfo',
      ]);
      expect(new Set(calls.map(([, signal]) => signal))).toEqual(new Set([timeout.mock.results[0]?.value]));
    } finally {
      timeout.mockRestore();
    }
  });
});
