import { env } from 'cloudflare:workers';
import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { newPerson } from '../../support/accounts.ts';
import {
  type AuthenticationWorld,
  newAuthenticationWorld,
  newIssuer,
  outcomeOf,
  peopleOf,
  tokenIn,
} from '../../support/authentications.ts';
import { walkToCallback } from '../../support/browser.ts';
import {
  claimsInIdToken,
  claimsInUserInfo,
  clientSecret,
  newClient,
  newParty,
  newRequest,
  signClaims,
} from '../../support/oidc.ts';
import { CHANNEL_SECRET, CLIENT_ID, DIRECTORY, keyNamed } from '../../support/provider-checks.ts';
import { eventsAbout } from '../../support/rows.ts';
import { jsonAnswer, newScriptedPath } from '../../support/scripted.ts';
import { newCustomer, uniqueEmail, uniqueName } from '../../support/tenants.ts';

const FAILED = [422, 'authentication_failed'];
const LINK_REQUIRED = [422, 'link_required'];
const DOWN = [502, 'provider_unavailable'];

const REDIRECT_URI = 'https://client.example.com/callback';

/** What each of them calls itself, is signed with and says besides. */
const SOCIAL = {
  google: { alg: 'RS256', own: {}, verified: { email_verified: true }, subject: (sub: string) => sub },
  apple: { alg: 'RS256', own: {}, verified: { email_verified: 'true' }, subject: (sub: string) => sub },
  line: { alg: 'ES256', own: { amr: ['linesso'] }, verified: { email_verified: true }, subject: (sub: string) => sub },
  microsoft: {
    alg: 'RS256',
    own: { tid: DIRECTORY },
    verified: { xms_edov: true },
    subject: (sub: string) => `${DIRECTORY}:${sub}`,
  },
} as const;

/** The text of a key as Apple's developer portal gives it. */
const newAppleKey = async (): Promise<string> => {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  if (!('privateKey' in pair)) throw new Error('There is no pair');
  const der = await crypto.subtle.exportKey('pkcs8', pair.privateKey);
  if (!(der instanceof ArrayBuffer)) throw new Error('It is no PKCS #8');
  return `-----BEGIN PRIVATE KEY-----\n${new Uint8Array(der).toBase64()}\n-----END PRIVATE KEY-----\n`;
};

const newSocialWorld = async (type: keyof typeof SOCIAL) => {
  const world = await newAuthenticationWorld();
  const { alg, own } = SOCIAL[type];
  const issuer = await newIssuer(world.service, alg);
  const secret =
    type === 'apple'
      ? { signing_key: { team_id: 'TEAM', key_id: 'KEY', private_key: await newAppleKey() } }
      : { client_secret: CHANNEL_SECRET };
  await world.put(type, { type, signup: true, client_ids: [CLIENT_ID], issuer: issuer.url, ...secret });
  const person = { ...own, sub: uniqueName('sub'), email: uniqueEmail() };
  return { ...world, issuer, person };
};

