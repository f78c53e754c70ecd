import { describe, expect, test } from 'vitest';
import {
  createJwks,
  generateSigningKey,
  importSigningKey,
  importVerificationKey,
} from '../../src/crypto/signing-keys.ts';

describe('createJwks', () => {
  test.each([
    ['ES256', ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']],
    ['EdDSA', ['alg', 'crv', 'kid', 'kty', 'use', 'x']],
    ['RS256', ['alg', 'e', 'kid', 'kty', 'n', 'use']],
  ] as const)('publishes the public members of a key for %s, and no others', async (algorithm, members) => {
    const { publicJwk } = await generateSigningKey(algorithm, 'one');
    const stored = { ...publicJwk, key_ops: ['verify'], note: 'internal' };
    const { keys } = createJwks([stored]);
    expect(keys.map((key) => Object.keys(key).sort())).toEqual([[...members]]);
    expect(keys[0]).toMatchObject({ kid: 'one', alg: algorithm, use: 'sig' });
  });

  test.each(['ES256', 'EdDSA', 'RS256'] as const)('refuses to publish a private key for %s', async (algorithm) => {
    const { publicJwk, privateJwk } = await generateSigningKey(algorithm, 'one');
    expect(() => createJwks([publicJwk, privateJwk])).toThrow('private');
    await expect(importVerificationKey('one', algorithm, privateJwk)).rejects.toThrow('private');
  });

  test('refuses to publish a symmetric key', () => {
    expect(() => createJwks([{ kty: 'oct', k: 'c2VjcmV0' }])).toThrow('private');
  });
});

describe('importSigningKey', () => {
  test('gives a key that cannot be exported', async () => {
    const { privateJwk } = await generateSigningKey('ES256', 'one');
    const { privateKey } = await importSigningKey('one', 'ES256', privateJwk);
    expect(privateKey).toMatchObject({ type: 'private', extractable: false });
    await expect(crypto.subtle.exportKey('jwk', privateKey)).rejects.toThrow();
  });

  test('refuses a symmetric key, and a key for another algorithm', async () => {
    const { privateJwk } = await generateSigningKey('ES256', 'one');
    await expect(importSigningKey('one', 'ES256', { kty: 'oct', k: 'c2VjcmV0' })).rejects.toThrow();
    await expect(importSigningKey('one', 'RS256', privateJwk)).rejects.toThrow();
  });
});
