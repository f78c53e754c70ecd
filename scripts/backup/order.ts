import { createReadStream } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import path from 'node:path';

/** As many statements are written at once. */
const BATCH = 1000;

/**
 * The INSERTs of an export, so that every row comes behind those that it refers to. Wrangler sorts them by the age of the
 * tables, and D1 takes a file in parts, between which its foreign keys must hold. What is read is kept in `folder`
 * meanwhile, a file for each table.
 */
export async function* orderInserts(
  exported: string,
  tables: readonly string[],
  folder: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const pending = new Map(tables.map((table) => [table, [] as string[]]));
  const write = async (table: string, statements: string[]): Promise<void> =>
    appendFile(path.join(folder, table), statements.splice(0).join(''));
  for await (const statement of statementsOf(exported, signal)) {
    const [, table = ''] = /^INSERT INTO "(\w+)"/.exec(statement) ?? [];
    const statements = pending.get(table);
    if (!statements) continue;
    if (statements.push(statement) >= BATCH) await write(table, statements);
  }
  for (const [table, statements] of pending) {
    await write(table, statements);
    yield* createReadStream(path.join(folder, table));
  }
}

/** A statement ends at a semicolon at the end of a line, if that is in no text: there, every quote has its second. */
async function* statementsOf(file: string, signal: AbortSignal | undefined): AsyncGenerator<string> {
  let statement = '';
  let isInText = false;
  for await (const line of linesOf(file, signal)) {
    statement += line;
    if ((line.split("'").length - 1) % 2 === 1) isInText = !isInText;
    if (isInText || !line.endsWith(';\n')) continue;
    yield statement;
    statement = '';
  }
}

// Not by readline, which ends lines at characters that a text may have, and drops them.
async function* linesOf(file: string, signal: AbortSignal | undefined): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(file, { encoding: 'utf8', signal })) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield `${line}\n`;
  }
  if (rest !== '') yield `${rest}\n`;
}
