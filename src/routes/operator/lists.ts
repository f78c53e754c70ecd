import * as z from 'zod';
import { isId } from '../../crypto/ids.ts';

export const limit = z.coerce.number().int().min(1).max(1000).default(100);

/** The query of a list whose cursor is an id of this kind. */
export const listQuery = <Kind extends string>(kind: Kind) =>
  z.object({
    limit,
    cursor: z
      .custom<`${Kind}_${string}`>(
        (typed) => typeof typed === 'string' && isId(kind, typed),
        'must be a cursor from `next`',
      )
      .optional(),
  });

export const listOf = (item: z.ZodType) => z.strictObject({ items: z.array(item), next: z.string().nullable() });

/** A page of a list of which one more than asked for was looked up. */
export const pageOf = <Item extends { id: string }, View>(found: Item[], limit: number, view: (item: Item) => View) => {
  const shown = found.slice(0, limit);
  return { items: shown.map(view), next: found.length > limit ? (shown.at(-1)?.id ?? null) : null };
};
