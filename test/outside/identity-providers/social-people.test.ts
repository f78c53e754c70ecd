import { describe, expect, it } from 'vitest';
import type { IdentityProvider } from '../../../src/outside/identity-providers/provider-checks.ts';
import { asserted, DISCOVERY, metadataOf, refused, signClaims } from '../../support/oidc.ts';
import {
  CHANNEL_SECRET,
  DIRECTORY,
  keyNamed,
  newSocialProvider,
  providerOf,
  SOCIAL,
  type SocialType,
} from '../../support/provider-checks.ts';
import { jsonAnswer } from '../../support/scripted.ts';

const OTHER_DIRECTORY = '9188040d-6c67-4c5b-b112-36a304b66dad';

const issuerOf = (directory: string) => `https://login.microsoftonline.com/${directory}/v2.0`;

describe('an address', () => {
  const answers: [SocialType, unknown, boolean][] = [
    ['google', true, true],
    ['google', 'true', false],
    ['google', 1, false],
    ['google', false, false],
    ['google', 'false', false],
    ['google', undefined, false],
    ['apple', true, true],
    ['apple', 'true', true],
    ['apple', 'True', false],
    ['apple', false, false],
    ['apple', 'false', false],
    ['apple', undefined, false],
    ['apple', ['true'], false],
    ['line', undefined, false],
    ['line', 'true', false],
  ];
  for (const [type, email_verified, isEmailVerified] of answers) {
    it(`is ${isEmailVerified ? '' : 'not '}verified when ${type} says ${JSON.stringify(email_verified)} to that`, async () => {
      const claims = { email_verified };
      const person = { email: 'ada@example.com', isEmailVerified };
      expect(await (await newSocialProvider(type)).signIn({ claims })).toMatchObject(asserted(person));
    });
  }

  for (const type of ['google', 'apple', 'microsoft', 'line'] as const) {
    it(`that ${type} does not tell is not verified`, async () => {
      const claims = { email: undefined, email_verified: true };
      const person = { email: null, isEmailVerified: false };
      expect(await (await newSocialProvider(type)).signIn({ claims })).toMatchObject(asserted(person));
    });
  }

  it('of Apple’s relay is one like others', async () => {
    const claims = { email: 'x7k2@privaterelay.appleid.com', email_verified: 'true', is_private_email: 'true' };
    const person = { email: 'x7k2@privaterelay.appleid.com', isEmailVerified: true };
    expect(await (await newSocialProvider('apple')).signIn({ claims })).toMatchObject(asserted(person));
  });

  const domains: [unknown, boolean][] = [
    [true, true],
    [1, true],
    ['1', true],
    ['true', true],
    [undefined, false],
    [false, false],
    [0, false],
    ['0', false],
    ['false', false],
    [null, false],
    [{}, false],
  ];
  for (const [xms_edov, isEmailVerified] of domains) {
    it(`is ${isEmailVerified ? '' : 'not '}verified when Microsoft says ${JSON.stringify(xms_edov)} of its domain’s owner`, async () => {
      const claims = { xms_edov, email_verified: true };
      expect(await (await newSocialProvider('microsoft')).signIn({ claims })).toMatchObject(
        asserted({ isEmailVerified }),
      );
    });
  }
});

describe('a token of Google’s', () => {
  it('may spell its issuer without a scheme', async () => {
    const google = await newSocialProvider('google');
    expect(await google.signIn({ claims: { iss: 'accounts.google.com' } })).toMatchObject(asserted());
    expect(await google.signIn({ claims: { iss: 'http://accounts.google.com' } })).toEqual(refused('token_iss'));
  });
});

