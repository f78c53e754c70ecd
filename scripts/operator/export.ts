import { pipeline } from 'node:stream/promises';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { writeWhole } from '../local/whole-file.ts';
import type { OpenContext } from './context.ts';
import { countOf } from './counts.ts';
import { examples } from './examples.ts';
import { brokenOff, failureLine } from './failures.ts';
import { resolveFile } from './input.ts';
import { createProgress } from './progress.ts';

const NEWLINE = 10;

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
      const chunks = client.stream({ path: ['tenants', slug, 'customers', 'export'], query });
      let count = 0;
      const counted = countLines(chunks, (lines) => {
        count += lines;
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

/** Passes chunks on. Refuses with `Unreachable` when the last line is cut off, or says that there would have been more. */
const countLines = async function* (
  chunks: AsyncIterable<Uint8Array>,
  onLines: (count: number) => void,
): AsyncGenerator<Uint8Array> {
  let lastLine: Uint8Array = new Uint8Array();
  for await (const chunk of chunks) {
    let lines = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) lines += 1;
    onLines(lines);
    const known = Buffer.concat([lastLine, chunk]);
    lastLine = known.subarray(known.lastIndexOf(NEWLINE, -2) + 1);
    yield chunk;
  }
  if (lastLine.length > 0) checkLastLine(Buffer.from(lastLine).toString());
};

const checkLastLine = (line: string): void => {
  if (!line.endsWith('\n')) throw brokenOff(null);
  const failure = failureLine.safeParse(parseLine(line));
  if (failure.success) throw brokenOff(failure.data);
};

const parseLine = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    // Whatever it is, its text may hold a secret.
    throw brokenOff(null);
  }
};
