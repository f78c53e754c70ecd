import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** An answer as a test wants it. `endless`: more than the body follows, until the client closes. `stalled`: nothing more ever does. */
export type ScriptedAnswer = {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  isBase64?: boolean;
  delayMs?: number;
  ending?: 'endless' | 'stalled';
};

export type ScriptedRequest = { method: string; headers: Record<string, string | string[] | undefined>; body: string };

/**
 * A server that answers as it is told, path by path: `PUT` at its control server sets what a path answers from then on, as a
 * ScriptedAnswer, and `GET` tells what requests came to it, and how many of their answers are still on their way.
 */
export const startScriptedServer = async () => {
  const answers = new Map<string, ScriptedAnswer>();
  const requests = new Map<string, ScriptedRequest[]>();
  const unfinished = new Map<string, Set<ServerResponse>>();

  const server = createServer(async (request, response) => {
    const path = pathOf(request.url);
    const pending = unfinished.get(path) ?? new Set();
    unfinished.set(path, pending.add(response));
    response.on('close', () => pending.delete(response));
    const { method = '', headers } = request;
    const body = await text(request);
    requests.set(path, [...(requests.get(path) ?? []), { method, headers, body }]);
    await answerWith(response, answers.get(path) ?? { status: 404 });
  });
  const control = createServer(async (request, response) => {
    const path = pathOf(request.url);
    if (request.method === 'PUT') {
      const answer: ScriptedAnswer = JSON.parse(await text(request));
      answers.set(path, answer);
    }
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ requests: requests.get(path) ?? [], open: unfinished.get(path)?.size ?? 0 }));
  });
  // An idle connection that is closed here may be the one on which the next request is on its way.
  for (const each of [server, control]) each.keepAliveTimeout = 0;
  await Promise.all([server, control].map((each) => new Promise<void>((done) => each.listen(0, '127.0.0.1', done))));
  return {
    peers: { scripted: urlOf(server), control: urlOf(control) },
    close: async (): Promise<void> => {
      for (const each of [server, control]) {
        each.closeAllConnections();
        await new Promise((resolve) => each.close(resolve));
      }
    },
  };
};

const answerWith = async (response: ServerResponse, answer: ScriptedAnswer): Promise<void> => {
  const { status = 200, headers = {}, body = '', isBase64 = false, delayMs = 0, ending } = answer;
  // Unheld, so that the tests can end before it does.
  await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
  response.writeHead(status, headers);
  response.write(Buffer.from(body, isBase64 ? 'base64' : 'utf8'));
  if (!ending) response.end();
  if (ending === 'endless') pipeline(Readable.from(endlessText()), response, () => undefined);
};

function* endlessText(): Generator<string> {
  while (true) yield ' '.repeat(16 * 1024);
}

const pathOf = (url: string | undefined): string => new URL(url ?? '/', 'http://localhost').pathname;

const urlOf = (server: Server): string => {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return `http://127.0.0.1:${address.port}`;
};
