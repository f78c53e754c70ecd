import list from './common-passwords.txt';

const commonPasswords = new Set(list.split('\n'));

/** Whether a password, in lower case, is one of the 10,000 most common ones of 8 characters and more. */
export const isCommonPassword = (password: string): boolean => commonPasswords.has(password);
