import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';

const domainName = z
  .string('must be a domain name')
  .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'must be a bare domain name in lower case, e.g. accounts.example.com');

const environmentFile = z
  .strictObject({
    account_id: z.string().optional(),
    domain: domainName,
    wildcard: z.boolean().default(true),
    hosts: z.array(domainName).default([]),
    routes: z.array(z.string()).default([]),
    default_tenant: z.string().min(1).optional(),
    jurisdiction: z.enum(['eu', 'fedramp', 'us']).optional(),
    location: z.enum(['weur', 'eeur', 'apac', 'oc', 'wnam', 'enam']).optional(),
    read_replication: z.enum(['auto', 'disabled']).optional(),
    cpu_ms: z.int().min(10).max(300_000).optional(),
  })
  .refine(({ jurisdiction, location }) => jurisdiction === undefined || location === undefined, {
    path: ['location'],
    message: 'goes not with jurisdiction, beside which Cloudflare ignores it',
  });

/** One deployment of the service, as its file describes it (docs/deploy.md). */
export type Environment = {
  /** What tells its resources from those of another environment in the same account. */
  name: string;
  /** The file's path without its ending: what belongs to the environment lies beside it. */
  base: string;
  accountId: string | null;
  domain: string;
  /** Whether every sub-domain of `domain` is a tenant's. */
  hasWildcard: boolean;
  /** Further hosts of their own. */
  hosts: string[];
  /** Further routes in the zone of `domain`. */
  routes: string[];
  defaultTenant: string | null;
  jurisdiction: string | null;
  location: string | null;
  readReplication: 'auto' | 'disabled' | null;
  /** The most CPU time of a request. Null: Cloudflare's own limit. */
  cpuMilliseconds: number | null;
};

/** The environment that a file describes, or an error that names every fault in the file. */
export const readEnvironment = (file: string): Environment => {
  const name = path.basename(file, '.json');
  if (!/^[a-z0-9-]{1,30}$/.test(name))
    throw new Error(`${file}: it must be named [a-z0-9-].json, e.g. production.json`);
  const parsed = environmentFile.safeParse(readJson(file));
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`.trim());
    throw new Error(`${file}: ${faults.join('; ')}`);
  }
  const found = parsed.data;
  return {
    name,
    base: path.join(path.dirname(file), name),
    accountId: found.account_id ?? null,
    domain: found.domain,
    hasWildcard: found.wildcard && !found.domain.endsWith('.workers.dev'),
    hosts: found.hosts,
    routes: found.routes,
    defaultTenant: found.default_tenant ?? null,
    jurisdiction: found.jurisdiction ?? null,
    location: found.location ?? null,
    readReplication: found.read_replication ?? null,
    cpuMilliseconds: found.cpu_ms ?? null,
  };
};

const readJson = (file: string): unknown => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : 'cannot be read'}`);
  }
};
