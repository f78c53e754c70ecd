import { describe, expect, it } from 'vitest';
import { hashToken, isEqualInConstantTime } from '../../src/crypto/hashing.ts';
import { deriveMasterKeys } from '../../src/crypto/master-key.ts';

describe('the hash of a token', () => {
  it('is SHA-256, as FIPS 180-2 gives it for abc', async () => {
    const bytes = Uint8Array.fromBase64(await hashToken('abc'), { alphabet: 'base64url' });
    expect(bytes.toHex()).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

describe('a keyed hash', () => {
  const newHash = async (fill: number) => (await deriveMasterKeys(new Uint8Array(32).fill(fill).toBase64())).keyedHash;

  it('is the same for the same parts, and another for any other', async () => {
    const hash = await newHash(1);
    const parts = [['a', 'b'], ['ab'], ['a', 'b', ''], ['a,b'], ['["a"', '"b"]'], ['b', 'a'], ['', 'ab'], []];
    const hashes = await Promise.all(parts.map((each) => hash(...each)));
    expect(new Set(hashes).size).toBe(parts.length);
    expect(await hash('a', 'b')).toBe(hashes[0]);
    for (const each of hashes) expect(each).toMatch(/^[\w-]{43}$/);
  });

  it('is another under another master key', async () => {
    const [one, other] = [await newHash(1), await newHash(2)];
    expect(await one('123456')).not.toBe(await other('123456'));
  });
});

describe('a comparison in constant time', () => {
  it.each([
    ['', '', true],
    ['same', 'same', true],
    ['same', 'Same', false],
    ['short', 'shorter', false],
    ['', 'x', false],
    ['ä', 'a\u0308', false],
  ])('of %j and %j is %j', async (a, b, isEqual) => {
    expect(await isEqualInConstantTime(a, b)).toBe(isEqual);
  });
});
