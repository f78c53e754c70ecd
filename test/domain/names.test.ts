import { describe, expect, it } from 'vitest';
import { joinName, splitName } from '../../src/domain/names.ts';

describe('a name', () => {
  it.each([
    ['Ada Lovelace', 'Ada', 'Lovelace'],
    ['  Ada   King  Lovelace ', 'Ada King', 'Lovelace'],
    ['Ludwig van Beethoven', 'Ludwig', 'van Beethoven'],
    ['juan de la cruz', 'juan', 'de la cruz'],
    ['Van Morrison', 'Van', 'Morrison'],
    ['Nguyen Van', 'Nguyen', 'Van'],
    ['Ada', 'Ada', null],
    ['山田 太郎', '太郎', '山田'],
    ['', null, null],
  ])('%j is split into %j and %j', (name, firstName, lastName) => {
    expect(splitName(name)).toEqual({ firstName, lastName });
  });

  it.each([
    ['Ada', 'Lovelace', 'Ada Lovelace'],
    ['Ada', null, 'Ada'],
    [null, 'Lovelace', 'Lovelace'],
    ['', 'Lovelace', 'Lovelace'],
    ['太郎', '山田', '山田 太郎'],
    [null, null, null],
  ])('is made of %j and %j', (firstName, lastName, expected) => {
    expect(joinName(firstName, lastName)).toBe(expected);
  });
});
