import * as z from 'zod';
import { isId } from '../../crypto/ids.ts';
import { name } from './names.ts';

export const limit = z.coerce.number().int().min(1).max(1000).default(100);

/** A cursor that is an id of this kind. */
export const cursorOf = <Kind extends string>(kind: Kind) =>
  z.custom<`${Kind}_${string}`>(
    (typed) => typeof typed === 'string' && isId(kind, typed),
    'must be a cursor from `next`',
  );

/** The query of a list whose cursor is an id of this kind. */
export const listQuery = <Kind extends string>(kind: Kind) => z.object({ limit, cursor: cursorOf(kind).optional() });

/** The query of a list of what goes by names. */
export const nameQuery = z.object({ limit, cursor: name.optional() });

export const listOf = (item: z.ZodType) => z.strictObject({ items: z.array(item), next: z.string().nullable() });

/** A page of a list of which one more than asked for was looked up. */
export const pageOf = <Item extends { id: string }, View>(found: Item[], limit: number, view: (item: Item) => View) => {
  const shown = found.slice(0, limit);
  return { items: shown.map(view), next: found.length > limit ? (shown.at(-1)?.id ?? null) : null };
};

/** A page of things in the order of their names, all of which were looked up: a tenant has few of them. */
export const pageOfNamed = <Item extends { name: string }, View>(
  all: readonly Item[],
  { limit, cursor = '' }: z.output<typeof nameQuery>,
  view: (item: Item) => View,
) => {
  const rest = all.filter((each) => each.name > cursor);
  const shown = rest.slice(0, limit);
  return { items: shown.map(view), next: rest.length > limit ? (shown.at(-1)?.name ?? null) : null };
};
