import { and, asc, eq } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import { type Database, violatedTableOf } from './database.ts';
import { type NewEvent, recordEvent } from './events.ts';
import { connectionDomains, connections, identities } from './schema.ts';

/** A company's identity provider, and the domains whose addresses it speaks for. */
export type Connection = Omit<typeof connections.$inferSelect, 'tenantId'> & { domains: string[] };

export const createConnectionStore = (db: Database, tenantId: TenantId) => {
  const ofName = (name: string) => and(eq(connections.tenantId, tenantId), eq(connections.name, name));
  const domainsOf = (name: string) =>
    and(eq(connectionDomains.tenantId, tenantId), eq(connectionDomains.connection, name));

  /** The statement that forgets whom the provider knows: another one under the same name may mean others by them. */
  const forgetIdentities = (name: string) =>
    db.delete(identities).where(and(eq(identities.tenantId, tenantId), eq(identities.provider, `connection:${name}`)));

  return {
    /** By name. */
    list: async (): Promise<Connection[]> => {
      const [found, domains] = await db.batch([
        db.select().from(connections).where(eq(connections.tenantId, tenantId)).orderBy(asc(connections.name)),
        db
          .select()
          .from(connectionDomains)
          .where(eq(connectionDomains.tenantId, tenantId))
          .orderBy(asc(connectionDomains.domain)),
      ]);
      return found.map(({ tenantId: _, ...connection }) => ({
        ...connection,
        domains: domains.filter((each) => each.connection === connection.name).map(({ domain }) => domain),
      }));
    },

    /** Makes the connection or replaces it. `isOtherProvider`: nobody whom the one before knew is known any more. */
    put: async (
      { domains, ...connection }: Connection,
      isOtherProvider: boolean,
      event: NewEvent,
    ): Promise<'put' | 'domain_taken'> => {
      const { settings, allowsSignup, updatedAt } = connection;
      const violated = await violatedTableOf(() =>
        db.batch([
          db
            .insert(connections)
            .values({ tenantId, ...connection })
            .onConflictDoUpdate({
              target: [connections.tenantId, connections.name],
              set: { settings, allowsSignup, updatedAt },
            }),
          db.delete(connectionDomains).where(domainsOf(connection.name)),
          db
            .insert(connectionDomains)
            .values(domains.map((domain) => ({ tenantId, domain, connection: connection.name }))),
          ...(isOtherProvider ? [forgetIdentities(connection.name)] : []),
          recordEvent(db, tenantId, event),
        ]),
      );
      return violated === null ? 'put' : 'domain_taken';
    },

    remove: async (name: string, event: NewEvent): Promise<void> => {
      await db.batch([
        forgetIdentities(name),
        db.delete(connectionDomains).where(domainsOf(name)),
        db.delete(connections).where(ofName(name)),
        recordEvent(db, tenantId, event),
      ]);
    },
  };
};

export type ConnectionStore = ReturnType<typeof createConnectionStore>;
