import { Option } from '@commander-js/extra-typings';
import type { Call, Item } from './client.ts';
import type { Context } from './context.ts';
import { WrongUsage } from './failures.ts';
import { tryPatiently } from './patience.ts';
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

export const allOption = new Option('--all', 'all pages').conflicts('limit');

type Paging = { limit?: number | undefined; cursor?: string | undefined; all?: true | undefined };

/** Shows a page of a list, or all of it. */
export const showList = async (
  context: Context,
  columns: readonly Column[],
  call: Call,
  { limit, cursor, all }: Paging,
): Promise<void> => {
  const paged = { ...call, query: { ...call.query, limit, cursor } };
  const { client, output } = context;
  if (!all) return output.list(columns, await client.list(paged));
  const items = itemsOf(context, paged);
  if (output.isJson) return output.wholeList(items);
  output.list(columns, { items: await Array.fromAsync(items), next: null });
};

/** Everything of a list, page by page: so many that the limit of calls may be reached on the way, and is waited for. */
export const itemsOf = async function* (
  { client, output, interruption }: Context,
  call: Call,
): AsyncGenerator<Item, void> {
  let query: Record<string, string | number> = { limit: MOST_PER_PAGE, ...withoutUndefined(call.query) };
  let { items, next } = await client.list({ ...call, query });
  yield* items;
  while (next !== null) {
    query = { ...query, cursor: next };
    ({ items, next } = await tryPatiently(() => client.list({ ...call, query }), { say: output.note, interruption }));
    yield* items;
  }
};

const withoutUndefined = (query: Call['query'] = {}): Record<string, string | number> =>
  Object.fromEntries(Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
