import { once } from 'node:events';
import net from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTexts } from '../../scripts/local/texts.ts';
import { call } from './http.ts';
import { freePorts } from './service.ts';

describe('the local mailbox for texts', () => {
  let port: number;
  let texts: Awaited<ReturnType<typeof startTexts>>;

  beforeAll(async () => {
    port = (await freePorts()).texts;
    texts = await startTexts(port, '127.0.0.1', () => undefined);
  });

  afterAll(() => texts.stop());

  const page = () => call(port, 'localhost', '/');

  const post = (form: Record<string, string>, smsUrl = texts.smsUrl) => {
    const { origin, pathname, username, password, searchParams } = new URL(smsUrl);
    return fetch(origin + pathname, {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa(`${username}:${password}`)}` },
      body: new URLSearchParams({ From: searchParams.get('from')?.replace(' ', '+') ?? '', ...form }),
    });
  };

  it('says that there are none, until there are, on a page that reloads itself', async () => {
    const { status, headers, text } = await page();
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(text).toContain('There are none yet.');
    expect(text).toContain('<meta http-equiv="refresh"');
  });

  it('shows what the message API took, newest first, and what people typed as text', async () => {
    const first = await post({ To: '+4915112345678', Body: 'The first: 111111' });
    expect(first.status).toBe(201);
    expect(await first.json()).toMatchObject({
      sid: expect.stringMatching(/^SM[0-9a-f]{32}$/),
      status: 'queued',
      to: '+4915112345678',
      from: '+15005550006',
    });
    expect((await post({ To: '+4915112345679', Body: `<img src=x onerror="a('1')"> & 222222` })).status).toBe(201);
    const { text } = await page();
    expect(text).toMatch(/\+4915112345679.+222222.+\+4915112345678.+The first: 111111/s);
    expect(text).toContain('&#60;img src=x onerror=&#34;a(&#39;1&#39;)&#34;&#62; &#38; 222222');
    expect(text).not.toContain('<img');
  });

  const refused: [string, Record<string, string>, number][] = [
    ['no number', { Body: 'Hello' }, 21604],
    ['a number that is not in E.164', { To: '015112345678', Body: 'Hello' }, 21211],
    ['the number that stands for a wrong one', { To: '+15005550001', Body: 'Hello' }, 21211],
    ['the number that stands for one that takes no texts', { To: '+15005550009', Body: 'Hello' }, 21614],
    ['no sender', { To: '+4915112345678', From: '', Body: 'Hello' }, 21603],
    ['a sender that is none', { To: '+4915112345678', From: 'Acme', Body: 'Hello' }, 21212],
    ['nothing to say', { To: '+4915112345678' }, 21602],
    ['too much to say', { To: '+4915112345678', Body: 'x'.repeat(1601) }, 21617],
  ];
  for (const [what, form, code] of refused) {
    it(`refuses ${what}, as Twilio does, and does not show it`, async () => {
      const before = await page();
      const answer = await post(form);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ status: 400, code, message: expect.any(String) });
      expect((await page()).text).toBe(before.text);
    });
  }

  it('takes no text without its login, or for another account', async () => {
    const form = { To: '+4915112345678', Body: 'Hello' };
    const wrong = await post(form, texts.smsUrl.replace(/:[0-9a-f]+@/, ':wrong@'));
    expect(wrong.status).toBe(401);
    expect(await wrong.json()).toMatchObject({ code: 20003 });
    const elsewhere = await post(form, texts.smsUrl.replace(/Accounts\/\w+/, 'Accounts/AC2'));
    expect(elsewhere.status).toBe(404);
    expect(await elsewhere.json()).toMatchObject({ code: 20404 });
  });

  it('asks a browser for no password, whatever it asks for besides the page', async () => {
    const { status, headers } = await call(port, 'localhost', '/favicon.ico');
    expect(status).toBe(404);
    expect(headers['www-authenticate']).toBeUndefined();
  });

  it('outlives a caller who breaks off', async () => {
    const caller = net.connect(port, '127.0.0.1');
    caller.end('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nTo=');
    await once(caller.resume(), 'close');
    expect((await page()).status).toBe(200);
  });

  it('does not begin on a port that is busy', async () => {
    await expect(startTexts(port, '127.0.0.1', () => undefined)).rejects.toThrow('EADDRINUSE');
  });
});
