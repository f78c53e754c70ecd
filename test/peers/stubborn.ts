import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

const STEP_MS = 700;

/**
 * Servers that never come to an end with a mail: one takes connections and says nothing, not even TLS; the other answers
 * every command, late. How many of their connections are open is read by HTTP, as a number, at `/mute` and `/slow`.
 */
export const startStubbornServers = async () => {
  const mute = await listen((socket) => socket.resume());
  const slow = await listen((socket) => {
    const answer = (line: string) => setTimeout(() => socket.writable && socket.write(`${line}\r\n`), STEP_MS);
    answer('220 slow');
    socket.on('data', () => answer('250 slow'));
  });
  const reader = createHttpServer((request, response) => {
    response.end(String((request.url === '/mute' ? mute : slow).sockets.size));
  });
  await new Promise<void>((resolve) => reader.listen(0, '127.0.0.1', resolve));
  return {
    urls: {
      mute: `smtp://127.0.0.1:${mute.port}`,
      muteTls: `smtps://127.0.0.1:${mute.port}`,
      slow: `smtp://127.0.0.1:${slow.port}`,
      openConnections: `http://127.0.0.1:${portOf(reader.address())}`,
    },
    close: async (): Promise<void> => {
      for (const socket of [...mute.sockets, ...slow.sockets]) socket.destroy();
      reader.closeAllConnections();
      await Promise.all([mute.server, slow.server, reader].map((each) => new Promise((done) => each.close(done))));
    },
  };
};

const listen = async (
  onConnection: (socket: Socket) => void,
): Promise<{ server: Server; port: number; sockets: ReadonlySet<Socket> }> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    // A client that breaks off is what these servers are for.
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: portOf(server.address()), sockets };
};

const portOf = (address: AddressInfo | string | null): number => {
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return address.port;
};
