import { setTimeout as wait } from 'node:timers/promises';
import type { Processes } from './processes.ts';

const PATIENCE_MILLISECONDS = 2000;

/** Where the command was called: npm changes into the package's folder, and says it. */
export const callerFolder = (): string => process.env.INIT_CWD ?? process.cwd();

/**
 * Runs a command to its end. What goes wrong is told in a line. A signal stops what it started and aborts what it does,
 * which then has a moment to take away what it left half done.
 */
export const runCommand = async (
  processes: Pick<Processes, 'stop'>,
  main: (interruption: AbortSignal) => Promise<void>,
): Promise<void> => {
  const interruption = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, async () => {
      interruption.abort();
      await processes.stop();
      await Promise.race([ended, wait(PATIENCE_MILLISECONDS)]);
      process.exit(130);
    });
  }
  const ended = main(interruption.signal).catch((error: unknown) => {
    process.exitCode = 1;
    if (!interruption.signal.aborted) console.error(error instanceof Error ? error.message : String(error));
  });
  await ended;
};
