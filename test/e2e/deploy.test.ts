import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configurationOf, readSource, type Source } from '../../scripts/deploy/configuration.ts';
import { readEnvironment } from '../../scripts/deploy/environment.ts';
import { waitUntilWell } from '../../scripts/deploy/health.ts';
import { readOptions } from '../../scripts/deploy/options.ts';
import { release } from '../../scripts/deploy/release.ts';
import { createProcesses } from '../../scripts/local/processes.ts';
import { startCloudflare } from './cloudflare.ts';
import { newStateFolder, portOf } from './service.ts';

const root = path.join(import.meta.dirname, '../..');

const ACCOUNT = '0123456789abcdef0123456789abcdef';
const WORKER = 'gatehouse-staging';

let state: Awaited<ReturnType<typeof newStateFolder>>;

beforeAll(async () => {
  state = await newStateFolder();
});

afterAll(() => state.remove());

const DESCRIPTION = { domain: 'accounts.example.com', jurisdiction: 'eu', read_replication: 'auto' };

/** A fresh account, an environment for it, and a service that is well for the operator of what is deployed there. */
const makeWorld = async (description: object = DESCRIPTION) => {
  const folder = path.join(state.folder, crypto.randomUUID());
  await mkdir(folder);
  const file = path.join(folder, 'staging.json');
  await writeFile(file, JSON.stringify(description));
  const cloudflare = await startCloudflare(ACCOUNT, 'example.com');
  const { workers } = cloudflare.account;
  const bindingsOf = (version = -1) => workers.get(WORKER)?.versions.at(version)?.bindings ?? new Map();
  const service = createServer(({ url, headers }, response) => {
    const isOperator = headers.authorization === `Bearer ${bindingsOf().get('OPERATOR_TOKEN')?.text}`;
    response.writeHead(url === '/healthz' || isOperator ? 200 : 401).end();
  }).listen(0, '127.0.0.1');
  await once(service, 'listening');

  const run = async (parameters: string[], variables: Record<string, string>) => {
    const { CI: _, ...environment } = process.env;
    const child = spawn(process.execPath, ['scripts/deploy.ts', file, ...parameters], {
      cwd: root,
      env: { ...environment, CLOUDFLARE_API_BASE_URL: cloudflare.url, INIT_CWD: folder, ...variables },
    });
    const [output, faults, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    return { output, faults, code };
  };
  const secretsFile = path.join(folder, 'staging.secrets');
  return {
    cloudflare,
    folder,
    secretsFile,
    secrets: () => parseEnv(readFileSync(secretsFile, 'utf8')),
    bindingsOf,
    run,
    deploy: (...parameters: string[]) =>
      run(['--url', `http://127.0.0.1:${portOf(service.address())}`, ...parameters], { CLOUDFLARE_API_TOKEN: 'token' }),
    stop: async () => {
      service.close();
      await cloudflare.stop();
    },
  };
};

const inWorld = async (
  test: (world: Awaited<ReturnType<typeof makeWorld>>) => Promise<void>,
  description: object = DESCRIPTION,
) => {
  const world = await makeWorld(description);
  try {
    await test(world);
    expect(world.cloudflare.unknown).toEqual([]);
  } finally {
    await world.stop();
  }
};

const tablesOf = ({ cloudflare }: Awaited<ReturnType<typeof makeWorld>>) => {
  const [database] = cloudflare.account.databases.values();
  return database?.sqlite.prepare("select name from sqlite_master where type = 'table'").all() ?? [];
};

/** As the migrations leave it, and with a row in `tenants`. */
const databaseWithTenant = (): DatabaseSync => {
  const sqlite = new DatabaseSync(':memory:');
  sqlite.exec('create table d1_migrations (id integer primary key, name text)');
  const files = readdirSync(path.join(root, 'migrations')).filter((file) => file.endsWith('.sql'));
  for (const file of files.sort()) {
    sqlite.exec(readFileSync(path.join(root, 'migrations', file), 'utf8'));
    sqlite.prepare('insert into d1_migrations (name) values (?)').run(file);
  }
  const columns = sqlite.prepare('select name, type from pragma_table_info(?) where "notnull"').all('tenants');
  const values = columns.map(({ type }) => (type === 'integer' ? 0 : "'{}'"));
  sqlite.exec(`insert into tenants (${columns.map(({ name }) => name).join(', ')}) values (${values.join(', ')})`);
  return sqlite;
};

describe('a deployment', { timeout: 180_000 }, () => {
  it('makes of an empty account a running service, and the same again changes nothing', () =>
    inWorld(async (world) => {
      const { cloudflare, bindingsOf, secrets } = world;
      const fallback = { name: 'fallback.accounts.example.com', type: 'AAAA', content: '100::' };
      // Mail for the domain has nothing to do with it.
      cloudflare.account.records.push({ name: 'accounts.example.com', type: 'MX', content: 'mx.example.com' });
      cloudflare.account.records.push(fallback);
      await writeFile(world.secretsFile, 'MAIL_URL="smtps://one:one@mail.example.com"');
      const first = await world.deploy();
      expect(first.faults).toBe('');
      expect(first.code).toBe(0);

      const { databases, namespaces, queues, records, hosts } = cloudflare.account;
      const [database] = databases.values();
      expect(database?.details).toMatchObject({ name: WORKER, jurisdiction: 'eu', read_replication: { mode: 'auto' } });
      expect(tablesOf(world)).toContainEqual(expect.objectContaining({ name: 'tenants' }));
      const source = await readSource(path.join(root, 'wrangler.toml'));
      const wanted = source.queues.producers.map(({ queue }) => `${queue}-staging`);
      expect(queues.map(({ queue_name: name }) => name)).toEqual(expect.arrayContaining(wanted));
      expect(hosts).toEqual([expect.objectContaining({ hostname: 'accounts.example.com', service: WORKER })]);
      expect(records).toEqual([
        expect.objectContaining({ type: 'MX' }),
        fallback,
        expect.objectContaining({ name: '*.accounts.example.com', type: 'AAAA', content: '100::', proxied: true }),
      ]);
      expect(cloudflare.account.workers.get(WORKER)?.routes).toEqual([
        { pattern: '*.accounts.example.com/*', zone_name: 'example.com' },
      ]);

      const made = secrets();
      expect(Buffer.from(made.MASTER_KEY ?? '', 'base64')).toHaveLength(32);
      expect(statSync(world.secretsFile).mode & 0o777).toBe(0o600);
      const bindings = bindingsOf();
      expect(bindings.get('MASTER_KEY')).toMatchObject({ type: 'secret_text', text: made.MASTER_KEY });
      expect(bindings.get('OPERATOR_TOKEN')).toMatchObject({ type: 'secret_text', text: made.OPERATOR_TOKEN });
      expect(bindings.get('MAIL_URL')).toMatchObject({ type: 'secret_text', text: made.MAIL_URL });
      expect(bindings.get('BASE_DOMAIN')).toMatchObject({ type: 'plain_text', text: 'accounts.example.com' });
      expect(bindings.get('DB')).toMatchObject({ id: database?.details.uuid });
      expect(bindings.get('KV')).toMatchObject({ namespace_id: namespaces[0]?.id });

      const upload = cloudflare.taken.findIndex((call) => /^PUT .*scripts\/[^/]+$/.test(call));
      const lastQuery = cloudflare.taken.findLastIndex((call) => call.endsWith('/query'));
      expect(upload).toBeGreaterThan(lastQuery);

      const calls = cloudflare.taken.length;
      const second = await world.deploy();
      expect(second.faults).toBe('');
      expect(second.output).not.toMatch(/: made$|: set$|applied|would/m);
      expect(second.output.match(/there already/g)?.length).toBeGreaterThanOrEqual(7);
      expect([databases.size, namespaces.length, records.length, hosts.length]).toEqual([1, 1, 3, 1]);
      const making = cloudflare.taken
        .slice(calls)
        .filter((call) => /^POST .*(database|namespaces|queues|records)$/.test(call));
      expect(making).toEqual([]);
      expect(secrets()).toEqual(made);
      expect(bindingsOf().get('MASTER_KEY')?.text).toBe(made.MASTER_KEY);

      const told =
        first.output + second.output + readFileSync(path.join(world.folder, 'staging.wrangler.json'), 'utf8');
      for (const secret of Object.values(made)) expect(told).not.toContain(secret);

      // Elsewhere there may be no copy of the secrets.
      await rm(world.secretsFile);
      const third = await world.deploy();
      expect(third.code).toBe(0);
      expect(third.output).toContain('storage not asked');
      expect(bindingsOf().get('MASTER_KEY')?.text).toBe(made.MASTER_KEY);
      expect(existsSync(world.secretsFile)).toBe(false);

      const before = cloudflare.taken.length;
      const dry = await world.deploy('--dry-run');
      expect(dry.output).toContain('would be deployed; Total Upload');
      expect(dry.output.match(/there already/g)?.length).toBeGreaterThanOrEqual(7);
      const changing = cloudflare.taken.slice(before).filter((call) => !/^GET |\/query$/.test(call));
      expect(changing).toEqual([]);

      if (database) database.details.jurisdiction = null;
      const { faults } = await world.deploy();
      expect(faults).toContain('not bound to the jurisdiction eu');
    }));

  it('makes no other MASTER_KEY where tenants have data sealed with one', () =>
    inWorld(async (world) => {
      const { databases, workers } = world.cloudflare.account;
      const sqlite = databaseWithTenant();
      databases.set('one', { details: { uuid: 'one', name: WORKER, jurisdiction: 'eu' }, sqlite });
      const refused = await world.deploy();
      expect(refused.code).toBe(1);
      expect(refused.faults).toContain('sealed with a MASTER_KEY');
      expect(workers.size).toBe(0);
      expect(existsSync(world.secretsFile)).toBe(false);

      const masterKey = Buffer.alloc(32, 7).toString('base64');
      await writeFile(world.secretsFile, `MASTER_KEY="${masterKey}"`);
      expect((await world.deploy()).code).toBe(0);
      expect(world.bindingsOf().get('MASTER_KEY')?.text).toBe(masterKey);
      expect(world.secrets().MASTER_KEY).toBe(masterKey);
    }));

  it('puts another secret in place of one only when it is asked to', () =>
    inWorld(async (world) => {
      const before = { MASTER_KEY: 'a key', OPERATOR_TOKEN: 'a token', MAIL_URL: 'smtps://one@mail.example.com' };
      const bindings = Object.entries(before).map(
        ([name, secret]) => [name, { name, type: 'secret_text', text: secret }] as const,
      );
      const { workers } = world.cloudflare.account;
      workers.set(WORKER, { versions: [{ id: 'first', bindings: new Map(bindings) }], routes: [], deployed: 'first' });
      await writeFile(world.secretsFile, 'MAIL_URL="smtps://two:too@mail.example.com"\nMASTER_KEY="another"');

      expect((await world.deploy()).code).toBe(0);
      for (const [name, secret] of Object.entries(before)) expect(world.bindingsOf().get(name)?.text).toBe(secret);
      await writeFile(world.secretsFile, 'OPERATOR_TOKEN="too-short"');
      expect((await world.deploy('--replace', 'OPERATOR_TOKEN')).faults).toMatch(/OPERATOR_TOKEN is not as/);
      expect((await world.deploy('--replace', 'SMS_URL')).faults).toContain('has no SMS_URL to replace it by');
      await writeFile(world.secretsFile, 'MAIL_URL="smtps://two:too@mail.example.com"');
      const { code, output } = await world.deploy('--replace', 'MAIL_URL', '--gradual');
      expect(code).toBe(0);
      expect(world.bindingsOf().get('MAIL_URL')?.text).toBe('smtps://two:too@mail.example.com');
      expect(world.bindingsOf().get('MASTER_KEY')?.text).toBe(before.MASTER_KEY);
      const worker = workers.get(WORKER);
      expect(worker?.versions).toHaveLength(3);
      expect(worker?.deployed).toBe(worker?.versions[1]?.id);
      expect(output).toContain(`versions deploy ${worker?.versions[2]?.id}@10`);
    }));

  it('says what to do when a step fails, and goes on from there', () =>
    inWorld(async (world) => {
      const { forbidden, account } = world.cloudflare;
      forbidden.add(`POST /accounts/${ACCOUNT}/storage`);
      const failed = await world.deploy();
      expect(failed.code).toBe(1);
      expect(failed.faults).toContain('Workers KV Storage: Edit');
      expect(failed.faults).not.toContain('    at ');
      expect(account.workers.size).toBe(0);

      forbidden.clear();
      forbidden.add(`GET /zones/${world.cloudflare.zone.id}/dns_records`);
      const done = await world.deploy();
      expect(done.code).toBe(0);
      expect(done.output).toContain('make sure that there is *.accounts.example.com');
      expect(account.databases.size).toBe(1);
    }));

  it('takes no host from whatever else is there', () =>
    inWorld(async (world) => {
      const { records, hosts, databases } = world.cloudflare.account;
      records.push({ name: 'accounts.example.com', type: 'CNAME', content: 'shop.example.com' });
      expect((await world.deploy()).faults).toContain('accounts.example.com has a DNS record');
      records.pop();
      // More than Cloudflare tells at once.
      const ofOurs = Array.from({ length: 100 }, (_, i) => ({
        name: `t${i}.accounts.example.com`,
        ...{ type: 'AAAA', content: '100::', proxied: true },
      }));
      records.unshift(...ofOurs);
      records.push({ name: 'status.accounts.example.com', type: 'A', content: '192.0.2.1', proxied: true });
      expect((await world.deploy()).faults).toContain('would take status.accounts.example.com');
      records.pop();
      for (const [other, told] of [
        [{ type: 'A', content: '192.0.2.1', proxied: true }, 'leads to 192.0.2.1, and has to be'],
        [{ type: 'AAAA', content: '100::', proxied: false }, 'leads to 100::, not proxied, and has to be'],
      ] as const) {
        records.push({ name: '*.accounts.example.com', ...other });
        expect((await world.deploy()).faults).toContain(`*.accounts.example.com ${told}`);
        records.pop();
      }
      hosts.push({ hostname: 'accounts.example.com', service: 'shop' });
      expect((await world.deploy()).faults).toContain('leads to the Worker shop');
      expect(databases.size).toBe(0);
    }));
});

describe('a dry run', { timeout: 180_000 }, () => {
  it('tells every step and bundles the Worker, without an account and without a change', () =>
    inWorld(async (world) => {
      const home = path.join(world.folder, 'home');
      const nobody = {
        CLOUDFLARE_API_TOKEN: '',
        HOME: home,
        XDG_CONFIG_HOME: home,
        CLOUDFLARE_ACCOUNT_ID: '',
        CI: '1',
      };
      const { output, faults, code } = await world.run(['--dry-run'], nobody);
      expect(faults).toBe('');
      expect(code).toBe(0);
      for (const step of ['zone', 'DNS', 'database', 'replication', 'KV', 'secrets', 'migrations', 'Worker']) {
        expect(output).toMatch(new RegExp(`^${step} .*(would|must)`, 'm'));
      }
      expect(world.cloudflare.taken).toEqual([]);
      expect((await readdir(world.folder)).filter((name) => name !== 'home')).toEqual(['staging.json']);
    }));
});

describe('the call', () => {
  it.each([
    [[], 'One environment at a time'],
    [['a.json', 'b.json'], 'One environment at a time'],
    [['a.json', '--replace', 'MASTER_KEY'], 'never replaced'],
    [['a.json', '--replace', 'DB'], 'none of OPERATOR_TOKEN'],
    [['a.json', '--url', 'example'], '--url must be a URL'],
    [['a.json', '--fast'], "Unknown option '--fast'"],
  ])('%j is refused', (parameters, message) => {
    expect(() => readOptions(parameters, root)).toThrow(message);
  });
});

describe('the file of an environment', () => {
  it.each([
    [{}, 'domain'],
    [{ domain: 'https://accounts.example.com' }, 'bare domain name'],
    [{ domain: 'accounts.example.com', jurisdiction: 'mars' }, 'jurisdiction'],
    [{ domain: 'accounts.example.com', jurisdiction: 'eu', location: 'weur' }, 'location goes not with jurisdiction'],
    [{ domain: 'accounts.example.com', master_key: 'x' }, 'master_key'],
  ])('%j is refused', async (description, message) => {
    const file = path.join(state.folder, `${crypto.randomUUID().slice(0, 8)}.json`);
    await writeFile(file, JSON.stringify(description));
    expect(() => readEnvironment(file)).toThrow(message);
  });
});

describe('what is derived from wrangler.toml', () => {
  const environmentNamed = async (name: string, description: object = DESCRIPTION) => {
    const file = path.join(state.folder, `${name}.json`);
    await writeFile(file, JSON.stringify(description));
    return readEnvironment(file);
  };
  const found = { accountId: ACCOUNT, databaseId: 'id', namespaceId: 'id', zone: { id: '1', name: 'example.com' } };
  let source: Source;

  beforeAll(async () => {
    source = {
      ...(await readSource(path.join(root, 'wrangler.toml'))),
      queues: {
        producers: [{ binding: 'SOME', queue: 'some' }],
        consumers: [{ queue: 'some', max_batch_size: 7 }],
      },
    };
  });

  it('shares nothing between two environments of an account', async () => {
    const [one, other] = await Promise.all(['one', 'other'].map((name) => environmentNamed(name)));
    if (!one || !other) throw new Error('there must be two');
    const [a, b] = [one, other].map((each) => configurationOf(root, source, each, { ...found, secrets: [] }));
    expect(a?.queues).toEqual({
      producers: [{ binding: 'SOME', queue: 'some-one' }],
      consumers: [{ queue: 'some-one', max_batch_size: 7 }],
    });
    expect(a?.name).not.toBe(b?.name);
    expect(a?.d1_databases[0]?.database_name).not.toBe(b?.d1_databases[0]?.database_name);
    expect(a?.ratelimits.map((each) => each.namespace_id)).not.toEqual(b?.ratelimits.map((each) => each.namespace_id));
    expect(a?.ratelimits.every((each) => /^[1-9]\d*$/.test(each.namespace_id))).toBe(true);
  });

  it('keeps a secret from being covered by a variable of its name', async () => {
    const environment = await environmentNamed('mail');
    expect(configurationOf(root, source, environment, { ...found, secrets: [] }).vars).toHaveProperty('MAIL_URL');
    const secrets = ['MAIL_URL', 'MASTER_KEY'];
    const derived = configurationOf(root, source, environment, { ...found, secrets });
    expect(derived.vars).not.toHaveProperty('MAIL_URL');
    expect(derived.secrets.required).toEqual(secrets);
  });

  it('leads further hosts and routes to the Worker, and can do without the wildcard', async () => {
    const environment = await environmentNamed('hosts', {
      domain: 'example.com',
      wildcard: false,
      hosts: ['accounts.brand.test'],
      routes: ['*/*'],
      default_tenant: 'shop',
      cpu_ms: 60_000,
    });
    expect(configurationOf(root, source, environment, { ...found, secrets: [] })).toMatchObject({
      routes: [
        { pattern: 'example.com', custom_domain: true },
        { pattern: 'accounts.brand.test', custom_domain: true },
        { pattern: '*/*', zone_name: 'example.com' },
      ],
      vars: { BASE_DOMAIN: 'example.com', DEFAULT_TENANT: 'shop' },
      limits: { cpu_ms: 60_000 },
      workers_dev: false,
    });
  });
});

describe('the release', { timeout: 180_000 }, () => {
  it('tells wrangler no secret but in a file that is gone afterwards', async () => {
    const processes = createProcesses(root);
    const told: string[] = [];
    const listening: Pick<typeof processes, 'run'> = {
      run: (name, parameters) => {
        told.push(...parameters);
        return processes.run(name, parameters);
      },
    };
    const secrets = { MASTER_KEY: 'a-canary-of-a-key' };
    const configuration = path.join(root, 'wrangler.toml');
    const output = await release(listening, { configuration, secrets, kind: 'dry run' });
    expect(output).toContain('MASTER_KEY');
    expect(output + told.join(' ')).not.toContain('canary');
    const file = told[told.indexOf('--secrets-file') + 1] ?? '';
    expect(path.basename(file)).toBe('secrets.json');
    expect(existsSync(path.dirname(file))).toBe(false);
  });
});

describe('the health of the service', () => {
  it('is told with the reason when it is not well in time', async () => {
    const service = createServer((_, response) => response.writeHead(503).end('storage is away')).listen(
      0,
      '127.0.0.1',
    );
    await once(service, 'listening');
    const url = `http://127.0.0.1:${portOf(service.address())}`;
    expect(await waitUntilWell(url, null, 0)).toBe('it answered 503: storage is away');
    service.close();
    await once(service, 'close');
    expect(await waitUntilWell(url, null, 0)).toContain('ECONNREFUSED');
  });
});
