import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import type { Database } from './database.ts';
import { type ConnectionSettings, connections, identities, type ProviderSettings, providers } from './schema.ts';

/*
 * An identity is known by the name of whoever asserts it. Names can be given to others: so an identity is read and written
 * only while the name stands for the source that was asked, which an isolate may remember for longer than it is there.
 */

/** Whoever says who somebody is, with the settings by which it was asked. */
export type IdentitySource = { name: string } & (
  | { kind: 'provider'; settings: ProviderSettings }
  | { kind: 'connection'; settings: ConnectionSettings }
);

const TABLES = { provider: providers, connection: connections };

/** What the source's identities have for their provider. */
export const keyOfSource = ({ kind, name }: Pick<IdentitySource, 'kind' | 'name'>): string => `${kind}:${name}`;

/** Whether the name stands for this source now. */
export const isSource = (tenantId: TenantId, { kind, name, settings }: IdentitySource): SQL => {
  const table = TABLES[kind];
  return sql`exists (select 1 from ${table}, (select ${JSON.stringify(settings)} as asked)
    where ${table.tenantId} = ${tenantId} and ${table.name} = ${name}
      and ${whoseSubjects(sql`${table.settings}`)} = ${whoseSubjects(sql`asked`)})`;
};

/** The statement that forgets whom a name stands for, where the condition holds. */
export const forgetIdentities = (
  db: Database,
  tenantId: TenantId,
  source: Pick<IdentitySource, 'kind' | 'name'>,
  condition?: SQL,
) =>
  db
    .delete(identities)
    .where(and(eq(identities.tenantId, tenantId), eq(identities.provider, keyOfSource(source)), condition));

/** What makes subjects somebody's own: for a source with another of these, the same subject is somebody else. */
const whoseSubjects = (settings: SQL): SQL =>
  sql`json_array(${settings} ->> '$.type', ${settings} ->> '$.issuer', ${settings} ->> '$.entityId',
    ${settings} ->> '$.appId', ${settings} ->> '$.url', ${settings} ->> '$.claims.subject')`;
