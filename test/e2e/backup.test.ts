import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync, statSync } from 'node:fs';
import { copyFile, mkdtemp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orderInserts } from '../../scripts/backup/order.ts';
import { listTables } from '../../scripts/backup/tables.ts';
import { configurationOf, readSource } from '../../scripts/deploy/configuration.ts';
import { readEnvironment } from '../../scripts/deploy/environment.ts';
import { createProcesses } from '../../scripts/local/processes.ts';
import { call } from './http.ts';
import { mailWith } from './mails.ts';
import { freePorts, newStateFolder, operatorHeaders, type Ports, start, untilPrinted } from './service.ts';

const root = path.join(import.meta.dirname, '../..');
const processes = createProcesses(root);

/** In a folder of data, what tells that they are loaded. */
const POSTAL_CODES = 'v3/d1/postal-codes.txt';

let ports: Ports;
let state: Awaited<ReturnType<typeof newStateFolder>>;

beforeAll(async () => {
  [ports, state] = await Promise.all([freePorts(), newStateFolder()]);
});

afterAll(() => state.remove());

/** At the same place each time: the tokens name it. */
const inService = async (folder: string, work: () => Promise<void>): Promise<void> => {
  const run = start(ports, folder);
  try {
    await untilPrinted(run, 'Ctrl-C stops all of it.');
    await work();
  } finally {
    run.process.kill('SIGINT');
    await run.ended;
  }
};

const open = (folder: string): DatabaseSync => {
  const files = globSync(path.join(folder, 'v3/d1/*/*.sqlite'));
  return new DatabaseSync(files.find((file) => path.basename(file) !== 'metadata.sqlite') ?? '');
};

const rowsIn = (folder: string) => {
  const db = open(folder);
  const rows = new Map(listTables().map((table) => [table, db.prepare(`select * from ${table}`).all()]));
  db.close();
  // As sets: in what order a table without an order of its own gives them is nobody's concern.
  return new Map([...rows].map(([table, all]) => [table, all.map((row) => JSON.stringify(row)).sort()]));
};

/** A person with a password, signed in, in a tenant of her own. */
const makePerson = async (ports: Ports, company: string) => {
  const headers = operatorHeaders();
  const operate = (method: string, at: string, body: unknown) =>
    call(ports.worker, 'localhost', `/operator/v1/tenants/kept${at}`, { method, headers, body });
  await operate('PUT', '', { name: 'Kept', site_url: 'https://kept.example.com' });
  // Nobody listens there: what it is told of stays to be delivered.
  await operate('PUT', '/webhooks/all', { url: 'http://127.0.0.1:1/', events: ['*'] });
  const { superkey, supertoken } = JSON.parse((await operate('POST', '/apps', { name: 'Shop' })).text);
  const created = await call(ports.worker, 'kept.localhost', '/customer', {
    method: 'POST',
    headers: { 'x-access-superkey': superkey, 'x-access-supertoken': supertoken },
    body: { company, email: 'ada@example.com', send_activation: true },
  });
  const { match } = await mailWith(ports, 'ada@example.com', /\/activate\/([^/\s]+)\/([A-Z0-9]+)/);
  const [, identifier, secret] = match;
  const [password, password_check] = ['a long story, kept', 'a long story, kept'];
  const body = { identifier, secret, password, password_check };
  await call(ports.worker, 'kept.localhost', '/customers/activate', { method: 'POST', body });
  const { cuid, key, token } = JSON.parse(created.text);
  return { cuid, apiKey: { 'x-access-key': key, 'x-access-token': token }, password };
};

const signIn = async (ports: Ports, password: string): Promise<string> => {
  const body = { email: 'ada@example.com', password };
  const answer = await call(ports.worker, 'kept.localhost', '/customers/login', { method: 'POST', body });
  expect(answer.status, answer.text).toBe(200);
  return JSON.parse(answer.text).token;
};

const readSelf = (ports: Ports, token: string) =>
  call(ports.worker, 'kept.localhost', '/customers/self', { headers: { Authorization: `Bearer ${token}` } });

