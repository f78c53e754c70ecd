import { layOutHtml, layOutText, type MailText } from './layout.ts';
import { de } from './texts/de.ts';
import { en } from './texts/en.ts';
import { es } from './texts/es.ts';
import { fr } from './texts/fr.ts';
import type { MailOutcome, MailTransport } from './transport.ts';

export type { MailOutcome } from './transport.ts';

/** Every mail that is sent, in one language: what is missing does not compile. */
export type MailTexts = {
  passcode: (tenant: string, code: string, minutes: number) => MailText;
  activation: (tenant: string, url: string, days: number) => MailText;
  passwordReset: (tenant: string, url: string, minutes: number) => MailText;
  passwordChanged: (tenant: string) => MailText;
  emailChange: (tenant: string, url: string, hours: number) => MailText;
  emailChangeNotice: (tenant: string) => MailText;
};

/** Whom a mail is for. Without a locale the tenant's is taken. */
type Recipient = { email: string; locale: string | null };

/** The mails of one tenant. */
export type Mailer = {
  sendPasscode: (to: Recipient, code: string, lifetimeSeconds: number) => Promise<MailOutcome>;
  sendActivation: (to: Recipient, url: string, lifetimeSeconds: number) => Promise<MailOutcome>;
  sendPasswordReset: (to: Recipient, url: string, lifetimeSeconds: number) => Promise<MailOutcome>;
  sendPasswordChanged: (to: Recipient) => Promise<MailOutcome>;
  sendEmailChange: (to: Recipient, url: string, lifetimeSeconds: number) => Promise<MailOutcome>;
  sendEmailChangeNotice: (to: Recipient) => Promise<MailOutcome>;
};

const TEXTS: ReadonlyMap<string, MailTexts> = new Map(Object.entries({ en, de, fr, es }));

/** In characters: a subject is a short text of ours and one name. */
const LONGEST_NAME = 80;

type Dependencies = { transport: MailTransport; from: string; tenant: { name: string; locale: string } };

/** @param from the sender's address; its name is the tenant's. */
export const createMailer = ({ transport, from, tenant }: Dependencies): Mailer => {
  const tenantName = shorten(oneLine(tenant.name));

  const send = async (to: Recipient, write: (texts: MailTexts) => MailText): Promise<MailOutcome> => {
    // Whoever is known by a number alone, or by a provider, has no address.
    if (to.email === '') return 'refused';
    const language = [to.locale, tenant.locale].map(languageOf).find((each) => TEXTS.has(each)) ?? 'en';
    const text = write(TEXTS.get(language) ?? en);
    return transport.send({
      from: { name: tenantName, address: from },
      to: to.email,
      subject: oneLine(text.subject),
      text: layOutText(text, tenantName),
      html: layOutHtml(text, tenantName, language),
    });
  };

  return {
    sendPasscode: (to, code, lifetimeSeconds) =>
      send(to, (texts) => texts.passcode(tenantName, code, Math.round(lifetimeSeconds / 60))),
    sendActivation: (to, url, lifetimeSeconds) =>
      send(to, (texts) => texts.activation(tenantName, url, Math.round(lifetimeSeconds / 86_400))),
    sendPasswordReset: (to, url, lifetimeSeconds) =>
      send(to, (texts) => texts.passwordReset(tenantName, url, Math.round(lifetimeSeconds / 60))),
    sendPasswordChanged: (to) => send(to, (texts) => texts.passwordChanged(tenantName)),
    sendEmailChange: (to, url, lifetimeSeconds) =>
      send(to, (texts) => texts.emailChange(tenantName, url, Math.round(lifetimeSeconds / 3600))),
    sendEmailChangeNotice: (to) => send(to, (texts) => texts.emailChangeNotice(tenantName)),
  };
};

/** `de` of `de-AT`. */
const languageOf = (locale: string | null): string => locale?.split('-')[0]?.toLowerCase() ?? '';

const LINE_BREAKS_AND_CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

const oneLine = (text: string): string => text.toWellFormed().replace(LINE_BREAKS_AND_CONTROLS, ' ').trim();

/** Cuts between characters, never within one that takes two units. */
const shorten = (name: string): string => Array.from(name).slice(0, LONGEST_NAME).join('').trim();
