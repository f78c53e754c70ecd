import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { portOf } from './service.ts';

const root = path.join(import.meta.dirname, '../..');

const script = path.join(root, 'scripts/operator.ts');

/** What the command line gets of this environment: nothing that would point it elsewhere, or tell it of colours. */
const environment = (more: Record<string, string>) => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  // So many runs of it would compile the same for half of their time.
  NODE_COMPILE_CACHE: path.join(root, 'node_modules/.cache/operator'),
  ...more,
});

/** `null` leaves standard input open. */
type Settings = { env?: Record<string, string>; input?: string | null };

export type Ended = { code: number | null; stdout: string; stderr: string };

/** Starts a command of `npm run operator`, without npm. */
export const startOperator = (typed: readonly string[], { env = {}, input = '' }: Settings = {}) => {
  const child = spawn(process.execPath, [script, ...typed], { env: environment(env) });
  child.stdin.on('error', () => undefined);
  if (input !== null) child.stdin.end(input);
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
    ([stdout, stderr, [code]]): Ended => ({ code: typeof code === 'number' ? code : null, stdout, stderr }),
  );
  return { process: child, ended };
};

export const runOperator = (typed: readonly string[], settings?: Settings): Promise<Ended> =>
  startOperator(typed, settings).ended;

/** Runs a command in a terminal of a size, and gives all that it shows. What is typed is typed once it asks. */
export const runInTerminal = async (
  { columns, rows = 24 }: { columns: number; rows?: number },
  typed: readonly string[],
  env: Record<string, string>,
  answer = '',
): Promise<{ code: number | null; screen: string }> => {
  const quoted = [process.execPath, script, ...typed].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('script', ['-qec', `stty rows ${rows} cols ${columns}; exec ${quoted}`, '/dev/null'], {
    env: environment({ SHELL: '/bin/sh', TERM: 'xterm', ...env }),
  });
  let screen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
    if (answer !== '' && screen.includes('to go on: ') && !child.stdin.writableEnded) child.stdin.end(answer);
  });
  const [code] = await once(child, 'close');
  return { code: typeof code === 'number' ? code : null, screen };
};

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Something at the other end of the wire that answers as a test has it. */
export const startPeer = async (handler: Handler) => {
  const server = http.createServer((request, response) => void handler(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    env: {
      GATEHOUSE_URL: `http://127.0.0.1:${portOf(server.address())}`,
      GATEHOUSE_OPERATOR_TOKEN: 'tests-only-operator-token-0123456789',
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
