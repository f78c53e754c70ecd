import { MAIL_TIMEOUT_MS, type MailTransport, refusedIfThrown } from './transport.ts';

/** Sends by a mail provider's HTTP API, in the form that Resend documents. Redirects are not followed. */
export const createApiTransport = (
  { url, token }: { url: string; token: string },
  fetch: typeof globalThis.fetch,
): MailTransport => ({
  send: ({ from, to, subject, text, html }) =>
    refusedIfThrown(async () => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({
          from: `"${from.name.replace(/["\\]/g, '')}" <${from.address}>`,
          to: [to],
          subject,
          text,
          html,
        }),
        redirect: 'manual',
        signal: AbortSignal.timeout(MAIL_TIMEOUT_MS),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`The mail API answered ${response.status}`);
    }),
});
