// `npm run deploy -- environments/production.json`: brings the service to a Cloudflare account, see docs/deploy.md.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { configurationOf, namesOf, readSource } from './deploy/configuration.ts';
import { ensureDatabase, ensureMigrations, ensureReplication } from './deploy/database.ts';
import { type Environment, readEnvironment } from './deploy/environment.ts';
import { findAilment, waitUntilWell } from './deploy/health.ts';
import { ensureHosts } from './deploy/hosts.ts';
import { HELP, type Options, readOptions } from './deploy/options.ts';
import { release, versionIn } from './deploy/release.ts';
import { ensureSecrets } from './deploy/secrets.ts';
import { freshAccount, signIn } from './deploy/sign-in.ts';
import { createSteps, StepError, type Steps } from './deploy/steps.ts';
import { callerFolder, runCommand } from './local/command.ts';
import { createProcesses } from './local/processes.ts';

const HEALTH_PATIENCE_MILLISECONDS = 180_000;

const root = path.join(import.meta.dirname, '..');
const processes = createProcesses(root);

const deploy = async (environment: Environment, { isDryRun, isGradual, replaced, url }: Options, folder: string) => {
  const steps = createSteps(console.log, isDryRun);
  const { say, attempt, ensure } = steps;

  const signedIn = await attempt('account', 'The token needs Account Settings: Read.', () =>
    signIn(processes, environment.accountId),
  );
  if (!signedIn && !isDryRun) {
    throw new StepError('Nobody is signed in: set CLOUDFLARE_API_TOKEN, or npx wrangler login');
  }
  const { account, zones } = signedIn ?? freshAccount;
  say('account', signedIn ? account.id : 'nobody is signed in: this is what happens in an empty one');

  const source = await readSource(path.join(root, 'wrangler.toml'));
  const names = namesOf(source, environment);
  const zone = await ensureHosts(steps, { account, zones }, environment, names.worker, isDryRun);
  const database = await ensureDatabase(steps, account, environment, names.database);
  await ensureReplication(steps, account, environment, database, isDryRun);
  const namespaceId = await ensure({
    name: 'KV',
    advice: 'The token needs the permission Workers KV Storage: Edit.',
    find: () => account.findNamespace(names.namespace),
    make: () => account.createNamespace(names.namespace),
    tell: (id) => `${names.namespace} (${id})`,
    plan: names.namespace,
  });
  for (const queue of names.queues) {
    await ensure({
      name: 'queue',
      advice: 'The token needs the permission Queues: Edit.',
      find: () => account.findQueue(queue),
      make: () => account.createQueue(queue),
      tell: (name) => name,
      plan: queue,
    });
  }
  const secrets = await ensureSecrets(steps, account, { environment, database, names, replaced, isDryRun, isGradual });

  const configuration = path.join(folder, `${environment.name}.wrangler.json`);
  const found = { accountId: signedIn && account.id, databaseId: database?.uuid ?? null, namespaceId, zone };
  const derived = configurationOf(root, source, environment, { ...found, secrets: secrets.names });
  writeFileSync(configuration, `${JSON.stringify(derived, null, 2)}\n`);
  if (!isDryRun) say('wrangler', `${path.relative(process.cwd(), configuration)}: written`);

  const migrations = path.join(root, source.d1_databases[0].migrations_dir);
  await ensureMigrations(steps, processes, account, database, { folder: migrations, configuration, isDryRun });

  const output = await attempt('Worker', 'The version that ran goes on running.', () =>
    release(processes, { configuration, secrets: secrets.put, kind: kindOf(isDryRun, isGradual) }),
  );
  if (isDryRun) return say('Worker', `${names.worker}: would be deployed; ${sizeIn(output)}`);
  const version = versionIn(output);
  if (isGradual) {
    say('Worker', `${names.worker}: version ${version} uploaded, nobody is sent to it yet. A tenth of all requests:`);
    return console.log(`\n  npx wrangler versions deploy ${version}@10 --config ${configuration}\n`);
  }
  say('Worker', `${names.worker}: version ${version} deployed`);

  const address = url ?? `https://${environment.domain}`;
  await requireHealth(address, secrets.operatorToken, configuration, say);
  if (url === null && environment.hasWildcard) await tellOfWildcard(environment.domain, say);
};

const requireHealth = async (
  address: string,
  operatorToken: string | null,
  configuration: string,
  say: Steps['say'],
): Promise<void> => {
  const ailment = await waitUntilWell(address, operatorToken, HEALTH_PATIENCE_MILLISECONDS);
  if (ailment !== null) {
    throw new StepError(
      `health failed: ${address} is not well: ${ailment}\n` +
        `A new host can take some minutes. Back: npx wrangler rollback --config ${configuration}`,
    );
  }
  const depth = operatorToken === null ? 'storage not asked: OPERATOR_TOKEN is not in the file' : 'storage too';
  say('health', `${address} is well (${depth})`);
};

const kindOf = (isDryRun: boolean, isGradual: boolean) => {
  if (isDryRun) return 'dry run';
  return isGradual ? 'upload' : 'deploy';
};

const sizeIn = (output: string): string => /Total Upload: .*/.exec(output)?.[0] ?? 'it can be bundled';

// Any host below the domain is answered, a tenant's or not.
const tellOfWildcard = async (domain: string, say: Steps['say']): Promise<void> => {
  const ailment = await findAilment(`https://deploy-check.${domain}`, null);
  const advice = `not reached (${ailment}): is there a certificate for it? See docs/deploy.md`;
  say('wildcard', `*.${domain}: ${ailment === null ? 'reached' : advice}`);
};

const main = async (): Promise<void> => {
  const options = readOptions(process.argv.slice(2), callerFolder());
  if (options === null) {
    console.log(HELP);
    return;
  }
  const environment = readEnvironment(options.file);
  if (!options.isDryRun) return deploy(environment, options, path.dirname(options.file));
  const folder = mkdtempSync(path.join(tmpdir(), 'gatehouse-deploy-'));
  try {
    await deploy(environment, options, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

await runCommand(processes, main);
