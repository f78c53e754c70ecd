// `npm run bench`: what the design promises about cost, as ratios within one run. Absolute figures are this machine's.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { createProcesses } from '../scripts/local/processes.ts';
import { call } from '../test/e2e/http.ts';
import { freePorts, newStateFolder, operatorHeaders, start, untilPrinted } from '../test/e2e/service.ts';
import { benchImport } from './import.ts';
import { medianOf, printRatios, timeOf } from './timings.ts';

const root = path.join(import.meta.dirname, '..');
const ROUNDS = 15;

const benchHashes = async (): Promise<void> => {
  const { worker: port } = await freePorts();
  const processes = createProcesses(root);
  const quiet = { onOutput: () => {}, onError: () => {} };
  processes.start('wrangler', ['dev', '--config', 'bench/wrangler.toml', '--port', String(port)], quiet, () => {});
  const get = (query = '') => call(port, 'localhost', `/${query}`);
  try {
    let operations: string[] | null = null;
    while (operations === null) {
      await wait(200);
      operations = await get().then(
        ({ text }) => JSON.parse(text),
        () => null,
      );
    }
    const run = (operation: string, times: number) => get(`?operation=${encodeURIComponent(operation)}&times=${times}`);
    for (const operation of operations) await run(operation, 1);
    const times = new Map<string, number[]>();
    for (let round = 0; round < ROUNDS; round++) {
      for (const operation of operations) {
        const overhead = await timeOf(() => run('nothing', 1));
        const milliseconds = (await timeOf(() => run(operation, 4))) - overhead;
        times.set(operation, [...(times.get(operation) ?? []), milliseconds / 4]);
      }
    }
    times.delete('nothing');
    printRatios(
      'A password hash, in workerd',
      new Map([...times].map(([operation, values]) => [operation, medianOf(values)])),
    );
  } finally {
    await processes.stop();
  }
};

/** Whether the time of an answer tells who is a customer: calls for a known and an unknown address in turn. */
const benchAnswersToStrangers = async (): Promise<void> => {
  const [ports, state] = await Promise.all([freePorts(), newStateFolder()]);
  const service = start(ports, state.folder);
  try {
    await untilPrinted(service, 'Ctrl-C stops all of it.');
    const operate = async (method: string, at: string, body: unknown) =>
      call(ports.worker, 'localhost', `/operator/v1/tenants/bench${at}`, {
        method,
        headers: operatorHeaders(),
        body,
      });
    const rate_limits = {
      auth_per_ip_per_minute: 10_000,
      password_failures: 100,
      mail_interval_seconds: 1,
      mail_per_hour: 100,
    };
    await operate('PUT', '', { name: 'Bench', site_url: 'https://bench.example.com', settings: { rate_limits } });
    const app = JSON.parse((await operate('POST', '/apps', { name: 'Bench' })).text);
    const post = (at: string, body: unknown, headers = {}) =>
      call(ports.worker, 'bench.localhost', at, { method: 'POST', headers, body });
    const credentials = { 'x-access-superkey': app.superkey, 'x-access-supertoken': app.supertoken };
    const known = Array.from({ length: ROUNDS }, (_, i) => `known${i}@example.com`);
    const unknown = Array.from({ length: ROUNDS }, (_, i) => `other${i}@example.com`);
    for (const email of known) await post('/customer', { company: 'Bench', email }, credentials);

    const compare = async (title: string, send: (email: string) => Promise<unknown>): Promise<void> => {
      const [ofKnown, ofUnknown]: [number[], number[]] = [[], []];
      await send('warm-up@example.com');
      for (const [i, email] of known.entries()) {
        ofKnown.push(await timeOf(() => send(email)));
        ofUnknown.push(await timeOf(() => send(unknown[i] ?? '')));
      }
      const medians = new Map([
        ['a known address', medianOf(ofKnown)],
        ['an unknown one', medianOf(ofUnknown)],
      ]);
      printRatios(title, medians);
      const spread = Math.max(...ofUnknown) - Math.min(...ofUnknown);
      console.log(`  the calls for unknown ones differ by ${spread.toFixed(2)} ms among themselves`);
    };
    await compare('A sign-in with a wrong password', (email) => post('/customers/login', { email, password: 'wrong' }));
    await compare('A request for a new password', (email) =>
      post('/customers/password_reset', { email, reset_uri: '/reset' }),
    );
    await compare('A wrong reset code', (email) => post('/customers/do_reset', { email, code: 'WRONGCODE1' }));
  } finally {
    service.process.kill('SIGINT');
    await service.ended;
    await state.remove();
  }
};

/** What start-up has to read, and what is uploaded: with the WebAssembly and the list of common passwords. */
const measureBundle = async (): Promise<void> => {
  const state = await newStateFolder();
  try {
    const printed = await createProcesses(root).run('wrangler', ['deploy', '--dry-run', '--outdir', state.folder]);
    const script = gzipSync(readFileSync(path.join(state.folder, 'index.js'))).length;
    const [, whole] = /gzip: ([\d.]+) KiB/.exec(printed) ?? [];
    console.log(
      `\nThe Worker, compressed\n  ${(script / 1024).toFixed(0)} KiB of 400 KiB the script, ${whole} KiB in all`,
    );
  } finally {
    await state.remove();
  }
};

await measureBundle();
await benchHashes();
await benchAnswersToStrangers();
await benchImport();
