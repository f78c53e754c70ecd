import { sql } from 'drizzle-orm';
import { StorageError } from './database.ts';
import { customers } from './schema.ts';

/**
 * What a customer's version becomes. One that is not the version given, null for any, becomes null, which the column
 * refuses: so the batch fails as a whole, see `isStale`.
 */
export const nextVersion = (version: number | null) =>
  version === null
    ? sql`${customers.version} + 1`
    : sql`case when ${customers.version} = ${version} then ${version + 1} end`;

/** Whether a batch failed because the customer has another version. */
export const isStale = (error: unknown): boolean =>
  new StorageError(error).message.includes('NOT NULL constraint failed: customers.version');
