import * as z from 'zod';
import { emailAddress } from '../fields.ts';

/** Long enough for whatever the password's rules have to say about it. */
const presentedPassword = z.string().max(1024);

const twice = { password: presentedPassword, password_check: presentedPassword };

const repeated = { path: ['password_check'], message: 'must be the same as the password' };

const isRepeated = (typed: { password: string; password_check: string }) => typed.password === typed.password_check;

export const newPassword = z.object(twice).refine(isRepeated, repeated);

export const newPasswordOfAddress = z.object({ email: emailAddress, ...twice }).refine(isRepeated, repeated);

export const address = z.object({ email: emailAddress });

/** Digits as people type them, with spaces perhaps. */
export const mailedCode = z.object({
  code: z
    .string()
    .transform((typed) => typed.replaceAll(/\s/g, ''))
    .pipe(z.string().regex(/^\d{6}$/)),
});

/** The query of `/login`: where to go on to, or a sign-in that was begun. */
export const loginQuery = z.object({
  redirect_uri: z.string().max(2048).optional(),
  state: z.string().max(200).optional(),
});

/** The query of `/login/code`. */
export const stateQuery = z.object({ state: z.string().max(200).default('') });

/** What a browser brings back to `/login/done`. */
export const returnQuery = stateQuery.extend({ code: z.string().max(200).default(''), error: z.string().optional() });

/** What a SAML identity provider has the browser post (SAML Bindings, section 3.5.4). */
export const samlAnswer = z.object({
  SAMLResponse: z.string().max(512 * 1024),
  RelayState: z.string().max(200).default(''),
});
