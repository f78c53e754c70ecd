import { Hono } from 'hono';
import type { AppEnv } from '../../../env.ts';
import { validIfSent } from '../../validate.ts';
import { describe } from '../documented.ts';
import { servicesOf } from '../services.ts';
import { keyRotation, rotatedKey } from './schema.ts';

export const keyRoutes = new Hono<AppEnv>().post(
  '/rotate',
  describe({
    summary: 'Sign with a new key',
    description:
      'The new key is for the `signing_alg` that the tenant is set to now. ' +
      'The key from before stays published until the last token that it signed has expired. With `retire` it leaves ' +
      'at once, and every token that it signed is dead.',
    success: { 201: { description: 'The new key', schema: rotatedKey } },
    refusals: ['tenant_not_found'],
  }),
  validIfSent(keyRotation),
  async (c) => {
    const { keyring } = await servicesOf(c);
    return c.json({ kid: await keyring.rotate({ dropOldKeys: c.req.valid('json').retire }) }, 201);
  },
);
