import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import path from 'node:path';
import readline from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';

const require = createRequire(import.meta.url);

const PATIENCE_MILLISECONDS = 5000;

type PackageManifest = { bin?: string | Record<string, string> };

/** What is made of a process's output, line by line. */
type Listeners = { onOutput: (line: string) => void; onError: (line: string) => void };

export interface Processes {
  /** Runs a package's command to its end, and gives its output. All that it printed is shown only when it fails. */
  run(packageName: string, parameters: readonly string[]): Promise<string>;
  /** Starts a package's command; `onEnd` is called when it ends without having been asked to. */
  start(packageName: string, parameters: readonly string[], listeners: Listeners, onEnd: () => void): void;
  /** Asks all of them to stop, with all that they started, and waits until they have; the stubborn are killed. */
  stop(): Promise<void>;
  /** Kills all of them at once. */
  kill(): void;
}

/** The processes of the local service. Each leads a group of its own, so that what it starts can be stopped with it. */
export const createProcesses = (cwd: string): Processes => {
  const running: ChildProcess[] = [];
  let isStopping = false;

  const spawnCommand = (packageName: string, parameters: readonly string[], listeners: Listeners): ChildProcess => {
    if (isStopping) throw new Error(`${packageName} is not started any more`);
    const child = spawn(process.execPath, [scriptOf(packageName), ...parameters], {
      cwd,
      // Nothing on this machine needs the network: no metrics, no look-up of where in the world it is.
      env: { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false', CLOUDFLARE_CF_FETCH_ENABLED: 'false' },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
    });
    readline.createInterface({ input: child.stdout }).on('line', listeners.onOutput);
    readline.createInterface({ input: child.stderr }).on('line', listeners.onError);
    running.push(child);
    return child;
  };

  return {
    run: async (packageName, parameters) => {
      const printed: string[] = [];
      const output: string[] = [];
      const onOutput = (line: string) => {
        printed.push(line);
        output.push(line);
      };
      const onError = (line: string) => printed.push(line);
      const [code] = await once(spawnCommand(packageName, parameters, { onOutput, onError }), 'close');
      if (code !== 0) throw new Error(`${packageName} ${parameters.join(' ')} failed:\n${printed.join('\n')}`);
      return output.join('\n');
    },
    start: (packageName, parameters, listeners, onEnd) => {
      spawnCommand(packageName, parameters, listeners).once('exit', () => {
        if (!isStopping) onEnd();
      });
    },
    stop: async () => {
      isStopping = true;
      await Promise.all(running.map(stopGroup));
    },
    kill: () => {
      isStopping = true;
      for (const child of running) signalGroup(child, 'SIGKILL');
    },
  };
};

/** The script behind a command of an installed package, to be run by this Node: shims differ between systems. */
const scriptOf = (packageName: string): string => {
  const file = require.resolve(`${packageName}/package.json`);
  const { bin }: PackageManifest = require(file);
  const script = typeof bin === 'string' ? bin : bin?.[packageName];
  if (script === undefined) throw new Error(`${packageName} has no command of its name`);
  return path.join(path.dirname(file), script);
};

// A group outlives its leader: what wrangler started is stopped even where wrangler itself was killed.
const stopGroup = async (child: ChildProcess): Promise<void> => {
  signalGroup(child, 'SIGTERM');
  for (const deadline = Date.now() + PATIENCE_MILLISECONDS; isAlive(child); await wait(50)) {
    if (Date.now() < deadline) continue;
    signalGroup(child, 'SIGKILL');
    return;
  }
};

const isAlive = (child: ChildProcess): boolean =>
  process.platform === 'win32' ? child.exitCode === null && child.signalCode === null : signalGroup(child, 0);

/** Whether there was anything to send the signal to. */
const signalGroup = ({ pid }: ChildProcess, signal: NodeJS.Signals | 0): boolean => {
  if (pid === undefined) return false;
  if (process.platform === 'win32') {
    return spawnSync('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore' }).status === 0;
  }
  try {
    return process.kill(-pid, signal);
  } catch {
    // Nothing is left of the group.
    return false;
  }
};
