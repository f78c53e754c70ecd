import * as z from 'zod';

export const health = z.strictObject({ status: z.literal('ok') });

export const depth = z.object({ deep: z.literal('1').optional() });

export const jwks = z
  .strictObject({
    keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.literal('sig') })),
  })
  .meta({ id: 'JwkSet' });
