import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);

type PackageManifest = { bin?: string | Record<string, string> };

/** The script behind a command of an installed package, to be run by this Node: shims differ between systems. */
const scriptOf = (packageName: string): string => {
  const file = require.resolve(`${packageName}/package.json`);
  const { bin }: PackageManifest = require(file);
  const script = typeof bin === 'string' ? bin : bin?.[packageName];
  if (script === undefined) throw new Error(`${packageName} has no command of its name`);
  return path.join(path.dirname(file), script);
};

/** Runs a package's command to its end. Its output is shown only when it fails. */
export const runToEnd = async (packageName: string, parameters: readonly string[], cwd: string): Promise<void> => {
  const child = spawn(process.execPath, [scriptOf(packageName), ...parameters], {
    cwd,
    env: { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${packageName} ${parameters.join(' ')} failed:\n${output}`);
};

/**
 * Starts a package's command, in a process group of its own, so that all that it starts can be stopped with it.
 * `onLine` gets what it prints, line by line.
 */
export const startProcess = (
  packageName: string,
  parameters: readonly string[],
  cwd: string,
  onLine: (line: string) => void,
): ChildProcess => {
  const child = spawn(process.execPath, [scriptOf(packageName), ...parameters], {
    cwd,
    // Nothing on this machine needs the network: no metrics, no look-up of where in the world it is.
    env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  });
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    });
  }
  return child;
};

/** Stops a process with all that it started, and waits for its end. */
export const stopProcess = async (child: ChildProcess): Promise<void> => {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  const patience = setTimeout(() => signal(child, 'SIGKILL'), 5000);
  signal(child, 'SIGTERM');
  await ended;
  clearTimeout(patience);
  // What the process left behind in its group ends now, too.
  signal(child, 'SIGKILL');
};

const signal = ({ pid }: ChildProcess, name: NodeJS.Signals): void => {
  if (pid === undefined) return;
  try {
    if (process.platform === 'win32') spawn('taskkill', ['/pid', String(pid), '/T', '/F']);
    else process.kill(-pid, name);
  } catch {
    // The group is gone already.
  }
};
