import * as z from 'zod';
import { type Cloudflare, CloudflareError } from './cloudflare.ts';
import type { Environment } from './environment.ts';

const database = z.object({
  uuid: z.string(),
  name: z.string(),
  jurisdiction: z.string().nullish(),
  read_replication: z.object({ mode: z.string() }).nullish(),
});
const namespace = z.object({ id: z.string(), title: z.string() });
const queue = z.object({ queue_name: z.string() });
const hostOfWorker = z.object({ hostname: z.string(), service: z.string() });
const rows = z.array(z.object({ results: z.array(z.record(z.string(), z.unknown())).default([]) }));

export type Database = z.infer<typeof database>;

const NAMESPACES_A_PAGE = 100;

/** What the service needs of an account, by name. */
export interface Account {
  id: string;
  findDatabase(name: string): Promise<Database | null>;
  createDatabase(name: string, place: Pick<Environment, 'jurisdiction' | 'location'>): Promise<Database>;
  setReadReplication(databaseId: string, mode: string): Promise<void>;
  /** The rows that a statement of ours reads. */
  query(databaseId: string, sql: string): Promise<Record<string, unknown>[]>;
  /** What Time Travel could bring back of the database as it is now. */
  bookmarkOf(databaseId: string): Promise<string>;
  /** The id of a KV namespace. */
  findNamespace(title: string): Promise<string | null>;
  createNamespace(title: string): Promise<string>;
  findQueue(name: string): Promise<string | null>;
  createQueue(name: string): Promise<string>;
  /** The Worker that a host is sent to already. */
  findWorkerOf(host: string): Promise<string | null>;
  /** The names of a Worker's secrets; null: there is no such Worker yet. */
  findSecretNames(worker: string): Promise<string[] | null>;
}

export const createAccount = ({ ask }: Cloudflare, id: string): Account => {
  const account = `/accounts/${id}`;
  const databases = `${account}/d1/database`;
  const namespaces = `${account}/storage/kv/namespaces`;
  const queues = `${account}/queues`;

  return {
    id,

    findDatabase: async (name) => {
      const found = await ask(`${databases}?name=${encodeURIComponent(name)}`, z.array(database));
      const known = found.find((each) => each.name === name);
      // The list tells less of it.
      return known ? ask(`${databases}/${known.uuid}`, database) : null;
    },

    createDatabase: (name, { jurisdiction, location }) =>
      ask(databases, database, {
        method: 'POST',
        body: {
          name,
          ...(jurisdiction !== null && { jurisdiction }),
          ...(location !== null && { primary_location_hint: location }),
        },
      }),

    setReadReplication: async (databaseId, mode) => {
      await ask(`${databases}/${databaseId}`, z.unknown(), { method: 'PUT', body: { read_replication: { mode } } });
    },

    query: async (databaseId, sql) => {
      const results = await ask(`${databases}/${databaseId}/query`, rows, { method: 'POST', body: { sql } });
      return results.flatMap((result) => result.results);
    },

    bookmarkOf: async (databaseId) =>
      (await ask(`${databases}/${databaseId}/time_travel/bookmark`, z.object({ bookmark: z.string() }))).bookmark,

    findNamespace: async (title) => {
      for (let page = 1; ; page += 1) {
        const found = await ask(`${namespaces}?per_page=${NAMESPACES_A_PAGE}&page=${page}`, z.array(namespace));
        const known = found.find((each) => each.title === title);
        if (known) return known.id;
        if (found.length < NAMESPACES_A_PAGE) return null;
      }
    },

    createNamespace: async (title) => (await ask(namespaces, namespace, { method: 'POST', body: { title } })).id,

    findQueue: async (name) => {
      const found = await ask(`${queues}?page=1&name=${encodeURIComponent(name)}`, z.array(queue).nullable());
      return found?.find((each) => each.queue_name === name)?.queue_name ?? null;
    },

    createQueue: async (name) => (await ask(queues, queue, { method: 'POST', body: { queue_name: name } })).queue_name,

    findWorkerOf: async (host) => {
      const found = await ask(`${account}/workers/domains?hostname=${host}`, z.array(hostOfWorker));
      return found.find(({ hostname }) => hostname === host)?.service ?? null;
    },

    findSecretNames: async (worker) => {
      try {
        const secrets = await ask(
          `${account}/workers/scripts/${worker}/secrets`,
          z.array(z.object({ name: z.string() })),
        );
        return secrets.map(({ name }) => name);
      } catch (error) {
        if (error instanceof CloudflareError && error.status === 404) return null;
        throw error;
      }
    },
  };
};

/** The account that is meant: the one named, or the only one that the token reaches. */
export const findAccountId = async ({ ask }: Cloudflare, named: string | null): Promise<string> => {
  const known = named ?? process.env.CLOUDFLARE_ACCOUNT_ID;
  if (known) return known;
  const accounts = await ask('/accounts?per_page=50', z.array(z.object({ id: z.string(), name: z.string() })));
  const [only, ...others] = accounts;
  if (only === undefined) throw new Error('The token reaches no account');
  if (others.length > 0) {
    const names = accounts.map(({ id, name }) => `${id} (${name})`);
    throw new Error(
      `Several accounts are reached; say which as account_id or CLOUDFLARE_ACCOUNT_ID: ${names.join(', ')}`,
    );
  }
  return only.id;
};
