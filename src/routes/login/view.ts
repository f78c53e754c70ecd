import type * as z from 'zod';
import type { Session, SignedIn } from '../../domain/sessions.ts';
import type { sessionObject, signedIn } from './schema.ts';

export const viewSignedIn = (tokens: SignedIn): z.output<typeof signedIn> => ({
  access_token: tokens.accessToken,
  refresh_token: tokens.refreshToken,
  access_key: tokens.apiKey,
  customer_id: tokens.customerId,
  user_id: tokens.userId,
});

/** A session, as its user sees it from the session of the id `current`. */
export const viewSession = (session: Session, current: string | null): z.output<typeof sessionObject> => ({
  id: session.id,
  current: session.id === current,
  provider: session.provider,
  device: session.userAgent,
  ip: session.ip,
  place: session.place,
  created_at: time(session.createdAt),
  last_used_at: time(session.lastUsedAt),
  expires_at: time(Math.min(session.idleExpiresAt, session.expiresAt)),
});

const time = (milliseconds: number): string => new Date(milliseconds).toISOString();
