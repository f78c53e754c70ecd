import { vi } from 'vitest';
import { call } from './http.ts';
import type { Ports } from './service.ts';

type ReceivedMail = { text: string; html: string; to: { address: string }[]; subject: string };

/** The mails in the local mailbox to an address, oldest first. */
const mailsTo = async (ports: Ports, address: string): Promise<ReceivedMail[]> => {
  const { text } = await call(ports.mailbox, 'localhost', '/email');
  const mails: ReceivedMail[] = JSON.parse(text);
  return mails.filter(({ to }) => to.some((each) => each.address === address));
};

/**
 * The newest mail to an address whose text matches, and what matches there: waits for it, since the mailbox shows a mail
 * a moment after it has taken it.
 */
export const mailWith = (
  ports: Ports,
  address: string,
  pattern: RegExp,
): Promise<{ mail: ReceivedMail; match: RegExpExecArray }> =>
  vi.waitFor(async () => {
    const found = (await mailsTo(ports, address)).flatMap((mail) => {
      const match = pattern.exec(mail.text);
      return match ? [{ mail, match }] : [];
    });
    const newest = found.at(-1);
    if (!newest) throw new Error(`There is no such mail to ${address} yet`);
    return newest;
  }, 20_000);
