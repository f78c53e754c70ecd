// `npm run operator`: the operator surface of a service, here or deployed, from a terminal.
import { CommanderError } from '@commander-js/extra-typings';
import { EXIT, Interruption, ServiceRefusal, Unreachable, WrongUsage } from './operator/failures.ts';
import { createOutput } from './operator/output.ts';
import { createProgram } from './operator/program.ts';

const interruption = new AbortController();
const program = createProgram(interruption.signal);

/** Tells what went wrong, and gives the exit code for it. */
const tell = (error: unknown): number => {
  const output = createOutput(program.opts().json ?? false);
  if (interruption.signal.aborted || error instanceof Interruption) return EXIT.interrupted;
  // It has told everything itself.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongUsage;
  if (error instanceof ServiceRefusal) {
    output.problem(error.problem);
    return EXIT.refused;
  }
  if (error instanceof Unreachable || error instanceof WrongUsage) {
    output.fault(error.message);
    return error instanceof Unreachable ? EXIT.unreachable : EXIT.wrongUsage;
  }
  // Of a file that cannot be written, for instance.
  if (error instanceof Error && 'syscall' in error) {
    output.fault(error.message);
    return EXIT.wrongUsage;
  }
  throw error;
};

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    if (interruption.signal.aborted) process.exit(EXIT.interrupted);
    interruption.abort();
  });
}

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // Whoever read along, `head` for instance, reads no more.
  if (error.code === 'EPIPE') process.exit(EXIT.interrupted);
  process.exit(tell(error));
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = tell(error);
}
