import * as z from 'zod';
import { text } from '../../fields.ts';
import { limit } from '../lists.ts';

export const subscriptionBody = z.strictObject({ name: text(100) });

const subscriptionId = z
  .string()
  .regex(/^[\w.-]{1,100}$/, 'must be 1 to 100 letters, digits, dots, hyphens and underscores');

export const subscriptionParameter = z.object({ slug: z.string(), id: subscriptionId });

export const subscriptionQuery = z.object({ limit, cursor: subscriptionId.optional() });

export const subscriptionObject = z.strictObject({ id: z.string(), name: z.string() }).meta({ id: 'Subscription' });
