import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { parseMailUrl } from '../../../src/outside/mail/settings.ts';
import { createMailTransport } from '../../../src/outside/mail/transports.ts';

const message = {
  from: { name: 'Acme "Shop"', address: 'accounts@example.com' },
  to: 'ada@example.com',
  subject: 'Hello',
  text: 'Hello',
  html: '<p>Hello</p>',
};

const transportOf = (url: string, binding: SendEmail, fetch: typeof globalThis.fetch, timeoutMs?: number) => {
  const settings = parseMailUrl(url);
  if (!settings) throw new Error(`${url} is no mail URL`);
  return createMailTransport(settings, binding, fetch, timeoutMs);
};

describe('a mail API', () => {
  const apiAnswering = (status: number) => {
    const requests: Request[] = [];
    const fetch: typeof globalThis.fetch = async (input, init) => {
      requests.push(new Request(input, init));
      return new Response('{}', { status, headers: status === 302 ? { Location: 'https://evil.example.com' } : {} });
    };
    return { requests, transport: transportOf('https://to%2Fken@mail.example.com/emails', env.EMAIL, fetch) };
  };

  it('gets the mail as JSON with the token of its URL', async () => {
    const { requests, transport } = apiAnswering(200);
    expect(await transport.send(message)).toBe('accepted');
    const [request] = requests;
    expect(request?.url).toBe('https://mail.example.com/emails');
    expect(request?.headers.get('Authorization')).toBe('Bearer to/ken');
    expect(request?.redirect).toBe('manual');
    expect(await request?.json()).toEqual({
      from: '"Acme Shop" <accounts@example.com>',
      to: ['ada@example.com'],
      subject: 'Hello',
      text: 'Hello',
      html: '<p>Hello</p>',
    });
  });

  for (const status of [302, 400, 401, 422, 429, 500]) {
    it(`refuses when it answers ${status}`, async () => {
      expect(await apiAnswering(status).transport.send(message)).toBe('refused');
    });
  }

  it('refuses, and gives the request up, when it does not answer in time', async () => {
    let signal: AbortSignal | null | undefined;
    const neverAnswering: typeof globalThis.fetch = (_input, init) => {
      signal = init?.signal;
      return new Promise(() => undefined);
    };
    const transport = transportOf('https://token@mail.example.com', env.EMAIL, neverAnswering, 100);
    expect(await transport.send(message)).toBe('refused');
    expect(signal?.aborted).toBe(true);
  });

  it('refuses when it cannot be reached', async () => {
    const unreachable = () => Promise.reject(new Error('unreachable'));
    expect(await transportOf('https://token@mail.example.com', env.EMAIL, unreachable).send(message)).toBe('refused');
  });
});

describe('every transport', () => {
  const unsafe: [string, Partial<typeof message>][] = [
    ['a line break in the subject', { subject: 'Hello\r\nBcc: evil@example.com' }],
    ['a line feed in the sender’s name', { from: { name: 'Acme\nBcc: evil@example.com', address: 'a@example.com' } }],
    ['a line break in the sender’s address', { from: { name: 'Acme', address: 'a@example.com\r\nDATA' } }],
    ['a line break in the recipient', { to: 'ada@example.com\r\nRCPT TO:<evil@example.com>' }],
    ['a line separator', { subject: 'Hello\u2028there' }],
    ['a paragraph separator', { subject: 'Hello\u2029there' }],
    ['a next-line character', { subject: 'Hello\u0085there' }],
    ['a NUL', { subject: 'Hello\0there' }],
    ['two recipients', { to: 'ada@example.com, evil@example.com' }],
  ];
  for (const url of ['cloudflare:', 'smtp://127.0.0.1:1', 'https://token@mail.example.com']) {
    for (const [what, part] of unsafe) {
      it(`of ${url} throws at ${what}, before anything is sent`, async () => {
        const send = vi.fn(() => Promise.reject(new Error('reached')));
        await expect(transportOf(url, { send }, send).send({ ...message, ...part })).rejects.toThrow(/^A mail h/);
        expect(send).not.toHaveBeenCalled();
      });
    }
  }
});

describe('the binding of Cloudflare', () => {
  it('refuses when it does not answer in time', async () => {
    const binding: SendEmail = { send: () => new Promise(() => undefined) };
    expect(await transportOf('cloudflare:', binding, fetch, 100).send(message)).toBe('refused');
  });

  it('takes a mail', async () => {
    expect(await transportOf('cloudflare:', env.EMAIL, fetch).send(message)).toBe('accepted');
  });

  it('refuses when it throws', async () => {
    const binding: SendEmail = { send: () => Promise.reject(new Error('destination address is not verified')) };
    expect(await transportOf('cloudflare:', binding, fetch).send(message)).toBe('refused');
  });
});

describe('MAIL_URL', () => {
  it('names the binding, an SMTP server or an API, and the sender', () => {
    expect(parseMailUrl('cloudflare:')).toEqual({ kind: 'cloudflare', from: null });
    expect(parseMailUrl('cloudflare:?from=a@example.com')).toEqual({ kind: 'cloudflare', from: 'a@example.com' });
    expect(parseMailUrl('smtp://localhost:1025')).toEqual({
      kind: 'smtp',
      host: 'localhost',
      port: 1025,
      isImplicitTls: false,
      login: null,
      from: null,
    });
    expect(parseMailUrl('smtps://us%40er:p%3Ass@mail.example.com')).toMatchObject({
      port: 465,
      isImplicitTls: true,
      login: { user: 'us@er', password: 'p:ss' },
    });
    expect(parseMailUrl('smtp://mail.example.com')).toMatchObject({ port: 587 });
    expect(parseMailUrl('https://:key@mail.example.com/v1?from=a@example.com')).toEqual({
      kind: 'api',
      url: 'https://mail.example.com/v1',
      token: 'key',
      from: 'a@example.com',
    });
  });

  for (const text of [
    '',
    'mail.example.com',
    'http://token@mail.example.com',
    'https://mail.example.com',
    'smtp://',
    'smtp://a:%zz@host',
    'ftp://host',
    'cloudflare:?from=nobody',
    'cloudflare:?from=a@b c',
    'cloudflare:?from=<a@b>',
    'cloudflare:?from=a@b,c',
    'cloudflare:?from=a@b%C2%85c',
    'cloudflare:?from=a@b%00c',
    'cloudflare:elsewhere',
    'https://to%0D%0Aken@mail.example.com',
    'smtp://us%0D%0Aer:password@mail.example.com',
    'smtp://:password@mail.example.com',
    'smtp://mail.example.com:0',
  ]) {
    it(`is not “${text}”`, () => {
      expect(parseMailUrl(text)).toBeNull();
    });
  }
});