for (const type of ['google', 'apple', 'line', 'microsoft'] as const) {
  const { verified, subject } = SOCIAL[type];

  describe(`signing in with ${type}`, () => {
    it('takes an ID token, and makes an account with the address that is verified', async () => {
      const { tenant, service, issuer, person, authenticate, profileOf, claimsOf } = await newSocialWorld(type);
      const id_token = await issuer.newToken({ ...person, ...verified, given_name: 'Ada', family_name: 'Lovelace' });
      const token = await tokenIn(await authenticate(type, { id_token }));
      const at = Math.floor(service.clock.now() / 1000);
      const claims = await claimsOf(token);
      expect(claims).toMatchObject({ provider: type, aud: tenant.id, iat: at, exp: at + 86_400, auth_time: at });
      expect(claims).not.toHaveProperty('sid');
      expect(claims.amr).toEqual(type === 'line' ? ['linesso'] : []);
      expect(await profileOf(token)).toMatchObject({
        ...{ email: person.email, emailVerified: true, provider: type },
        ...{ firstName: 'Ada', lastName: 'Lovelace' },
      });
      expect((await peopleOf(tenant)).identities).toEqual([
        expect.objectContaining({ provider: `provider:${type}`, subject: subject(person.sub) }),
      ]);
      expect((await eventsAbout(String(claims.cid))).map((event) => event.type)).toContain('login.succeeded');
    });

    it('takes a code, which is spent as the provider’s client', async () => {
      const { issuer, person, authenticate, claimsOf } = await newSocialWorld(type);
      await issuer.giveFor({ ...person, ...verified, nonce: 'n-1' });
      const code_verifier = 'v'.repeat(43);
      const body = { code: 'a code', redirect_uri: REDIRECT_URI, code_verifier, nonce: 'n-1' };
      const token = await tokenIn(await authenticate(type, body));
      expect(await claimsOf(token)).toMatchObject({ provider: type });
      const [request] = await issuer.requests('/token');
      const sent = Object.fromEntries(new URLSearchParams(request?.body));
      expect(sent).toMatchObject({
        ...{ grant_type: 'authorization_code', code: 'a code', redirect_uri: REDIRECT_URI },
        code_verifier,
      });
      const client = atob(String(request?.headers.authorization).replace('Basic ', '')).split(':');
      expect(decodeURIComponent(client[0] ?? '')).toBe(CLIENT_ID);
    });

    it('takes nothing else', async () => {
      const { tenant, issuer, person, authenticate } = await newSocialWorld(type);
      const id_token = await issuer.newToken({ ...person, ...verified });
      const before = await peopleOf(tenant);
      for (const body of [
        {},
        { id_token: '' },
        { id_token: 7 },
        { id_token: null },
        { id_token: [id_token] },
        { id_token: 'x' },
        { id_token: `${id_token}x` },
        { id_token, more: 1 },
        { id_token, access_token: id_token },
        { id_token, nonce: 7 },
        { id_token: id_token.padEnd(9000, 'x') },
        { access_token: id_token },
        { token: id_token },
        { code: 'x' },
        { code: 'x', redirect_uri: REDIRECT_URI, code_verifier: 'short' },
        { code: 'x', redirect_uri: REDIRECT_URI },
        { email: person.email },
        { email: person.email, password: 'x' },
        { challenge: { id: 'x', code: 'x' } },
      ]) {
        expect([body, ...(await outcomeOf(await authenticate(type, body)))]).toEqual([body, ...FAILED]);
      }
      expect(await peopleOf(tenant)).toEqual(before);
    });
  });
}

describe('signing in with Microsoft', () => {
  it('does not take an address that no directory owns for verified', async () => {
    const { service, tenant, app, issuer, person, authenticate } = await newSocialWorld('microsoft');
    const { email } = await newPerson(service, tenant, app);
    for (const claims of [{}, { email_verified: true }, { xms_edov: false }, { xms_edov: 0 }]) {
      const id_token = await issuer.newToken({ ...person, email, ...claims });
      expect([claims, ...(await outcomeOf(await authenticate('microsoft', { id_token })))]).toEqual([
        claims,
        ...LINK_REQUIRED,
      ]);
    }
  });

  it('takes the same subject of two directories for two people', async () => {
    const { issuer, person, authenticate, claimsOf } = await newSocialWorld('microsoft');
    const signIn = async (tid: string) => {
      const id_token = await issuer.newToken({ ...person, email: undefined, tid });
      return (await claimsOf(await tokenIn(await authenticate('microsoft', { id_token })))).sub;
    };
    expect(await signIn(DIRECTORY)).not.toBe(await signIn(DIRECTORY.replace(/.$/, '0')));
  });
});

describe('signing in with LINE', () => {
  it('takes a token that is signed with the channel’s secret, and with no other', async () => {
    const { service, issuer, person, authenticate, claimsOf } = await newSocialWorld('line');
    const iat = Math.floor(service.clock.now() / 1000);
    const claims = { iss: issuer.url, aud: CLIENT_ID, iat, exp: iat + 60, ...person };
    const signIn = async (secret: string) =>
      authenticate('line', {
        id_token: await signClaims(claims, new TextEncoder().encode(secret), { alg: 'HS256' }),
      });
    expect(await outcomeOf(await signIn('another secret of 32 characters!'))).toEqual(FAILED);
    expect(await claimsOf(await tokenIn(await signIn(CHANNEL_SECRET)))).toMatchObject({ provider: 'line' });
  });
});

