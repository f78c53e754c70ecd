import type * as z from 'zod';
import type { Customer, CustomerChanges, CustomerDetails } from '../../domain/customers.ts';
import type { customerChanges, customerObject, newCustomer } from './schema.ts';

/** A customer as the partner surface tells it. */
export const viewCustomer = (customer: Omit<Customer, 'ownerId' | 'locale'>): z.output<typeof customerObject> => ({
  cuid: customer.id,
  company: customer.company,
  email: customer.email || null,
  name: customer.name,
  address: customer.address,
  country: customer.country,
  city: customer.city,
  zip: customer.postalCode,
  state: customer.region,
  phone: customer.phone,
  website: customer.website,
  created_at: new Date(customer.createdAt).toISOString(),
  updated_at: new Date(customer.updatedAt).toISOString(),
});

/** The members of a `PATCH` in our words; the ones that it does not mention are undefined. */
export const readChanges = ({ zip, state, ...same }: z.output<typeof customerChanges>): CustomerChanges => ({
  ...same,
  postalCode: zip,
  region: state,
});

/** The members of a `POST` in our words; the ones that it does not mention are null. */
export const readDetails = (body: z.output<typeof newCustomer>): CustomerDetails => ({
  company: body.company,
  name: body.name ?? null,
  address: body.address ?? null,
  city: body.city ?? null,
  region: body.state ?? null,
  postalCode: body.zip ?? null,
  country: body.country ?? null,
  phone: body.phone ?? null,
  mobile: null,
  website: body.website ?? null,
});
