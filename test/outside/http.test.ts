import { describe, expect, it, vi } from 'vitest';
import { createGuardedFetch, isCallableUrl, OutboundRefused } from '../../src/outside/http.ts';
import { newScriptedPath, SILENCE } from '../support/scripted.ts';

describe('a URL that the Worker is told to call', () => {
  const publicUrls = [
    'https://idp.example.com',
    'https://idp.example.com:8443/realms/acme?tenant=1',
    'https://idp.example.com./',
    'HTTPS://IDP.EXAMPLE.COM/',
    'https://login_1.example.co.uk',
    'https://bücher.example',
    'https://10.example.com',
    'https://localhost.example.com',
    'https://internal.example.com',
  ];
  for (const url of publicUrls) {
    it(`may be ${url}`, () => {
      expect(isCallableUrl(url, false)).toBe(true);
      expect(isCallableUrl(url, true)).toBe(true);
    });
  }

  const loopbackUrls = [
    'http://localhost:8080/',
    'https://localhost',
    'http://localhost.:8080',
    'http://acme.localhost:8787',
    'http://127.0.0.1:8080',
    'http://127.1',
    'http://0x7f.1',
    'http://0177.0.0.1',
    'http://2130706433',
    'http://１２７.０.０.１',
    'http://[::1]:8080',
  ];
  for (const url of loopbackUrls) {
    it(`may be ${url} on a developer’s machine alone`, () => {
      expect(isCallableUrl(url, false)).toBe(false);
      expect(isCallableUrl(url, true)).toBe(true);
    });
  }

  const forbiddenUrls = [
    '',
    'idp.example.com',
    '//idp.example.com',
    'http://idp.example.com',
    'ftp://localhost',
    'file:///etc/passwd',
    'gopher://127.0.0.1',
    'javascript:alert(1)',
    'data:application/json,{}',
    'https://user@idp.example.com',
    'https://user:password@127.0.0.1',
    'https://:password@idp.example.com',
    'https://idp',
    'https://0/',
    'https://0.0.0.0',
    'https://10.0.0.1',
    'https://172.16.0.1',
    'https://192.168.0.1',
    'http://169.254.169.254/latest/meta-data',
    'https://3232235777',
    'https://203.0.113.1',
    'https://[::]',
    'https://[::ffff:7f00:1]',
    'https://[::ffff:127.0.0.1]',
    'https://[fd00::1]',
    'https://[fe80::1]',
    'https://[2001:db8::1]',
    'https://idp.local',
    'https://idp.internal',
    'https://metadata.google.internal.',
    'https://idp.localdomain',
    'https://1.0.0.127.in-addr.arpa',
    'https://idp.home.arpa',
    'https://idp.example.com..',
    'https://-.example.1',
    `https://idp.example.com/${'x'.repeat(2048)}`,
  ];
  for (const url of forbiddenUrls) {
    it(`is never ${url.slice(0, 60) || 'nothing'}`, () => {
      expect(isCallableUrl(url, false)).toBe(false);
      expect(isCallableUrl(url, true)).toBe(false);
    });
  }
});

