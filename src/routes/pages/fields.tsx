import type { Faults } from './faults.ts';
import { Field } from './layout.tsx';
import type { View } from './view.ts';

type Props = { texts: View['texts']; faults: Faults | null };

/** The address of an account, with what was typed before. */
export const EmailField = ({ texts, faults, typed }: Props & { typed: string | undefined }) => (
  <Field
    name="email"
    type="email"
    autocomplete="email"
    label={texts.fields.email}
    value={typed}
    fault={faults?.fields.email}
    autofocus={first(faults) === 'email'}
  />
);

/** The code of a mail. */
export const CodeField = ({ texts, faults }: Props) => (
  <Field
    name="code"
    type="text"
    inputmode="numeric"
    autocomplete="one-time-code"
    label={texts.fields.code}
    fault={faults?.fields.code}
    autofocus
  />
);

/** A new password, twice. Neither is ever shown again. */
export const NewPasswordFields = ({ texts, faults }: Props) => (
  <>
    <Field
      name="password"
      type="password"
      autocomplete="new-password"
      label={texts.fields.password}
      hint={texts.passwordHint}
      fault={faults?.fields.password}
      autofocus={first(faults) === 'password'}
    />
    <Field
      name="password_check"
      type="password"
      autocomplete="new-password"
      label={texts.fields.passwordCheck}
      fault={faults?.fields.password_check}
      autofocus={first(faults) === 'password_check'}
    />
  </>
);

/** The first field with a fault: there the next try begins. */
const first = (faults: Faults | null): string | undefined => Object.keys(faults?.fields ?? {})[0];
