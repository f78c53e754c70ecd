import type { Refusal } from '../../domain/refusal.ts';
import { explain } from './texts.ts';
import type { View } from './view.ts';

type FieldName = 'code' | 'email' | 'password' | 'password_check';

/** What a form tells about the last try: all of it, and what is wrong with which field. */
export type Faults = { alert: string; fields: Partial<Record<FieldName, string>> };

/** What a form says of a refusal; null for none. */
export const faultsOf = (view: View, refusal: Refusal | null): Faults | null => {
  if (refusal === null) return null;
  const { checkFields, fieldFaults, passwordFaults } = view.texts;
  const { code, faults, passwordFault } = refusal;
  if (passwordFault !== null) return { alert: checkFields, fields: { password: passwordFaults[passwordFault] } };
  if (code !== 'validation_failed') return { alert: explain(view, refusal).text, fields: {} };
  const isFaulty = (name: FieldName) => faults.some(({ path }) => path === name);
  return {
    alert: checkFields,
    fields: {
      ...(isFaulty('code') && { code: fieldFaults.code }),
      ...(isFaulty('email') && { email: fieldFaults.email }),
      ...(isFaulty('password') && { password: fieldFaults.password }),
      ...(isFaulty('password_check') && { password_check: fieldFaults.passwordCheck }),
    },
  };
};
