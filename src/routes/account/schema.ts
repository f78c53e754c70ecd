import * as z from 'zod';
import { countryOrNull, emailAddress, text, textOrNull } from '../fields.ts';

/** A password that is tried: whatever it is, but not without end. */
const presentedPassword = z.string().max(1024);

/** A code or identifier that is tried. */
const presented = z.string().max(200);

export const credentials = z.strictObject({ email: emailAddress, password: presentedPassword }).meta({ id: 'Login' });

export const tokenAnswer = z.strictObject({ token: z.string() }).meta({ id: 'Token' });

const stringOrNull = z.string().nullable();

/** `CustomerResponse` (contract 3). */
export const customerResponse = z
  .strictObject({
    address: stringOrNull,
    mobile: stringOrNull,
    phone: stringOrNull,
    name: stringOrNull,
    country: stringOrNull,
    address_town: stringOrNull,
    address_postcode: stringOrNull,
    email: stringOrNull,
    id: z.string(),
    subscriptions: z.array(z.strictObject({ id: z.string(), name: z.string(), subscribed_at: z.iso.datetime() })),
    address_region: stringOrNull,
    pending_email: z.string().optional(),
  })
  .meta({ id: 'CustomerResponse' });

/** The body of `PATCH /customers/self`: null clears a member. */
export const accountChanges = z
  .strictObject({
    name: textOrNull(200).optional(),
    phone: textOrNull(40).optional(),
    mobile: textOrNull(40).optional(),
    address: textOrNull(500).optional(),
    address_town: textOrNull(100).optional(),
    address_postcode: textOrNull(20).optional(),
    address_region: textOrNull(100).optional(),
    country: countryOrNull.optional(),
    subscriptions: z
      .array(text(100))
      .max(200)
      .transform((ids) => [...new Set(ids)])
      .optional(),
    email: emailAddress.optional(),
    password: presentedPassword.optional(),
    current_password: presentedPassword.optional(),
  })
  .superRefine(({ password, current_password }, context) => {
    if (password !== undefined && current_password === undefined) {
      context.addIssue({ code: 'custom', path: ['current_password'], message: 'is needed beside a new password' });
    }
    if (password === undefined && current_password !== undefined) {
      context.addIssue({ code: 'custom', path: ['password'], message: 'is needed beside the current password' });
    }
  })
  .meta({ id: 'AccountChanges' });

/** `If-Match`: any version, or the one of an `ETag`. */
export const ifMatchHeader = z.object({ 'if-match': z.string().max(200).optional() });

export const emailConfirmation = z.strictObject({ identifier: presented, key: presented });

export const resetRequest = z.strictObject({ email: emailAddress, reset_uri: z.string().min(1).max(2048) });

const repeated = { path: ['password_check'], message: 'must be the same as the password' };

export const reset = z
  .strictObject({
    email: emailAddress,
    code: presented,
    password: presentedPassword.optional(),
    password_check: presentedPassword.optional(),
  })
  .refine(({ password, password_check }) => password === password_check, repeated);

export const activation = z
  .strictObject({
    identifier: presented,
    secret: presented,
    password: presentedPassword,
    password_check: presentedPassword,
  })
  .refine(({ password, password_check }) => password === password_check, repeated);

/** What is done, in the seed's word for it. */
export const result = <Word extends string>(...words: [Word, ...Word[]]) => z.strictObject({ result: z.enum(words) });

/** Everything that is held about the customer. */
export const accountExport = z
  .looseObject({ customer: z.looseObject({ id: z.string() }), users: z.array(z.looseObject({ id: z.string() })) })
  .meta({ id: 'AccountExport' });
