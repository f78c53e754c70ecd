import { pipeline } from 'node:stream/promises';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import * as z from 'zod';
import { writeWhole } from '../local/whole-file.ts';
import type { Call, Client } from './client.ts';
import type { OpenContext } from './context.ts';
import { countOf } from './counts.ts';
import { examples } from './examples.ts';
import { brokenOff, failureLine } from './failures.ts';
import { resolveFile } from './input.ts';
import { createProgress } from './progress.ts';

const NEWLINE = 10;

/** The last line of an answer that is not the last one. */
const restLine = z.strictObject({ next: z.string() });

export const addExportCommand = (program: CommandUnknownOpts, open: OpenContext): void => {
  program
    .command('export')
    .description('write the customers of a tenant, one as JSON a line, as `import` takes them')
    .argument('<slug>', 'of the tenant')
    .argument('[file]', 'readable for you alone, and there only when complete; standard output without it', '-')
    .option('--include-password-hashes', 'and the hashes of their passwords')
    .addHelpText(
      'after',
      examples('export acme customers.ndjson', 'export acme --include-password-hashes | gpg -e > acme.gpg'),
    )
    .action(async (slug, file, { includePasswordHashes = false }) => {
      const { client, output, interruption } = open();
      const progress = createProgress();
      const query = { include: includePasswordHashes ? 'password_hashes' : undefined };
      const lines = linesOf(client, { path: ['tenants', slug, 'customers', 'export'], query });
      let count = 0;
      const counted = countLines(lines, (more) => {
        count += more;
        // What is shown on the same terminal needs no telling how far it is.
        if (file !== '-' || !process.stdout.isTTY) progress.show(null, countOf(count, 'customer'));
      });
      try {
        if (file === '-') await pipeline(counted, process.stdout, { end: false, signal: interruption });
        else await writeWhole(resolveFile(file), counted, { signal: interruption });
      } finally {
        progress.clear();
      }
      output.note(`${countOf(count, 'customer')}${file === '-' ? '' : ` in ${file}`}`);
    });
};

/** The lines of one answer after the other, until one is the last. Refuses with `Unreachable` when one breaks off. */
const linesOf = async function* (client: Client, call: Call): AsyncGenerator<Uint8Array> {
  let cursor: string | undefined;
  do {
    let lastLine: Uint8Array = new Uint8Array();
    for await (const chunk of client.stream({ ...call, query: { ...call.query, cursor } })) {
      const known = Buffer.concat([lastLine, chunk]);
      const end = known.lastIndexOf(NEWLINE, -2) + 1;
      lastLine = known.subarray(end);
      if (end > 0) yield known.subarray(0, end);
    }
    cursor = readRest(Buffer.from(lastLine).toString());
    if (cursor === undefined) yield lastLine;
  } while (cursor !== undefined);
};

/** Where to go on, when the last line of an answer says so. */
const readRest = (line: string): string | undefined => {
  if (line === '') return undefined;
  if (!line.endsWith('\n')) throw brokenOff(null);
  const value = parseLine(line);
  const failure = failureLine.safeParse(value);
  if (failure.success) throw brokenOff(failure.data);
  return restLine.safeParse(value).data?.next;
};

/** Passes chunks on. */
const countLines = async function* (
  chunks: AsyncIterable<Uint8Array>,
  onLines: (count: number) => void,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    let lines = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) lines += 1;
    onLines(lines);
    yield chunk;
  }
};

const parseLine = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    // Whatever it is, its text may hold a secret.
    throw brokenOff(null);
  }
};
