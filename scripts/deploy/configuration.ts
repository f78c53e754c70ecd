import { createHash } from 'node:crypto';
import path from 'node:path';
import * as z from 'zod';
import type { Environment } from './environment.ts';
import type { Zone } from './zones.ts';

/** What of `wrangler.toml` is another in every environment. The rest of it stays as it is. */
const source = z.looseObject({
  name: z.string(),
  main: z.string(),
  alias: z.record(z.string(), z.string()).default({}),
  vars: z.record(z.string(), z.string()).default({}),
  assets: z.looseObject({ directory: z.string() }),
  d1_databases: z.tuple([z.looseObject({ database_name: z.string(), migrations_dir: z.string() })]),
  kv_namespaces: z.tuple([z.looseObject({ binding: z.string() })]),
  ratelimits: z.array(z.looseObject({ name: z.string(), namespace_id: z.string() })).default([]),
  queues: z
    .looseObject({
      producers: z.array(z.looseObject({ queue: z.string() })).default([]),
      consumers: z.array(z.looseObject({ queue: z.string(), dead_letter_queue: z.undefined().optional() })).default([]),
    })
    .default({ producers: [], consumers: [] }),
});

export type Source = z.infer<typeof source>;

export const readSource = async (file: string): Promise<Source> => {
  // Twenty megabytes of code, which a call that is refused does without.
  const { experimental_readRawConfig } = await import('wrangler');
  return source.parse(experimental_readRawConfig({ config: file }).rawConfig);
};

/** What an environment's resources are called. */
export type Names = { worker: string; database: string; namespace: string; queues: string[] };

export const namesOf = ({ name, d1_databases: [database], queues }: Source, environment: Environment): Names => {
  const used = [...queues.producers, ...queues.consumers].map(({ queue }) => queue);
  return {
    worker: within(environment, name),
    database: within(environment, database.database_name),
    namespace: within(environment, name),
    queues: [...new Set(used)].map((queue) => within(environment, queue)),
  };
};

const within = ({ name }: Environment, what: string): string => `${what}-${name}`;

/** What is known of the account when the Worker is deployed. Null: it is a dry run, and it would be made. */
export type Found = {
  accountId: string | null;
  databaseId: string | null;
  namespaceId: string | null;
  zone: Zone | null;
  /** The names of all secrets that the Worker has then. */
  secrets: readonly string[];
};

/** What wrangler deploys an environment by: the source at `root`, with the environment's names, ids, hosts and secrets. */
export const configurationOf = (root: string, source: Source, environment: Environment, found: Found) => {
  const names = namesOf(source, environment);
  const at = (file: string) => path.resolve(root, file);
  const [database] = source.d1_databases;
  const [namespace] = source.kv_namespaces;
  const { MAIL_URL: mailUrl, ...vars } = source.vars;
  return {
    ...source,
    name: names.worker,
    ...(found.accountId !== null && { account_id: found.accountId }),
    main: at(source.main),
    alias: Object.fromEntries(Object.entries(source.alias).map(([name, file]) => [name, at(file)])),
    assets: { ...source.assets, directory: at(source.assets.directory) },
    vars: {
      ...vars,
      BASE_DOMAIN: environment.domain,
      ...(environment.defaultTenant !== null && { DEFAULT_TENANT: environment.defaultTenant }),
      // A variable would take the secret's place.
      ...(mailUrl !== undefined && !found.secrets.includes('MAIL_URL') && { MAIL_URL: mailUrl }),
    },
    // Named, so that no version comes to be without one of them.
    secrets: { required: [...found.secrets] },
    d1_databases: [
      {
        ...database,
        database_name: names.database,
        ...(found.databaseId !== null && { database_id: found.databaseId }),
        migrations_dir: at(database.migrations_dir),
      },
    ],
    kv_namespaces: [{ ...namespace, ...(found.namespaceId !== null && { id: found.namespaceId }) }],
    queues: {
      producers: source.queues.producers.map((each) => ({ ...each, queue: within(environment, each.queue) })),
      consumers: source.queues.consumers.map((each) => ({ ...each, queue: within(environment, each.queue) })),
    },
    ratelimits: source.ratelimits.map((each) => ({ ...each, namespace_id: counterOf(`${names.worker} ${each.name}`) })),
    routes: routesOf(environment, found.zone),
    workers_dev: environment.domain.endsWith('.workers.dev'),
    preview_urls: false,
    ...(environment.cpuMilliseconds !== null && { limits: { cpu_ms: environment.cpuMilliseconds } }),
  };
};

/** Counters are the account's: two environments with one number would count together. */
const counterOf = (text: string): string => String(createHash('sha256').update(text).digest().readUInt32BE() >>> 1);

const routesOf = ({ domain, hasWildcard, hosts, routes }: Environment, zone: Zone | null) => {
  if (domain.endsWith('.workers.dev')) return [];
  const patterns = [...(hasWildcard ? [`*.${domain}/*`] : []), ...routes];
  return [
    ...[domain, ...hosts].map((pattern) => ({ pattern, custom_domain: true })),
    ...patterns.map((pattern) => ({ pattern, zone_name: zone?.name ?? domain })),
  ];
};
