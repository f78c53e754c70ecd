import type * as z from 'zod';
import type { CustomerRow } from '../../../domain/customers.ts';
import type { customerObject } from './schema.ts';

export const viewCustomer = (customer: CustomerRow): z.output<typeof customerObject> => ({
  id: customer.id,
  status: customer.status,
  api_access: customer.hasApiAccess,
  app: customer.createdByApp,
  company: customer.company,
  email: customer.email || null,
  name: customer.name,
  address: customer.address,
  city: customer.city,
  region: customer.region,
  postal_code: customer.postalCode,
  country: customer.country,
  phone: customer.phone,
  mobile: customer.mobile,
  website: customer.website,
  created_at: new Date(customer.createdAt).toISOString(),
  updated_at: new Date(customer.updatedAt).toISOString(),
});
