import { once } from 'node:events';
import http from 'node:http';
import { portOf } from './service.ts';

/** A tenant's own front end, at any name of the loopback host: one page, wherever one looks. */
export const startFrontEnd = async () => {
  const server = http.createServer((_request, response) =>
    response
      .setHeader('Content-Type', 'text/html')
      .end('<!doctype html><link rel="icon" href="data:,"><h1>The shop</h1>'),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: portOf(server.address()),
    stop: (): void => {
      server.closeAllConnections();
      server.close();
    },
  };
};
