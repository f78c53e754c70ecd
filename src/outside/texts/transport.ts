import { isNumber } from './number.ts';
import type { TextSettings } from './settings.ts';

/** `refused`: the provider said no, could not be reached or did not answer in time. Nothing else is told of it. */
export type TextOutcome = 'accepted' | 'refused';

/** Hands a text to whoever delivers it. One to anything but a number in E.164 never gets there: it throws. */
export interface TextTransport {
  send(message: { to: string; body: string }): Promise<TextOutcome>;
}

/** How long a provider may take, in milliseconds, before its silence counts as a refusal. */
const TEXT_TIMEOUT_MS = 8_000;

/** Sends by a message API in Twilio's form, which answers 201 when it has taken a text. Redirects are not followed. */
export const createTextTransport = (
  { url, login, sender }: TextSettings,
  fetch: typeof globalThis.fetch,
  timeoutMs = TEXT_TIMEOUT_MS,
): TextTransport => {
  const credentials = new TextEncoder().encode(`${login.user}:${login.password}`).toBase64();
  const from: Record<string, string> =
    sender.kind === 'number' ? { From: sender.number } : { MessagingServiceSid: sender.sid };
  return {
    send: async ({ to, body }) => {
      if (!isNumber(to)) throw new Error('A text goes to one number in E.164');
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers: { Authorization: `Basic ${credentials}` },
          body: new URLSearchParams({ To: to, ...from, Body: body }),
          redirect: 'manual',
          signal: AbortSignal.timeout(timeoutMs),
        });
        await response.body?.cancel();
        return response.status === 201 ? 'accepted' : 'refused';
      } catch {
        return 'refused';
      }
    },
  };
};
