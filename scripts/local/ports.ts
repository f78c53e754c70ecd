import net from 'node:net';

/** The ones of these ports that something on this machine listens on already. */
export const findBusyPorts = async (ports: Readonly<Record<string, number>>): Promise<string[]> => {
  const checks = await Promise.all(
    Object.entries(ports).map(async ([what, port]) => ((await isFree(port)) ? [] : [`${port} (${what})`])),
  );
  return checks.flat();
};

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
