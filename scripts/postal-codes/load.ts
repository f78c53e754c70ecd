import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Processes } from '../local/processes.ts';
import type { PostalRow } from './row.ts';
import { statementsOf } from './statements.ts';

/** What wrangler holds in memory at once, many times over. */
const LONGEST_FILE_BYTES = 16_000_000;

/** Which database is meant, as wrangler is told. */
export type Target = readonly string[];

/** Brings `postal_codes` in line with these rows, none of them if reading them fails. Gives how many a country has. */
export const loadPostalCodes = async (
  processes: Pick<Processes, 'run'>,
  target: Target,
  rows: AsyncIterable<PostalRow> | Iterable<PostalRow>,
): Promise<Map<string, number>> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-postal-codes-'));
  try {
    const counts = new Map<string, number>();
    for (const file of await writeFiles(folder, counting(rows, counts))) {
      await processes.run('wrangler', ['d1', 'execute', 'DB', ...target, '--yes', '--file', file]);
    }
    return counts;
  } finally {
    await rm(folder, { recursive: true });
  }
};

async function* counting(rows: AsyncIterable<PostalRow> | Iterable<PostalRow>, counts: Map<string, number>) {
  for await (const row of rows) {
    counts.set(row.country, (counts.get(row.country) ?? 0) + 1);
    yield row;
  }
}

const writeFiles = async (folder: string, rows: AsyncIterable<PostalRow>): Promise<string[]> => {
  const files: string[] = [];
  let statements: string[] = [];
  let length = 0;
  const write = async () => {
    const file = path.join(folder, `${files.length + 1}.sql`);
    await writeFile(file, statements.join(''));
    files.push(file);
    statements = [];
    length = 0;
  };
  for await (const statement of statementsOf(rows)) {
    if (length + statement.length > LONGEST_FILE_BYTES) await write();
    statements.push(statement);
    length += statement.length;
  }
  if (statements.length > 0) await write();
  return files;
};