describe('a guarded fetch', () => {
  const guarded = ({ fetch = globalThis.fetch, deadline = new AbortController().signal } = {}) =>
    createGuardedFetch({ fetch, allowsLoopback: true, deadline });
  const refusalOf = (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => 'none',
      (error: unknown) => (error instanceof OutboundRefused ? error.reason : error),
    );

  it('sends what it is given and hands over what comes back', async () => {
    const path = newScriptedPath();
    await path.answer({ status: 418, headers: { 'Content-Type': 'text/plain', 'X-Tea': 'green' }, body: 'Tea' });
    const response = await guarded()(path.url, { method: 'POST', headers: { 'X-Cup': '1' }, body: 'Please' });
    expect(response.status).toBe(418);
    expect(response.headers.get('X-Tea')).toBe('green');
    expect(await response.text()).toBe('Tea');
    expect(await path.requests()).toMatchObject([{ method: 'POST', headers: { 'x-cup': '1' }, body: 'Please' }]);
  });

  it('calls nothing that it may not call', async () => {
    const fetch = vi.fn(() => Promise.reject(new Error('called')));
    for (const url of ['http://idp.example.com', 'https://10.0.0.1', '']) {
      expect(await refusalOf(guarded({ fetch })(url))).toBe('url');
    }
    expect(fetch).not.toHaveBeenCalled();
  });

  for (const status of [300, 301, 302, 303, 307, 308]) {
    it(`follows no redirect with ${status}`, async () => {
      const [path, elsewhere] = [newScriptedPath(), newScriptedPath()];
      await elsewhere.answer({ body: 'Hello' });
      await path.answer({ status, headers: { Location: elsewhere.url } });
      expect(await refusalOf(guarded()(path.url))).toBe('redirect');
      expect(await elsewhere.requests()).toEqual([]);
    });
  }

  it('takes 256 KiB and not a byte more', async () => {
    const path = newScriptedPath();
    await path.answer({ body: 'x'.repeat(256 * 1024) });
    expect((await (await guarded()(path.url)).arrayBuffer()).byteLength).toBe(256 * 1024);
    await path.answer({ body: 'x'.repeat(256 * 1024 + 1) });
    expect(await refusalOf(guarded()(path.url))).toBe('too_large');
  });

  const packedAnswer = async (content: string | Uint8Array<ArrayBuffer>) => {
    const packed = new Blob([content]).stream().pipeThrough(new CompressionStream('gzip'));
    const body = new Uint8Array(await new Response(packed).arrayBuffer()).toBase64();
    return { headers: { 'Content-Encoding': 'gzip' }, body, isBase64: true };
  };

  it('counts the bytes of a packed answer unpacked', async () => {
    const path = newScriptedPath();
    const answer = await packedAnswer(new Uint8Array(4_000_000));
    expect(answer.body.length).toBeLessThan(10_000);
    await path.answer(answer);
    expect(await refusalOf(guarded()(path.url))).toBe('too_large');
  });

  it('unpacks a packed answer and no longer says that it is packed', async () => {
    const path = newScriptedPath();
    await path.answer(await packedAnswer('{}'));
    const response = await guarded()(path.url);
    expect(response.headers.get('Content-Encoding')).toBeNull();
    expect(await response.json()).toEqual({});
  });

  it('hangs up on an answer without an end', async () => {
    const path = newScriptedPath();
    await path.answer({ ending: 'endless' });
    expect(await refusalOf(guarded()(path.url))).toBe('too_large');
    await path.untilOpen(0);
  });

  it('hangs up on silence when its time is over', async () => {
    const path = newScriptedPath();
    await path.answer(SILENCE);
    const deadline = new AbortController();
    const refusal = refusalOf(guarded({ deadline: deadline.signal })(path.url));
    await path.untilOpen(1);
    deadline.abort();
    expect(await refusal).toBe('timeout');
    await path.untilOpen(0);
  });

  it('hangs up on an answer that stops half-way when its time is over', async () => {
    const path = newScriptedPath();
    await path.answer({ body: '{', ending: 'stalled' });
    const deadline = new AbortController();
    const begun = Promise.withResolvers<void>();
    const noticing: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      begun.resolve();
      return response;
    };
    const refusal = refusalOf(guarded({ fetch: noticing, deadline: deadline.signal })(path.url));
    await begun.promise;
    deadline.abort();
    expect(await refusal).toBe('timeout');
    await path.untilOpen(0);
  });

  it('does not wait for a body that heeds no signal', async () => {
    const deadline = new AbortController();
    const fetch = async () => {
      const pull = () => {
        deadline.abort();
        return new Promise<void>(() => undefined);
      };
      return new Response(new ReadableStream({ pull }));
    };
    const call = guarded({ fetch, deadline: deadline.signal })('https://idp.example.com');
    expect(await refusalOf(call)).toBe('timeout');
  });

  it('refuses every call after its time', async () => {
    const path = newScriptedPath();
    await path.answer({ body: '{}' });
    const deadline = new AbortController();
    const call = guarded({ deadline: deadline.signal });
    await call(path.url);
    deadline.abort();
    expect(await refusalOf(call(path.url))).toBe('timeout');
    expect(await path.requests()).toHaveLength(1);
  });

  it('tells of a network’s failure no more than that', async () => {
    expect(await refusalOf(guarded()('http://127.0.0.1:1'))).toBe('network');
    const fetch = () => Promise.reject(new TypeError('secret'));
    const call = guarded({ fetch })('https://idp.example.com');
    await expect(call).rejects.toThrow(/^Outbound call refused: network$/);
    await expect(call).rejects.not.toHaveProperty('cause');
  });
});
