// `npm start`: the whole service on this machine, with a demo tenant, a mailbox and one for texts, until Ctrl-C.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ensureDemo } from './local/demo.ts';
import { HELP, type Options, readOptions } from './local/options.ts';
import { findPortFaults } from './local/ports.ts';
import { ensurePostalCodes } from './local/postal-codes.ts';
import { createProcesses } from './local/processes.ts';
import { ensureSecrets } from './local/secrets.ts';
import { startTexts } from './local/texts.ts';
import { welcome } from './local/welcome.ts';

const IP = '127.0.0.1';
const CRON_MILLISECONDS = 60_000;
const HEALTH_PATIENCE_MILLISECONDS = 90_000;

const root = path.join(import.meta.dirname, '..');
const processes = createProcesses(root);
let isStopping = false;
/** What wrangler finds fault with before the Worker answers: of interest where it never does. Null when it has. */
let startUpFaults: string[] | null = [];

const start = async ({ port, smtpPort, mailboxPort, textsPort, state }: Options): Promise<void> => {
  const secrets = ensureSecrets(path.join(root, '.dev.vars'));
  mkdirSync(state, { recursive: true });
  await processes.run('wrangler', ['d1', 'migrations', 'apply', 'DB', '--local', '--persist-to', state]);
  await ensurePostalCodes(processes, state);

  processes.start(
    'maildev',
    ['--smtp', String(smtpPort), '--web', String(mailboxPort), '--ip', IP, '--silent'],
    { onOutput: () => {}, onError: print },
    () => void stop('The mailbox has ended unexpectedly.', 1),
  );
  const { smsUrl } = await startTexts(textsPort, IP, () => void stop('The mailbox for texts has failed.', 1));
  const variables = [
    // Not among the secrets that wrangler asks for: a Worker can do without it.
    `OPERATOR_TOKEN:${secrets.OPERATOR_TOKEN}`,
    `MAIL_URL:smtp://${IP}:${smtpPort}?from=accounts@demo.localhost`,
    `SMS_URL:${smsUrl}`,
    `BASE_DOMAIN:localhost:${port}`,
  ];
  processes.start(
    'wrangler',
    [
      'dev',
      ...['--ip', IP, '--port', String(port), '--persist-to', state],
      // Any that is free: services that start beside each other would both take the usual one.
      ...['--inspector-port', '0'],
      '--show-interactive-dev-session=false',
      ...['--log-level', 'log'],
      ...variables.flatMap((variable) => ['--var', variable]),
    ],
    { onOutput: printWorkerLog, onError: printFault },
    () => void stop('The Worker has ended unexpectedly.', 1),
  );

  const service = { url: `http://${IP}:${port}`, operatorToken: secrets.OPERATOR_TOKEN };
  await waitUntilHealthy(service.url);
  startUpFaults = null;
  startCron(service.url);
  const site = `http://demo.localhost:${port}`;
  const app = await ensureDemo(service, site, path.join(state, 'demo-app.json'));
  print(welcome(site, `http://localhost:${mailboxPort}`, `http://localhost:${textsPort}`, app));
};

const print = (text: string): void => console.log(text);

const printFault = (line: string): void => {
  if (startUpFaults) startUpFaults.push(line);
  else print(line);
};

// Of what wrangler says itself, only faults are of interest, and those it says elsewhere.
const printWorkerLog = (line: string): void => {
  if (/^\s*\{/.test(line)) print(line);
};

const waitUntilHealthy = async (url: string): Promise<void> => {
  const isHealthy = () =>
    fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  for (const deadline = Date.now() + HEALTH_PATIENCE_MILLISECONDS; Date.now() < deadline; await wait(200)) {
    if (await isHealthy()) return;
  }
  throw new Error(`The Worker did not answer within ${HEALTH_PATIENCE_MILLISECONDS / 1000} seconds.`);
};

/** What Cloudflare's cron triggers do: `wrangler dev` fires none. */
const startCron = (url: string): void => {
  const fire = async () => (await fetch(`${url}/cdn-cgi/handler/scheduled`)).text();
  setInterval(() => void fire().catch(() => undefined), CRON_MILLISECONDS).unref();
};

const stop = async (message: string, code: number): Promise<void> => {
  if (isStopping) return;
  isStopping = true;
  if (code !== 0) for (const fault of startUpFaults ?? []) print(fault);
  print(message);
  await processes.stop();
  process.exit(code);
};

const onSignal = (): void => {
  if (isStopping) {
    processes.kill();
    process.exit(130);
  }
  void stop('Stopping …', 0);
};

// The shell that npm puts between does not pass signals on: that it is gone is all there is to notice.
const stopWithParent = (): void => {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) void stop('Who started this is gone: stopping …', 0);
  }, 500).unref();
};

const main = async (): Promise<void> => {
  const options = readOptions(root);
  if (options === null) {
    print(HELP);
    return;
  }
  const { port, smtpPort, mailboxPort, textsPort } = options;
  const faults = await findPortFaults({
    Worker: port,
    'mail to the mailbox': smtpPort,
    'mailbox page': mailboxPort,
    texts: textsPort,
  });
  if (faults.length > 0) {
    console.error(`${faults.join(' ')} Others can be chosen: npm start -- --help`);
    process.exitCode = 1;
    return;
  }
  // A closed terminal hangs up, and the groups of their own would not notice.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  stopWithParent();
  await start(options);
};

try {
  await main();
} catch (error) {
  await stop(error instanceof Error ? error.message : String(error), 1);
}
