import { createBoundedTransport, type MailTransport } from './transport.ts';

/** Sends by Cloudflare's `send_email` binding. */
export const createCloudflareTransport = (binding: SendEmail, timeoutMs: number): MailTransport =>
  createBoundedTransport(
    ({ from, ...message }) => binding.send({ ...message, from: { name: from.name, email: from.address } }),
    timeoutMs,
  );
