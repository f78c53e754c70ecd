import { type MailTransport, refusedIfThrown } from './transport.ts';

/** Sends by Cloudflare's `send_email` binding. */
export const createCloudflareTransport = (binding: SendEmail): MailTransport => ({
  send: ({ from, ...message }) =>
    refusedIfThrown(() => binding.send({ ...message, from: { name: from.name, email: from.address } })),
});
