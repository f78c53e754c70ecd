import { Option } from '@commander-js/extra-typings';
import type { Call, Client, Item } from './client.ts';
import type { Context } from './context.ts';
import { WrongUsage } from './failures.ts';
import type { Column } from './table.ts';

/** What a page holds at most. */
export const MOST_PER_PAGE = 1000;

/** A whole number out of what was typed. */
const wholeNumber =
  (least: number, most: number) =>
  (typed: string): number => {
    const number = Number(typed);
    if (/^\d+$/.test(typed) && number >= least && number <= most) return number;
    throw new WrongUsage(`"${typed}" is no whole number from ${least} to ${most}.`);
  };

export const limitOption = new Option('--limit <n>', 'how many at most, 1 to 1000 (100)').argParser(
  wholeNumber(1, MOST_PER_PAGE),
);

export const cursorOption = new Option('--cursor <cursor>', 'go on after the page whose `next` this is');

export const allOption = new Option('--all', 'all pages');

type Paging = { limit?: number | undefined; cursor?: string | undefined; all?: true | undefined };

/** Shows a page of a list, or all of it. */
export const showList = async (
  { client, output }: Context,
  columns: readonly Column[],
  call: Call,
  { limit, cursor, all }: Paging,
): Promise<void> => {
  const paged = { ...call, query: { ...call.query, limit, cursor } };
  const page = all ? { items: await Array.fromAsync(itemsOf(client, paged)), next: null } : await client.list(paged);
  output.list(columns, page);
};

/** Everything of a list, page by page. */
export const itemsOf = async function* (client: Client, call: Call): AsyncGenerator<Item> {
  let query: Record<string, string | number> = { limit: MOST_PER_PAGE, ...withoutUndefined(call.query) };
  for (;;) {
    const { items, next } = await client.list({ ...call, query });
    yield* items;
    if (next === null) return;
    query = { ...query, cursor: next };
  }
};

const withoutUndefined = (query: Call['query'] = {}): Record<string, string | number> =>
  Object.fromEntries(Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
