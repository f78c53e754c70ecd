/** `context`: equal to something that everybody knows about the person. */
export type PasswordFault = 'too_short' | 'too_long' | 'common' | 'context';

const SHORTEST = 8;
const LONGEST = 256;

/**
 * What speaks against a new password, or null. Length counts characters (code points) after NFKC; everything else
 * compares the whole password, without regard to case: no rules about its composition (NIST SP 800-63B).
 *
 * @param context the person's email address (its local part is compared too), name, and the tenant's name.
 */
export const findPasswordFault = async (
  password: string,
  context: readonly string[],
): Promise<PasswordFault | null> => {
  const length = [...password.normalize('NFKC')].length;
  if (length < SHORTEST) return 'too_short';
  if (length > LONGEST) return 'too_long';
  const comparable = toComparable(password);
  const known = context.flatMap((text) => [text.trim(), text.trim().replace(/@[^@]*$/, '')]);
  if (known.map(toComparable).includes(comparable)) return 'context';
  // Only whoever sets a password needs the list.
  const { isCommonPassword } = await import('./common-passwords.ts');
  return isCommonPassword(comparable) ? 'common' : null;
};

const toComparable = (text: string): string => text.normalize('NFKC').toLowerCase();
