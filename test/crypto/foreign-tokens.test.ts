import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { type ForeignTokenDemands, verifyForeignToken } from '../../src/crypto/foreign-tokens.ts';

const NOW = Date.UTC(2026, 7, 1);
const nowSeconds = NOW / 1000;

const { privateKey, publicKey } = await generateKeyPair('ES256');
const jwk: JWK = { ...(await exportJWK(publicKey)), kid: 'a' };
const SECRET = 'a secret of at least 32 characters';

const newToken = (claims: Record<string, unknown> = {}, header: Record<string, unknown> = {}, key = privateKey) =>
  new SignJWT({ sub: 'person-1', exp: nowSeconds + 60, ...claims })
    .setProtectedHeader({ alg: 'ES256', kid: 'a', ...header })
    .sign(key);

const newSharedToken = (secret: string, header: Record<string, unknown> = {}) =>
  new SignJWT({ exp: nowSeconds + 60 })
    .setProtectedHeader({ alg: 'HS256', ...header })
    .sign(new TextEncoder().encode(secret));

const verify = (token: string, parts: Partial<ForeignTokenDemands> = {}) =>
  verifyForeignToken(token, {
    algorithms: ['ES256', 'HS256'],
    findKeys: async () => [jwk],
    secret: SECRET,
    types: ['jwt'],
    toleranceSeconds: 5,
    now: NOW,
    ...parts,
  });

const refused = (reason: string) => ({ kind: 'refused', reason });

describe('a token of another issuer', () => {
  it('gives its claims and the name of its key', async () => {
    const claims = { sub: 'person-1', exp: nowSeconds + 60 };
    expect(await verify(await newToken())).toEqual({ kind: 'verified', claims, keyId: 'a' });
    expect(await verify(await newToken({}, { kid: undefined }))).toMatchObject({ kind: 'verified', keyId: null });
  });

  it('says what key it wants', async () => {
    const wanted: (string | null)[] = [];
    const findKeys = async (keyId: string | null) => {
      wanted.push(keyId);
      return [jwk];
    };
    await verify(await newToken(), { findKeys });
    await verify(await newToken({}, { kid: undefined }), { findKeys });
    await verify(await newSharedToken(SECRET), { findKeys });
    expect(wanted).toEqual(['a', null]);
  });

  it('is not judged while its keys cannot be had', async () => {
    const failure = new Error('no keys today');
    await expect(verify(await newToken(), { findKeys: () => Promise.reject(failure) })).rejects.toBe(failure);
  });

  const times: [string, Record<string, unknown>, string | null][] = [
    ['expires four seconds ago', { exp: nowSeconds - 4 }, null],
    ['expires five seconds ago', { exp: nowSeconds - 5 }, 'exp'],
    ['never expires', { exp: undefined }, 'exp'],
    ['expires at a text', { exp: 'tomorrow' }, 'exp'],
    ['begins in five seconds', { nbf: nowSeconds + 5 }, null],
    ['begins in six seconds', { nbf: nowSeconds + 6 }, 'nbf'],
    ['was issued in five seconds', { iat: nowSeconds + 5 }, null],
    ['was issued in six seconds', { iat: nowSeconds + 6 }, 'iat'],
    ['was issued at a text', { iat: 'now' }, 'iat'],
    ['was issued years ago', { iat: 1 }, null],
  ];
  for (const [what, claims, reason] of times) {
    it(`that ${what} is ${reason === null ? 'taken' : 'refused'}`, async () => {
      const outcome = reason === null ? { kind: 'verified' } : refused(reason);
      expect(await verify(await newToken(claims))).toMatchObject(outcome);
    });
  }

  it('is of a type that is asked for, or of none', async () => {
    for (const typ of ['JWT', 'jwt', undefined]) {
      expect(await verify(await newToken({}, { typ }))).toMatchObject({ kind: 'verified' });
    }
    expect(await verify(await newToken({}, { typ: 'at+jwt' }))).toEqual(refused('typ'));
  });

  it('has a header in form', async () => {
    for (const header of [{ typ: 1 }, { kid: 1 }, { kid: null }, { typ: ['jwt'] }]) {
      expect(await verify(await newToken({}, header))).toEqual(refused('form'));
    }
  });

  it('has claims', async () => {
    const [header, , signature] = (await newToken()).split('.');
    expect(await verify(`${header}..${signature}`)).toEqual(refused('signature'));
    expect(await verify(`${header}.e30`)).toEqual(refused('form'));
    expect(await verify(await newToken({ more: 'x'.repeat(16 * 1024) }))).toEqual(refused('form'));
  });

  it('is not signed with a public key’s bytes, nor a secret where there is none', async () => {
    expect(await verify(await newSharedToken(SECRET))).toMatchObject({ kind: 'verified', keyId: null });
    expect(await verify(await newSharedToken(SECRET), { secret: null })).toEqual(refused('alg'));
    expect(await verify(await newSharedToken(JSON.stringify(jwk), { kid: 'a' }))).toEqual(refused('signature'));
    expect(await verify(await newSharedToken(SECRET), { algorithms: ['ES256'] })).toEqual(refused('alg'));
    const secretKey = { kty: 'oct', k: new TextEncoder().encode(SECRET).toBase64(), kid: 'a' };
    const findKeys = async () => [secretKey];
    const shared = await newSharedToken(SECRET, { kid: 'a' });
    expect(await verify(shared, { findKeys, secret: null })).toEqual(refused('alg'));
    expect(await verify(await newToken(), { findKeys })).toEqual(refused('key'));
  });

  it('is signed with a public key of a public key’s set', async () => {
    const pair = await generateKeyPair('ES256', { extractable: true });
    const secretJwk = { ...(await exportJWK(pair.privateKey)), kid: 'a' };
    const token = await newToken({}, {}, pair.privateKey);
    expect(await verify(token, { findKeys: async () => [secretJwk] })).toEqual(refused('key'));
  });

  it('asks for one key', async () => {
    expect(await verify(await newToken(), { findKeys: async () => [] })).toEqual(refused('key'));
    expect(await verify(await newToken(), { findKeys: async () => [jwk, jwk] })).toEqual(refused('key'));
    expect(await verify(await newToken(), { findKeys: async () => [{ ...jwk, x: 'AAAA' }] })).toEqual(refused('key'));
    expect(await verify(await newToken({}, { kid: 'b' }))).toEqual(refused('key'));
  });
});
