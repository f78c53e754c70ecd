import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { call } from './http.ts';
import {
  freePorts,
  killAll,
  newStateFolder,
  operatorHeaders,
  type Ports,
  portOf,
  type Run,
  start,
  untilPrinted,
} from './service.ts';

type Answer = (response: ServerResponse) => void;

const ok: Answer = (response) => response.writeHead(204).end();

const FAULTS: Readonly<Record<string, Answer>> = {
  error: (response) => response.writeHead(500).end(),
  redirect: (response) => response.writeHead(302, { Location: '/canary' }).end(),
  // Longer than anybody waits.
  slow: (response) => setTimeout(() => ok(response), 60_000).unref(),
  down: (response) => response.socket?.destroy(),
};

/** A receiver that checks what comes as its library does, and answers by path: with a fault until it is mended. */
const startReceiver = async () => {
  const secrets = new Map<string, string>();
  const received: { path: string; id: string }[] = [];
  let isMended = false;
  let canaryHits = 0;
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? '').slice(1);
    const body = await text(request);
    if (path === 'canary') canaryHits += 1;
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    // Throws for a message that was not signed with the secret, or long ago.
    new Webhook(secrets.get(path) ?? '').verify(body, headers);
    if (!isMended && FAULTS[path]) {
      FAULTS[path](response);
      return;
    }
    received.push({ path, id: headers['webhook-id'] ?? '' });
    ok(response);
  };
  const faults: unknown[] = [];
  const server = http.createServer((request, response) => {
    receive(request, response).catch((error: unknown) => {
      faults.push(error);
      response.writeHead(400).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${portOf(server.address())}`,
    secrets,
    received,
    faults,
    canaryHits: () => canaryHits,
    mend: () => {
      isMended = true;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
};

describe('webhooks of the service as npm start brings it up', () => {
  let ports: Ports;
  let state: Awaited<ReturnType<typeof newStateFolder>>;
  let run: Run;
  let receiver: Awaited<ReturnType<typeof startReceiver>>;

  const operate = async (method: string, path: string, body?: unknown) => {
    const answer = await call(ports.worker, 'localhost', `/operator/v1/tenants/mill${path}`, {
      method,
      headers: operatorHeaders(),
      body,
    });
    expect(answer.status, answer.text).toBeLessThan(300);
    return answer.text === '' ? null : JSON.parse(answer.text);
  };

  const deliveriesOf = async (
    name: string,
  ): Promise<{ id: string; status: string; attempts: number; last_error: string }[]> =>
    (await operate('GET', `/webhooks/${name}/deliveries`)).items;

  const bringUp = async (): Promise<void> => {
    run = start(ports, state.folder);
    await untilPrinted(run, 'Ctrl-C stops all of it.');
  };

  beforeAll(async () => {
    [ports, state, receiver] = await Promise.all([freePorts(), newStateFolder(), startReceiver()]);
    await bringUp();
    await operate('PUT', '', { name: 'The Mill' });
    const wanted = {
      ...{ killed: ['app.created'], slow: ['subscription.deleted'] },
      ...{ error: ['subscription.updated'], redirect: ['subscription.updated'], down: ['subscription.updated'] },
    };
    for (const [name, events] of Object.entries(wanted)) {
      const { secret } = await operate('PUT', `/webhooks/${name}`, { url: `${receiver.url}/${name}`, events });
      receiver.secrets.set(name, secret);
    }
  });

  afterAll(async () => {
    run.process.kill('SIGINT');
    await run.ended;
    receiver.close();
    await state.remove();
  });

  it('are told of everything, however the receiver has failed and though the Worker was killed before', async () => {
    await operate('POST', '/apps', { name: 'Shop', permissions: [], platforms: [] });
    await killAll(run);
    expect(receiver.received).toEqual([]);
    await bringUp();
    expect(await deliveriesOf('killed')).toMatchObject([{ status: 'pending', attempts: 0 }]);

    for (const id of ['news', 'offers']) await operate('PUT', `/subscriptions/${id}`, { name: id });
    await operate('DELETE', '/subscriptions/news');
    const attempted = {
      error: [null, null],
      redirect: ['redirect', 'redirect'],
      down: ['network', 'network'],
      slow: ['timeout'],
    };
    for (const [name, errors] of Object.entries(attempted)) {
      await vi.waitFor(
        async () => {
          const failed = (await deliveriesOf(name)).map(({ status, attempts, last_error }) => ({
            status,
            attempts,
            last_error,
          }));
          expect(failed).toEqual(errors.map((last_error) => ({ status: 'pending', attempts: 1, last_error })));
        },
        { timeout: 40_000, interval: 500 },
      );
    }
    expect(receiver.received).toEqual([]);

    receiver.mend();
    const [overdue] = await deliveriesOf('slow');
    await operate('POST', `/webhooks/slow/deliveries/${overdue?.id}/redeliver`);
    for (const name of ['slow', 'error', 'redirect', 'down', 'killed']) {
      await vi.waitFor(
        async () => {
          await call(ports.worker, 'localhost', '/cdn-cgi/handler/scheduled');
          const deliveries = await deliveriesOf(name);
          expect(deliveries.map(({ status }) => status)).toEqual(deliveries.map(() => 'delivered'));
        },
        { timeout: 40_000, interval: 500 },
      );
      const told = receiver.received.filter(({ path }) => path === name).map(({ id }) => id);
      expect(new Set(told)).toEqual(new Set((await deliveriesOf(name)).map(({ id }) => id)));
    }
    expect(receiver.faults).toEqual([]);
    expect(receiver.canaryHits()).toBe(0);
  }, 240_000);
});
