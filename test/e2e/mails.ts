import { call } from './http.ts';
import type { Ports } from './service.ts';

export type ReceivedMail = { text: string; html: string; to: { address: string }[]; subject: string };

/** The mails in the local mailbox to an address, oldest first. */
export const mailsTo = async (ports: Ports, address: string): Promise<ReceivedMail[]> => {
  const { text } = await call(ports.mailbox, 'localhost', '/email');
  const mails: ReceivedMail[] = JSON.parse(text);
  return mails.filter(({ to }) => to.some((each) => each.address === address));
};
