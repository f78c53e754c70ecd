import * as z from 'zod';
import { emailAddress } from '../fields.ts';
import { identifyingMembers, profileMembers, TOLD_MEMBERS } from '../profile-fields.ts';

const presented = z.string().max(200);

/** The answer to a challenge. */
const answer = z.strictObject({ id: presented, code: presented });

/** The body of `POST /api/{tenantId}/customer`. Members that are not known are kept as the customer's attributes. */
export const upsert = z
  .object({
    ...identifyingMembers,
    ...profileMembers,
    subscriptions: z
      .array(z.string().min(1).max(100))
      .max(200)
      .transform((ids) => [...new Set(ids)])
      .optional(),
    challenge: answer.optional(),
  })
  .catchall(z.json())
  .superRefine((body, context) => {
    for (const name of TOLD_MEMBERS) {
      if (name !== 'subscriptions' && Object.hasOwn(body, name)) {
        context.addIssue({ code: 'custom', path: [name], message: 'is told, and cannot be set' });
      }
    }
    if (body.challenge && Object.keys(body).length > 1) {
      context.addIssue({ code: 'custom', path: ['challenge'], message: 'is answered by itself' });
    }
  })
  .meta({ id: 'ProfileUpsert' });

/** Empty is as if there were none. */
export const flowQuery = z.object({ flow: z.string().max(100).optional() });

const stringOrNull = z.string().nullable();
const numberOrNull = z.number().nullable();

/** A customer as the tenant surface tells it, and its attributes beside. */
export const profile = z
  .looseObject({
    id: z.string(),
    email: stringOrNull,
    phone: stringOrNull,
    firstName: stringOrNull,
    lastName: stringOrNull,
    name: stringOrNull,
    company: stringOrNull,
    birthDate: stringOrNull,
    locale: stringOrNull,
    timezone: stringOrNull,
    website: stringOrNull,
    address: z.strictObject({
      line1: stringOrNull,
      line2: stringOrNull,
      city: stringOrNull,
      region: stringOrNull,
      postalCode: stringOrNull,
      country: stringOrNull,
      latitude: numberOrNull,
      longitude: numberOrNull,
    }),
    subscriptions: z.array(z.string()),
    emailVerified: z.boolean(),
    phoneVerified: z.boolean(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
    provider: stringOrNull,
  })
  .meta({ id: 'Profile' });

export const pendingChallenge = z
  .strictObject({
    challenge: z.strictObject({
      id: z.string(),
      type: z.enum(['email_otp', 'sms_otp']),
      destination: z.string(),
      expiresAt: z.iso.datetime(),
    }),
  })
  .meta({ id: 'PendingChallenge' });

const longText = z.string().min(1).max(8192);
const nonce = z.string().min(1).max(500).optional();

/** Whatever is no name is the name of no provider. */
export const providerQuery = z.object({ provider: z.string().optional().catch(undefined) });

/** What is sent to the providers that tell by tokens, codes or access tokens who somebody is. */
export const tokenCredentials = z.union([
  z.strictObject({ id_token: longText, nonce }),
  z.strictObject({
    code: longText,
    redirect_uri: z.string().min(1).max(2048),
    code_verifier: z.string().min(43).max(128).optional(),
    nonce,
  }),
  z.strictObject({ access_token: longText }),
]);

export const challengeAnswer = z.strictObject({ challenge: answer });

export const passwordCredentials = z.strictObject({ email: emailAddress, password: z.string().max(1024) });

export const otpDestination = z
  .strictObject({ email: emailAddress.optional(), phone: z.string().min(1).max(40).optional() })
  .refine(({ email, phone }) => (email === undefined) !== (phone === undefined), 'must be an email or a phone');

/** Any object: which members it has depends on the provider. */
export const anyData = z.record(z.string(), z.json()).meta({ id: 'AuthenticationData' });

export const accessToken = z.string();
