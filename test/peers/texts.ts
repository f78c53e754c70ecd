import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMessageApi, messagesPath, type ReceivedText } from '../../scripts/local/message-api.ts';

const LOGIN = { accountSid: `AC${'0'.repeat(31)}1`, authToken: 'p@ss:word/1' };

const SENDER = '+15005550006';

/**
 * A real HTTP server that answers as Twilio's message API does; it refuses texts to what is no number in E.164, and to
 * +15005550001 and +15005550009, as Twilio's test credentials do. What was taken is read at its reader, by HTTP,
 * `GET /?to=number`, oldest first.
 */
export const startTextMessages = async () => {
  const texts: ReceivedText[] = [];
  const newSid = () => `SM${randomBytes(16).toString('hex')}`;
  const api = createServer(createMessageApi(LOGIN, newSid, (text) => texts.push(text)));
  const reader = createServer((request, response) => {
    const number = new URL(request.url ?? '/', 'http://localhost').searchParams.get('to');
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(texts.filter(({ to }) => to === number)));
  });
  const servers = [api, reader];
  await Promise.all(servers.map((each) => new Promise<void>((done) => each.listen(0, '127.0.0.1', done))));
  const login = `${LOGIN.accountSid}:${encodeURIComponent(LOGIN.authToken)}`;
  const host = `127.0.0.1:${portOf(api.address())}`;
  return {
    urls: {
      messages: `http://${login}@${host}${messagesPath(LOGIN.accountSid)}?from=${SENDER}`,
      reader: `http://127.0.0.1:${portOf(reader.address())}`,
    },
    close: async (): Promise<void> => {
      for (const each of servers) {
        each.closeAllConnections();
        await new Promise((resolve) => each.close(resolve));
      }
    },
  };
};

type TextUrls = Awaited<ReturnType<typeof startTextMessages>>['urls'];

// Here, so that the tests, which are not compiled together with all of this folder, know of it.
declare module 'vitest' {
  interface ProvidedContext {
    textUrls: TextUrls;
  }
}

const portOf = (address: AddressInfo | string | null): number => {
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return address.port;
};
