import { isMailAddress } from './address.ts';

/** What `MAIL_URL` says (contract 6, settings). `from` is the sender's address, where the setting names one. */
export type MailSettings = { from: string | null } & (
  | { kind: 'cloudflare' }
  | {
      kind: 'smtp';
      host: string;
      port: number;
      isImplicitTls: boolean;
      login: { user: string; password: string } | null;
    }
  | { kind: 'api'; url: string; token: string }
);

const SMTP_PORTS = { 'smtp:': 587, 'smtps:': 465 } as const;

/**
 * Reads `cloudflare:`, `smtp://user:password@host:port`, `smtps://…` or `https://token@host/path`, each with an optional
 * `?from=` address; null for anything else. User, password and token are percent-encoded.
 */
export const parseMailUrl = (text: string): MailSettings | null => {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const from = url.searchParams.get('from');
  if (from !== null && !isMailAddress(from)) return null;
  url.searchParams.delete('from');
  if (url.protocol === 'cloudflare:') return url.host + url.pathname === '' ? { kind: 'cloudflare', from } : null;
  const [user, password] = [decode(url.username), decode(url.password)];
  if (user === null || password === null || url.hostname === '') return null;
  if (url.protocol === 'https:') {
    const token = password === '' ? user : password;
    url.username = '';
    url.password = '';
    // It goes into a header as it is.
    return /^[\x21-\x7e]+$/.test(token) ? { kind: 'api', url: url.href, token, from } : null;
  }
  if (url.protocol !== 'smtp:' && url.protocol !== 'smtps:') return null;
  if (url.port === '0' || (user === '' && password !== '')) return null;
  return {
    kind: 'smtp',
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? SMTP_PORTS[url.protocol] : Number(url.port),
    isImplicitTls: url.protocol === 'smtps:',
    login: user === '' ? null : { user, password },
    from,
  };
};

const decode = (text: string): string | null => {
  try {
    const decoded = decodeURIComponent(text);
    return /\p{Cc}/u.test(decoded) ? null : decoded;
  } catch {
    return null;
  }
};
