import { addAbortSignal } from 'node:stream';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import * as z from 'zod';
import { safeText } from './cells.ts';
import type { Client } from './client.ts';
import type { Context, OpenContext } from './context.ts';
import { countOf, numberOf } from './counts.ts';
import { COMMAND, examples } from './examples.ts';
import { brokenOff, EXIT, failureLine } from './failures.ts';
import { type Input, openInput } from './input.ts';
import { type Part, partsOf } from './parts.ts';
import { tryPatiently } from './patience.ts';
import { createProgress } from './progress.ts';

/** What a connection that breaks costs at most. */
const LARGEST_PART = { lines: 5000, bytes: 4 * 1024 * 1024 };

const refusedLine = z.object({
  line: z.number(),
  errors: z.array(z.object({ path: z.string(), code: z.string(), message: z.string() })),
});

const summary = z.object({
  summary: z.object({ lines: z.number(), created: z.number(), existing: z.number(), refused: z.number() }),
});

const answerLine = z.union([refusedLine, summary, failureLine]);

type RefusedLine = z.infer<typeof refusedLine>;

type Counts = z.infer<typeof summary>['summary'];

export const addImportCommand = (program: CommandUnknownOpts, open: OpenContext): void => {
  program
    .command('import')
    .description('create customers out of a file with one as JSON a line; who is there already stays as is')
    .argument('<slug>', 'of the tenant')
    .argument('<file>', '- for standard input')
    .addHelpText(
      'after',
      `${examples('import acme customers.ndjson', `echo '{"email": "ada@example.com", "company": "Acme"}' | ${COMMAND} import acme -`)}

Lines that are refused are told by their number, and the others are taken: it
ends with 4 then. Running the same command again changes nothing twice, and so
goes on where something broke off. What a line can say is told by /docs of the
service.`,
    )
    .action(async (slug, file) => {
      const context = open();
      await importCustomers(context, slug, await openInput(file));
    });
};

const importCustomers = async (context: Context, slug: string, { bytes, stream }: Input): Promise<void> => {
  const { output } = context;
  const progress = createProgress();
  const counts: Counts = { lines: 0, created: 0, existing: 0, refused: 0 };
  let sentBytes = 0;
  let isRepeated = false;
  const showProgress = (): void => progress.show(bytes === null ? null : sentBytes / bytes, textOf(counts));
  const say = (text: string): void => {
    progress.clear();
    output.note(text);
  };

  try {
    for await (const part of partsOf(addAbortSignal(context.interruption, stream), LARGEST_PART)) {
      showProgress();
      // What an attempt took before it broke off is there already at the next.
      const answer = await tryPatiently(() => sendPart(context.client, slug, part), {
        interruption: context.interruption,
        say: (text) => {
          isRepeated = true;
          say(text);
        },
      });
      if (answer.refused.length > 0) progress.clear();
      for (const { line, errors } of answer.refused) {
        tellRefused(context, { line: line + part.firstLine - 1, errors });
      }
      counts.lines += part.lines;
      for (const name of ['created', 'existing', 'refused'] as const) counts[name] += answer.counts[name];
      sentBytes += part.body.length;
      showProgress();
    }
  } catch (error) {
    say(`Up to line ${numberOf(counts.lines)} all is done: ${textOf(counts)}. To go on, run the same command again.`);
    throw error;
  } finally {
    progress.clear();
    stream.destroy();
  }
  if (output.isJson) output.ndjson({ summary: counts });
  else output.line(`${countOf(counts.lines, 'line')}: ${textOf(counts)}`);
  if (isRepeated) output.note('Some of the existing may come from an attempt whose answer broke off.');
  if (counts.refused > 0) process.exitCode = EXIT.refusedLines;
};

const textOf = ({ created, existing, refused }: Counts): string =>
  `${numberOf(created)} created, ${numberOf(existing)} existing, ${numberOf(refused)} refused`;

const tellRefused = ({ output }: Context, refused: RefusedLine): void => {
  const faults = refused.errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  if (output.isJson) output.ndjson(refused);
  else output.line(`line ${refused.line}: ${safeText(faults.join('; '))}`);
};

type Answer = { refused: RefusedLine[]; counts: Counts };

const sendPart = async (client: Client, slug: string, { body }: Part): Promise<Answer> => {
  const refused: RefusedLine[] = [];
  let counts: Counts | null = null;
  const path = ['tenants', slug, 'customers', 'import'];
  for await (const line of textLinesOf(client.stream({ method: 'POST', path, ndjson: body }))) {
    const told = parseAnswerLine(line);
    if ('error' in told) throw brokenOff(told);
    if ('summary' in told) counts = told.summary;
    else refused.push(told);
  }
  if (counts === null) throw brokenOff(null);
  return { refused, counts };
};

const parseAnswerLine = (line: string): z.infer<typeof answerLine> => {
  try {
    return answerLine.parse(JSON.parse(line));
  } catch {
    throw brokenOff(null);
  }
};

const textLinesOf = async function* (chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
};
