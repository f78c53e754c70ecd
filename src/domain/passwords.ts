import { findPasswordFault, type PasswordFault } from '../crypto/password-policy.ts';
import { hashPassword } from '../crypto/passwords.ts';
import { Refusal } from './refusal.ts';

const MESSAGES: Record<PasswordFault, string> = {
  too_short: 'must have 8 characters or more',
  too_long: 'must have 256 characters or fewer',
  common: 'is on a list of passwords that many people use',
  context: 'must not be the name, the email address or the name of the site',
};

/**
 * The hash of a new password. Refuses with `weak_password` (contract 3, passwords).
 *
 * @param context the person's email address and name, and the tenant's name.
 */
export const hashNewPassword = async (password: string, context: readonly (string | null)[]): Promise<string> => {
  const known = context.filter((text) => text !== null);
  const fault = await findPasswordFault(password, known);
  if (fault) {
    throw new Refusal('weak_password', {
      faults: [{ path: 'password', code: 'invalid', message: MESSAGES[fault] }],
      passwordFault: fault,
    });
  }
  return hashPassword(password);
};
