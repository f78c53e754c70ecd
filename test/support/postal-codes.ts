import { env } from 'cloudflare:workers';

type Row = [
  country: string,
  code: string,
  city: string,
  region: string | null,
  latitude: number | null,
  longitude: number | null,
];

/** Puts rows into the table of postal codes, which all tests of a run share. */
export const keepPostalCodes = async (rows: readonly Row[]): Promise<void> => {
  await env.DB.batch(
    rows.map((row) => env.DB.prepare('insert or replace into postal_codes values (?, ?, ?, ?, ?, ?)').bind(...row)),
  );
};
