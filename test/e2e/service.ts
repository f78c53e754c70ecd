import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readOperatorToken } from '../../scripts/local/secrets.ts';

const root = path.join(import.meta.dirname, '../..');

export type Ports = { worker: number; smtp: number; mailbox: number; texts: number };

/** Ports that nothing listens on. */
export const freePorts = async (): Promise<Ports> => {
  const servers = await Promise.all(
    [0, 1, 2, 3].map(async () => {
      const server = net.createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      return server;
    }),
  );
  const [worker = 0, smtp = 0, mailbox = 0, texts = 0] = servers.map((server) => portOf(server.address()));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return { worker, smtp, mailbox, texts };
};

/** The port of a server that listens. */
export const portOf = (address: AddressInfo | string | null): number =>
  address === null || typeof address === 'string' ? 0 : address.port;

export type Run = {
  process: ChildProcess;
  output: () => string;
  /** Ends with the exit code. */
  ended: Promise<number | null>;
};

/** Runs what `npm start` runs, on ports and with data of its own. */
export const start = (ports: Ports, state: string): Run => {
  const child = spawn(
    process.execPath,
    [
      path.join(root, 'scripts/start.ts'),
      ...['--port', String(ports.worker), '--smtp-port', String(ports.smtp)],
      ...['--mailbox-port', String(ports.mailbox), '--texts-port', String(ports.texts)],
      ...['--state', state],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const ended = once(child, 'exit').then(([code]) => (typeof code === 'number' ? code : null));
  return { process: child, output: () => output, ended };
};

/** Kills the Worker and all beside it at once, as a power failure would. */
export const killAll = async (run: Run): Promise<void> => {
  const children = execFileSync('pgrep', ['-P', String(run.process.pid)], { encoding: 'utf8' });
  for (const pid of children.trim().split('\n')) process.kill(-Number(pid), 'SIGKILL');
  await run.ended;
};

/** Waits until a run has printed this. */
export const untilPrinted = async (run: Run, text: string): Promise<void> => {
  while (!run.output().includes(text)) {
    const code = await Promise.race([run.ended, once(run.process.stdout ?? run.process, 'data').then(() => 'more')]);
    if (code !== 'more') throw new Error(`It ended (${code}) after printing:\n${run.output()}`);
  }
};

export const newStateFolder = async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-e2e-'));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
};

/** The operator's token, as the first run has made it. */
export const operatorHeaders = () => ({
  Authorization: `Bearer ${readOperatorToken(path.join(root, '.dev.vars'))}`,
});
