import type { UserId } from '../crypto/ids.ts';

/** An email address as it was written, and the form in which addresses are compared (contract 0, requests). */
export type EmailAddress = { address: string; key: string };

const LONGEST_ADDRESS = 254;

/*
 * The syntax of HTML's input type=email: ASCII, one @, no quoted local part, no comment, no address literal. Whatever it
 * lets through can stand in a mail header or an SMTP command as it is.
 */
const SYNTAX = /^[\w.!#$%&'*+/=?^`{|}~-]+@[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/i;
const LONGEST_LOCAL_PART = 64;

/** The address in a text, surrounding white space aside, or null when it holds none. */
export const parseEmailAddress = (text: string): EmailAddress | null => {
  const address = text.trim();
  if (address.length > LONGEST_ADDRESS || !SYNTAX.test(address)) return null;
  if (address.indexOf('@') > LONGEST_LOCAL_PART) return null;
  return { address, key: address.toLowerCase() };
};

/**
 * What is stored for the address of a person, or of the customer that it owns. One without an address has a key that no
 * address can be, and that nobody else has.
 */
export const storedAddress = (email: EmailAddress | null, userId: UserId): { email: string; emailKey: string } =>
  email ? { email: email.address, emailKey: email.key } : { email: '', emailKey: `user:${userId}` };
