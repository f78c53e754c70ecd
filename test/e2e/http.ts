import http from 'node:http';

export type Answer = { status: number; headers: http.IncomingHttpHeaders; text: string };

type Call = { method?: string; headers?: Record<string, string>; body?: unknown };

/**
 * Calls the service on this machine under a host name of its own. Node resolves no `*.localhost`, and its `fetch` sets no
 * `Host`, so this is `node:http`.
 */
export const call = (port: number, host: string, path: string, { method = 'GET', headers = {}, body }: Call = {}) =>
  new Promise<Answer>((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const request = http.request(
      {
        host: '127.0.0.1',
        port,
        path,
        method,
        headers: {
          Host: `${host}:${port}`,
          ...(payload !== undefined && {
            'Content-Type': 'application/json',
            'Content-Length': Buffer.byteLength(payload),
          }),
          ...headers,
        },
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      },
    );
    request.on('error', reject);
    request.end(payload);
  });
