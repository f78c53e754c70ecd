import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

/** A mail as a real server took it. `recipients` are the ones of the SMTP envelope. */
export type ReceivedMail = {
  isEncrypted: boolean;
  user: string | null;
  recipients: string[];
  from: { name: string; address: string };
  to: string;
  subject: string;
  headers: { key: string; value: string }[];
  text: string;
  html: string;
};

/** The login that the servers with authentication take. */
const LOGIN = { user: 'gatehouse', password: 'p@ss:word/1' };

const TLS = path.join(import.meta.dirname, 'tls');

const certificate = () => ({
  key: readFileSync(path.join(TLS, 'server.key')),
  cert: readFileSync(path.join(TLS, 'server.pem')),
});

/**
 * Real SMTP servers: plain, with login over STARTTLS, with login over implicit TLS, and with login but no TLS. A recipient
 * whose name begins with `refused` is refused, one whose name begins with `silent` is never answered. What was taken is
 * read by HTTP, `GET /?to=address`, oldest first.
 */
export const startMailbox = async () => {
  const mails: ReceivedMail[] = [];

  const listen = async (options: SMTPServerOptions): Promise<{ port: number; close: () => Promise<void> }> => {
    const server = new SMTPServer({
      ...options,
      logger: false,
      onAuth: ({ username, password }, _session, done) => {
        const isRight = username === LOGIN.user && password === LOGIN.password;
        done(isRight ? null : new Error('Wrong login'), isRight ? { user: username } : undefined);
      },
      onRcptTo: ({ address }, _session, done) => {
        if (address.startsWith('silent')) return;
        done(address.startsWith('refused') ? new Error('No such mailbox') : null);
      },
      onData: async (stream, session, done) => {
        const parsed = await PostalMime.parse(await text(stream));
        mails.push({
          isEncrypted: session.secure,
          user: typeof session.user === 'string' ? session.user : null,
          recipients: session.envelope.rcptTo.map(({ address }) => address),
          from: { name: parsed.from?.name ?? '', address: parsed.from?.address ?? '' },
          to: parsed.to?.map(({ address }) => address ?? '').join(', ') ?? '',
          subject: parsed.subject ?? '',
          headers: parsed.headers.map(({ key, value }) => ({ key, value })),
          text: parsed.text ?? '',
          html: parsed.html ?? '',
        });
        done();
      },
    });
    // A client that breaks off is what some tests are about.
    server.on('error', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
      port: portOf(server.server.address()),
      close: () => new Promise((resolve) => server.close(() => resolve())),
    };
  };

  const [plain, startTls, implicitTls, withoutTls] = await Promise.all([
    listen({ authOptional: true, hideSTARTTLS: true }),
    listen({ authOptional: false, ...certificate() }),
    listen({ authOptional: false, secure: true, ...certificate() }),
    listen({ authOptional: false, hideSTARTTLS: true, allowInsecureAuth: true }),
  ]);

  const reader = createServer((request, response) => {
    const to = new URL(request.url ?? '/', 'http://localhost').searchParams.get('to');
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(mails.filter(({ recipients }) => to !== null && recipients.includes(to))));
  });
  await new Promise<void>((resolve) => reader.listen(0, '127.0.0.1', resolve));

  const login = `${encodeURIComponent(LOGIN.user)}:${encodeURIComponent(LOGIN.password)}`;
  return {
    urls: {
      plain: `smtp://127.0.0.1:${plain.port}`,
      startTls: `smtp://${login}@localhost:${startTls.port}`,
      implicitTls: `smtps://${login}@localhost:${implicitTls.port}`,
      withoutTls: `smtp://${login}@127.0.0.1:${withoutTls.port}`,
      reader: `http://127.0.0.1:${portOf(reader.address())}`,
    },
    close: async (): Promise<void> => {
      reader.closeAllConnections();
      await Promise.all([plain, startTls, implicitTls, withoutTls].map((server) => server.close()));
      await new Promise((resolve) => reader.close(resolve));
    },
  };
};

const portOf = (address: AddressInfo | string | null): number => {
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return address.port;
};
