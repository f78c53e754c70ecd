import { describe, expect, it } from 'vitest';
import { createReceiverCalls } from '../../../src/outside/webhooks/receivers.ts';
import { newScriptedPath, SILENCE } from '../../support/scripted.ts';

const MESSAGE = { body: '{"type":"a"}', headers: { 'webhook-id': 'evt_1' } };

const newCall = (parts: Partial<Parameters<typeof createReceiverCalls>[0]> = {}) =>
  createReceiverCalls({ fetch: (...request) => fetch(...request), allowsLoopback: true, ...parts });

const soon = () => AbortSignal.timeout(300);

describe('a call of a receiver', () => {
  it('posts the message, and nothing of ours beside it', async () => {
    const path = newScriptedPath();
    await path.answer({ status: 202, body: 'taken' });
    expect(await newCall()(path.url, MESSAGE)).toEqual({ status: 202, error: null, retryAfter: null });
    const [request] = await path.requests();
    expect(request).toMatchObject({ method: 'POST', body: MESSAGE.body });
    expect(request?.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': 'evt_1' });
    for (const name of ['cookie', 'authorization', 'x-request-id', 'cf-connecting-ip']) {
      expect(request?.headers).not.toHaveProperty(name);
    }
  });

  it('is taken by the status alone, however much more would follow, or never does', async () => {
    for (const ending of ['endless', 'stalled'] as const) {
      const path = newScriptedPath();
      await path.answer({ status: 200, body: 'x'.repeat(1000), ending });
      expect(await newCall({ deadline: () => AbortSignal.timeout(3000) })(path.url, MESSAGE)).toMatchObject({
        status: 200,
        error: null,
      });
      await path.untilOpen(0);
    }
  });

  it('follows no redirect', async () => {
    const [path, canary] = [newScriptedPath(), newScriptedPath()];
    await canary.answer({ status: 200 });
    for (const status of [301, 302, 303, 307, 308]) {
      await path.answer({ status, headers: { Location: canary.url } });
      expect(await newCall()(path.url, MESSAGE)).toEqual({ status, error: 'redirect', retryAfter: null });
    }
    expect(await canary.requests()).toEqual([]);
  });

  it('tells when a receiver wants to be left alone', async () => {
    const path = newScriptedPath();
    await path.answer({ status: 503, headers: { 'Retry-After': '120' } });
    expect(await newCall()(path.url, MESSAGE)).toEqual({ status: 503, error: null, retryAfter: '120' });
  });

  it('is over at its deadline', async () => {
    const path = newScriptedPath();
    await path.answer(SILENCE);
    expect(await newCall({ deadline: soon })(path.url, MESSAGE)).toMatchObject({ status: null, error: 'timeout' });
  });

  it('may find nobody there', async () => {
    expect(await newCall()('http://127.0.0.1:9/', MESSAGE)).toMatchObject({ status: null, error: 'network' });
  });

  it.each([
    'http://127.0.0.1:8080',
    'http://hooks.example.com',
    'https://10.0.0.1',
    'https://[::1]',
    'file:///etc/passwd',
  ])('is not made to %s, whatever was stored', async (url) => {
    let calls = 0;
    const counting = async () => {
      calls += 1;
      return new Response();
    };
    const call = newCall({ fetch: counting, allowsLoopback: false });
    expect(await call(url, MESSAGE)).toEqual({ status: null, error: 'url', retryAfter: null });
    expect(calls).toBe(0);
  });
});
