import { and, asc, eq, not, type SQL, sql } from 'drizzle-orm';
import type { TenantId } from '../crypto/ids.ts';
import { type Database, insertEach, violatedTableOf } from './database.ts';
import { type NewEvent, recordEvent, recordEventIf } from './events.ts';
import { forgetIdentities, type IdentitySource, isSource } from './identity-sources.ts';
import { connectionDomains, connections } from './schema.ts';

/** A company's identity provider, and the domains whose addresses it speaks for. */
export type Connection = Omit<typeof connections.$inferSelect, 'tenantId'> & { domains: string[] };

export type ConnectionOutcome = { kind: 'put'; connection: Connection; isNew: boolean } | { kind: 'domain_taken' };

export const createConnectionStore = (db: Database, tenantId: TenantId) => {
  const ofName = (name: string) => and(eq(connections.tenantId, tenantId), eq(connections.name, name));
  const domainsOf = (name: string) =>
    and(eq(connectionDomains.tenantId, tenantId), eq(connectionDomains.connection, name));

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

    /**
     * Makes the connection or replaces it. Whom another provider ever knew under this name is known no more; the pair
     * of keys that it signs with stays the one that it has.
     */
    put: async (
      { name, domains, ...profile }: Omit<Connection, 'createdAt' | 'updatedAt'>,
      event: NewEvent,
    ): Promise<ConnectionOutcome> => {
      const { at } = event;
      const wanted = sql`${JSON.stringify(profile.settings)}`;
      const source: IdentitySource = { kind: 'connection', name, settings: profile.settings };
      const rows = domains.map((domain) => ({ domain, connection: name }));
      let outcome: ConnectionOutcome = { kind: 'domain_taken' };
      await violatedTableOf(async () => {
        const [, inserted, [stored]] = await db.batch([
          forgetIdentities(db, tenantId, source, not(isSource(tenantId, source))),
          db
            .insert(connections)
            .values({ tenantId, name, ...profile, createdAt: at, updatedAt: at })
            .onConflictDoNothing()
            .returning({ name: connections.name }),
          db
            .update(connections)
            .set({ ...profile, settings: withKeptPair(wanted), updatedAt: at })
            .where(ofName(name))
            .returning({ settings: connections.settings, createdAt: connections.createdAt }),
          db.delete(connectionDomains).where(domainsOf(name)),
          insertEach(db, connectionDomains, tenantId, rows, sql`true`),
          recordEvent(db, tenantId, event),
        ]);
        const connection = { name, domains, ...profile, createdAt: at, ...stored, updatedAt: at };
        outcome = { kind: 'put', connection, isNew: inserted.length > 0 };
      });
      return outcome;
    },

    /** False if there is none. */
    remove: async (name: string, event: NewEvent): Promise<boolean> => {
      const [, , , removed] = await db.batch([
        recordEventIf(db, tenantId, event, sql`exists (select 1 from ${connections} where ${ofName(name)})`),
        forgetIdentities(db, tenantId, { kind: 'connection', name }),
        db.delete(connectionDomains).where(domainsOf(name)),
        db.delete(connections).where(ofName(name)).returning({ name: connections.name }),
      ]);
      return removed.length > 0;
    },
  };
};

export type ConnectionStore = ReturnType<typeof createConnectionStore>;

/** The settings, where they sign, with the pair of keys that is stored: somebody may have been told of it just now. */
const withKeptPair = (settings: SQL): SQL => {
  const kept = sql`${connections.settings} -> '$.signing'`;
  return sql`case when ${settings} ->> '$.signing' is not null and ${connections.settings} ->> '$.signing' is not null
    then json_set(${settings}, '$.signing', json(${kept})) else ${settings} end`;
};
