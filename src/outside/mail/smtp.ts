import net from 'node:net';
import tls from 'node:tls';
import { MAIL_TIMEOUT_MS, type MailTransport, refusedIfThrown } from './transport.ts';

type Server = {
  host: string;
  port: number;
  isImplicitTls: boolean;
  login: { user: string; password: string } | null;
};

/**
 * Sends by SMTP over the Worker's sockets. With `smtp:` the connection is upgraded by STARTTLS where the server offers
 * it; a password is told to no server off this machine without TLS.
 */
export const createSmtpTransport = ({ host, port, isImplicitTls, login }: Server): MailTransport => ({
  send: (message) =>
    refusedIfThrown(async () => {
      // Only Workers that send by SMTP pay for loading it.
      const { createTransport } = await import('nodemailer');
      const transport = createTransport({
        host,
        port,
        secure: isImplicitTls,
        requireTLS: login !== null && !isLoopback(host),
        ...(login && { auth: { user: login.user, pass: login.password } }),
        connectionTimeout: MAIL_TIMEOUT_MS,
        greetingTimeout: MAIL_TIMEOUT_MS,
        socketTimeout: MAIL_TIMEOUT_MS,
        disableFileAccess: true,
        disableUrlAccess: true,
        // Its own way to a socket looks names up by DNS over HTTPS; the Worker's sockets take names.
        getSocket: (_options: unknown, done: (error: Error | null, socket?: ConnectedSocket) => void) => {
          const connection = isImplicitTls
            ? tls.connect({ host, port, servername: host })
            : net.connect({ host, port });
          connection.once('error', done);
          connection.on('error', () => undefined);
          // One listener an SMTP command is what it takes; the warning about it is an exception in workerd.
          connection.setMaxListeners(0);
          connection.once(isImplicitTls ? 'secureConnect' : 'connect', () => {
            connection.off('error', done);
            done(null, { connection, secured: isImplicitTls });
          });
        },
      });
      await transport.sendMail(message);
    }),
});

type ConnectedSocket = { connection: net.Socket; secured: boolean };

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');
