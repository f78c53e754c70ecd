import { and, eq, inArray } from 'drizzle-orm';
import type { Database } from './database.ts';
import { formsOf, normalizePostalCode } from './postal-code-forms.ts';
import { postalCodes } from './schema.ts';

/** Where a postal code is: the city as addresses name it, and its middle in degrees. Null is what is not known. */
export type Place = {
  city: string | null;
  region: string | null;
  latitude: number | null;
  longitude: number | null;
};

/** The places of postal codes. They are nobody's: all tenants read the same. */
export const createPostalCodeStore = (db: Database) => ({
  /** The place of a code as somebody wrote it, in a country by ISO 3166-1 alpha-2; null for a code that is not known. */
  find: async (country: string, typed: string): Promise<Place | null> => {
    const code = normalizePostalCode(typed);
    if (code === null) return null;
    const forms = formsOf(country, code);
    const rows = await db
      .select()
      .from(postalCodes)
      .where(and(eq(postalCodes.country, country), inArray(postalCodes.code, forms)));
    const [row] = rows.sort((a, b) => forms.indexOf(a.code) - forms.indexOf(b.code));
    if (!row) return null;
    // A code of many places has no city: the column then holds the empty text.
    return { city: row.city || null, region: row.region, latitude: row.latitude, longitude: row.longitude };
  },
});

export type PostalCodeStore = ReturnType<typeof createPostalCodeStore>;
