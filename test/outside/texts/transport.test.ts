import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseSmsUrl } from '../../../src/outside/texts/settings.ts';
import { createTextTransport } from '../../../src/outside/texts/transport.ts';
import type { ScriptedAnswer } from '../../peers/scripted.ts';
import { htmlAnswer, jsonAnswer, newScriptedPath, SILENCE } from '../../support/scripted.ts';
import { lastTextTo, textsTo, uniqueNumber } from '../../support/texts.ts';

const { messages } = env.TEST_TEXT_URLS;

const SERVICE = `MG${'0123456789abcdef'.repeat(2)}`;

const transportTo = (smsUrl: string, timeoutMs?: number) => {
  const settings = parseSmsUrl(smsUrl);
  if (!settings) throw new Error(`${smsUrl} is no SMS URL`);
  return createTextTransport(settings, fetch, timeoutMs);
};

/** A message API that answers as told. */
const newApi = async (answer: ScriptedAnswer) => {
  const path = newScriptedPath();
  await path.answer(answer);
  const smsUrl = `${path.url.replace('://', '://us%40er:p%C3%A9ss%3Aword@')}?from=+15005550006`;
  return { ...path, send: (timeoutMs?: number) => transportTo(smsUrl, timeoutMs).send({ to, body: 'Hello' }) };
};

const to = '+4915112345678';

const printed: unknown[] = [];

beforeEach(() => {
  printed.length = 0;
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, method).mockImplementation((...parts: unknown[]) => void printed.push(...parts));
  }
});

afterEach(() => {
  vi.restoreAllMocks();
  expect(printed, 'nothing of a text is ever logged').toEqual([]);
});

describe('a text', () => {
  it('arrives from the number of the settings, with every character as it was', async () => {
    const number = uniqueNumber();
    const body = 'à & b = 50 % + “é” 😀\nnext line';
    expect(await transportTo(messages).send({ to: number, body })).toBe('accepted');
    expect(await lastTextTo(number)).toEqual({ to: number, from: '+15005550006', body });
  });

  it('arrives from the messaging service of the settings', async () => {
    const number = uniqueNumber();
    const smsUrl = messages.replace(/from=.*$/, `from=${SERVICE}`);
    expect(await transportTo(smsUrl).send({ to: number, body: 'Hello' })).toBe('accepted');
    expect(await lastTextTo(number)).toMatchObject({ from: SERVICE });
  });

  it('is posted as a form, with the login as Basic authentication in UTF-8', async () => {
    const api = await newApi(jsonAnswer({ sid: 'SM1', status: 'queued' }, { status: 201 }));
    expect(await api.send()).toBe('accepted');
    const requests = await api.requests();
    expect(requests).toEqual([
      expect.objectContaining({ method: 'POST', body: 'To=%2B4915112345678&From=%2B15005550006&Body=Hello' }),
    ]);
    expect(requests[0]?.headers).toMatchObject({
      authorization: `Basic ${new TextEncoder().encode('us@er:péss:word').toBase64()}`,
      'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
    });
  });

  for (const number of [
    '',
    '4915112345678',
    '004915112345678',
    '+049151123456',
    '+49151123456789012',
    '+49 151 12345678',
    'whatsapp:+4915112345678',
    '+4915112345678,+4915112345679',
    '+4915112345678\n',
    '12345',
    '+٤٩١٥١١٢٣٤٥٦٧٨',
  ]) {
    it(`is not handed over at all to “${number}”`, async () => {
      const fetch = vi.fn(() => Promise.reject(new Error('reached')));
      const settings = parseSmsUrl(messages);
      if (!settings) throw new Error('The test API has no URL');
      await expect(createTextTransport(settings, fetch).send({ to: number, body: 'Hello' })).rejects.toThrow(
        'A text goes to one number in E.164',
      );
      expect(fetch).not.toHaveBeenCalled();
    });
  }
});

describe('a message API', () => {
  it('that refuses the number refuses the text', async () => {
    for (const number of ['+15005550001', '+15005550009']) {
      expect(await transportTo(messages).send({ to: number, body: 'Hello' })).toBe('refused');
      expect(await textsTo(number)).toEqual([]);
    }
  });

  it('that refuses the password, the account or the sender refuses the text', async () => {
    const number = uniqueNumber();
    const wrong = [
      messages.replace(/:[^:@]+@/, ':wrong@'),
      messages.replace(/\/Accounts\/\w+/, '/Accounts/AC2'),
      messages.replace(/from=.*$/, 'from=+15005550001'),
    ];
    for (const smsUrl of wrong) {
      expect(await transportTo(smsUrl).send({ to: number, body: 'Hello' })).toBe('refused');
    }
    expect(await textsTo(number)).toEqual([]);
  });

  for (const status of [200, 202, 204, 400, 401, 403, 404, 422, 429, 500, 503]) {
    it(`refuses when it answers ${status}`, async () => {
      const answer = status === 204 ? { status } : jsonAnswer({ code: 20429, message: 'No' }, { status });
      expect(await (await newApi(answer)).send()).toBe('refused');
    });
  }

  for (const status of [301, 302, 303, 307, 308]) {
    it(`refuses when it answers ${status}, and is not followed elsewhere`, async () => {
      const elsewhere = await newApi({ status: 201 });
      const api = await newApi({ status, headers: { Location: elsewhere.url } });
      expect(await api.send()).toBe('refused');
      expect(await elsewhere.requests()).toEqual([]);
    });
  }

  it('refuses when it answers with a page', async () => {
    expect(await (await newApi(htmlAnswer)).send()).toBe('refused');
  });

  it('refuses when what answers does not speak HTTP', async () => {
    const smsUrl = `${env.TEST_MAIL_URLS.plain.replace('smtp://', 'http://user:password@')}/?from=+15005550006`;
    expect(await transportTo(smsUrl).send({ to, body: 'Hello' })).toBe('refused');
  });

  it('refuses when there is no server', async () => {
    expect(await transportTo('http://user:password@127.0.0.1:1/?from=+15005550006').send({ to, body: 'Hello' })).toBe(
      'refused',
    );
  });

  it('refuses when it does not answer in time, and is not waited for any longer', async () => {
    const api = await newApi({ ...SILENCE, status: 201 });
    const startedAt = Date.now();
    const outcome = api.send(500);
    await api.untilOpen(1);
    expect(await outcome).toBe('refused');
    expect(Date.now() - startedAt).toBeLessThan(1500);
    await api.untilOpen(0);
  });

  for (const ending of ['stalled', 'endless'] as const) {
    it(`accepts with its status, although the rest of its answer is ${ending}`, async () => {
      const api = await newApi({ status: 201, body: '{"sid":', ending });
      const startedAt = Date.now();
      expect(await api.send(5000)).toBe('accepted');
      expect(Date.now() - startedAt).toBeLessThan(1500);
      await api.untilOpen(0);
    });
  }
});
