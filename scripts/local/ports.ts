import net from 'node:net';

const LOOPBACKS = ['127.0.0.1', '::1'];

/** A port out of what was typed, or an error that names the option. */
export const parsePort = (option: string, text: string): number => {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new Error(`--${option} must be a port, 1 to 65535`);
  return port;
};

/** What hinders each of these ports from being listened on, in words; none when all are free. */
export const findPortFaults = async (ports: Readonly<Record<string, number>>): Promise<string[]> => {
  if (new Set(Object.values(ports)).size < Object.keys(ports).length) return ['The ports must differ.'];
  const faults = await Promise.all(
    Object.entries(ports).map(async ([what, port]) => {
      // A browser may try ::1 first: something that listens only there would be taken for ours.
      const codes = await Promise.all(LOOPBACKS.map((host) => tryListening(port, host)));
      if (codes.includes('EADDRINUSE')) return [`Port ${port} (${what}) is busy: something else listens there.`];
      return codes.includes('EACCES') ? [`Port ${port} (${what}) is not for this user to listen on.`] : [];
    }),
  );
  return faults.flat();
};

/** The code of the error that listening ends in, or null. */
const tryListening = (port: number, host: string): Promise<string | null> =>
  new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? null));
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
