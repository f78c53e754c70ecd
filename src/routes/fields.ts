import * as z from 'zod';
import { parseCountry } from '../domain/countries.ts';
import { parseEmailAddress } from '../domain/email.ts';

const NO_CONTROL_CHARACTERS = /^\P{Cc}*$/u;

/** Text that a person typed: trimmed, not empty, and without control characters. */
export const text = (longest: number) =>
  z.string().trim().min(1).max(longest).regex(NO_CONTROL_CHARACTERS, 'must not contain control characters');

/** As `text`, or null: an empty text says as little as null. */
export const textOrNull = (longest: number) =>
  z
    .string()
    .trim()
    .max(longest)
    .regex(NO_CONTROL_CHARACTERS, 'must not contain control characters')
    .nullable()
    .transform((typed) => (typed === '' ? null : typed));

/** An email address, with the form in which it is compared. */
export const emailAddress = z.string().transform((typed, context) => {
  const email = parseEmailAddress(typed);
  if (email) return email;
  context.addIssue('must be one email address');
  return z.NEVER;
});

const WRONG_COUNTRY = 'must be an ISO 3166-1 alpha-2 code or the English name of a country';

/** A country by ISO 3166-1 alpha-2 code or English name; gives the code. */
export const country = z.string().transform((typed, context) => {
  const code = parseCountry(typed);
  if (code) return code;
  context.addIssue(WRONG_COUNTRY);
  return z.NEVER;
});

/** As `country`, or null: an empty text says as little as null. */
export const countryOrNull = z
  .string()
  .nullable()
  .transform((typed, context) => {
    if (typed === null || typed.trim() === '') return null;
    const code = parseCountry(typed);
    if (code) return code;
    context.addIssue(WRONG_COUNTRY);
    return z.NEVER;
  });

/** A URL that people are sent to: https, or http on the loopback host. */
export const webUrl = z
  .string()
  .max(2048)
  .refine((typed) => isWebUrl(typed), 'must be an https URL without user, password and fragment');

/** What an OpenID provider calls itself, which is never a URL with a query or fragment (OpenID Connect Discovery 1.0 §3). */
export const issuer = z
  .url()
  .max(2048)
  .regex(/^[^?#]*$/, 'must be a URL without query and fragment');

/** A web origin, exactly as a browser sends it. */
export const origin = webUrl.refine((typed) => isOrigin(typed), 'must be an origin, e.g. https://shop.example.com');

const isWebUrl = (typed: string): boolean => {
  if (!URL.canParse(typed)) return false;
  const url = new URL(typed);
  const isLoopback = /^(.+\.)?localhost$|^127\.0\.0\.1$|^\[::1\]$/.test(url.hostname);
  // A `*` would be a name like any other, and not what its writer means.
  const isPlain = url.username === '' && url.password === '' && url.hash === '' && !url.hostname.includes('*');
  return isPlain && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback));
};

const isOrigin = (typed: string): boolean => URL.canParse(typed) && new URL(typed).origin === typed;
