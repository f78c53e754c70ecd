import { createApiTransport } from './api.ts';
import { createCloudflareTransport } from './cloudflare.ts';
import type { MailSettings } from './settings.ts';
import { createSmtpTransport } from './smtp.ts';
import { MAIL_TIMEOUT_MS, type MailTransport } from './transport.ts';

/** The transport that the settings name. */
export const createMailTransport = (
  settings: MailSettings,
  binding: SendEmail,
  fetch: typeof globalThis.fetch,
  timeoutMs = MAIL_TIMEOUT_MS,
): MailTransport => {
  switch (settings.kind) {
    case 'cloudflare':
      return createCloudflareTransport(binding, timeoutMs);
    case 'smtp':
      return createSmtpTransport(settings, timeoutMs);
    case 'api':
      return createApiTransport(settings, fetch, timeoutMs);
  }
};
