import type { ChallengeId, CustomerId } from '../crypto/ids.ts';
import { randomCode } from '../crypto/random.ts';
import type { Mailer } from '../outside/mail/mailer.ts';
import type { NewUser } from '../storage/customers.ts';
import { firstProofOf } from './address-proofs.ts';
import type { Actor, Audit } from './audit.ts';
import type { MailsOfRun } from './limits.ts';
import { type Draft, type Issue, LIFETIME_SECONDS, type OneTimeSecrets } from './one-time-secrets.ts';
import { hashNewPassword } from './passwords.ts';
import type { Redemptions } from './redemptions.ts';

/** A-Z and 0-9, 124 bits. */
const SECRET_LENGTH = 24;

type Dependencies = {
  oneTimeSecrets: OneTimeSecrets;
  redemptions: Redemptions;
  mailer: Mailer;
  audit: Audit;
  /** Where the mailed links lead (contract 3, mailed links). */
  site: string;
  tenantName: string;
  now: () => number;
};

/** The mails by which a new user proves to read mail at its address, and chooses a password. */
export const createActivations = (dependencies: Dependencies) => {
  const { oneTimeSecrets, redemptions, mailer, audit, site, tenantName, now } = dependencies;
  const secretFor = (actor: Actor, customerId: CustomerId, user: NewUser) => {
    const secret = randomCode(SECRET_LENGTH);
    const url = `${site}/activate/${user.id}/${secret}`;
    return {
      purpose: 'activation' as const,
      subject: user.id,
      heldBy: user.id,
      secret,
      customerId,
      emailKey: user.emailKey,
      entryFor: (challengeId: ChallengeId) => ({ challengeId }),
      event: audit('user.activation_sent', actor, customerId, { user: user.id }),
      send: () => mailer.sendActivation(user, url, LIFETIME_SECONDS.activation),
    };
  };

  return {
    /** Mails an activation link, which kills the one before. Refuses with `rate_limited` and `mail_refused`. */
    send: (actor: Actor, customerId: CustomerId, user: NewUser, issue?: Issue): Promise<void> =>
      oneTimeSecrets.mail(secretFor(actor, customerId, user), issue),

    /** The same, to be stored with what else a run of a flow does. */
    draft: (actor: Actor, customerId: CustomerId, user: NewUser, among: MailsOfRun): Promise<Draft> =>
      oneTimeSecrets.draft(secretFor(actor, customerId, user), among),

    /**
     * Activates the user with the password, once. Refuses with `weak_password`, which leaves the secret good, with
     * `invalid_or_expired_code`, and `rate_limited`.
     */
    activate: async (identifier: string, secret: string, password: string): Promise<void> => {
      const redemption = await redemptions.open('activation', { id: identifier }, secret);
      const { user, found } = redemption;
      const passwordHash = await hashNewPassword(password, [
        tenantName,
        // Only who holds the secret may learn what the user is called.
        ...(user && found ? [user.email, user.customer.name] : []),
      ]);
      const at = now();
      await redemptions.close(redemption, ({ id, customerId }) => ({
        changes: { passwordHash, passwordExpiresAt: null, activatedAt: at, validAfter: at },
        firstProof: firstProofOf(at),
        event: audit('customer.activated', `user:${id}`, customerId),
      }));
    },
  };
};

export type Activations = ReturnType<typeof createActivations>;
