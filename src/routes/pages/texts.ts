import type { Context } from 'hono';
import { accepts } from 'hono/accepts';
import type { PasswordFault } from '../../crypto/password-policy.ts';
import type { Refusal, RefusalCode } from '../../domain/refusal.ts';
import type { AppEnv } from '../../env.ts';
import { commonWire } from '../../middleware/problems.ts';
import { de } from './texts/de.ts';
import { en } from './texts/en.ts';
import { es } from './texts/es.ts';
import { fr } from './texts/fr.ts';

/** The refusals that have a text of their own. */
type ToldCode = Extract<
  RefusalCode,
  | 'malformed_request'
  | 'payload_too_large'
  | 'forbidden_origin'
  | 'not_found'
  | 'invalid_or_expired_code'
  | 'email_taken'
  | 'rate_limited'
  | 'login_failed'
  | 'login_denied'
  | 'identity_provider_failed'
  | 'storage_unavailable'
  | 'internal_error'
>;

/** What a page is called, and says first. */
type Heading = { title: string; intro: string };

/** Every text of every page, in one language: what is missing does not compile. */
export type PageTexts = {
  /** The page's title while something is wrong with what was typed. */
  faultyTitle: (title: string) => string;
  /** Above a form with faults at its fields. */
  checkFields: string;
  /** @param wait how long, in words, e.g. `3 minutes`. */
  tryAgainIn: (wait: string) => string;
  fields: { code: string; email: string; password: string; passwordCheck: string };
  passwordHint: string;
  fieldFaults: { code: string; email: string; password: string; passwordCheck: string };
  passwordFaults: Record<PasswordFault, string>;
  /** The link to the login page. */
  signIn: string;
  /** The link to the page that mails a link. */
  askForLink: string;
  activation: { form: (tenant: string) => Heading; submit: string; done: (tenant: string) => Heading };
  resetRequest: { form: (tenant: string) => Heading; submit: string; done: Heading };
  reset: { form: (tenant: string) => Heading; submit: string; done: (tenant: string) => Heading };
  emailConfirmation: { form: (tenant: string) => Heading; submit: string; done: (tenant: string) => Heading };
  login: {
    form: (tenant: string) => Heading;
    submit: string;
    startAgain: string;
    goOn: string;
    code: { form: (tenant: string, email: string) => Heading; wrong: string; submit: string };
    provider: Heading & { goOn: string };
    done: (tenant: string) => Heading;
    signOut: string;
    signedOut: (tenant: string) => Heading;
  };
  refusals: Record<ToldCode, Heading>;
};

const TEXTS = { en, de, fr, es } as const satisfies Record<string, PageTexts>;

export type Language = keyof typeof TEXTS;

const isLanguage = (text: string): text is Language => Object.hasOwn(TEXTS, text);

export const textsOf = (language: Language): PageTexts => TEXTS[language];

/** The language that the browser asks for most, out of those that there are; otherwise the tenant's. */
export const languageOf = <E extends AppEnv>(c: Context<E>): Language => {
  const fallback = c.get('hostTenant')?.tenant.locale ?? 'en';
  const language = accepts(c, {
    header: 'Accept-Language',
    supports: Object.keys(TEXTS),
    default: fallback,
    match: (ranges, { supports }) =>
      ranges
        .filter(({ q }) => q > 0)
        .toSorted((a, b) => b.q - a.q)
        // `de` of `de-AT`
        .map(({ type }) => type.split('-')[0]?.toLowerCase() ?? '')
        .find((each) => supports.includes(each)) ?? fallback,
  });
  return isLanguage(language) ? language : fallback;
};

/** What is told of a refusal. One without a text of its own is told by whose fault it is. */
export const explain = (
  { language, texts }: { language: Language; texts: PageTexts },
  { code, retryAfterSeconds }: Refusal,
): { title: string; text: string } => {
  const own = Object.entries(texts.refusals).find(([each]) => each === code)?.[1];
  const { malformed_request: theirs, internal_error: ours } = texts.refusals;
  const { title, intro } = own ?? (commonWire[code].status < 500 ? theirs : ours);
  if (code !== 'rate_limited' || retryAfterSeconds === null) return { title, text: intro };
  return { title, text: `${intro} ${texts.tryAgainIn(waitIn(language, retryAfterSeconds))}` };
};

/** A time to wait in words, e.g. `30 seconds`: from a minute on in minutes. */
const waitIn = (language: Language, seconds: number): string => {
  const [count, unit] = seconds < 60 ? [seconds, 'second'] : [Math.ceil(seconds / 60), 'minute'];
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(count);
};
