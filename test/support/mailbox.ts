import { env } from 'cloudflare:workers';
import { expect, vi } from 'vitest';
import type { ReceivedMail } from '../peers/mailbox.ts';

/** The mails that the real SMTP server took for an address, oldest first. */
export const mailsTo = async (address: string): Promise<ReceivedMail[]> => {
  const response = await fetch(`${env.TEST_MAIL_URLS.reader}/?to=${encodeURIComponent(address)}`);
  return response.json<ReceivedMail[]>();
};

/** The newest mail to an address: there is one, or soon will be. */
export const lastMailTo = async (address: string): Promise<ReceivedMail> =>
  vi.waitFor(async () => {
    const mail = (await mailsTo(address)).at(-1);
    if (!mail) throw new Error(`There is no mail to ${address}`);
    expect(mail.recipients).toEqual([address]);
    return mail;
  });
