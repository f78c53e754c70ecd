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
