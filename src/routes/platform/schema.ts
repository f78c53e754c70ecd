import * as z from 'zod';

export const health = z.strictObject({ status: z.literal('ok') });

export const depth = z.object({ deep: z.literal('1').optional() });
