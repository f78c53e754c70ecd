import { describe, expect, it } from 'vitest';
import type { ScriptedAnswer } from '../../peers/scripted.ts';
import {
  asserted,
  claimsInIdToken,
  clientSecret,
  DISCOVERY,
  finish,
  newClient,
  newParty,
  newResponse,
  newScriptedProvider,
  outOfTime,
  refused,
} from '../../support/oidc.ts';
import { htmlAnswer, jsonAnswer, newScriptedPath, SILENCE } from '../../support/scripted.ts';

describe('a callback', () => {
  it('is taken when all is in order', async () => {
    const provider = await newScriptedProvider();
    expect(await finish(provider)).toEqual({
      kind: 'asserted',
      assertion: {
        subject: 'person-1',
        email: 'ada@example.com',
        isEmailVerified: true,
        givenName: 'Ada',
        familyName: 'Lovelace',
      },
      amr: [],
      idToken: expect.any(String),
    });
    expect(await finish(provider, { callback: { iss: provider.issuer } })).toMatchObject(asserted());
    expect(await provider.calls('/userinfo')).toBe(0);
  });

  const callbacks: [string, string, Record<string, string>][] = [
    ['another state', 'callback_invalid', { state: 'another' }],
    ['an empty state', 'callback_invalid', { state: '' }],
    ['the issuer of another provider', 'callback_invalid', { iss: claimsInIdToken }],
    ['an error', 'callback_error', { error: 'server_error', error_description: 'Oh' }],
    ['a token of the implicit flow', 'callback_invalid', { id_token: 'e30.e30.' }],
    ['a signed response', 'callback_invalid', { response: 'e30.e30.' }],
    ['no code', 'token_invalid', { code: '' }],
  ];
  for (const [what, reason, callback] of callbacks) {
    it(`with ${what} is refused before its code is told`, async () => {
      const provider = await newScriptedProvider();
      expect(await finish(provider, { callback })).toEqual(refused(reason));
      expect(await provider.calls('/token')).toBe(0);
    });
  }

  const doubles: [string, string][] = [
    ['state', 'callback_invalid'],
    ['iss', 'callback_invalid'],
    ['error', 'callback_invalid'],
    ['code', 'token_invalid'],
  ];
  for (const [name, reason] of doubles) {
    it(`with ${name} twice is refused before its code is told`, async () => {
      const provider = await newScriptedProvider();
      const response = newResponse({ iss: provider.issuer, ...(name === 'error' && { error: '' }) });
      response.callback.append(name, response.callback.get(name) ?? '');
      expect(await newParty().finishAuthorization(newClient(provider.issuer), response)).toEqual(refused(reason));
      expect(await provider.calls('/token')).toBe(0);
    });
  }
});

describe('a token response', () => {
  const finishWith = async (answer: ScriptedAnswer) => {
    const provider = await newScriptedProvider();
    await provider.answer(answer, '/token');
    return newParty().finishAuthorization(newClient(provider.issuer), newResponse());
  };

  const answers: [string, string, ScriptedAnswer][] = [
    ['with an error', 'token_error', jsonAnswer({ error: 'invalid_grant' }, { status: 400 })],
    ['with a challenge', 'token_error', { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="x"' } }],
    ['of a broken provider', 'token_invalid', { status: 500 }],
    ['in HTML', 'token_invalid', htmlAnswer],
    ['without anything', 'token_invalid', jsonAnswer({})],
    ['without an ID token', 'token_invalid', jsonAnswer({ access_token: 'access', token_type: 'Bearer' })],
    ['without an end', 'token_too_large', jsonAnswer({}, { ending: 'endless' })],
  ];
  for (const [what, reason, answer] of answers) {
    it(`${what} is refused`, async () => {
      expect(await finishWith(answer)).toEqual(refused(reason));
    });
  }

  it('from elsewhere is refused, and the code not told there', async () => {
    const elsewhere = newScriptedPath();
    await elsewhere.answer(jsonAnswer({}));
    for (const status of [302, 307]) {
      expect(await finishWith({ status, headers: { Location: elsewhere.url } })).toEqual(refused('token_redirect'));
    }
    expect(await elsewhere.requests()).toEqual([]);
  });

  const endlessWaits: [string, ScriptedAnswer][] = [
    ['that does not come', SILENCE],
    ['that stops half-way', jsonAnswer({}, { body: '{', ending: 'stalled' })],
  ];
  for (const [what, answer] of endlessWaits) {
    it(`${what} is refused in time`, async () => {
      const provider = await newScriptedProvider();
      await provider.answer(answer, '/token');
      const outcome = await outOfTime(
        () => provider.untilOpen(1, '/token'),
        (party) => party.finishAuthorization(newClient(provider.issuer), newResponse()),
      );
      expect(outcome).toEqual(refused('token_timeout'));
      await provider.untilOpen(0, '/token');
    });
  }

  it('is asked for with code, verifier and the client’s credentials', async () => {
    const provider = await newScriptedProvider();
    const response = newResponse();
    await newParty().finishAuthorization(newClient(provider.issuer), response);
    const [request] = await provider.requests('/token');
    expect(request).toMatchObject({ method: 'POST', headers: { authorization: expect.stringMatching(/^Basic /) } });
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      grant_type: 'authorization_code',
      code: 'code',
      code_verifier: response.codeVerifier,
      redirect_uri: response.redirectUri,
    });
  });

  it('is asked for with the credentials in the body by a provider that takes them there alone', async () => {
    const provider = await newScriptedProvider();
    const methods = { token_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_post'] };
    await provider.answer(jsonAnswer({ ...provider.metadata, ...methods }), DISCOVERY);
    expect(await finish(provider)).toMatchObject(asserted());
    const [request] = await provider.requests('/token');
    expect(request?.headers).not.toHaveProperty('authorization');
    expect(new URLSearchParams(request?.body).get('client_secret')).toBe(clientSecret);
  });

  it('that tells secrets is refused without telling them', async () => {
    const echoed: string[] = [];
    const party = newParty({
      fetch: async (input, init) => {
        if (!String(input).endsWith('/token')) return fetch(input, init);
        const error_description = `${new Headers(init?.headers).get('Authorization')} ${init?.body}`;
        echoed.push(error_description);
        return Response.json({ error: 'invalid_grant', error_description }, { status: 400 });
      },
    });
    const provider = await newScriptedProvider();
    const response = newResponse();
    const outcome = await party.finishAuthorization(newClient(provider.issuer), response);
    expect(echoed).toEqual([expect.stringContaining(response.codeVerifier)]);
    expect(outcome).toEqual({ kind: 'refused', reason: 'token_error' });
  });
});
