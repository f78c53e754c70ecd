import * as z from 'zod';
import { emailAddress } from '../fields.ts';

/** A code, state or token that is tried. */
const presented = z.string().max(200);

/** The body of `POST /v1/auth/startlogin`. `user_name` is another name of `email_address`. */
export const loginRequest = z
  .strictObject({
    email_address: emailAddress.optional(),
    user_name: emailAddress.optional(),
    redirect_uri: z.string().max(2048).optional(),
  })
  .transform(({ email_address, user_name, redirect_uri }, context) => {
    const email = email_address ?? user_name;
    if (email && (!email_address || !user_name || email_address.key === user_name.key)) return { email, redirect_uri };
    const message = email ? 'must be the same as user_name' : 'is needed';
    context.addIssue({ code: 'custom', path: ['email_address'], message });
    return z.NEVER;
  })
  .meta({ id: 'LoginRequest' });

export const loginStarted = z
  .strictObject({ idp_url: z.url(), has_idp: z.boolean(), state: z.string() })
  .meta({ id: 'LoginStarted' });

export const presentedCode = z.strictObject({ code: presented, state: presented }).meta({ id: 'PresentedCode' });

/** Clients without cookies say which session they mean; a body is not needed otherwise. */
export const presentedRefreshToken = z.strictObject({ refresh_token: presented.optional() });

export const signedIn = z
  .strictObject({
    access_token: z.string(),
    refresh_token: z.string(),
    access_key: z.string(),
    customer_id: z.string(),
    user_id: z.string(),
  })
  .meta({ id: 'SignedIn' });

export const loggedOut = z.strictObject({ logout_url: z.url() });

/** A sign-in that lasts. `place`: city and country, as far as they are known. */
export const sessionObject = z
  .strictObject({
    id: z.string(),
    current: z.boolean(),
    provider: z.string(),
    device: z.string().nullable(),
    ip: z.string().nullable(),
    place: z.string().nullable(),
    created_at: z.iso.datetime(),
    last_used_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
  })
  .meta({ id: 'Session' });

export const sessionList = z.array(sessionObject);

export const metadataQuery = z.object({ connection: z.string().max(40).optional() });
