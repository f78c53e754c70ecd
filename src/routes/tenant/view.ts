import type * as z from 'zod';
import type { Account } from '../../domain/accounts.ts';
import type { Presented, ProviderCredentials } from '../../domain/authentications.ts';
import type { Edge } from '../../domain/edge.ts';
import type { PendingChallenge } from '../../domain/held-changes.ts';
import type { OpenProvider } from '../../domain/providers.ts';
import type { Fault } from '../../domain/refusal.ts';
import type { Upsert } from '../../domain/tenant-accounts.ts';
import { membersOf } from '../../domain/tenant-profiles.ts';
import { readProfile } from '../profile-fields.ts';
import {
  type anyData,
  challengeAnswer,
  otpDestination,
  passwordCredentials,
  type pendingChallenge,
  type profile,
  tokenCredentials,
  type upsert,
} from './schema.ts';

/** `provider`: whom the caller signed in with; null for whoever did not. */
export const viewProfile = (account: Account, provider: string | null): z.output<typeof profile> => {
  const { user, subscriptions } = account;
  const { customer } = user;
  const members = membersOf(account);
  return {
    ...customer.attributes,
    id: user.customerId,
    ...members,
    subscriptions: subscriptions.map(({ id }) => id),
    emailVerified: user.email !== '' && user.activatedAt !== null,
    phoneVerified: user.phoneVerifiedAt !== null && user.phone === members.phone,
    createdAt: new Date(customer.createdAt).toISOString(),
    updatedAt: new Date(Math.max(customer.updatedAt, user.updatedAt)).toISOString(),
    provider,
  };
};

export const viewChallenge = ({
  id,
  channel,
  destination,
  expiresAt,
}: PendingChallenge): z.output<typeof pendingChallenge> => ({
  challenge: { id, type: `${channel}_otp`, destination, expiresAt: new Date(expiresAt).toISOString() },
});

/** The body in our words. What it does not mention is undefined, and what it does not know an attribute. */
export const readUpsert = (
  body: z.output<typeof upsert>,
  faults: readonly Fault[],
  flow: string | null,
  edge: Edge,
): Upsert => {
  const { id = null, email, phone, subscriptions = null, challenge: _, ...rest } = body;
  return {
    id,
    email: email ?? null,
    profile: { ...readProfile(rest), ...(phone !== undefined && { phone }) },
    subscriptions,
    faults,
    flow,
    edge,
  };
};

/** The data in our words, or null for what does not fit the provider. */
export const readPresented = (
  type: OpenProvider['provider']['type'],
  data: z.output<typeof anyData>,
  country: string | null,
): Presented | null => {
  if (type === 'password') {
    const body = passwordCredentials.safeParse(data);
    return body.success ? { kind: 'password', ...body.data } : null;
  }
  if (type === 'otp') {
    const answered = challengeAnswer.safeParse(data);
    if (answered.success) return { kind: 'answer', ...answered.data.challenge };
    const body = otpDestination.safeParse(data);
    if (!body.success) return null;
    const { email = null, phone = null } = body.data;
    return { kind: 'destination', email, phone, country };
  }
  if (type === 'http') return { kind: 'credentials', credentials: { kind: 'data', data } };
  const body = tokenCredentials.safeParse(data);
  return body.success ? { kind: 'credentials', credentials: credentialsOf(body.data) } : null;
};

const credentialsOf = (body: z.output<typeof tokenCredentials>): ProviderCredentials => {
  if ('id_token' in body) return { kind: 'id_token', idToken: body.id_token, nonce: body.nonce ?? null };
  if ('access_token' in body) return { kind: 'access_token', accessToken: body.access_token };
  return {
    kind: 'code',
    code: body.code,
    redirectUri: body.redirect_uri,
    codeVerifier: body.code_verifier ?? null,
    nonce: body.nonce ?? null,
  };
};
