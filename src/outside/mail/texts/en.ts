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
  passwordReset: (tenant, url, minutes) => ({
    subject: `Choose a new password for ${tenant}`,
    intro: `Somebody, you we hope, asked for a new password for your account with ${tenant}.`,
    action: { kind: 'link', label: 'Choose a new password', url },
    notes: [
      `The link is valid for ${minutes} minutes and can be used once.`,
      'If it was not you, you can ignore this mail: your password stays as it is.',
    ],
  }),
  passwordChanged: (tenant) => ({
    subject: `Your password for ${tenant} was changed`,
    intro: `The password of your account with ${tenant} was changed just now. Wherever you were signed in, you are signed out.`,
    action: null,
    notes: ['If it was not you, ask for a new password at once, and tell us.'],
  }),
  emailChange: (tenant, url, hours) => ({
    subject: `Confirm your new email address for ${tenant}`,
    intro: `Your account with ${tenant} is to use this email address from now on. Confirm that it is yours.`,
    action: { kind: 'link', label: 'Confirm address', url },
    notes: [
      `The link is valid for ${hours} hours and can be used once.`,
      'If you did not ask for it, you can ignore this mail: nothing is changed.',
    ],
  }),
  emailChangeNotice: (tenant) => ({
    subject: `A new email address for your account with ${tenant}`,
    intro: `Somebody, you we hope, wants to use another email address for your account with ${tenant}. It changes when the new address is confirmed.`,
    action: null,
    notes: ['If it was not you, change your password at once, and tell us.'],
  }),
};
