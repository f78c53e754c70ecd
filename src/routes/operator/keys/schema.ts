import * as z from 'zod';

/** The body of `POST …/keys/rotate`: whether the keys from before leave at once. */
export const keyRotation = z.strictObject({ retire: z.boolean().default(false) });

export const rotatedKey = z.strictObject({ kid: z.string() });
