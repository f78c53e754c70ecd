import { raw } from 'hono/html';
import type { Child, PropsWithChildren } from 'hono/jsx';
import type { Brand } from './branding.ts';
import { styleSheet } from './style.ts';
import type { Language } from './texts.ts';

/** A whole page. `tenantName` is null where it is not known whose page it is. */
export const Page = ({
  language,
  title,
  tenantName,
  brand,
  children,
}: PropsWithChildren<{ language: Language; title: string; tenantName: string | null; brand: Brand }>) => (
  <html lang={language}>
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <meta name="robots" content="noindex" />
      <title>{tenantName === null ? title : `${title} – ${tenantName}`}</title>
      {brand.logo && <link rel="icon" href={brand.logo.url} />}
      <style>{raw(styleSheet(brand))}</style>
    </head>
    <body>
      {tenantName !== null && (
        <header>
          {/* The name stands beside it. */}
          {brand.logo && <img src={brand.logo.url} alt="" />}
          <span>{tenantName}</span>
        </header>
      )}
      <main>{children}</main>
    </body>
  </html>
);

/** What a page is called, and says first. */
export const Heading = ({ title, intro }: { title: string; intro: string }) => (
  <>
    <h1>{title}</h1>
    <p>{intro}</p>
  </>
);

/** A form that is posted to the page's own address, or to another one of ours. `submit` is what its button says. */
export const Form = ({ action, submit, children }: PropsWithChildren<{ action?: string; submit: string }>) => (
  <form method="post" action={action}>
    {children}
    <button type="submit">{submit}</button>
  </form>
);

type FieldProps = {
  name: string;
  label: string;
  type: 'email' | 'password' | 'text';
  /** What browsers and password managers fill in (HTML, autofill). */
  autocomplete: 'email' | 'username' | 'new-password' | 'current-password' | 'one-time-code';
  inputmode?: 'numeric';
  /** What was typed before. */
  value?: string | undefined;
  hint?: string;
  fault?: string | undefined;
  /** Whether to begin here. */
  autofocus?: boolean;
};

/** A labelled input that must be filled in, with what helps and what is wrong bound to it. */
export const Field = ({ name, label, type, autocomplete, inputmode, value, hint, fault, autofocus }: FieldProps) => {
  const [hintId, faultId] = [`${name}-hint`, `${name}-fault`];
  const describedBy = [...(hint ? [hintId] : []), ...(fault ? [faultId] : [])].join(' ');
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {hint && (
        <p class="hint" id={hintId}>
          {hint}
        </p>
      )}
      <input
        id={name}
        name={name}
        type={type}
        autocomplete={autocomplete}
        inputmode={inputmode}
        value={value}
        required
        autofocus={autofocus}
        aria-invalid={fault ? 'true' : undefined}
        aria-describedby={describedBy || undefined}
      />
      {fault && (
        <p class="fault" id={faultId}>
          {fault}
        </p>
      )}
    </div>
  );
};

/** Something that must not be missed: what went wrong, or what was done. */
export const Alert = ({ kind, children }: { kind: 'wrong' | 'good'; children: Child }) => (
  <div class={`alert ${kind}`} role={kind === 'wrong' ? 'alert' : 'status'}>
    {children}
  </div>
);

/** What a form says about the last try, if there was one. */
export const FaultAlert = ({ text, children }: { text: string | undefined; children?: Child }) =>
  text === undefined ? null : (
    <Alert kind="wrong">
      <p>{text}</p>
      {children}
    </Alert>
  );

/** The one thing to do next, elsewhere. */
export const ButtonLink = ({ href, children }: PropsWithChildren<{ href: string }>) => (
  <a class="button" href={href}>
    {children}
  </a>
);

/** What was done, and the way to sign in. */
export const Done = ({ title, intro, signIn }: { title: string; intro: string; signIn: string }) => (
  <>
    <h1>{title}</h1>
    <Alert kind="good">{intro}</Alert>
    <ButtonLink href="/login">{signIn}</ButtonLink>
  </>
);
