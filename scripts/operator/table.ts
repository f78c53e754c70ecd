import cliTruncate from 'cli-truncate';
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';
import { cellOf } from './cells.ts';
import type { Item } from './client.ts';

/** A column of a table. `shrinksTo` is how narrow it may be cut; without it, it is whole or not there at all. */
export type Column = { title: string; of: (item: Item) => unknown; shrinksTo?: number };

/** A column of what a member says; the title is its name. */
export const column = (member: string, title = member.replaceAll('_', ' ')): Column => ({
  title,
  of: (item) => item[member],
});

/** A column of what people wrote: it is cut where the terminal is narrow. */
export const textColumn = (member: string, title?: string): Column => ({ ...column(member, title), shrinksTo: 12 });

export type Table = { head: string; rows: string[]; hidden: string[] };

const GAP = 2;

const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - stringWidth(text)));

const widthOf = (widths: readonly number[]): number => widths.reduce((sum, width) => sum + width + GAP, -GAP);

/** Lays a table out for a terminal of this width: what is flexible is cut first, then columns are left out from the right. */
export const layTable = (columns: readonly Column[], items: readonly Item[], terminalWidth: number): Table => {
  const cells = items.map((item) => columns.map((each) => cellOf(each.of(item))));
  const filled = columns.map((_, i) => i).filter((i) => i === 0 || cells.some((row) => row[i] !== ''));
  const natural = columns.map(({ title }, i) =>
    cells.reduce((widest, row) => Math.max(widest, stringWidth(row[i] ?? '')), stringWidth(title)),
  );
  const narrowest = (i: number): number => Math.min(natural[i] ?? 0, columns[i]?.shrinksTo ?? Number.POSITIVE_INFINITY);

  const shown = [...filled];
  while (shown.length > 1 && widthOf(shown.map(narrowest)) > terminalWidth) shown.pop();
  const widths = shown.map((i) => natural[i] ?? 0);
  while (widthOf(widths) > terminalWidth) {
    const spare = widths.map((width, k) => (width > narrowest(shown[k] ?? 0) ? width : 0));
    const widest = spare.indexOf(Math.max(...spare));
    if (spare[widest] === 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }

  const layRow = (row: readonly string[]): string =>
    shown
      .map((i, k) => pad(cliTruncate(row[i] ?? '', widths[k] ?? 0), widths[k] ?? 0))
      .join(' '.repeat(GAP))
      .trimEnd();
  const titles = columns.map(({ title }) => title);
  return {
    head: layRow(titles),
    rows: cells.map(layRow),
    hidden: filled.filter((i) => !shown.includes(i)).map((i) => titles[i] ?? ''),
  };
};

/** Lays names and values out, the values in a column of their own. */
export const layPairs = (pairs: readonly [name: string, values: readonly string[]][], terminalWidth: number) => {
  const indent = Math.max(0, ...pairs.map(([name]) => stringWidth(name))) + GAP;
  const room = Math.max(20, terminalWidth - indent);
  return pairs.map(([name, values]): [name: string, lines: string[]] => [
    pad(name, indent),
    values.flatMap((value) => (Number.isFinite(room) ? wrapAnsi(value, room, { hard: true }).split('\n') : value)),
  ]);
};
