import { once } from 'node:events';
import { styleText } from 'node:util';
import { cellOf, entriesOf, safeJson, safeText } from './cells.ts';
import type { Item, Page } from './client.ts';
import type { Problem } from './failures.ts';
import { type Column, layPairs, layTable } from './table.ts';

/** Where answers go: standard output has what was asked for, standard error what is said about it. */
export interface Output {
  readonly isJson: boolean;
  list(columns: readonly Column[], page: Page): void;
  /** A list with all of its items, as JSON, as they come. */
  wholeList(items: AsyncIterable<Item>): Promise<void>;
  record(item: Item): void;
  /** A line of what was asked for. */
  line(text: string): void;
  /** A JSON document on one line. */
  ndjson(value: unknown): void;
  /** Said to people alone. */
  note(text: string): void;
  problem(problem: Problem): void;
  fault(message: string): void;
}

export const createOutput = (isJson: boolean): Output => {
  const { stdout, stderr } = process;
  const line = (text: string): void => void stdout.write(`${text}\n`);
  const tell = (text: string): void => void stderr.write(`${text}\n`);
  const note = (text: string): void => {
    if (!isJson) tell(styleText('dim', safeText(text), { stream: stderr }));
  };

  const showTable = (columns: readonly Column[], items: readonly Item[]): void => {
    const { head, rows, hidden } = layTable(columns, items, terminalWidth());
    line(styleText('bold', head, { stream: stdout }));
    for (const row of rows) line(row);
    if (hidden.length > 0) note(`Left out for want of room, but in --json: ${hidden.join(', ')}`);
  };

  return {
    isJson,
    line,
    note,
    list: (columns, page) => {
      if (isJson) return line(safeJson(page, 2));
      if (page.items.length === 0) note('There are none.');
      else showTable(columns, page.items);
      if (page.next !== null) note(`There are more: --all, or --cursor ${page.next}`);
    },
    wholeList: async (items) => {
      let before = '{\n  "items": [';
      for await (const item of items) {
        const isTaken = stdout.write(`${before}\n    ${safeJson(item, 2).replaceAll('\n', '\n    ')}`);
        if (!isTaken) await once(stdout, 'drain');
        before = ',';
      }
      line(before === ',' ? '\n  ],\n  "next": null\n}' : `${before}],\n  "next": null\n}`);
    },
    record: (item) => {
      if (isJson) return line(safeJson(item, 2));
      const pairs = entriesOf(item).map(([name, value]): [string, string[]] => [safeText(name), valuesOf(value)]);
      for (const [name, lines] of layPairs(pairs, terminalWidth())) {
        const indent = ' '.repeat(name.length);
        for (const [i, text] of lines.entries()) {
          line(i === 0 ? styleText('bold', name, { stream: stdout }) + text : indent + text);
        }
      }
    },
    ndjson: (value) => line(safeJson(value)),
    problem: (problem) => {
      if (isJson) return tell(safeJson(problem, 2));
      const { code, message, status, errors = [] } = problem;
      tell(`${styleText('red', safeText(code), { stream: stderr })} (${status}): ${safeText(message)}`);
      for (const fault of errors) tell(`  ${safeText(fault.path)}: ${safeText(fault.message)}`);
    },
    fault: (message) => tell(styleText('red', safeText(message), { stream: stderr })),
  };
};

const terminalWidth = (): number => (process.stdout.isTTY ? process.stdout.columns || 80 : Number.POSITIVE_INFINITY);

const valuesOf = (value: unknown): string[] => {
  if (!Array.isArray(value)) return [cellOf(value) || '–'];
  return value.length === 0 ? ['–'] : value.map(cellOf);
};
