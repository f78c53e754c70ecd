import { createReadStream } from 'node:fs';
import readline from 'node:readline';
import { parseCountry } from '../../src/domain/countries.ts';
import { normalizePostalCode } from '../../src/storage/postal-code-forms.ts';
import { cityOfArea } from './canada.ts';
import type { PostalRow } from './row.ts';

const COLUMNS = 12;
const LONGEST_NAME = 180;
const MOST_FAULTS = 20;

/** Where addresses have the region's abbreviation. */
const ABBREVIATES_REGIONS = new Set(['AU', 'CA', 'US']);

/**
 * The rows of a postal-code file of GeoNames, as `readme.txt` beside it describes them, line by line, so that a file may
 * have any size; of these countries, or of all for null. Of several places with one code the first counts. Throws once
 * the file is read to its end, with what is wrong by line, if anything is.
 */
export async function* readGeoNames(file: string, countries: ReadonlySet<string> | null): AsyncGenerator<PostalRow> {
  const faults: string[] = [];
  const seen = new Set<string>();
  const missing = new Set(countries ?? []);
  let number = 0;
  for await (const line of readline.createInterface({ input: createReadStream(file, 'utf8') })) {
    number += 1;
    const text = number === 1 ? line.replace(/^\ufeff/, '') : line;
    if (text.trim() === '') continue;
    const row = readLine(text);
    if (typeof row === 'string') {
      faults.push(`line ${number}: ${row}`);
      if (faults.length > MOST_FAULTS) break;
      continue;
    }
    missing.delete(row.country);
    const key = `${row.country}${row.code}`;
    if ((countries && !countries.has(row.country)) || seen.has(key)) continue;
    seen.add(key);
    yield row;
  }
  if (faults.length > MOST_FAULTS) faults.splice(MOST_FAULTS, 1, 'and maybe more: these were enough to stop reading');
  if (faults.length === 0 && missing.size > 0) faults.push(`it has no row of ${[...missing].join(', ')}`);
  if (faults.length === 0 && seen.size === 0) faults.push('it has no row');
  if (faults.length > 0) throw new Error(`Nothing was loaded, for ${file} is not in order:\n${faults.join('\n')}`);
}

/** The row of a line, or what is wrong with it. */
const readLine = (line: string): PostalRow | string => {
  const columns = line.split('\t').map((column) => column.trim());
  if (columns.length !== COLUMNS) return `${columns.length} columns between tabs, and ${COLUMNS} are due`;
  const [countryName = '', typedCode = '', place = '', name = '', abbreviation = ''] = columns;
  const country = countryName.length === 2 ? parseCountry(countryName) : null;
  if (country === null) return `${quote(countryName)} is no country by ISO 3166-1 alpha-2`;
  const code = normalizePostalCode(typedCode);
  if (code === null) return `${quote(typedCode)} is no postal code`;
  if (place === '') return 'the place has no name';
  const region = (ABBREVIATES_REGIONS.has(country) && abbreviation) || name;
  for (const each of [place, region]) {
    if (each.length > LONGEST_NAME) return `a name has more than ${LONGEST_NAME} characters`;
    if (/[\p{Cc}\ufffd]/u.test(each)) return `${quote(each)} has control characters, or is not in UTF-8`;
  }
  const coordinates = readCoordinates(columns[9] ?? '', columns[10] ?? '');
  if (coordinates === null) return `${quote(`${columns[9]}, ${columns[10]}`)} are no degrees of latitude and longitude`;
  const city = country === 'CA' && code.length === 3 ? cityOfArea(code, place) : place;
  return { country, code, city, region: region || null, ...coordinates };
};

const readCoordinates = (north: string, east: string) => {
  if (north === '' && east === '') return { latitude: null, longitude: null };
  if (![north, east].every((text) => /^-?\d{1,3}(\.\d+)?$/.test(text))) return null;
  const [latitude, longitude] = [Number(north), Number(east)];
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : null;
};

const quote = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
