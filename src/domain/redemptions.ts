import { type ChallengeId, isId } from '../crypto/ids.ts';
import { randomToken } from '../crypto/random.ts';
import type { Redemption } from '../storage/challenges.ts';
import type { NewEvent } from '../storage/events.ts';
import type { User, UserChanges, UserStore } from '../storage/users.ts';
import type { Audit, Origin, RecordLater } from './audit.ts';
import type { EmailAddress } from './email.ts';
import { type Limits, rateLimited } from './limits.ts';
import type { OneTimeSecrets } from './one-time-secrets.ts';
import { Refusal } from './refusal.ts';

type Purpose = 'activation' | 'password_reset' | 'email_change';
type Found = Awaited<ReturnType<OneTimeSecrets['find']>>;

type Dependencies = {
  users: UserStore;
  oneTimeSecrets: OneTimeSecrets;
  limits: Limits;
  audit: Audit;
  recordLater: RecordLater;
  origin: Origin;
  now: () => number;
};

/** Whom a secret is said to be for: a user's id, or an address. */
type Whom = { id: string } | { email: EmailAddress };

/** A secret that was looked up, with the user it is said to be for. Neither has been accepted. */
export type OpenRedemption = { purpose: Purpose; whom: Whom; user: User | null; found: Found };

/**
 * How a mailed secret is traded for a change of the user it was mailed to: opened, so that what depends on the user can
 * be checked without consuming anything, then closed by the one statement that decides. For nobody it takes the same
 * steps, and is counted the same.
 */
export const createRedemptions = ({
  users,
  oneTimeSecrets,
  limits,
  audit,
  recordLater,
  origin,
  now,
}: Dependencies) => ({
  /** Refuses with `rate_limited`. */
  open: async (purpose: Purpose, whom: Whom, secret: string): Promise<OpenRedemption> => {
    const reference = 'email' in whom ? { emailKey: whom.email.key } : userReference(whom.id);
    const fromIp = await limits.attemptFrom(origin.ip);
    const [attempt, found] = await Promise.all([
      users.attempt(reference, fromIp ? [fromIp] : []),
      oneTimeSecrets.find(purpose, keyOf(whom), secret),
    ]);
    if (attempt.kind === 'limited') throw rateLimited(attempt.waitMs);
    return { purpose, whom, user: attempt.user, found };
  },

  /**
   * Redeems the secret and changes the user, both or neither, and gives the user as it was. Refuses with
   * `invalid_or_expired_code`, `rate_limited` and `email_taken`.
   */
  close: async (
    { purpose, whom, user, found }: OpenRedemption,
    changeOf: (user: User) => { changes: UserChanges; firstProof: UserChanges | null; event: NewEvent },
  ): Promise<User> => {
    const wrongTry = await limits.wrongCodeOf(user?.emailKey ?? keyOf(whom));
    if (!user) {
      const waitMs = await users.countWrongTry(wrongTry);
      throw waitMs > 0 ? rateLimited(waitMs) : new Refusal('invalid_or_expired_code');
    }
    const { event, ...changed } = changeOf(user);
    const redemption = newRedemption(purpose, user.id, found?.challengeId ?? null, now());
    const refused = audit('login.failed', 'anonymous', user.customerId, { by: purpose });
    const outcome = await users.changeByRedemption(user, changed, redemption, wrongTry, { changed: event, refused });
    if (outcome.kind === 'limited') throw rateLimited(outcome.waitMs);
    if (outcome.kind === 'email_taken') throw new Refusal('email_taken');
    if (outcome.kind === 'refused') {
      if (outcome.isLast) recordLater(audit('login.locked', 'anonymous', user.customerId, { by: purpose }));
      throw new Refusal('invalid_or_expired_code');
    }
    return user;
  },
});

export type Redemptions = ReturnType<typeof createRedemptions>;

/** An attempt to redeem a secret of the subject, at `at`. `found` is what the presented one led to. */
export const newRedemption = (
  purpose: Redemption['purpose'],
  subject: string,
  found: ChallengeId | null,
  at: number,
): Redemption => ({ purpose, subject, found, nonce: randomToken(), at });

const keyOf = (whom: Whom): string => ('email' in whom ? whom.email.key : whom.id);

/** A text that is no user's id is nobody's. */
const userReference = (id: string) => (isId('usr', id) ? { id } : { emailKey: '' });
