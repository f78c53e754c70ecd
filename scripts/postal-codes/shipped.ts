import { codes } from 'zipcodes';
import { cityOfArea, provinceOf } from './canada.ts';
import type { PostalRow } from './row.ts';

const SMALL_WORDS = new Set(['au', 'aux', 'd', 'de', 'des', 'du', 'en', 'et', 'l', 'la', 'le', 'les', 'sous', 'sur']);

/** The postal codes of the United States, and the areas of Canada, as the package `zipcodes` has them. */
export const readShipped = (): PostalRow[] =>
  Object.values(codes).map(({ zip, city, state, country, latitude, longitude }) => {
    const coordinates = latitude && longitude ? { latitude, longitude } : { latitude: null, longitude: null };
    return country === 'US'
      ? { country, code: zip, city: recapitalize(cityOfZip(city)), region: state, ...coordinates }
      : {
          country: 'CA',
          code: zip,
          city: recapitalize(cityOfArea(zip, city)),
          region: provinceOf(zip),
          ...coordinates,
        };
  });

/** Firms with a code to themselves stand in the place of a city. */
const cityOfZip = (city: string): string => (/[\d&]/.test(city) ? '' : city);

/** The package has `Mcallen`, `O'fallon` and `Baie-comeau`. */
const recapitalize = (name: string): string =>
  name
    .replace(/\bMc(\p{Ll})/gu, (_, letter: string) => `Mc${letter.toUpperCase()}`)
    .replace(/'(\p{Ll})(?=\p{Ll})/gu, (_, letter: string) => `'${letter.toUpperCase()}`)
    .replace(/-(\p{L}+)/gu, (_, word: string) => {
      const small = word.toLowerCase();
      return SMALL_WORDS.has(small) ? `-${small}` : `-${word.slice(0, 1).toUpperCase()}${word.slice(1)}`;
    });