describe('signing in with Facebook', () => {
  const { facebook } = env.TEST_IDENTITY_PROVIDERS;

  const newFacebookWorld = async (profile: Record<string, unknown> = {}) => {
    const world = await newAuthenticationWorld();
    const app = { app_id: '1001', app_secret: 'secret of app 1001', base_url: facebook };
    await world.put('facebook', { type: 'facebook', signup: true, ...app, ...profile });
    const signIn = (access_token: string) => world.authenticate('facebook', { access_token });
    return { ...world, signIn };
  };

  it('takes an access token, and makes an account without the address, which nobody has verified', async () => {
    const { tenant, signIn, profileOf, claimsOf } = await newFacebookWorld();
    const token = await tokenIn(await signIn('EAA.1001.71.user'));
    expect(await profileOf(token)).toMatchObject({
      ...{ email: null, emailVerified: false, provider: 'facebook' },
      ...{ name: 'Ada King Lovelace', firstName: 'Ada', lastName: 'Lovelace' },
    });
    const again = await tokenIn(await signIn('EAA.1001.71.endless'));
    expect((await claimsOf(again)).sub).toBe((await claimsOf(token)).sub);
    expect((await claimsOf(await tokenIn(await signIn('EAA.1001.72.user')))).sub).not.toBe((await claimsOf(token)).sub);
    expect((await peopleOf(tenant)).customers).toHaveLength(2);
  });

  it('links nobody by an address', async () => {
    const { service, tenant, app, signIn } = await newFacebookWorld();
    await newPerson(service, tenant, app, { email: 'ada@example.com' });
    const before = await peopleOf(tenant);
    expect(await outcomeOf(await signIn('EAA.1001.71.user'))).toEqual(LINK_REQUIRED);
    expect(await peopleOf(tenant)).toEqual(before);
  });

  it('refuses a token of another app, a page’s, one that is no longer valid, and what is none', async () => {
    const { tenant, signIn, authenticate } = await newFacebookWorld();
    for (const token of ['EAA.2002.71.user', 'EAA.1001.71.page', 'EAA.1001.71.ended', 'EAA.1001.99.user', 'x']) {
      expect([token, ...(await outcomeOf(await signIn(token)))]).toEqual([token, ...FAILED]);
    }
    const code = { code: 'x', redirect_uri: REDIRECT_URI };
    expect(await outcomeOf(await authenticate('facebook', code))).toEqual(FAILED);
    expect((await peopleOf(tenant)).customers).toEqual([]);
  });

  it('refuses everybody where our own secret is wrong', async () => {
    const { signIn } = await newFacebookWorld({ app_secret: 'another' });
    expect(await outcomeOf(await signIn('EAA.1001.71.user'))).toEqual(FAILED);
  });

  it('takes the ID token of a Limited Login', async () => {
    const path = newScriptedPath();
    const { service, authenticate, profileOf } = await newFacebookWorld({ base_url: path.url });
    const key = await keyNamed('first', 'RS256');
    await path.answer(jsonAnswer({ keys: [key.jwk] }), '/.well-known/oauth/openid/jwks/');
    const iat = Math.floor(service.clock.now() / 1000);
    const signIn = async (claims: Record<string, unknown> = {}, nonce = 'n-1') => {
      const all = { iss: path.url, aud: '1001', sub: '71', iat, exp: iat + 60, nonce: 'n-1', ...claims };
      const id_token = await signClaims(all, key.privateKey, { alg: 'RS256', kid: 'first' });
      return authenticate('facebook', { id_token, nonce });
    };
    expect(await outcomeOf(await signIn({ aud: '2002' }))).toEqual(FAILED);
    expect(await outcomeOf(await signIn({}, 'n-2'))).toEqual(FAILED);
    const token = await tokenIn(await signIn({ email: uniqueEmail(), email_verified: true }));
    expect(await profileOf(token)).toMatchObject({ email: null, provider: 'facebook' });
  });

  it('is unavailable while the Graph API is', async () => {
    const path = newScriptedPath();
    const { tenant, signIn } = await newFacebookWorld({ base_url: path.url });
    await path.answer({ status: 503 }, '/debug_token');
    expect(await outcomeOf(await signIn('EAA.1001.71.user'))).toEqual(DOWN);
    expect((await peopleOf(tenant)).customers).toEqual([]);
  });
});

