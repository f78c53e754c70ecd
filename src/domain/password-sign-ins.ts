import { hashPassword, verifyAgainstNothing, verifyPassword } from '../crypto/passwords.ts';
import type { TenantSettings } from '../storage/schema.ts';
import type { Attempt, User, UserStore } from '../storage/users.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Audit, Origin } from './audit.ts';
import type { EmailAddress } from './email.ts';
import { type Count, type Limits, rateLimited } from './limits.ts';
import { Refusal } from './refusal.ts';

type Admitted = Extract<Attempt, { kind: 'admitted' }>;

type Dependencies = {
  users: UserStore;
  tokens: AccessTokens;
  limits: Limits;
  lifetimes: TenantSettings['lifetimes'];
  audit: Audit;
  origin: Origin;
  /** Lets work go on after the answer. */
  defer: (work: Promise<unknown>) => void;
  now: () => number;
};

/** Signing in with email address and password (contract 3, login). */
export const createPasswordSignIns = (dependencies: Dependencies) => {
  const { users, tokens, limits, lifetimes, audit, origin, defer, now } = dependencies;

  /**
   * Whether the password is the user's. A user who does not exist costs as much time as one who does. The try has been
   * counted before; it counts no longer when it was right.
   */
  const isRight = async ({ user, isLast }: Admitted, password: string, counted: Count): Promise<boolean> => {
    const hash = user?.passwordHash ?? null;
    const check = hash === null ? await verifyAgainstNothing(password) : await verifyPassword(password, hash);
    if (!user || hash === null || !check.isRight || !maySignIn(user, now())) {
      if (!user) return false;
      const failed = (type: 'login.failed' | 'login.locked') =>
        users.record(audit(type, 'anonymous', user.customerId, { by: 'password' }));
      defer(failed('login.failed'));
      if (isLast) defer(failed('login.locked'));
      return false;
    }
    const succeeded = audit('login.succeeded', `user:${user.id}`, user.customerId, { by: 'password' });
    const record = async () => {
      const upgrade = check.needsRehash ? { old: hash, better: await hashPassword(password) } : null;
      await users.recordSignIn(user.id, counted.hit.bucket, upgrade, succeeded);
    };
    defer(record());
    return true;
  };

  return {
    /** An access token. Refuses with `invalid_credentials`, whatever is wrong, and `rate_limited`. */
    signIn: async (
      email: EmailAddress,
      password: string,
      lifetimeSeconds: number = lifetimes.accessTokenAccount,
    ): Promise<string> => {
      // Taken before the user is read: a change of the password while this one is compared ends the token, too.
      const at = now();
      const [counted, fromIp] = await Promise.all([limits.passwordOf(email.key), limits.attemptFrom(origin.ip)]);
      const attempt = await users.attempt({ emailKey: email.key }, fromIp ? [fromIp, counted] : [counted]);
      if (attempt.kind === 'limited') throw rateLimited(attempt.waitMs);
      if (!(await isRight(attempt, password, counted)) || !attempt.user) throw new Refusal('invalid_credentials');
      return tokens.issue(attempt.user, {
        sessionId: null,
        provider: 'password',
        amr: ['pwd'],
        authenticatedAt: at,
        at,
        lifetimeSeconds,
      });
    },

    /** Whether a signed-in user knows its own password. Refuses with `rate_limited`. */
    confirm: async (user: User, password: string): Promise<boolean> => {
      const counted = await limits.passwordOf(user.emailKey);
      const attempt = await users.attempt({ id: user.id }, [counted]);
      if (attempt.kind === 'limited') throw rateLimited(attempt.waitMs);
      return isRight(attempt, password, counted);
    },
  };
};

export type PasswordSignIns = ReturnType<typeof createPasswordSignIns>;

/** An account that is not activated, disabled, or whose password was to be changed by now, has no right password. */
const maySignIn = (user: User, now: number): boolean =>
  user.activatedAt !== null &&
  user.customer.status === 'active' &&
  (user.passwordExpiresAt === null || user.passwordExpiresAt > now);
