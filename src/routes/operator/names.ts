import * as z from 'zod';

export const name = z.string().regex(/^[a-z0-9-]{1,40}$/, 'must be 1 to 40 lower-case letters, digits and hyphens');

/** The path of what a tenant has under names that the operator chose. */
export const nameParameter = z.object({ slug: z.string(), name });
