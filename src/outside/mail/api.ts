import { createBoundedTransport, type MailTransport } from './transport.ts';

/** Sends by a mail provider's HTTP API, in the form that Resend documents. Redirects are not followed. */
export const createApiTransport = (
  { url, token }: { url: string; token: string },
  fetch: typeof globalThis.fetch,
  timeoutMs: number,
): MailTransport =>
  createBoundedTransport(async ({ from, to, subject, text, html }, signal) => {
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
      signal,
    });
    await response.body?.cancel();
    if (!response.ok) throw new Error(`The mail API answered ${response.status}`);
  }, timeoutMs);
