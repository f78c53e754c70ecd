import * as z from 'zod';

const time = z.iso.datetime();
const stringOrNull = z.string().nullable();

/** A user as the operator sees it: of a password at most that there is one. */
export const userObject = z
  .strictObject({
    id: z.string(),
    email: stringOrNull,
    owner: z.boolean(),
    given_name: stringOrNull,
    family_name: stringOrNull,
    locale: stringOrNull,
    phone: stringOrNull,
    phone_verified: z.boolean(),
    activated_at: time.nullable(),
    has_password: z.boolean(),
    pending_email: stringOrNull,
    identities: z.array(z.strictObject({ provider: z.string(), subject: z.string(), created_at: time })),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'OperatorUser' });

/** A session as the operator sees it. */
export const sessionObject = z
  .strictObject({
    id: z.string(),
    user: z.string(),
    provider: z.string(),
    amr: z.array(z.string()),
    created_at: time,
    last_used_at: time,
    expires_at: time,
    ip: stringOrNull,
    user_agent: stringOrNull,
    place: stringOrNull,
  })
  .meta({ id: 'OperatorSession' });
