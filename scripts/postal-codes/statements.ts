import type { PostalRow } from './row.ts';

/** D1 takes 100 KB, and each statement costs wrangler some milliseconds. */
const LONGEST_BYTES = 90_000;

/** At every character of a statement or literal, wrangler looks at all of it: so literals are short, and nearly all there is. */
const LONGEST_LITERAL_BYTES = 3000;

const [BEGINNING, END] = [
  `INSERT INTO postal_codes (country, code, city, region, latitude, longitude)
SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5 FROM json_each('['`,
  // What is there already is not written again: D1 counts rows written, and a second run has none.
  `|| ']') WHERE true
ON CONFLICT (country, code) DO UPDATE SET
city = excluded.city, region = excluded.region, latitude = excluded.latitude, longitude = excluded.longitude
WHERE (city, region, latitude, longitude) IS NOT
(excluded.city, excluded.region, excluded.latitude, excluded.longitude);
`,
];

/** The statements that bring the table in line with these rows. */
export async function* statementsOf(rows: AsyncIterable<PostalRow> | Iterable<PostalRow>): AsyncGenerator<string> {
  const literals = inPortions(inPortions(tuplesOf(rows), ',', LONGEST_LITERAL_BYTES), ",'\n|| '", LONGEST_BYTES);
  for await (const portion of literals) yield `${BEGINNING}\n|| '${portion}'\n${END}`;
}

async function* tuplesOf(rows: AsyncIterable<PostalRow> | Iterable<PostalRow>): AsyncGenerator<string> {
  for await (const { country, code, city, region, latitude, longitude } of rows) {
    yield JSON.stringify([country, code, city, region, latitude, longitude]).replaceAll("'", "''");
  }
}

async function* inPortions(texts: AsyncIterable<string>, separator: string, longestBytes: number) {
  let portion: string[] = [];
  let bytes = 0;
  for await (const text of texts) {
    const more = Buffer.byteLength(text) + separator.length;
    if (portion.length > 0 && bytes + more > longestBytes) {
      yield portion.join(separator);
      portion = [];
      bytes = 0;
    }
    portion.push(text);
    bytes += more;
  }
  if (portion.length > 0) yield portion.join(separator);
}
