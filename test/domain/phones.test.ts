import { describe, expect, it } from 'vitest';
import { parsePhoneNumber } from '../../src/domain/phones.ts';

describe('parsePhoneNumber', () => {
  it.each([
    ['020 7946 0000', 'GB', '+442079460000'],
    ['(202) 555-0123', 'US', '+12025550123'],
    ['0731/123 45 67', 'DE', '+497311234567'],
    ['0049 731 1234567', 'DE', '+497311234567'],
    ['+44 (0)20 7946 0000', 'DE', '+442079460000'],
    ['+1-202-555-0123', null, '+12025550123'],
    ['+1 202 555 0123', 'AQ', '+12025550123'],
    ['０７３１ 1234567', 'DE', '+497311234567'],
  ])('reads %j as in %s: %s', async (typed, country, expected) => {
    expect(await parsePhoneNumber(typed, country)).toBe(expected);
  });

  it.each([
    ['', 'DE'],
    ['12', 'DE'],
    ['110', 'DE'],
    ['call 0731 1234567', 'DE'],
    ['0731 1234567 or 8', 'DE'],
    ['+49 731 1234567 ext 5', 'DE'],
    ['+49 731 12345678901234', 'DE'],
    ['+999 1234567', 'DE'],
    ['1800FLOWERS', 'US'],
    ['020 7946 0000', null],
    ['020 7946 0000', 'AQ'],
  ])('finds no number in %j as in %s', async (typed, country) => {
    expect(await parsePhoneNumber(typed, country)).toBeNull();
  });
});
