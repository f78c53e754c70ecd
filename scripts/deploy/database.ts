import { readdirSync } from 'node:fs';
import * as z from 'zod';
import type { Processes } from '../local/processes.ts';
import type { Account, Database } from './account.ts';
import type { Environment } from './environment.ts';
import { StepError, type Steps } from './steps.ts';

const MAKE_ROOM =
  'The token needs the permission D1: Edit. A jurisdiction or location that Cloudflare refuses is mended in the file.';

/** The environment's database, where its file says it is to be. Null: it would be made. */
export const ensureDatabase = async (
  { ensure }: Steps,
  account: Account,
  environment: Environment,
  name: string,
): Promise<Database | null> => {
  const { jurisdiction, location } = environment;
  const place = jurisdiction ?? location ?? 'wherever Cloudflare thinks best';
  const database = await ensure({
    name: 'database',
    advice: MAKE_ROOM,
    find: () => account.findDatabase(name),
    make: () => account.createDatabase(name, environment),
    tell: (found) => `${found.name} (${found.uuid})`,
    plan: `${name}, in ${place}`,
  });
  if (database && jurisdiction !== null && (database.jurisdiction ?? null) !== jurisdiction) {
    throw new StepError(
      `database failed: ${name} is not bound to the jurisdiction ${jurisdiction}, which can only be chosen when a database is made.\n` +
        'Rename the environment, and move the data as docs/deploy.md says; or take the jurisdiction out of the file.',
    );
  }
  return database;
};

export const ensureReplication = async (
  { say, attempt }: Steps,
  account: Account,
  { readReplication: wanted }: Environment,
  database: Database | null,
  isDryRun: boolean,
): Promise<void> => {
  if (wanted === null) return;
  const current = database?.read_replication?.mode ?? 'disabled';
  if (current === wanted) return say('replication', `${wanted}: there already`);
  if (isDryRun || !database) return say('replication', `${wanted}: would be set`);
  await attempt('replication', MAKE_ROOM, () => account.setReadReplication(database.uuid, wanted));
  say('replication', `${wanted}: set`);
};

/** Whether there is a tenant, whose data key is sealed with the MASTER_KEY of its time. */
export const hasTenants = async (account: Account, { uuid }: Database): Promise<boolean> =>
  (await has(account, uuid, 'tenants')) && (await account.query(uuid, 'select 1 from tenants limit 1')).length > 0;

/** Applies what the database has not seen yet of the migrations. They only add, so the version that runs goes on running. */
export const ensureMigrations = async (
  { say, attempt }: Steps,
  processes: Pick<Processes, 'run'>,
  account: Account,
  database: Database | null,
  { folder, configuration, isDryRun }: { folder: string; configuration: string; isDryRun: boolean },
): Promise<void> => {
  const all = readdirSync(folder).filter((file) => file.endsWith('.sql'));
  const advice = 'What a migration had done when it failed is undone. The version that runs is not touched.';
  await attempt('migrations', advice, async () => {
    const applied = database ? await appliedTo(account, database) : new Set<string>();
    const due = all.filter((file) => !applied.has(file));
    if (due.length === 0) return say('migrations', `${all.length}: there already`);
    if (isDryRun || !database) return say('migrations', `${due.join(', ')}: would be applied`);
    const bookmark = await account.bookmarkOf(database.uuid);
    await processes.run('wrangler', ['d1', 'migrations', 'apply', 'DB', '--remote', '--config', configuration]);
    say('migrations', `${due.join(', ')}: applied (Time Travel bookmark before it: ${bookmark})`);
  });
};

const appliedTo = async (account: Account, { uuid }: Database): Promise<ReadonlySet<string>> => {
  if (!(await has(account, uuid, 'd1_migrations'))) return new Set();
  const rows = z
    .array(z.object({ name: z.string() }))
    .parse(await account.query(uuid, 'select name from d1_migrations'));
  return new Set(rows.map(({ name }) => name));
};

const has = async (account: Account, databaseId: string, table: string): Promise<boolean> =>
  (await account.query(databaseId, `select 1 from sqlite_master where type = 'table' and name = '${table}'`)).length >
  0;
