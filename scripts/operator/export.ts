import { pipeline } from 'node:stream/promises';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import * as z from 'zod';
import { writeWhole } from '../local/whole-file.ts';
import type { Call, Client } from './client.ts';
import type { Context, OpenContext } from './context.ts';
import { countOf } from './counts.ts';
import { examples } from './examples.ts';
import { brokenOff, failureLine } from './failures.ts';
import { resolveFile } from './input.ts';
import { tryPatiently } from './patience.ts';
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
      const context = open();
      const { output, interruption } = context;
      const progress = createProgress();
      const query = { include: includePasswordHashes ? 'password_hashes' : undefined };
      let count = 0;
      const lines = linesOf(
        context,
        { path: ['tenants', slug, 'customers', 'export'], query },
        {
          onLines: (known) => {
            count = known;
            // What is shown on the same terminal needs no telling how far it is.
            if (file !== '-' || !process.stdout.isTTY) progress.show(null, countOf(count, 'customer'));
          },
          say: (text) => {
            progress.clear();
            output.note(text);
          },
        },
      );
      try {
        if (file === '-') await pipeline(lines, process.stdout, { end: false, signal: interruption });
        else await writeWhole(resolveFile(file), lines, { signal: interruption });
      } finally {
        progress.clear();
      }
      output.note(`${countOf(count, 'customer')}${file === '-' ? '' : ` in ${file}`}`);
    });
};

/** The lines of one answer after the other, until one is the last. Refuses with `Unreachable` when one breaks off. */
const linesOf = async function* (
  { client, interruption }: Context,
  call: Call,
  { onLines, say }: { onLines: (count: number) => void; say: (text: string) => void },
): AsyncGenerator<Uint8Array, void> {
  let count = 0;
  let cursor: string | undefined;
  do {
    const asked = { ...call, query: { ...call.query, cursor } };
    const part = await tryPatiently(() => readPart(client, asked, (lines) => onLines(count + lines)), {
      say,
      interruption,
    });
    yield* part.chunks;
    count += part.lines;
    onLines(count);
    cursor = part.next;
  } while (cursor !== undefined);
};

type Part = { chunks: Uint8Array[]; lines: number; next: string | undefined };

/** One answer, whole, so that it can be asked for again when it breaks off. It has 30,000 customers at most. */
const readPart = async (client: Client, call: Call, onLines: (count: number) => void): Promise<Part> => {
  const chunks: Uint8Array[] = [];
  let lines = 0;
  const take = (chunk: Uint8Array): void => {
    chunks.push(chunk);
    lines += countLines(chunk);
    onLines(lines);
  };
  let lastLine: Uint8Array = new Uint8Array();
  for await (const chunk of client.stream(call)) {
    const known = Buffer.concat([lastLine, chunk]);
    const end = known.lastIndexOf(NEWLINE, -2) + 1;
    lastLine = known.subarray(end);
    if (end > 0) take(known.subarray(0, end));
  }
  const next = readRest(Buffer.from(lastLine).toString());
  if (next === undefined) take(lastLine);
  return { chunks, lines, next };
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

const countLines = (chunk: Uint8Array): number => {
  let lines = 0;
  for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
};

const parseLine = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    // Whatever it is, its text may hold a secret.
    throw brokenOff(null);
  }
};
