import * as z from 'zod';
import { isId } from '../../crypto/ids.ts';
import { countryOrNull, emailAddress, text, textOrNull } from '../fields.ts';

const details = z.strictObject({
  name: textOrNull(200).optional(),
  address: textOrNull(500).optional(),
  country: countryOrNull.optional(),
  city: textOrNull(100).optional(),
  zip: textOrNull(20).optional(),
  state: textOrNull(100).optional(),
  phone: textOrNull(40).optional(),
  website: textOrNull(2048).optional(),
});

/** The body of `POST /customer`. */
export const newCustomer = details
  .extend({ company: text(200), email: emailAddress, send_activation: z.boolean().default(false) })
  .meta({ id: 'NewPartnerCustomer' });

/** The body of `PATCH /customer/:cuid`: null clears a member. */
export const customerChanges = details.extend({ company: text(200).optional() }).meta({ id: 'PartnerCustomerChanges' });

const stringOrNull = z.string().nullable();

/** The customer object (contract 1). */
export const customerObject = z
  .strictObject({
    cuid: z.string(),
    company: stringOrNull,
    email: stringOrNull,
    name: stringOrNull,
    address: stringOrNull,
    country: stringOrNull,
    city: stringOrNull,
    zip: stringOrNull,
    state: stringOrNull,
    phone: stringOrNull,
    website: stringOrNull,
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'PartnerCustomer' });

/** A customer's key pair. */
export const credentials = z
  .strictObject({ cuid: z.string(), key: z.string(), token: z.string() })
  .meta({ id: 'PartnerCredentials' });

export const passcodeSent = z.strictObject({ message: z.string() });

/** The query of `GET /customer`. */
export const page = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z
    .string()
    .refine((typed) => isId('cus', typed), 'must be a cursor from a Link header')
    .optional(),
  q: text(254).optional(),
});

export const passcodeQuery = z.object({ passcode: z.string().max(64).optional() });

export const platformQuery = z.object({ platform: z.string().max(100).optional() });

/** `Idempotency-Key`: any visible ASCII. */
export const idempotencyHeader = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 visible ASCII characters')
    .optional(),
});
