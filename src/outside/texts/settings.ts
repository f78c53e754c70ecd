import { isNumber } from './number.ts';

/** What `SMS_URL` says (contract 6, settings): a message API in Twilio's form, and whom its texts are from. */
export type TextSettings = {
  url: string;
  login: { user: string; password: string };
  sender: { kind: 'number'; number: string } | { kind: 'service'; sid: string };
};

const SERVICE_SID = /^MG[0-9a-f]{32}$/;

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/**
 * Reads `https://user:password@host/…/Messages.json?from=`, with the sender's number in E.164 or the SID of a messaging
 * service, and `http:` on this machine; null for anything else. User and password, which are an account's SID and its
 * token, or a key's SID and its secret, are percent-encoded.
 */
export const parseSmsUrl = (text: string): TextSettings | null => {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.test(url.hostname))) return null;
  const [user, password] = [decode(url.username), decode(url.password)];
  // The first colon ends the user in Basic authentication (RFC 7617 §2).
  if (!user || !password || user.includes(':')) return null;
  const sender = readSender(url.searchParams);
  if (sender === null) return null;
  url.searchParams.delete('from');
  url.username = '';
  url.password = '';
  url.hash = '';
  return { url: url.href, login: { user, password }, sender };
};

const readSender = (query: URLSearchParams): TextSettings['sender'] | null => {
  const [from, ...more] = query.getAll('from');
  if (from === undefined || more.length > 0) return null;
  if (SERVICE_SID.test(from)) return { kind: 'service', sid: from };
  // A plus that is not percent-encoded is read as a space.
  const number = from.replace(/^ /, '+');
  return isNumber(number) ? { kind: 'number', number } : null;
};

const decode = (text: string): string | null => {
  try {
    const decoded = decodeURIComponent(text);
    return /\p{Cc}/u.test(decoded) ? null : decoded;
  } catch {
    return null;
  }
};
