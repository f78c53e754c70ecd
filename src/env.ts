import * as z from 'zod';
import type { Afterwork } from './afterwork.ts';
import type { TenantId } from './crypto/ids.ts';
import { type MailSettings, parseMailUrl } from './outside/mail/settings.ts';
import { parseSmsUrl, type TextSettings } from './outside/texts/settings.ts';

import type { Platform } from './platform.ts';
import type { Tenant } from './services.ts';

/** The Worker's settings, checked (contract 6, settings). */
export type Settings = {
  baseDomain: string;
  /** Where the service answers on a machine of its own: on the web it is where everybody looks. */
  localPort: string;
  defaultTenant: string | null;
  operatorToken: string | null;
  /** 32 bytes, base64. */
  masterKey: string;
  mail: MailSettings;
  /** Null: text messages are not set up. */
  sms: TextSettings | null;
};

/** A setting is missing or malformed. The message names it and how it should be, never what it is. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

const isMasterKey = (text: string): boolean => {
  try {
    return Uint8Array.fromBase64(text).length === 32;
  } catch {
    return false;
  }
};

const settingsSchema = z.object({
  BASE_DOMAIN: z
    .string('must be the domain below which the tenants live, e.g. accounts.example.com')
    .toLowerCase()
    .regex(
      /^([a-z0-9-]+(\.[a-z0-9-]+)*|localhost:[0-9]{1,5})$/,
      'must be a bare domain name, e.g. accounts.example.com; on a machine of your own localhost, or localhost:8787',
    ),
  DEFAULT_TENANT: z.string().min(1, 'must be the slug of a tenant, or not be set').optional(),
  OPERATOR_TOKEN: z.string().min(32, 'must have 32 characters or more, or not be set').optional(),
  MASTER_KEY: z.string('must be 32 bytes in base64').refine(isMasterKey, 'must be 32 bytes in base64'),
  MAIL_URL: z.string('must be a URL').transform((text, context): MailSettings => {
    const mail = parseMailUrl(text);
    if (mail) return mail;
    context.addIssue('must be cloudflare:, smtp://user:pass@host:port, smtps://… or the https:// URL of a mail API');
    return z.NEVER;
  }),
  SMS_URL: z
    .string('must be a URL')
    .transform((text, context): TextSettings => {
      const sms = parseSmsUrl(text);
      if (sms) return sms;
      context.addIssue('must be https://user:pass@host/…/Messages.json?from=+15550001234, or not be set');
      return z.NEVER;
    })
    .optional(),
});

/** The settings in the Worker's environment, or a SettingsError that names every fault in one line. */
export const readSettings = (env: Env): Settings => {
  const parsed = settingsSchema.safeParse(env);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`);
    throw new SettingsError(`Settings refused: ${faults.join('; ')}`);
  }
  const { BASE_DOMAIN, DEFAULT_TENANT, OPERATOR_TOKEN, MASTER_KEY, MAIL_URL, SMS_URL } = parsed.data;
  const [baseDomain = '', localPort = '8787'] = BASE_DOMAIN.split(':');
  return {
    baseDomain,
    localPort,
    defaultTenant: DEFAULT_TENANT ?? null,
    operatorToken: OPERATOR_TOKEN ?? null,
    masterKey: MASTER_KEY,
    mail: MAIL_URL,
    sms: SMS_URL ?? null,
  };
};

/** What Hono knows of a request: the Worker's bindings, and what the middleware found out. */
export type AppEnv = {
  Bindings: Env;
  Variables: {
    requestId: string;
    platform: Platform;
    afterwork: Afterwork;
    /** The tenant of the host name. `isNamed`: the host names it; otherwise it is the default tenant. */
    hostTenant: { tenant: Tenant; isNamed: boolean } | null;
    /** The tenant that the path names, where paths do. */
    pathTenant?: Tenant;
    /** The tenant that the request turned out to concern, for the log. */
    tenantId: TenantId;
  };
};
