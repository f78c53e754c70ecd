import * as z from 'zod';
import { emailAddress, text } from '../../fields.ts';
import { listQuery } from '../lists.ts';

const status = z.enum(['active', 'disabled']);

/** The query of `GET …/customers`. */
export const customerQuery = listQuery('cus').extend({
  q: text(254).optional(),
  email: emailAddress.optional(),
  status: status.optional(),
});

/** The body of `PATCH …/customers/:cuid`. */
export const customerState = z.strictObject({ status: status.optional(), api_access: z.boolean().optional() });

const stringOrNull = z.string().nullable();

/** A customer as the operator sees it. */
export const customerObject = z
  .strictObject({
    id: z.string(),
    status,
    api_access: z.boolean(),
    app: stringOrNull,
    company: stringOrNull,
    email: stringOrNull,
    name: stringOrNull,
    address: stringOrNull,
    city: stringOrNull,
    region: stringOrNull,
    postal_code: stringOrNull,
    country: stringOrNull,
    phone: stringOrNull,
    mobile: stringOrNull,
    website: stringOrNull,
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'OperatorCustomer' });
