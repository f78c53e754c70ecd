import { describe, expect, it } from 'vitest';
import { randomCode, randomDigits, randomTimeOrderedId, randomToken } from '../../src/crypto/random.ts';

const many = (make: () => string, count = 20_000): string[] => Array.from({ length: count }, make);

/**
 * How far the characters at a place stray from being equally likely: the chi-squared statistic per degree of freedom,
 * which is 1 for a uniform source.
 */
const unevenness = (texts: string[], place: number, alphabet: string): number => {
  const expected = texts.length / alphabet.length;
  const counts = Map.groupBy(texts, (text) => text.charAt(place));
  const statistic = [...alphabet].map((each) => ((counts.get(each)?.length ?? 0) - expected) ** 2 / expected);
  return statistic.reduce((sum, each) => sum + each, 0) / (alphabet.length - 1);
};

const DIGITS = '0123456789';
const CAPITALS_AND_DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

describe('a code of digits', () => {
  it('has the length that is asked for, leading zeros included', () => {
    const codes = many(() => randomDigits(6));
    for (const code of codes) expect(code).toMatch(/^\d{6}$/);
    expect(codes.some((code) => code.startsWith('0'))).toBe(true);
  });

  it('has every digit equally often at every place', () => {
    const codes = many(() => randomDigits(6));
    // A remainder of a byte would give 1.6 % more zeros than nines, and a fixed digit a value in the thousands.
    for (let place = 0; place < 6; place++) expect(unevenness(codes, place, DIGITS)).toBeLessThan(5);
  });
});

describe('a code of letters and digits', () => {
  it('has capitals and digits alone, each equally often', () => {
    const codes = many(() => randomCode(10));
    for (const code of codes) expect(code).toMatch(/^[A-Z0-9]{10}$/);
    for (let place = 0; place < 10; place++) expect(unevenness(codes, place, CAPITALS_AND_DIGITS)).toBeLessThan(3);
  });
});

describe('a token', () => {
  it('has 256 bits, safe in a URL, and never comes twice', () => {
    const tokens = many(randomToken);
    for (const token of tokens) expect(token).toMatch(/^[\w-]{43}$/);
    expect(new Set(tokens).size).toBe(tokens.length);
  });
});

describe('a time-ordered id', () => {
  it('sorts by the time that it was made at', () => {
    const times = [0, 1, 31, 32, 1023, 1024, 1_700_000_000_000, 1_700_000_000_001, 2 ** 48 - 1];
    const ids = times.map(randomTimeOrderedId);
    expect(ids.toSorted()).toEqual(ids);
    for (const id of ids) expect(id).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/);
  });

  it('differs from every other of the same millisecond', () => {
    expect(new Set(many(() => randomTimeOrderedId(1))).size).toBe(20_000);
  });
});
