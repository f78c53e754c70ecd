import type { KeyedHash } from '../crypto/hashing.ts';
import { type ChallengeId, newId, type TenantId } from '../crypto/ids.ts';
import type { MailOutcome } from '../outside/mail/mailer.ts';
import type { ChallengeStore, NewChallenge } from '../storage/challenges.ts';
import type { Customer } from '../storage/customers.ts';
import type { NewEvent } from '../storage/events.ts';
import type { SecretEntries, SecretStore } from '../storage/kv.ts';
import { type Limits, rateLimited } from './limits.ts';
import { Refusal } from './refusal.ts';

/** How long each one-time secret lives, in seconds (contract 0, one-time secrets). */
export const LIFETIME_SECONDS = { passcode: 600, authorization_code: 60, activation: 7 * 24 * 3600 } as const;

type MailedPurpose = 'passcode' | 'activation';

/** A secret to be mailed. `subject` is whom it is for, `heldBy` what must be presented beside it. */
type MailedSecret<Purpose extends MailedPurpose> = {
  purpose: Purpose;
  subject: string;
  heldBy: string;
  secret: string;
  customer: Pick<Customer, 'id' | 'emailKey'>;
  entryFor: (challengeId: ChallengeId) => SecretEntries[Purpose];
  event: NewEvent;
  send: () => Promise<MailOutcome>;
};

type Dependencies = {
  tenantId: TenantId;
  challenges: ChallengeStore;
  secrets: SecretStore;
  keyedHash: KeyedHash;
  limits: Limits;
  now: () => number;
};

/**
 * Secrets that are told to a person and accepted once. D1 holds their state and decides; KV leads from what is presented
 * to the challenge, so that only a keyed hash of the secret is at rest anywhere.
 */
export const createOneTimeSecrets = ({ tenantId, challenges, secrets, keyedHash, limits, now }: Dependencies) => {
  const hashOf = (purpose: MailedPurpose, heldBy: string, secret: string) =>
    keyedHash('one-time secret', purpose, tenantId, heldBy, secret);

  return {
    /**
     * Stores and mails a secret; an older one of the same purpose and subject is dead from then on. Refuses with
     * `rate_limited`, and with `mail_refused`: then the secret is void, and a next try does not have to wait.
     */
    mail: async <Purpose extends MailedPurpose>(mailed: MailedSecret<Purpose>): Promise<void> => {
      const { purpose, subject, customer } = mailed;
      const createdAt = now();
      const challenge: NewChallenge = {
        id: newId('chl', createdAt),
        purpose,
        subject,
        customerId: customer.id,
        createdAt,
        expiresAt: createdAt + LIFETIME_SECONDS[purpose] * 1000,
      };
      const [{ hit, limits: mailLimits }, hash] = await Promise.all([
        limits.mailTo(customer.emailKey),
        hashOf(purpose, mailed.heldBy, mailed.secret),
      ]);
      const [issuance] = await Promise.all([
        challenges.issueLimited(challenge, hit, mailLimits, mailed.event),
        secrets.put(purpose, hash, mailed.entryFor(challenge.id), LIFETIME_SECONDS[purpose]),
      ]);
      if (issuance.kind === 'limited') throw rateLimited(issuance.waitMs);
      if ((await mailed.send()) === 'accepted') return;
      await challenges.revokeIssued(challenge, hit, mailed.event);
      throw new Refusal('mail_refused');
    },

    /** What a presented secret leads to, if anything. Finding it accepts nothing yet. */
    find: async <Purpose extends MailedPurpose>(purpose: Purpose, heldBy: string, secret: string) =>
      secrets.find(purpose, await hashOf(purpose, heldBy, secret)),
  };
};

export type OneTimeSecrets = ReturnType<typeof createOneTimeSecrets>;
