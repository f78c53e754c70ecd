import { type AccessTokenClaims, createAccessTokens as createTokenFormat, readKeyId } from '../crypto/access-tokens.ts';
import type { SessionId, TenantId } from '../crypto/ids.ts';
import type { User } from '../storage/users.ts';
import type { Keyring } from './keyring.ts';

/** A token that is well signed and not expired. Whether it is still alive shows with the user, see `isAlive`. */
export type PresentedToken = AccessTokenClaims;

/** `amr` tells how the user proved who it is, in words of RFC 8176; times are in milliseconds. */
type SignIn = {
  sessionId: SessionId | null;
  provider: string;
  amr: string[];
  authenticatedAt: number;
  at: number;
  lifetimeSeconds: number;
};

type Dependencies = { issuer: string; tenantId: TenantId; keyring: Keyring; now: () => number };

/** The access tokens of a tenant (contract 0, tokens). */
export const createAccessTokens = ({ issuer, tenantId, keyring, now }: Dependencies) => ({
  /** A token for a user who was read not before `at`. */
  issue: async (user: User, { at, ...signIn }: SignIn): Promise<string> => {
    const format = createTokenFormat({ issuer, tenantId, keys: await keyring.keys(), now });
    return format.sign({
      userId: user.id,
      customerId: user.customerId,
      issuedAt: at,
      ...signIn,
    });
  },

  /** Null for what is no token of this tenant that is valid now. */
  verify: async (token: string): Promise<PresentedToken | null> => {
    const keys = await keyring.keysWith(readKeyId(token));
    return createTokenFormat({ issuer, tenantId, keys, now }).verify(token);
  },
});

export type AccessTokens = ReturnType<typeof createAccessTokens>;

/**
 * Whether a token still counts: not when its user or customer is gone or disabled, or when the user's password changed
 * after it was issued. Rests on the read that loads the user anyway.
 */
export const isAlive = (token: PresentedToken, user: User | null): boolean =>
  user !== null &&
  user.customerId === token.customerId &&
  user.customer.status === 'active' &&
  token.issuedAt > user.validAfter;
