import { pbkdf2Sync } from 'node:crypto';
import bcrypt from 'bcryptjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { call } from './http.ts';
import { chunksOf, readExport, type Summary, sendImport, summaryIn } from './imports.ts';
import {
  freePorts,
  killAll,
  newStateFolder,
  operatorHeaders,
  type Ports,
  type Run,
  start,
  untilPrinted,
} from './service.ts';

const COUNT = 100_000;
/** As many in a request as the command line sends. */
const PART = 5000;
const PASSWORD = 'correct horse battery staple';
const OF_OURS = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/;

let state: Awaited<ReturnType<typeof newStateFolder>>;
let ports: Ports;
let run: Run;

const bringUp = async (): Promise<void> => {
  run = start(ports, state.folder);
  await untilPrinted(run, 'Ctrl-C stops all of it.');
};

const putDown = async (): Promise<void> => {
  run.process.kill('SIGINT');
  await run.ended;
};

beforeAll(async () => {
  [ports, state] = await Promise.all([freePorts(), newStateFolder()]);
  await bringUp();
  const path = '/operator/v1/tenants/many';
  const made = await call(ports.worker, 'localhost', path, {
    method: 'PUT',
    headers: operatorHeaders(),
    body: { name: 'Many' },
  });
  expect(made.status).toBe(201);
});

afterAll(async () => {
  await putDown();
  await state.remove();
});

const pbkdf2 = (): string => {
  const salt = 'sixteen bytes of';
  const encode = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$pbkdf2-sha256$i=100000$${encode(Buffer.from(salt))}$${encode(pbkdf2Sync(PASSWORD, salt, 100_000, 32, 'sha256'))}`;
};

const HASHES = [
  bcrypt.hashSync(PASSWORD, 10),
  pbkdf2(),
  // Node 24: `crypto.argon2Sync('argon2id', { message: PASSWORD, nonce: 'somesaltsomesalt', memory: 8192, passes: 3,
  // parallelism: 2, tagLength: 32 })`.
  '$argon2id$v=19$m=8192,t=3,p=2$c29tZXNhbHRzb21lc2FsdA$JrXX/b2HEVtjeHpW0TOgX7LnW+ePVlX5KCVDdpGaMgg',
];

const emailOf = (index: number): string => `person${index}@example.com`;

/** Imports the customers of one part, from its first line on. */
const importPart = (first: number, onLine: (index: number) => void = () => {}) => {
  const lineOf = (index: number) => {
    onLine(index);
    return {
      email: emailOf(index),
      name: `Person ${index}`,
      country: 'DE',
      attributes: { number: index },
      email_verified: true,
      password_hash: HASHES[index % HASHES.length],
    };
  };
  return sendImport(ports.worker, 'many', chunksOf(first, PART, lineOf));
};

/** What the service has by now, by address. */
const readCustomers = async (query: Record<string, string> = {}): Promise<Map<string, string | null>> => {
  const found = new Map<string, string | null>();
  let lines = 0;
  for await (const { email, password_hash = null } of readExport(ports.worker, 'many', query)) {
    lines += 1;
    found.set(email, password_hash);
  }
  expect(found.size).toBe(lines);
  return found;
};

it('an import whose Worker is killed half way is finished by the next run, and its people sign in', {
  timeout: 240_000,
}, async () => {
  const parts = Array.from({ length: COUNT / PART }, (_, i) => i * PART);
  const [interrupted = 0] = parts.slice(parts.length / 2);
  for (const first of parts.slice(0, parts.length / 2)) await importPart(first);
  const isOnItsWay = Promise.withResolvers<void>();
  const breaking = importPart(interrupted, (index) => {
    if (index === interrupted + PART / 2) isOnItsWay.resolve();
  }).catch(() => []);
  await isOnItsWay.promise;
  await killAll(run);
  expect(JSON.stringify(await breaking)).not.toContain('summary');
  await bringUp();
  const before = await readCustomers();
  expect(before.size).toBeGreaterThanOrEqual(COUNT / 2);
  expect(before.size).toBeLessThan(COUNT / 2 + PART);

  const summaries: Summary[] = [];
  for (const first of parts) summaries.push(summaryIn(await importPart(first)));
  const sum = (name: keyof Summary) => summaries.reduce((total, each) => total + each[name], 0);
  expect({ created: sum('created'), existing: sum('existing'), refused: sum('refused') }).toEqual({
    ...{ created: COUNT - before.size, existing: before.size, refused: 0 },
  });

  const imported = await readCustomers({ include: 'password_hashes' });
  expect(imported.size).toBe(COUNT);
  expect(new Set(imported.values())).toEqual(new Set(HASHES));

  const people = [0, 1, 2, COUNT - 3, COUNT - 2, COUNT - 1];
  const login = (index: number, password: string) =>
    call(ports.worker, 'many.localhost', '/customers/login', {
      method: 'POST',
      body: { email: emailOf(index), password },
    });
  for (const index of people) {
    expect((await login(index, `${PASSWORD}!`)).status).toBe(401);
    expect((await login(index, PASSWORD)).status).toBe(200);
    expect((await login(index, PASSWORD)).status).toBe(200);
  }
  const after = await readCustomers({ include: 'password_hashes' });
  expect(after.size).toBe(COUNT);
  const upgraded = [...after].filter(([, hash]) => OF_OURS.test(hash ?? '')).map(([email]) => email);
  expect(upgraded.toSorted()).toEqual(people.map(emailOf).toSorted());
  expect(new Set(after.values()).size).toBe(HASHES.length + people.length);
});
