import { createApiTransport } from './api.ts';
import { createCloudflareTransport } from './cloudflare.ts';
import type { MailSettings } from './settings.ts';
import { createSmtpTransport } from './smtp.ts';
import type { MailTransport } from './transport.ts';

/** The transport that the settings name. */
export const createMailTransport = (
  settings: MailSettings,
  binding: SendEmail,
  fetch: typeof globalThis.fetch,
): MailTransport => {
  switch (settings.kind) {
    case 'cloudflare':
      return createCloudflareTransport(binding);
    case 'smtp':
      return createSmtpTransport(settings);
    case 'api':
      return createApiTransport(settings, fetch);
  }
};