describe('a backup', () => {
  it('makes of an empty database the service as it was, and nobody stays signed in who is not to', async () => {
    const first = path.join(state.folder, '.wrangler/state');
    const second = path.join(state.folder, 'second');
    const company = "Ada's; \u2028 “Söhne”";
    let person: Awaited<ReturnType<typeof makePerson>> | null = null;
    let token = '';
    await inService(first, async () => {
      person = await makePerson(ports, company);
      token = await signIn(ports, person.password);
    });
    if (person === null) throw new Error('there must be somebody');
    const { cuid, apiKey, password }: Awaited<ReturnType<typeof makePerson>> = person;

    await writeFile(path.join(state.folder, 'local.json'), '{"domain": "accounts.example.com"}');
    const found = { accountId: null, databaseId: null, namespaceId: null, zone: null, secrets: [] };
    const environment = readEnvironment(path.join(state.folder, 'local.json'));
    const derived = configurationOf(root, await readSource(path.join(root, 'wrangler.toml')), environment, found);
    await writeFile(path.join(state.folder, 'local.wrangler.json'), JSON.stringify(derived));

    const child = spawn(
      process.execPath,
      [path.join(root, 'scripts/backup.ts'), 'local.wrangler.json', 'rows.sql', '--local'],
      { cwd: state.folder, env: { ...process.env, INIT_CWD: state.folder } },
    );
    const [faults, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect(faults).toBe('');
    expect(code).toBe(0);
    const file = path.join(state.folder, 'rows.sql');
    expect(statSync(file).mode & 0o777).toBe(0o600);

    const inSecond = ['--local', '--persist-to', second];
    await processes.run('wrangler', ['d1', 'migrations', 'apply', 'DB', ...inSecond]);
    await processes.run('wrangler', ['d1', 'execute', 'DB', ...inSecond, '--yes', '--file', file]);
    expect(rowsIn(first).get('deliveries')?.length).toBeGreaterThan(3);
    expect(rowsIn(second)).toEqual(rowsIn(first));
    // The postal codes take long to load, and are of no concern here.
    await copyFile(path.join(first, POSTAL_CODES), path.join(second, POSTAL_CODES));

    await inService(second, async () => {
      const read = await call(ports.worker, 'kept.localhost', `/customer/${cuid}`, { headers: apiKey });
      expect(JSON.parse(read.text)).toMatchObject({ cuid, company, email: 'ada@example.com' });
      expect((await readSelf(ports, token)).status).toBe(200);

      const db = open(second);
      db.exec(readFileSync(path.join(root, 'scripts/backup/after-restore.sql'), 'utf8'));
      db.close();
      expect((await readSelf(ports, token)).status).toBe(401);
      await expect.poll(async () => (await readSelf(ports, await signIn(ports, password))).status).toBe(200);
    });
  }, 180_000);
});

describe('the rows of a backup', () => {
  it('come behind those that they refer to, whatever their texts look like', async () => {
    const exported = path.join(state.folder, 'exported.sql');
    const child = `INSERT INTO "child" ("a") VALUES('it''s;\nINSERT INTO "parent" ("a") VALUES(2);\r\n');\n`;
    const parent = 'INSERT INTO "parent" ("a") VALUES(1);\n';
    await writeFile(
      exported,
      `PRAGMA defer_foreign_keys=TRUE;\n${child}${parent}INSERT INTO "other" ("a") VALUES(3);\n`,
    );
    const folder = await mkdtemp(path.join(state.folder, 'ordered-'));
    expect(await text(orderInserts(exported, ['parent', 'none', 'child'], folder))).toBe(parent + child);
  });

  it('are not put in order any more once that is interrupted', async () => {
    const exported = path.join(state.folder, 'long.sql');
    await writeFile(exported, 'INSERT INTO "parent" ("a") VALUES(1);\n'.repeat(100_000));
    const folder = await mkdtemp(path.join(state.folder, 'ordered-'));
    const interruption = new AbortController();
    const ordering = text(orderInserts(exported, ['parent'], folder, interruption.signal));
    interruption.abort();
    await expect(ordering).rejects.toThrow(/abort/);
  });

  it('are those of every table of the service, but for the postal codes', () => {
    const created = globSync(path.join(root, 'migrations/*.sql')).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/CREATE TABLE `(\w+)`/g)].map(([, name]) => name),
    );
    expect(listTables().sort()).toEqual(created.filter((name) => name !== 'postal_codes').sort());
  });
});
