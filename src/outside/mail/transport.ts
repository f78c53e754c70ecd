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

/** How long a provider may take, in milliseconds, before its silence counts as a refusal. */
export const MAIL_TIMEOUT_MS = 8_000;

/** Turns whatever a provider throws into a refusal. */
export const refusedIfThrown = async (send: () => Promise<unknown>): Promise<MailOutcome> => {
  try {
    await send();
    return 'accepted';
  } catch {
    return 'refused';
  }
};
