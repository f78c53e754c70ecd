import type { MailTexts } from '../mailer.ts';

export const en: MailTexts = {
  passcode: (tenant, code, minutes) => ({
    subject: `Your passcode for ${tenant}`,
    intro: `Use this passcode to sign in to ${tenant}:`,
    action: { kind: 'code', code },
    notes: [
      `It is valid for ${minutes} minutes and can be used once.`,
      'If you did not ask for it, you can ignore this mail. Never pass the passcode on to anybody.',
    ],
  }),
  activation: (tenant, url, days) => ({
    subject: `Activate your account with ${tenant}`,
    intro: `An account was created for you with ${tenant}. Choose a password to activate it.`,
    action: { kind: 'link', label: 'Activate account', url },
    notes: [
      `The link is valid for ${days} days and can be used once.`,
      'If you did not expect this mail, you can ignore it: without a password nobody can sign in.',
    ],
  }),
};
