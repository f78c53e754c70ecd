import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findPortFaults } from '../../scripts/local/ports.ts';
import { readOperatorToken } from '../../scripts/local/secrets.ts';

const root = path.join(import.meta.dirname, '../..');

export type Ports = { worker: number; smtp: number; mailbox: number; texts: number };

/**
 * Ports that nothing listens on. They are below those that systems give out by themselves: one of these could be given to
 * somebody else before it is listened on.
 */
export const freePorts = async (): Promise<Ports> => {
  const first = randomInt(10_000, 32_000);
  const ports = { worker: first, smtp: first + 1, mailbox: first + 2, texts: first + 3 };
  return (await findPortFaults(ports)).length === 0 ? ports : freePorts();
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
