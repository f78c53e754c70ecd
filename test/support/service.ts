import {
  createExecutionContext,
  createMessageBatch,
  createScheduledController,
  getQueueResult,
  waitOnExecutionContext,
} from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect } from 'vitest';
import { createWorker } from '../../src/worker.ts';
import { checkAgainstDocument } from './document.ts';

/** A clock that stands still until it is told otherwise. */
type Clock = { now: () => number; advance: (seconds: number) => void };

/** Bindings and settings as a test may have them: any text, or none. */
type TestBindings = { [Name in keyof Env]?: Env[Name] extends string ? string | undefined : Env[Name] } & {
  [Name in 'OPERATOR_TOKEN' | 'DEFAULT_TENANT' | 'SMS_URL']?: string | undefined;
};

type Call = { headers?: Record<string, string>; body?: unknown; rawBody?: BodyInit };

/** Calls the Worker, and checks every answer against its own OpenAPI document. */
export type Service = {
  clock: Clock;
  call: (method: string, url: string, call?: Call) => Promise<Response>;
  /** Hands the Worker messages of the queue as one batch. How many it acknowledged, and in how many seconds the others are to come again. */
  consume: (messages: readonly unknown[]) => Promise<{ acknowledged: number; retries: number[] }>;
  /** Does what the cron trigger does. Throws where it fails. */
  runCron: () => Promise<void>;
};

/**
 * The Worker as deployed, but for its clock. `bindings` replace the environment's, e.g. to count or to break them;
 * `fetch` stands for the servers that it calls.
 */
export const createService = (bindings: TestBindings = {}, fetch: typeof globalThis.fetch = refuseToFetch): Service => {
  let time = Date.now();
  const clock: Clock = {
    now: () => time,
    advance: (seconds) => {
      time += seconds * 1000;
    },
  };
  const worker = createWorker({ now: clock.now, fetch });
  const environment = Object.assign({}, env, bindings);
  const send = async (request: Request): Promise<Response> => {
    const context = createExecutionContext();
    const response = await worker.fetch(request, environment, context);
    await waitOnExecutionContext(context);
    return response;
  };
  return {
    clock,
    consume: async (messages) => {
      const context = createExecutionContext();
      const batch = createMessageBatch(
        'gatehouse-deliveries',
        messages.map((body) => ({ id: crypto.randomUUID(), timestamp: new Date(time), attempts: 1, body })),
      );
      const retries: number[] = [];
      for (const message of batch.messages) {
        const retry = message.retry.bind(message);
        message.retry = (options) => {
          retries.push(options?.delaySeconds ?? 0);
          retry(options);
        };
      }
      await worker.queue(batch, environment, context);
      const { explicitAcks, retryMessages } = await getQueueResult(batch, context);
      expect(retryMessages).toHaveLength(retries.length);
      expect(explicitAcks.length + retries.length).toBe(messages.length);
      return { acknowledged: explicitAcks.length, retries };
    },
    runCron: () => worker.scheduled(createScheduledController(), environment),
    call: async (method, url, { headers = {}, body, rawBody } = {}) => {
      const request = new Request(new URL(url, 'http://localhost'), {
        method,
        redirect: 'manual',
        headers: { ...(body !== undefined && { 'Content-Type': 'application/json' }), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(rawBody !== undefined && { body: rawBody }),
      });
      const response = await send(request);
      await checkAgainstDocument(method, request.url, response);
      return response;
    },
  };
};

const refuseToFetch = (): Promise<Response> => Promise.reject(new Error('This test calls no other server'));
