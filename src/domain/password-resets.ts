import { signPassphrase } from '../crypto/passphrase-tokens.ts';
import { hashPassword } from '../crypto/passwords.ts';
import { randomCode, randomPassphrase } from '../crypto/random.ts';
import type { Mailer } from '../outside/mail/mailer.ts';
import type { UserChanges, UserStore } from '../storage/users.ts';
import { firstProofOf } from './address-proofs.ts';
import type { Audit, Origin } from './audit.ts';
import type { EmailAddress } from './email.ts';
import { type Limits, rateLimited } from './limits.ts';
import { LIFETIME_SECONDS, type OneTimeSecrets } from './one-time-secrets.ts';
import { hashNewPassword } from './passwords.ts';
import type { OpenRedemption, Redemptions } from './redemptions.ts';
import { Refusal } from './refusal.ts';

const CODE_LENGTH = 10;
const TOKEN_LIFETIME_SECONDS = 300;

type Dependencies = {
  users: UserStore;
  oneTimeSecrets: OneTimeSecrets;
  redemptions: Redemptions;
  limits: Limits;
  mailer: Mailer;
  audit: Audit;
  origin: Origin;
  site: string;
  /** Origins that a mailed link may lead to beside the site's. */
  origins: readonly string[];
  tenantName: string;
  passphraseLifetimeSeconds: number | null;
  defer: (work: Promise<unknown>) => void;
  now: () => number;
};

/** A forgotten password is replaced with a code that is mailed (contract 3, password_reset and do_reset). */
export const createPasswordResets = (dependencies: Dependencies) => {
  const { users, oneTimeSecrets, redemptions, limits, mailer, audit, origin, site, tenantName, defer, now } =
    dependencies;

  /** Refuses with `validation_failed` a place that the link must not lead to. */
  const linkTo = (resetUri: string): string => {
    const url = URL.canParse(resetUri, site) ? new URL(resetUri, site) : null;
    const allowed = [new URL(site).origin, ...dependencies.origins];
    const isPlain = url !== null && `${url.username}${url.password}${url.search}${url.hash}` === '';
    // A browser reads backslashes as slashes: what looks like a path would be a host.
    const isWellWritten = /^(\/(?!\/)|https?:\/\/)[\x21-\x7e]*$/.test(resetUri) && !resetUri.includes('\\');
    if (!isPlain || !isWellWritten || !allowed.includes(url.origin)) {
      throw new Refusal('validation_failed', {
        faults: [
          { path: 'reset_uri', code: 'invalid', message: 'must be a path of the site, or below one of its origins' },
        ],
      });
    }
    return url.href.replace(/\/+$/, '');
  };

  const replacePassword = async (redemption: OpenRedemption, changes: UserChanges): Promise<void> => {
    const at = now();
    const user = await redemptions.close(redemption, ({ id, customerId }) => ({
      changes: { ...changes, validAfter: at },
      // Whoever has the code reads mail at the address.
      firstProof: firstProofOf(at),
      event: audit('password.reset', `user:${id}`, customerId),
    }));
    defer(mailer.sendPasswordChanged(user));
  };

  return {
    /**
     * Mails a code to the user of the address, if there is one: the answer is there before, and the same either way.
     * Refuses with `validation_failed` and `rate_limited`.
     */
    send: async (email: EmailAddress, resetUri: string): Promise<void> => {
      const link = linkTo(resetUri);
      const [mail, fromIp] = await Promise.all([limits.mailTo(email.key), limits.attemptFrom(origin.ip)]);
      const attempt = await users.attempt({ emailKey: email.key }, fromIp ? [fromIp, mail] : [mail]);
      if (attempt.kind === 'limited') throw rateLimited(attempt.waitMs);
      const { user } = attempt;
      if (user?.customer.status !== 'active') return;
      const code = randomCode(CODE_LENGTH);
      defer(
        oneTimeSecrets.mailCounted({
          purpose: 'password_reset',
          subject: user.id,
          heldBy: user.emailKey,
          secret: code,
          customerId: user.customerId,
          emailKey: user.emailKey,
          entryFor: (challengeId) => ({ challengeId }),
          event: audit('user.password_reset_sent', 'anonymous', user.customerId, { user: user.id }),
          send: () => mailer.sendPasswordReset(user, `${link}/${code}`, LIFETIME_SECONDS.password_reset),
        }),
      );
    },

    /**
     * Replaces the password by one that we make, and gives it in a JWT that is signed with the code; every token from
     * before is dead. Refuses with `invalid_or_expired_code` and `rate_limited`.
     */
    resetToPassphrase: async (email: EmailAddress, code: string): Promise<string> => {
      const redemption = await redemptions.open('password_reset', { email }, code);
      const passphrase = randomPassphrase();
      const { passphraseLifetimeSeconds: lifetime } = dependencies;
      const at = now();
      await replacePassword(redemption, {
        passwordHash: await hashPassword(passphrase),
        passwordExpiresAt: lifetime === null ? null : at + lifetime * 1000,
      });
      return signPassphrase(passphrase, code, Math.floor(at / 1000) + TOKEN_LIFETIME_SECONDS);
    },

    /** Replaces the password by this one. Refuses as `resetToPassphrase`, and with `weak_password`. */
    resetTo: async (email: EmailAddress, code: string, password: string): Promise<void> => {
      const redemption = await redemptions.open('password_reset', { email }, code);
      const { user, found } = redemption;
      // Only who holds the code may learn what the user is called.
      const known = user && found ? [user.customer.name] : [];
      const passwordHash = await hashNewPassword(password, [tenantName, email.address, ...known]);
      await replacePassword(redemption, { passwordHash, passwordExpiresAt: null });
    },
  };
};
