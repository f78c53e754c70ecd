import { describe, expect, it } from 'vitest';
import { parseCountry } from '../../src/domain/countries.ts';

describe('a country', () => {
  it.each([
    ['DE', 'DE'],
    ['de', 'DE'],
    [' gb ', 'GB'],
    ['Germany', 'DE'],
    ['GERMANY', 'DE'],
    ['United Kingdom', 'GB'],
    ['uk', 'GB'],
    ['United States', 'US'],
    ['United States of America', 'US'],
    ['usa', 'US'],
    ["Côte d'Ivoire", 'CI'],
    ['Cote d’Ivoire', 'CI'],
    ['Ivory Coast', 'CI'],
    ['Türkiye', 'TR'],
    ['Turkey', 'TR'],
    ['Bosnia and Herzegovina', 'BA'],
    ['Bosnia & Herzegovina', 'BA'],
    ['South Korea', 'KR'],
  ])('%j is %s', (text, code) => {
    expect(parseCountry(text)).toBe(code);
  });

  it.each(['', 'Atlantis', 'XX', 'ZZ', 'EU', 'D', 'DEU', '49', 'constructor', '__proto__', 'Deutschland'])(
    '%j is none',
    (text) => {
      expect(parseCountry(text)).toBeNull();
    },
  );
});
