import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { openDatabase } from '../../src/storage/database.ts';
import { createPostalCodeStore } from '../../src/storage/postal-codes.ts';
import { keepPostalCodes } from '../support/postal-codes.ts';

// Codes that no real place has: the table is everybody's.
beforeAll(() =>
  keepPostalCodes([
    ['US', '00001', 'Testville', 'NY', 40.5, -73.5],
    ['CA', 'X9X', 'Old Test', 'ON', 43.5, -79.5],
    ['CA', 'X9X9Y9', 'New Test', 'ON', 43.25, -79.25],
    ['CA', 'X0X', '', 'ON', null, null],
    ['GB', 'ZZ9', 'Testford', 'England', 51.5, 0],
    ['LV', 'LV0001', 'Tests', null, 56.5, 24.5],
    ['DE', '00001', 'Teststadt', 'Bayern', 48.5, 11.5],
  ]),
);

const store = createPostalCodeStore(openDatabase(env.DB));
const cityOf = async (country: string, code: string) => (await store.find(country, code))?.city;

describe('the place of a postal code', () => {
  it('is its city, region and coordinates', async () => {
    expect(await store.find('US', '00001')).toEqual({
      city: 'Testville',
      region: 'NY',
      latitude: 40.5,
      longitude: -73.5,
    });
  });

  it.each([
    ['US', '00001-1234', 'Testville'],
    ['US', ' 000 01 ', 'Testville'],
    ['US', '０００01', 'Testville'],
    ['CA', 'x9x 1a1', 'Old Test'],
    ['CA', 'X9X', 'Old Test'],
    ['CA', 'x9x-9y9', 'New Test'],
    ['GB', 'ZZ9 9ZZ', 'Testford'],
    ['LV', 'LV-0001', 'Tests'],
    ['LV', '0001', 'Tests'],
    ['DE', 'DE-00001', 'Teststadt'],
    ['DE', '00001', 'Teststadt'],
  ])('in %s is found for %j: %s', async (country, code, expected) => {
    expect(await cityOf(country, code)).toBe(expected);
  });

  it.each([
    ['US', '00002'],
    ['US', '0000'],
    ['US', '000011'],
    ['US', '00001-12'],
    ['CA', 'X9X 9'],
    ['CA', 'X9XXXX'],
    ['DE', '00001-1234'],
    ['FR', '00001'],
    ['ZZ', '00001'],
    ['', '00001'],
    ['US', ''],
    ['US', '-'],
    ['US', '0000١'],
    ['US', "00001' or 1=1"],
    ['US', '%'],
    ['US', '9'.repeat(10_000)],
  ])('in %s is not known for %j', async (country, code) => {
    expect(await store.find(country, code)).toBeNull();
  });

  it('has no city where the code has many', async () => {
    expect(await store.find('CA', 'X0X 1A1')).toEqual({ city: null, region: 'ON', latitude: null, longitude: null });
  });
});
