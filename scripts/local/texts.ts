import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { createMessageApi, messagesPath, type ReceivedText } from './message-api.ts';

/** The sender's number of Twilio's test credentials, which is nobody's. */
const SENDER = '+15005550006';

const MOST_KEPT = 200;

const randomSid = (kind: string): string => kind + randomBytes(16).toString('hex');

type ShownText = ReceivedText & { at: Date };

export interface TextMailbox {
  /** The SMS_URL for a Worker whose texts are to land here. */
  smsUrl: string;
  stop(): Promise<void>;
}

/**
 * The mailbox for text messages: it takes them as Twilio's message API does, and shows the last ones on the page at `/`. It
 * ends with this process at the latest; `onEnd` is called when it can go on no longer.
 */
export const startTexts = async (port: number, ip: string, onEnd: () => void): Promise<TextMailbox> => {
  const received: ShownText[] = [];
  const login = { accountSid: randomSid('AC'), authToken: randomBytes(16).toString('hex') };
  const takeMessage = createMessageApi(
    login,
    () => randomSid('SM'),
    (text) => {
      received.unshift({ ...text, at: new Date() });
      received.splice(MOST_KEPT);
    },
  );

  const server = createServer((request, response) => {
    // To a browser, which asks for more than the page, the API's answers are a dialog for a password.
    if (request.method === 'POST') return takeMessage(request, response);
    if (request.url !== '/') return response.writeHead(404).end();
    response.writeHead(200, PAGE_HEADERS).end(pageOf(received));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, ip, () => {
      server.off('error', reject);
      server.on('error', onEnd);
      resolve();
    });
  });
  const { accountSid, authToken } = login;
  return {
    smsUrl: `http://${accountSid}:${authToken}@${ip}:${port}${messagesPath(accountSid)}?from=${SENDER}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};

const PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  // What a text says can load and run nothing.
  'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
};

const pageOf = (newestFirst: readonly ShownText[]): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="refresh" content="2">
<meta name="viewport" content="width=device-width">
<title>Texts (${newestFirst.length})</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 40em; margin: 2em auto; padding: 0 1em; color-scheme: light dark }
article { border-top: 1px solid #8888; padding: 0.5em 0 }
p { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere }
p + p { font-size: 20px }
</style>
</head>
<body>
<h1>Texts</h1>
${newestFirst.length === 0 ? '<p>There are none yet.</p>' : newestFirst.map(articleOf).join('\n')}
</body>
</html>
`;

const articleOf = ({ to, from, body, at }: ShownText): string =>
  `<article><p>${at.toLocaleTimeString()} · to <b>${escapeHtml(to)}</b> from ${escapeHtml(from)}</p><p>${escapeHtml(body)}</p></article>`;

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
