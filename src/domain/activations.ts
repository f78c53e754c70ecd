import { randomCode } from '../crypto/random.ts';
import type { Mailer } from '../outside/mail/mailer.ts';
import type { Customer, NewUser } from '../storage/customers.ts';
import type { Actor, Audit } from './audit.ts';
import { LIFETIME_SECONDS, type OneTimeSecrets } from './one-time-secrets.ts';

/** A-Z and 0-9, 124 bits. */
const SECRET_LENGTH = 24;

type Dependencies = { oneTimeSecrets: OneTimeSecrets; mailer: Mailer; audit: Audit; site: string };

/** The mails by which a new user chooses a password. `site` is where their links lead (contract 3, mailed links). */
export const createActivations = ({ oneTimeSecrets, mailer, audit, site }: Dependencies) => ({
  /** Mails an activation link, which kills the one before. Refuses with `rate_limited` and `mail_refused`. */
  send: (actor: Actor, customer: Pick<Customer, 'id' | 'emailKey'>, user: NewUser): Promise<void> => {
    const secret = randomCode(SECRET_LENGTH);
    return oneTimeSecrets.mail({
      purpose: 'activation',
      subject: user.id,
      heldBy: user.id,
      secret,
      customer,
      entryFor: (challengeId) => ({ challengeId }),
      event: audit('user.activation_sent', actor, customer.id, { user: user.id }),
      send: () => mailer.sendActivation(user, `${site}/activate/${user.id}/${secret}`, LIFETIME_SECONDS.activation),
    });
  },
});

export type Activations = ReturnType<typeof createActivations>;
