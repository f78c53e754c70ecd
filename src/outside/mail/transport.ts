import { isMailAddress } from './address.ts';

/** A mail as it is to be sent: to one recipient, in both parts. */
type MailMessage = {
  from: { name: string; address: string };
  to: string;
  subject: string;
  text: string;
  html: string;
};

/** `refused`: the provider said no, could not be reached or did not answer in time. Nothing else is told of it. */
export type MailOutcome = 'accepted' | 'refused';

/** Hands a mail to whoever delivers it. */
export interface MailTransport {
  send(message: MailMessage): Promise<MailOutcome>;
}

/** How long a provider may take over a whole mail, in milliseconds, before its silence counts as a refusal. */
export const MAIL_TIMEOUT_MS = 8_000;

/**
 * The transport around a provider's way to send. Whatever that throws is a refusal; after the time its signal is aborted,
 * and the connection must be closed then. A message that could add headers or recipients never gets there: it throws.
 */
export const createBoundedTransport = (
  send: (message: MailMessage, signal: AbortSignal) => Promise<unknown>,
  timeoutMs: number,
): MailTransport => ({
  send: async (message) => {
    requireOneRecipientAndPlainHeaders(message);
    const signal = AbortSignal.timeout(timeoutMs);
    // Raced, because not every provider's client heeds a signal.
    const isOver = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    try {
      await Promise.race([send(message, signal), isOver]);
      return 'accepted';
    } catch {
      return 'refused';
    }
  },
});

const requireOneRecipientAndPlainHeaders = ({ from, to, subject }: MailMessage): void => {
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(from.name + from.address + to + subject)) {
    throw new Error('A mail header would break its line');
  }
  if (!isMailAddress(from.address) || !isMailAddress(to)) throw new Error('A mail has one sender and one recipient');
};
