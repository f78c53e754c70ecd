import type { KeyedHash } from '../crypto/hashing.ts';
import { randomCode } from '../crypto/random.ts';
import type { Mailer } from '../outside/mail/mailer.ts';
import type { User } from '../storage/users.ts';
import type { Actor, Audit } from './audit.ts';
import { type EmailAddress, parseEmailAddress } from './email.ts';
import { type Draft, LIFETIME_SECONDS, type OneTimeSecrets } from './one-time-secrets.ts';
import type { Redemptions } from './redemptions.ts';

const KEY_LENGTH = 16;

type Dependencies = {
  oneTimeSecrets: OneTimeSecrets;
  redemptions: Redemptions;
  keyedHash: KeyedHash;
  mailer: Mailer;
  audit: Audit;
  site: string;
  defer: (work: Promise<unknown>) => void;
  now: () => number;
};

/** Whose address is to change. */
type Changing = Pick<User, 'id' | 'customerId' | 'email' | 'locale'>;

type Pending = { pendingEmail: string; pendingEmailExpiresAt: number };

/** An address changes when the new one has answered (contract 3, PATCH and newemail_confirm). */
export const createEmailChanges = (dependencies: Dependencies) => {
  const { oneTimeSecrets, redemptions, keyedHash, mailer, audit, site, defer, now } = dependencies;

  /** Kept with a key, so that it confirms the address that it was mailed to and no other, whatever is pending by then. */
  const hashAddress = (userId: string, email: EmailAddress) => keyedHash('email change', userId, email.key);

  /** A key to be mailed to the new address, and what is to be kept of it with the user until it is given back. */
  const draft = async (
    user: Changing,
    email: EmailAddress,
    actor: Actor,
  ): Promise<{ draft: Draft; pending: Pending }> => {
    const key = randomCode(KEY_LENGTH);
    const url = `${site}/confirm-email/${user.id}/${key}`;
    const { locale } = user;
    const addressHash = await hashAddress(user.id, email);
    const drafted = await oneTimeSecrets.draft({
      purpose: 'email_change',
      subject: user.id,
      heldBy: user.id,
      secret: key,
      customerId: user.customerId,
      emailKey: email.key,
      entryFor: (challengeId) => ({ challengeId, addressHash }),
      event: audit('user.email_change_sent', actor, user.customerId, { user: user.id }),
      send: () => mailer.sendEmailChange({ email: email.address, locale }, url, LIFETIME_SECONDS.email_change),
    });
    const send = async (): Promise<void> => {
      await drafted.send();
      defer(mailer.sendEmailChangeNotice(user));
    };
    const pendingEmailExpiresAt = now() + LIFETIME_SECONDS.email_change * 1000;
    return { draft: { ...drafted, send }, pending: { pendingEmail: email.address, pendingEmailExpiresAt } };
  };

  return {
    draft,

    /** Mails what `draft` gives. Refuses with `rate_limited` and `mail_refused`. */
    request: async (user: Changing, email: EmailAddress, actor: Actor = `user:${user.id}`): Promise<Pending> => {
      const drafted = await draft(user, email, actor);
      await oneTimeSecrets.mailDraft(drafted.draft);
      return drafted.pending;
    },

    /**
     * Makes the new address the user's, and the customer's if the user owns it. Refuses with `invalid_or_expired_code`,
     * `email_taken` and `rate_limited`.
     */
    confirm: async (identifier: string, key: string): Promise<void> => {
      const redemption = await redemptions.open('email_change', { id: identifier }, key);
      const { user, found } = redemption;
      const email = user?.pendingEmail ? parseEmailAddress(user.pendingEmail) : null;
      const isMailedThere =
        user !== null &&
        email !== null &&
        found !== null &&
        'addressHash' in found &&
        found.addressHash === (await hashAddress(user.id, email));
      await redemptions.close(isMailedThere ? redemption : { ...redemption, found: null }, ({ id, ...before }) => ({
        changes: {
          ...(email && { email: email.address, emailKey: email.key }),
          pendingEmail: null,
          pendingEmailExpiresAt: null,
          // A password that is older than any proof may be anybody's.
          ...(before.activatedAt === null && { passwordHash: null, passwordExpiresAt: null, activatedAt: now() }),
        },
        firstProof: null,
        event: audit('email.changed', `user:${id}`, before.customerId),
      }));
    },
  };
};

export type EmailChanges = ReturnType<typeof createEmailChanges>;
