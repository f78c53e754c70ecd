import net from 'node:net';
import tls from 'node:tls';
import { createBoundedTransport, type MailTransport } from './transport.ts';

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
export const createSmtpTransport = ({ host, port, isImplicitTls, login }: Server, timeoutMs: number): MailTransport =>
  createBoundedTransport(async ({ to, ...message }, signal) => {
    // Only Workers that send by SMTP pay for loading it.
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      host,
      port,
      secure: isImplicitTls,
      requireTLS: login !== null && !isLoopback(host),
      ...(login && { auth: { user: login.user, pass: login.password } }),
      disableFileAccess: true,
      disableUrlAccess: true,
      // Its own way to a socket looks names up by DNS over HTTPS; the Worker's sockets take names.
      getSocket: (_options: unknown, done: (error: Error | null, socket?: ConnectedSocket) => void) => {
        const plain = net.connect({ host, port });
        // Nodemailer's own time limits begin once it has the socket, and again with every answer.
        signal.addEventListener('abort', () => void plain.destroy(), { once: true });
        const handOver = (connection: net.Socket) => {
          // One listener an SMTP command is what it takes; the warning about it is an exception in workerd.
          connection.setMaxListeners(0);
          // workerd starts a timer with every read and write, and clears none. The signal bounds the time already.
          Object.assign(connection, { setTimeout: () => connection });
          done(null, { connection, secured: isImplicitTls });
        };
        plain.on('error', done);
        plain.once('connect', () => {
          if (!isImplicitTls) return handOver(plain);
          const secure = tls.connect({ socket: plain, servername: host });
          signal.addEventListener('abort', () => void secure.destroy(), { once: true });
          secure.on('error', done);
          secure.once('secureConnect', () => handOver(secure));
        });
      },
    });
    // As an object, because a text would be read as a list of recipients.
    await transport.sendMail({ ...message, to: { name: '', address: to }, signal });
  }, timeoutMs);

type ConnectedSocket = { connection: net.Socket; secured: boolean };

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');
