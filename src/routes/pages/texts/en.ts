import type { PageTexts } from '../texts.ts';

export const en: PageTexts = {
  faultyTitle: (title) => `Error: ${title}`,
  checkFields: 'Please check what you typed.',
  tryAgainIn: (wait) => `Please try again in ${wait}.`,
  fields: { code: 'Code', email: 'Email address', password: 'New password', passwordCheck: 'Repeat the new password' },
  passwordHint: '8 characters or more. Several words are easy to remember and hard to guess.',
  fieldFaults: {
    code: 'Enter the six digits of the code.',
    email: 'Enter an email address, for example name@example.com.',
    password: 'Enter a password of 8 to 256 characters.',
    passwordCheck: 'This is not the same as the password above.',
  },
  passwordFaults: {
    too_short: 'This password is too short: it needs 8 characters or more.',
    too_long: 'This password is too long: it can have 256 characters at most.',
    common: 'Many people use this password, so it is easy to guess. Choose another one.',
    context: 'The password must not be your name, your email address or the name of this site.',
  },
  signIn: 'Sign in',
  askForLink: 'Ask for a new link',
  activation: {
    form: (tenant) => ({
      title: 'Activate your account',
      intro: `Choose a password for your account with ${tenant}.`,
    }),
    submit: 'Activate account',
    done: (tenant) => ({
      title: 'Your account is active',
      intro: `You can now sign in to ${tenant} with your email address and your password.`,
    }),
  },
  resetRequest: {
    form: (tenant) => ({
      title: 'Forgotten your password?',
      intro: `Enter the email address of your account with ${tenant}. We send you a link to choose a new password.`,
    }),
    submit: 'Send link',
    done: {
      title: 'Look into your mailbox',
      intro:
        'If there is an account with this address, a mail with a link is on its way. The link is valid for 30 minutes.',
    },
  },
  reset: {
    form: (tenant) => ({ title: 'Choose a new password', intro: `For your account with ${tenant}.` }),
    submit: 'Save password',
    done: (tenant) => ({
      title: 'Your password was changed',
      intro: `You can now sign in to ${tenant} with it. Wherever you were signed in, you are signed out.`,
    }),
  },
  emailConfirmation: {
    form: (tenant) => ({
      title: 'Confirm your new email address',
      intro: `Once you confirm it, your account with ${tenant} uses this email address.`,
    }),
    submit: 'Confirm address',
    done: (tenant) => ({
      title: 'Your email address was changed',
      intro: `From now on, sign in to ${tenant} with the new address.`,
    }),
  },
  login: {
    form: (tenant) => ({ title: 'Sign in', intro: `Enter the email address of your account with ${tenant}.` }),
    submit: 'Continue',
    startAgain: 'Begin again',
    goOn: 'Continue',
    code: {
      form: (tenant, email) => ({
        title: 'Enter the code',
        intro: `If ${email} has an account with ${tenant}, a code is on its way there. It is valid for 10 minutes.`,
      }),
      wrong: 'The code is wrong, was used, or has expired.',
      submit: 'Sign in',
    },
    provider: {
      title: 'Sign in at your company',
      intro: 'Your company signs you in itself. You are taken there now.',
      goOn: 'Go on to your company',
    },
    done: (tenant) => ({ title: 'You are signed in', intro: `You are signed in to ${tenant}.` }),
    signOut: 'Sign out',
    signedOut: (tenant) => ({ title: 'You are signed out', intro: `You have signed out of ${tenant}.` }),
  },
  refusals: {
    login_failed: {
      title: 'This sign-in cannot go on',
      intro: 'The code is wrong, was used or has expired, or the sign-in was begun in another browser.',
    },
    login_denied: {
      title: 'You were not signed in',
      intro:
        'You turned back there, or your company’s sign-in does not know this account. Your administrator can help.',
    },
    identity_provider_failed: {
      title: 'Your company’s sign-in does not answer',
      intro: 'Please try again in a few minutes.',
    },
    malformed_request: {
      title: 'That did not work',
      intro: 'We could not read the request. Please go back and try again.',
    },
    payload_too_large: {
      title: 'That was too much',
      intro: 'What you typed is too long. Please go back and shorten it.',
    },
    forbidden_origin: {
      title: 'That came from another site',
      intro: 'For your safety we take what you type only from our own pages. Please open the link from the mail again.',
    },
    not_found: {
      title: 'There is nothing here',
      intro: 'If you followed a link from a mail, check that it is complete: some programs break long links.',
    },
    invalid_or_expired_code: {
      title: 'This link is no longer valid',
      intro: 'It has expired, was already used or replaced by a newer one, or something in it or the address is wrong.',
    },
    email_taken: {
      title: 'This address is already in use',
      intro: 'There is another account with this email address by now, so nothing was changed.',
    },
    rate_limited: { title: 'Too many tries', intro: 'This was tried too often.' },
    storage_unavailable: {
      title: 'Not available at the moment',
      intro: 'Nothing was changed. Please try again shortly.',
    },
    internal_error: { title: 'Something went wrong', intro: 'The fault is ours. Please try again later.' },
  },
};