describe('signing in with a company’s own OpenID provider', () => {
  const newCompanyWorld = async (issuer: string) => {
    const world = await newAuthenticationWorld();
    const provider = { type: 'oidc', issuer, client_ids: ['ES256'], client_secret: clientSecret };
    await world.put('company', { ...provider, signup: true });
    return world;
  };

  /** What an app has after a sign-in on the provider's own pages. */
  const obtainCode = async (issuer: string, email: string) => {
    const request = { ...newRequest(), redirectUri: REDIRECT_URI, loginHint: email };
    const started = await newParty().startAuthorization(newClient(issuer, 'ES256'), request);
    if (started.kind !== 'started') throw new Error(started.reason);
    const { codeVerifier: code_verifier, nonce } = started;
    const code = (await walkToCallback(started.url)).searchParams.get('code') ?? '';
    return { code, redirect_uri: REDIRECT_URI, code_verifier, nonce };
  };

  for (const [place, issuer] of [
    ['in the ID token', claimsInIdToken],
    ['at the UserInfo endpoint', claimsInUserInfo],
  ] as const) {
    it(`takes a code with PKCE, once, where the claims are ${place}`, async () => {
      const { authenticate, profileOf, tenant } = await newCompanyWorld(issuer);
      const email = uniqueEmail();
      const body = await obtainCode(issuer, email);
      const token = await tokenIn(await authenticate('company', body));
      expect(await profileOf(token)).toMatchObject({
        email,
        emailVerified: true,
        firstName: 'Ada',
        provider: 'company',
      });
      expect(await outcomeOf(await authenticate('company', body))).toEqual(FAILED);
      expect((await peopleOf(tenant)).customers).toHaveLength(1);
    });
  }

  it('links who has the address on both sides, and nobody whose address is not verified there', async () => {
    const { service, tenant, app, authenticate, claimsOf } = await newCompanyWorld(claimsInIdToken);
    const { email, userId } = await newPerson(service, tenant, app);
    const body = await obtainCode(claimsInIdToken, email);
    expect((await claimsOf(await tokenIn(await authenticate('company', body)))).sub).toBe(userId);
    const unverified = await newPerson(service, tenant, app, { email: `unverified-${uniqueEmail()}` });
    const before = await peopleOf(tenant);
    const other = await obtainCode(claimsInIdToken, unverified.email);
    expect(await outcomeOf(await authenticate('company', other))).toEqual(LINK_REQUIRED);
    expect(await peopleOf(tenant)).toEqual(before);
  });

  it('refuses a code without what it was bound to', async () => {
    const { authenticate } = await newCompanyWorld(claimsInIdToken);
    for (const change of [
      { code_verifier: 'another-verifier'.padEnd(43, '~') },
      { code_verifier: undefined },
      { redirect_uri: 'https://client.example.com/another' },
      { nonce: 'another' },
      { code: 'another' },
    ]) {
      const body = await obtainCode(claimsInIdToken, uniqueEmail());
      expect([change, ...(await outcomeOf(await authenticate('company', { ...body, ...change })))]).toEqual([
        change,
        ...FAILED,
      ]);
    }
  });
});

describe('signing in with a JWT of the tenant’s own service', () => {
  const CLAIMS = { subject: 'uid', email: 'mail', email_verified: 'mail_checked', name: 'display' };

  const newJwtWorld = async (keysOf: (url: string, jwk: unknown) => unknown) => {
    const world = await newAuthenticationWorld();
    const key = await keyNamed('first', 'ES256');
    const path = newScriptedPath();
    await path.answer(jsonAnswer({ keys: [key.jwk] }));
    const { kty, crv, x, y, alg } = { crv: '', x: '', y: '', ...key.jwk };
    await world.put('shop', {
      ...{ type: 'jwt', signup: true, issuer: 'shop', audience: 'accounts', claims: CLAIMS },
      keys: keysOf(path.url, { kty, crv, x, y, alg }),
    });
    const uid = uniqueName('uid');
    const signIn = async (claims: Record<string, unknown> = {}, by = key) => {
      const exp = Math.floor(world.service.clock.now() / 1000) + 60;
      const all = { iss: 'shop', aud: 'accounts', uid, exp, ...claims };
      return world.authenticate('shop', {
        id_token: await signClaims(all, by.privateKey, { alg: by.alg, kid: by.kid }),
      });
    };
    return { ...world, signIn };
  };

  for (const [what, keysOf] of [
    ['published keys', (jwks_url: string) => ({ jwks_url })],
    ['one key', (_: string, public_key: unknown) => ({ public_key })],
  ] as const) {
    it(`takes it by ${what}, and by the tenant’s names of claims`, async () => {
      const { signIn, profileOf, claimsOf } = await newJwtWorld(keysOf);
      const email = uniqueEmail();
      const token = await tokenIn(await signIn({ mail: email, mail_checked: true, display: 'Ada' }));
      expect(await profileOf(token)).toMatchObject({ email, emailVerified: true, name: 'Ada', provider: 'shop' });
      expect((await claimsOf(await tokenIn(await signIn()))).sub).toBe((await claimsOf(token)).sub);
    });

    it(`refuses what is not in order by ${what}`, async () => {
      const { tenant, signIn } = await newJwtWorld(keysOf);
      for (const claims of [
        { iss: 'another' },
        { aud: 'another' },
        { aud: undefined },
        { exp: 1 },
        { exp: undefined },
        { uid: undefined, sub: 'x' },
        { uid: 7 },
      ]) {
        expect([claims, ...(await outcomeOf(await signIn(claims)))]).toEqual([claims, ...FAILED]);
      }
      expect(await outcomeOf(await signIn({}, await keyNamed('another', 'ES256')))).toEqual(FAILED);
      expect((await peopleOf(tenant)).customers).toEqual([]);
    });
  }

  it('does not take an access token of Gatehouse’s own', async () => {
    const { service, app, signInByMail, authenticate } = await newJwtWorld((jwks_url) => ({ jwks_url }));
    const { email } = await newCustomer(service, app);
    const id_token = await signInByMail(email);
    expect(await outcomeOf(await authenticate('shop', { id_token }))).toEqual(FAILED);
  });
});

