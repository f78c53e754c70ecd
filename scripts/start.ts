// `npm start`: the whole service on this machine, with a demo tenant and a mailbox, until Ctrl-C.
import type { ChildProcess } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type DemoApp, ensureDemo } from './local/demo.ts';
import { findBusyPorts } from './local/ports.ts';
import { runToEnd, startProcess, stopProcess } from './local/processes.ts';
import { ensureSecrets } from './local/secrets.ts';

const HELP = `Starts Gatehouse on this machine: the Worker, a demo tenant with an app, and a mailbox.

  --port N           where the Worker listens (8787)
  --smtp-port N      where the mailbox takes mail (1025)
  --mailbox-port N   where the mailbox is read, in a browser (1080)
  --state DIR        where the data is kept (.wrangler/state)`;

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8787' },
    'smtp-port': { type: 'string', default: '1025' },
    'mailbox-port': { type: 'string', default: '1080' },
    state: { type: 'string', default: '.wrangler/state' },
    help: { type: 'boolean', default: false },
  },
});

const root = path.join(import.meta.dirname, '..');
const state = path.resolve(root, values.state);
const ports = {
  Worker: Number(values.port),
  'SMTP of the mailbox': Number(values['smtp-port']),
  'page of the mailbox': Number(values['mailbox-port']),
};
const site = `http://demo.localhost:${values.port}`;
const mailbox = `http://localhost:${values['mailbox-port']}`;
const children: ChildProcess[] = [];

const start = async (): Promise<void> => {
  const secrets = ensureSecrets(path.join(root, '.dev.vars'));
  mkdirSync(state, { recursive: true });
  await runToEnd('wrangler', ['d1', 'migrations', 'apply', 'DB', '--local', '--persist-to', state], root);

  const ip = '127.0.0.1';
  startChild(
    'maildev',
    ['--smtp', values['smtp-port'], '--web', values['mailbox-port'], '--ip', ip, '--silent'],
    () => {},
  );
  const variables = [
    // Not among the secrets that wrangler asks for: a Worker can do without it.
    `OPERATOR_TOKEN:${secrets.OPERATOR_TOKEN}`,
    `MAIL_URL:smtp://${ip}:${values['smtp-port']}?from=accounts@demo.localhost`,
    'BASE_DOMAIN:localhost',
  ];
  startChild(
    'wrangler',
    [
      'dev',
      ...['--ip', ip, '--port', values.port, '--persist-to', state],
      '--show-interactive-dev-session=false',
      ...['--log-level', 'log'],
      ...variables.flatMap((variable) => ['--var', variable]),
    ],
    // Of what wrangler says, the Worker's own log lines are of interest, and what went wrong.
    (line) => {
      if (/^\s*\{|✘/.test(line)) console.log(line);
    },
  );

  const service = { url: `http://${ip}:${values.port}`, operatorToken: secrets.OPERATOR_TOKEN };
  await waitUntilHealthy(service.url);
  const app = await ensureDemo(service, site, path.join(state, 'demo-app.json'));
  console.log(welcome(app));
};

const startChild = (packageName: string, parameters: readonly string[], onLine: (line: string) => void): void => {
  const child = startProcess(packageName, parameters, root, onLine);
  children.push(child);
  child.once('exit', () => {
    if (!isStopping) void stop(`${packageName} has ended unexpectedly.`, 1);
  });
};

let isStopping = false;

const stop = async (message: string, code: number): Promise<void> => {
  if (isStopping) return;
  isStopping = true;
  console.log(message);
  await Promise.all(children.map(stopProcess));
  process.exit(code);
};

const waitUntilHealthy = async (url: string): Promise<void> => {
  const isHealthy = () =>
    fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  for (const deadline = Date.now() + 90_000; Date.now() < deadline; await wait(200)) {
    if (await isHealthy()) return;
  }
  throw new Error('The Worker did not answer within 90 seconds');
};

const welcome = ({ superkey, supertoken }: DemoApp): string => `
  Gatehouse   ${site}
  reference   ${site}/docs
  mailbox     ${mailbox}
  super key   ${superkey}
  super token ${supertoken}
  operator    the token is in .dev.vars

Create a customer, have a passcode mailed to her, and trade it (it is in the mailbox) for a key and token:

curl ${site}/customer -H 'x-access-superkey: ${superkey}' -H 'x-access-supertoken: ${supertoken}' -H 'content-type: application/json' -d '{"company": "Acme", "email": "ada@example.com"}'

curl ${site}/customer/ada@example.com/passcode -H 'x-access-superkey: ${superkey}' -H 'x-access-supertoken: ${supertoken}'

curl '${site}/customer/ada@example.com/auth?passcode=PASSCODE' -H 'x-access-superkey: ${superkey}' -H 'x-access-supertoken: ${supertoken}'

Ctrl-C stops all of it.
`;

const main = async (): Promise<void> => {
  if (values.help) {
    console.log(HELP);
    return;
  }
  const busy = await findBusyPorts(ports);
  if (busy.length > 0) {
    console.error(
      `Something else listens on port ${busy.join(', ')}: stop it, or choose others (npm start -- --help).`,
    );
    process.exitCode = 1;
    return;
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => void stop('Stopping …', 0));
  try {
    await start();
  } catch (error) {
    await stop(error instanceof Error ? error.message : String(error), 1);
  }
};

await main();
