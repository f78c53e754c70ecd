import { once } from 'node:events';
import http from 'node:http';
import readline from 'node:readline';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { operatorHeaders } from './service.ts';

export type Summary = { lines: number; created: number; existing: number; refused: number };

/** How an import ended. */
export const summaryIn = (lines: readonly ImportAnswer[]): Summary => {
  const summary = lines.at(-1)?.summary;
  if (!summary) throw new Error(`It did not end: ${JSON.stringify(lines.at(-1))}`);
  return summary;
};

// A connection that was kept may be the one that the service is closing, and no import is sent twice.
const ONE_CALL = false;

type ImportAnswer = { summary?: Summary };

/** Lines of an import, some at once: every line by itself would cost more than what becomes of it. */
export const chunksOf = function* (
  first: number,
  count: number,
  lineOf: (index: number) => unknown,
): Generator<string, void> {
  const AT_ONCE = 200;
  for (let start = first; start < first + count; start += AT_ONCE) {
    const indexes = Array.from({ length: Math.min(AT_ONCE, first + count - start) }, (_, i) => start + i);
    yield indexes.map((index) => `${JSON.stringify(lineOf(index))}\n`).join('');
  }
};

/** Imports a stream into a tenant of the service at a port, and gives the lines of the answer. */
export const sendImport = async (port: number, slug: string, chunks: Iterable<string>): Promise<ImportAnswer[]> => {
  const request = http.request({
    ...{ host: '127.0.0.1', port, method: 'POST', path: `/operator/v1/tenants/${slug}/customers/import` },
    headers: { ...operatorHeaders(), Host: `localhost:${port}`, 'Content-Type': 'application/x-ndjson' },
    agent: ONE_CALL,
  });
  const answer = new Promise<http.IncomingMessage>((resolve, reject) => {
    // Of an import that ends early the rest cannot be sent: what counts is the answer.
    request.once('response', resolve).on('error', reject);
  });
  Readable.from(chunks).pipe(request);
  const lines = (await text(await answer)).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line));
};

type ExportedLine = { email: string; password_hash?: string | null; next?: string };

/** Exports a tenant, customer by customer, by as many calls as it takes. */
export const readExport = async function* (
  port: number,
  slug: string,
  query: Record<string, string> = {},
): AsyncGenerator<ExportedLine, void> {
  let cursor: string | undefined;
  do {
    const wanted = new URLSearchParams({ ...query, ...(cursor !== undefined && { cursor }) });
    const request = http.get({
      ...{ host: '127.0.0.1', port, path: `/operator/v1/tenants/${slug}/customers/export?${wanted}` },
      headers: { ...operatorHeaders(), Host: `localhost:${port}` },
      agent: ONE_CALL,
    });
    const [input]: http.IncomingMessage[] = await once(request, 'response');
    if (input?.statusCode !== 200) throw new Error(`It answered ${input?.statusCode}: ${input && (await text(input))}`);
    cursor = undefined;
    for await (const text of readline.createInterface({ input })) {
      const line: ExportedLine = JSON.parse(text);
      if (line.next === undefined) yield line;
      cursor = line.next;
    }
  } while (cursor !== undefined);
};
