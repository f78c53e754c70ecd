import { describe, expect, it } from 'vitest';
import type { ScriptedAnswer } from '../../peers/scripted.ts';
import {
  DISCOVERY,
  finish,
  metadataOf,
  newClient,
  newParty,
  newRequest,
  newResponse,
  newScriptedProvider,
  outOfTime,
  refused,
  type ScriptedProvider,
} from '../../support/oidc.ts';
import { htmlAnswer, jsonAnswer, newScriptedPath, SILENCE } from '../../support/scripted.ts';

const afterLogout = { idToken: null, postLogoutRedirectUri: 'https://client.example.com/bye' };

describe('the way to a provider', () => {
  it('asks for a code with PKCE, in the person’s name and language', async () => {
    const provider = await newScriptedProvider();
    const authorization_endpoint = `${provider.url}/authorize?realm=acme`;
    await provider.answer(jsonAnswer({ ...provider.metadata, authorization_endpoint }), DISCOVERY);
    // The second is of RFC 7636, appendix B.
    const tokens = ['a-nonce', 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'];
    const party = newParty({ randomToken: () => tokens.shift() ?? '' });
    const request = { ...newRequest(), loginHint: 'ada@example.com', locale: 'de-AT de' };
    const started = await party.startAuthorization(newClient(provider.issuer), request);
    if (started.kind !== 'started') throw new Error(started.reason);
    expect(started).toMatchObject({
      nonce: 'a-nonce',
      codeVerifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
    });
    const url = new URL(started.url);
    expect(url.origin + url.pathname).toBe(`${provider.url}/authorize`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      realm: 'acme',
      response_type: 'code',
      client_id: 'client',
      redirect_uri: request.redirectUri,
      scope: 'openid email profile',
      state: request.state,
      nonce: 'a-nonce',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      code_challenge_method: 'S256',
      login_hint: 'ada@example.com',
      ui_locales: 'de-AT de',
    });
  });

  it('hints at nothing that is not known', async () => {
    const { issuer } = await newScriptedProvider();
    const started = await newParty().startAuthorization(newClient(issuer), newRequest());
    if (started.kind !== 'started') throw new Error(started.reason);
    const { searchParams } = new URL(started.url);
    expect([searchParams.has('login_hint'), searchParams.has('ui_locales')]).toEqual([false, false]);
  });

  it('is asked for once an hour', async () => {
    const provider = await newScriptedProvider();
    let now = Date.now();
    const party = newParty({ now: () => now });
    const callsAfterStart = async () => {
      await party.startAuthorization(newClient(provider.issuer), newRequest());
      return provider.calls(DISCOVERY);
    };
    expect(await callsAfterStart()).toBe(1);
    now += 3_599_999;
    expect(await callsAfterStart()).toBe(1);
    now += 1;
    expect(await callsAfterStart()).toBe(2);
  });

  it('is asked for again when it was refused', async () => {
    const provider = await newScriptedProvider();
    const party = newParty();
    await provider.answer({ status: 503 }, DISCOVERY);
    const start = () => party.startAuthorization(newClient(provider.issuer), newRequest());
    expect(await start()).toEqual(refused('discovery_invalid'));
    await provider.answer(jsonAnswer(provider.metadata), DISCOVERY);
    expect(await start()).toMatchObject({ kind: 'started' });
  });

  it('is remembered for a hundred providers', async () => {
    const calls: string[] = [];
    const party = newParty({
      fetch: async (input) => {
        const issuer = String(input).replace(DISCOVERY, '');
        calls.push(issuer);
        return Response.json(metadataOf(issuer));
      },
    });
    const start = (issuer: string) => party.startAuthorization(newClient(issuer), newRequest());
    const issuers = Array.from({ length: 101 }, (_, i) => `https://idp-${i}.example.com`);
    for (const issuer of issuers) await start(issuer);
    await start('https://idp-100.example.com');
    await start('https://idp-1.example.com');
    expect(calls).toEqual(issuers);
    await start('https://idp-0.example.com');
    expect(calls).toEqual([...issuers, 'https://idp-0.example.com']);
  });

  type Answer = (provider: ScriptedProvider, elsewhere: string) => ScriptedAnswer;
  const answers: [string, string, Answer][] = [
    ['is not found', 'discovery_invalid', () => ({ status: 404 })],
    ['is out of order', 'discovery_invalid', ({ metadata }) => jsonAnswer(metadata, { status: 500 })],
    ['answers HTML', 'discovery_invalid', () => htmlAnswer],
    ['answers half of its metadata', 'discovery_invalid', () => jsonAnswer({}, { body: '{"issuer":' })],
    ['answers a list', 'discovery_invalid', () => jsonAnswer([])],
    ['names no issuer', 'discovery_invalid', ({ metadata }) => jsonAnswer({ ...metadata, issuer: undefined })],
    [
      'names another issuer',
      'discovery_issuer',
      ({ metadata }) => jsonAnswer({ ...metadata, issuer: 'https://idp.example.com' }),
    ],
    [
      'writes its name differently',
      'discovery_issuer',
      ({ metadata, url }) => jsonAnswer({ ...metadata, issuer: url.replace('http', 'HTTP') }),
    ],
    ['names no keys', 'discovery_invalid', ({ metadata }) => jsonAnswer({ ...metadata, jwks_uri: undefined })],
    ['redirects', 'discovery_redirect', (_, elsewhere) => ({ status: 302, headers: { Location: elsewhere } })],
    ['says too much', 'discovery_too_large', ({ metadata }) => jsonAnswer(metadata, { ending: 'endless' })],
  ];
  for (const [what, reason, answerOf] of answers) {
    it(`is refused, and the way out unknown, when the provider ${what}`, async () => {
      const provider = await newScriptedProvider();
      const elsewhere = newScriptedPath();
      await elsewhere.answer(jsonAnswer(provider.metadata));
      await provider.answer(answerOf(provider, elsewhere.url), DISCOVERY);
      const [party, client] = [newParty(), newClient(provider.issuer)];
      expect(await party.startAuthorization(client, newRequest())).toEqual(refused(reason));
      expect(await finish(provider, { party })).toEqual(refused(reason));
      expect(await party.endSessionUrl(client, afterLogout)).toBeNull();
      expect(await elsewhere.requests()).toEqual([]);
      expect(await provider.calls('/token')).toBe(0);
    });
  }

  const endlessWaits: [string, ScriptedAnswer][] = [
    ['never answers', SILENCE],
    ['never comes to an end', jsonAnswer({}, { body: '{', ending: 'stalled' })],
  ];
  for (const [what, answer] of endlessWaits) {
    it(`is refused in time, and the way out unknown, when the provider ${what}`, async () => {
      const provider = await newScriptedProvider();
      await provider.answer(answer, DISCOVERY);
      const client = newClient(provider.issuer);
      const isAtWork = () => provider.untilOpen(1, DISCOVERY);
      expect(await outOfTime(isAtWork, (party) => party.startAuthorization(client, newRequest()))).toEqual(
        refused('discovery_timeout'),
      );
      await provider.untilOpen(0, DISCOVERY);
      expect(await outOfTime(isAtWork, (party) => party.finishAuthorization(client, newResponse()))).toEqual(
        refused('discovery_timeout'),
      );
      await provider.untilOpen(0, DISCOVERY);
      expect(await outOfTime(isAtWork, (party) => party.endSessionUrl(client, afterLogout))).toBeNull();
    });
  }

  it('is refused when the provider is down', async () => {
    const outcome = await newParty().startAuthorization(newClient('http://127.0.0.1:1'), newRequest());
    expect(outcome).toEqual(refused('discovery_network'));
  });

  for (const issuer of [
    '',
    'idp.example.com',
    'http://idp.example.com',
    'https://127.0.0.1',
    'https://169.254.169.254',
    'https://user@idp.example.com',
  ]) {
    it(`is not even asked for at “${issuer}”`, async () => {
      const calls: string[] = [];
      const fetch = async (input: unknown) => {
        calls.push(String(input));
        return Response.json(metadataOf(issuer));
      };
      const party = newParty({ allowsLoopback: false, fetch });
      expect(await party.startAuthorization(newClient(issuer), newRequest())).toEqual(refused('discovery_url'));
      expect(calls).toEqual([]);
    });
  }

  for (const endpoint of Object.keys(metadataOf('')).filter((name) => name !== 'issuer')) {
    it(`is refused when the ${endpoint} is within a network`, async () => {
      for (const url of [
        'https://127.0.0.1',
        'http://idp.example.com',
        'https://idp.internal',
        'javascript:alert(1)',
        '/',
      ]) {
        const calls: string[] = [];
        const party = newParty({
          allowsLoopback: false,
          fetch: async (input) => {
            calls.push(String(input));
            return Response.json({ ...metadataOf('https://idp.example.com'), [endpoint]: url });
          },
        });
        const client = newClient('https://idp.example.com');
        expect(await party.startAuthorization(client, newRequest())).toEqual(refused('discovery_url'));
        expect(await party.finishAuthorization(client, newResponse())).toEqual(refused('discovery_url'));
        expect(new Set(calls)).toEqual(new Set([`https://idp.example.com${DISCOVERY}`]));
      }
    });
  }
});

describe('the end of a provider’s session', () => {
  it('carries what it is told', async () => {
    const provider = await newScriptedProvider();
    const request = { ...afterLogout, idToken: 'a.b.c', state: 'gone' };
    const url = await newParty().endSessionUrl(newClient(provider.issuer), request);
    expect(url?.startsWith(`${provider.url}/logout?`)).toBe(true);
    expect(Object.fromEntries(new URL(url ?? '').searchParams)).toEqual({
      client_id: 'client',
      id_token_hint: 'a.b.c',
      post_logout_redirect_uri: 'https://client.example.com/bye',
      state: 'gone',
    });
  });

  it('is nowhere when the provider names no place', async () => {
    const provider = await newScriptedProvider();
    await provider.answer(jsonAnswer({ ...provider.metadata, end_session_endpoint: undefined }), DISCOVERY);
    expect(await newParty().endSessionUrl(newClient(provider.issuer), afterLogout)).toBeNull();
  });
});
