import type * as z from 'zod';
import type { SupportedSession, SupportedUser } from '../../../domain/support.ts';
import type { sessionObject, userObject } from './people-schema.ts';

/** A pending address shows until its key has expired. */
export const viewUser = (user: SupportedUser, now: number): z.output<typeof userObject> => ({
  id: user.id,
  email: user.email || null,
  owner: user.isOwner,
  given_name: user.givenName,
  family_name: user.familyName,
  locale: user.locale,
  phone: user.phone,
  phone_verified: user.phoneVerifiedAt !== null,
  activated_at: user.activatedAt === null ? null : time(user.activatedAt),
  has_password: user.hasPassword,
  pending_email: (user.pendingEmailExpiresAt ?? 0) > now ? user.pendingEmail : null,
  identities: user.identities.map(({ provider, subject, createdAt }) => ({
    provider,
    subject,
    created_at: time(createdAt),
  })),
  created_at: time(user.createdAt),
  updated_at: time(user.updatedAt),
});

export const viewSession = (session: SupportedSession): z.output<typeof sessionObject> => ({
  id: session.id,
  user: session.userId,
  provider: session.provider,
  amr: session.amr,
  created_at: time(session.createdAt),
  last_used_at: time(session.lastUsedAt),
  expires_at: time(Math.min(session.idleExpiresAt, session.expiresAt)),
  ip: session.ip,
  user_agent: session.userAgent,
  place: session.place,
});

const time = (milliseconds: number): string => new Date(milliseconds).toISOString();
