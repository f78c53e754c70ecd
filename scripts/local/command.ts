import type { Processes } from './processes.ts';

/** Where the command was called: npm changes into the package's folder, and says it. */
export const callerFolder = (): string => process.env.INIT_CWD ?? process.cwd();

/** Runs a command to its end. What goes wrong is told in a line, and a signal stops what it started. */
export const runCommand = async (processes: Processes, main: () => Promise<void>): Promise<void> => {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => void processes.stop().then(() => process.exit(130)));
  }
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
};
