import * as z from 'zod';
import { text, webUrl } from '../../fields.ts';

const permissions = z
  .array(z.enum(['passcode', 'nopasscode', 'sso', 'all_customers']))
  .transform((each) => [...new Set(each)]);

const platforms = z
  .array(z.strictObject({ name: text(100), url: webUrl }))
  .max(50)
  .refine((each) => new Set(each.map(({ name }) => name)).size === each.length, 'must have names that differ');

/** The body of `POST …/apps`. */
export const newApp = z
  .strictObject({
    name: text(100),
    permissions: permissions.default([]),
    platforms: platforms.default([]),
    query_credentials: z.boolean().default(true),
  })
  .meta({ id: 'NewApp' });

/** The body of `PATCH …/apps/:id`: what is left out stays. */
export const appChanges = z
  .strictObject({
    name: text(100).optional(),
    permissions: permissions.optional(),
    platforms: platforms.optional(),
    query_credentials: z.boolean().optional(),
  })
  .meta({ id: 'AppChanges' });

export const appObject = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    superkey: z.string(),
    permissions: z.array(z.string()),
    platforms: z.array(z.strictObject({ name: z.string(), url: z.string() })),
    query_credentials: z.boolean(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'App' });

export const superCredentials = z
  .strictObject({ id: z.string(), superkey: z.string(), supertoken: z.string() })
  .meta({ id: 'SuperCredentials' });

const DAY = 24 * 3600;

/** The body of `POST …/rotate`: for how many seconds the pairs from before stay valid. */
export const rotation = z.strictObject({
  overlap: z
    .int()
    .min(0)
    .max(30 * DAY)
    .default(0),
});