describe('signing in with the tenant’s own endpoint', () => {
  const KEY = 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

  const newEndpointWorld = async (world?: AuthenticationWorld) => {
    const here = world ?? (await newAuthenticationWorld());
    const path = newScriptedPath();
    await here.put('legacy', { type: 'http', signup: true, url: path.url, secret: `whsec_${KEY}` });
    return { ...here, endpoint: path };
  };

  it('sends it whatever the caller sent, signed, and believes what it answers', async () => {
    const { service, endpoint, authenticate, profileOf, claimsOf } = await newEndpointWorld();
    const email = uniqueEmail();
    await endpoint.answer(jsonAnswer({ subject: 'p-1', email, email_verified: true, name: 'Ada' }));
    const data = { ticket: 'T-1', email: 'x', challenge: [1, { 'with "quotes"': 'ä' }], id_token: null };
    const token = await tokenIn(await authenticate('legacy', data));
    expect(await profileOf(token)).toMatchObject({ email, emailVerified: true, name: 'Ada', provider: 'legacy' });
    expect((await claimsOf(await tokenIn(await authenticate('legacy', {})))).sub).toBe((await claimsOf(token)).sub);
    const [request] = await endpoint.requests();
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = request?.headers ?? {};
    expect(JSON.parse(request?.body ?? '')).toEqual(data);
    expect(at).toBe(String(Math.floor(service.clock.now() / 1000)));
    const hmac = createHmac('sha256', Buffer.from(KEY, 'base64')).update(`${id}.${at}.${request?.body}`);
    expect(signature).toBe(`v1,${hmac.digest('base64')}`);
  });

  it('tells what it refuses from what it cannot answer, and stores nothing of either', async () => {
    const { tenant, endpoint, authenticate } = await newEndpointWorld();
    for (const [answer, outcome] of [
      [jsonAnswer({ error: 'no' }, { status: 401 }), FAILED],
      [jsonAnswer({ subject: 'p-1' }, { status: 404 }), FAILED],
      [jsonAnswer({ email: 'a@example.com' }), FAILED],
      [{ status: 500, body: 'secret of the endpoint' }, DOWN],
      [{ status: 429 }, DOWN],
    ] as const) {
      await endpoint.answer(answer);
      const response = await authenticate('legacy', { ticket: 'T-1' });
      expect(await response.clone().text()).not.toContain('secret');
      expect([answer, ...(await outcomeOf(response))]).toEqual([answer, ...outcome]);
    }
    expect((await peopleOf(tenant)).customers).toEqual([]);
  });

  it('does not link by an address that it does not vouch for', async () => {
    const { service, tenant, app, endpoint, authenticate } = await newEndpointWorld();
    const { email } = await newPerson(service, tenant, app);
    await endpoint.answer(jsonAnswer({ subject: 'p-1', email }));
    expect(await outcomeOf(await authenticate('legacy', {}))).toEqual(LINK_REQUIRED);
  });

  it('is asked for nobody who has tried too often', async () => {
    const profile = { settings: { rate_limits: { auth_per_ip_per_minute: 3 } } };
    const { endpoint, authenticate } = await newEndpointWorld(await newAuthenticationWorld(profile));
    await endpoint.answer({ status: 401 });
    const from = { 'CF-Connecting-IP': '203.0.113.99' };
    const outcomes = await Promise.all(
      Array.from({ length: 10 }, async () => outcomeOf(await authenticate('legacy', {}, from))),
    );
    expect(outcomes.filter(([status]) => status === 422)).toHaveLength(3);
    expect(outcomes.filter(([status]) => status === 429)).toHaveLength(7);
    expect(await endpoint.requests()).toHaveLength(3);
  });
});
