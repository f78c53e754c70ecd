import { BODIES, en } from './bodies.ts';
import type { TextOutcome, TextTransport } from './transport.ts';

/** Whom a text is for: a number in E.164. Without a locale the tenant's is taken. */
type Recipient = { phone: string; locale: string | null };

/** The text messages of one tenant. */
export type Texter = {
  sendChallenge: (to: Recipient, code: string, lifetimeSeconds: number) => Promise<TextOutcome>;
};

/** In characters: with it, every text is short enough for one message. */
const LONGEST_NAME = 30;

type Dependencies = { transport: TextTransport; tenant: { name: string; locale: string } };

export const createTexter = ({ transport, tenant }: Dependencies): Texter => {
  const tenantName = shorten(oneLine(tenant.name));
  return {
    sendChallenge: ({ phone, locale }, code, lifetimeSeconds) => {
      const body = [locale, tenant.locale].map((each) => BODIES.get(languageOf(each))).find((each) => each) ?? en;
      return transport.send({ to: phone, body: body(tenantName, code, Math.round(lifetimeSeconds / 60)) });
    },
  };
};

/** `de` of `de-AT`. */
const languageOf = (locale: string | null): string => locale?.split('-')[0]?.toLowerCase() ?? '';

const LINE_BREAKS_AND_CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

const oneLine = (text: string): string => text.toWellFormed().replace(LINE_BREAKS_AND_CONTROLS, ' ').trim();

/** Cuts between characters, never within one that takes two units. */
const shorten = (name: string): string => Array.from(name).slice(0, LONGEST_NAME).join('').trim();