describe('a token of a directory at Microsoft', () => {
  it('names a person of that directory, whoever has the same name in another', async () => {
    const microsoft = await newSocialProvider('microsoft');
    const there = { tid: OTHER_DIRECTORY, iss: issuerOf(OTHER_DIRECTORY) };
    expect(await microsoft.signIn()).toMatchObject(asserted({ subject: `${DIRECTORY}:person-1` }));
    expect(await microsoft.signIn({ claims: there })).toMatchObject(
      asserted({ subject: `${OTHER_DIRECTORY}:person-1` }),
    );
  });

  const tricks: [string, string, Record<string, unknown>][] = [
    ['that says to be of another', 'token_iss', { tid: OTHER_DIRECTORY }],
    ['that another issued', 'token_iss', { iss: issuerOf(OTHER_DIRECTORY) }],
    ['that does not say of which', 'token_tid', { tid: undefined }],
    ['that says no id of one', 'token_tid', { tid: 'common', iss: issuerOf('common') }],
    ['that keeps its place open', 'token_tid', { tid: '{tenantid}', iss: issuerOf('{tenantid}') }],
    ['with a path for an id', 'token_tid', { tid: `${DIRECTORY}/..`, iss: issuerOf(`${DIRECTORY}/..`) }],
    ['with a list of ids', 'token_tid', { tid: [DIRECTORY] }],
    ['with an id in capitals', 'token_tid', { tid: DIRECTORY.toUpperCase(), iss: issuerOf(DIRECTORY.toUpperCase()) }],
    ['of the older kind', 'token_iss', { iss: `https://sts.windows.net/${DIRECTORY}/` }],
    ['of an issuer without a directory', 'token_iss', { iss: 'https://login.microsoftonline.com/common/v2.0' }],
  ];
  for (const [what, reason, claims] of tricks) {
    it(`${what} is refused`, async () => {
      expect(await (await newSocialProvider('microsoft')).signIn({ claims })).toEqual(refused(reason));
    });
  }

  it('is signed with a key that signs for it', async () => {
    const microsoft = await newSocialProvider('microsoft');
    const { jwk } = microsoft.key;
    await microsoft.publish({ ...jwk, issuer: issuerOf('{tenantid}') });
    expect(await microsoft.signIn()).toMatchObject(asserted());
    await microsoft.publish({ ...jwk, issuer: issuerOf(DIRECTORY) });
    expect(await microsoft.signIn()).toMatchObject(asserted());
    await microsoft.publish({ ...jwk, issuer: issuerOf(OTHER_DIRECTORY) });
    expect(await microsoft.signIn()).toEqual(refused('token_iss'));
  });

  it('is signed with a key that it names', async () => {
    const microsoft = await newSocialProvider('microsoft');
    expect(await microsoft.signIn({ header: { kid: undefined } })).toEqual(refused('token_iss'));
  });
});

describe('a provider in the place of one that everybody knows', () => {
  it('is asked for its metadata, and is the one issuer', async () => {
    for (const type of ['google', 'apple', 'microsoft', 'line'] as const) {
      const social = await newSocialProvider(type);
      const issuer = `${social.url}/own`;
      const key = await keyNamed('own', SOCIAL[type].alg);
      await social.answer(jsonAnswer(metadataOf(issuer)), `/own${DISCOVERY}`);
      await social.answer(jsonAnswer({ keys: [key.jwk] }), '/own/keys');
      const provider = providerOf(type, { issuer });
      expect(await social.signIn({ provider, key, claims: { iss: issuer } })).toMatchObject(asserted());
      expect(await social.signIn({ provider, key })).toEqual(refused('token_iss'));
      expect(await social.signIn({ provider, claims: { iss: issuer } })).toEqual(refused('token_key'));
      expect(await social.keyRequests()).toBe(0);
    }
  });
});

describe('a token of LINE’s for the web', () => {
  const key = (secret: string) => ({ kid: 'first', alg: 'HS256', privateKey: new TextEncoder().encode(secret) });
  const header = { kid: undefined, typ: 'JWT' };

  it('is signed with the channel’s secret, and no key is asked for', async () => {
    const line = await newSocialProvider('line');
    const claims = { email_verified: undefined };
    expect(await line.signIn({ key: key(CHANNEL_SECRET), header, claims })).toMatchObject(
      asserted({ subject: 'person-1', isEmailVerified: false }),
    );
    expect(await line.keyRequests()).toBe(0);
  });

  it('signed with another channel’s secret is refused', async () => {
    const line = await newSocialProvider('line');
    expect(await line.signIn({ key: key(CHANNEL_SECRET.toUpperCase()), header })).toEqual(refused('token_signature'));
  });

  it('is refused where the secret is not known', async () => {
    const line = await newSocialProvider('line');
    for (const clientSecret of [null, '']) {
      const provider: IdentityProvider = { type: 'line', clientIds: ['client-of-ours'], clientSecret, issuer: null };
      const outcome = await line.signIn({ provider, key: key('x'), header });
      expect(outcome).toEqual(refused(clientSecret === null ? 'token_alg' : 'token_key'));
    }
  });

  it('is for the channel, and of LINE', async () => {
    const line = await newSocialProvider('line');
    const script = { key: key(CHANNEL_SECRET), header };
    expect(await line.signIn({ ...script, claims: { aud: 'another' } })).toEqual(refused('token_aud'));
    expect(await line.signIn({ ...script, claims: { iss: 'https://line.me' } })).toEqual(refused('token_iss'));
  });

  it('is of no use at another provider with the same secret', async () => {
    for (const type of ['google', 'apple', 'microsoft'] as const) {
      const social = await newSocialProvider(type);
      expect(await social.signIn({ key: key(CHANNEL_SECRET), header })).toEqual(refused('token_alg'));
    }
  });

  it('by a stronger HMAC is none', async () => {
    const line = await newSocialProvider('line');
    const secret = new TextEncoder().encode(CHANNEL_SECRET.padEnd(64));
    const idToken = await signClaims({ iss: SOCIAL.line.iss }, secret, { alg: 'HS512' });
    expect(await line.signIn({ idToken: () => idToken })).toEqual(refused('token_alg'));
  });
});
