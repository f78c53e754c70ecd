import { describe, expect, it } from 'vitest';
import { readEdge } from '../../src/domain/edge.ts';

const NOTHING = { country: null, timezone: null, acceptLanguage: null };

describe('what the edge tells', () => {
  it.each([
    ['de-AT', 'de-AT'],
    ['fr-ch, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5', 'fr-CH'],
    ['en;q=0.3, pt-BR;q=0.7', 'pt-BR'],
    ['es;q=0, it;q=0.1', 'it'],
    ['zh_CN, zh-hant-tw', 'zh-Hant-TW'],
    ['xx-nonsense, nl', 'nl'],
    ['*', null],
    ['', null],
    [';q=1,,', null],
    ['not a language at all', null],
    [`de-${'x'.repeat(5000)}`, null],
  ])('prefers of the languages %j %j', (acceptLanguage, expected) => {
    expect(readEdge({ ...NOTHING, acceptLanguage }).locale || null).toBe(expected);
  });

  it.each([
    ['Europe/Berlin', 'Europe/Berlin'],
    ['UTC', 'UTC'],
    ['Mars/Olympus', null],
    ['+02:00', null],
    ['', null],
  ])('has of the time zone %j %j', (timezone, expected) => {
    expect(readEdge({ ...NOTHING, timezone }).timezone || null).toBe(expected);
  });

  it.each([
    ['DE', 'DE'],
    ['XX', null],
    ['T1', null],
    ['', null],
  ])('has of the country %j %j', (country, expected) => {
    expect(readEdge({ ...NOTHING, country }).country || null).toBe(expected);
  });

  it('is nothing where there is no edge', () => {
    expect(readEdge(NOTHING)).toEqual({ country: null, timezone: null, locale: null });
  });
});
