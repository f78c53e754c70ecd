import type { KeyedHash } from '../crypto/hashing.ts';
import { type ChallengeId, type CustomerId, newId, type TenantId } from '../crypto/ids.ts';
import type { MailOutcome } from '../outside/mail/mailer.ts';
import type { ChallengeStore, MailedChallenge, NewChallenge } from '../storage/challenges.ts';
import type { NewEvent } from '../storage/events.ts';
import type { HeldChange } from '../storage/held-changes.ts';
import type { SecretEntries, SecretStore } from '../storage/kv.ts';
import { type Limits, type MailsOfRun, rateLimited } from './limits.ts';
import { Refusal } from './refusal.ts';

/** How long each one-time secret lives, in seconds (contract 0, one-time secrets). */
export const LIFETIME_SECONDS = {
  passcode: 600,
  login_code: 600,
  challenge_code: 600,
  authorization_code: 60,
  activation: 7 * 24 * 3600,
  password_reset: 1800,
  email_change: 24 * 3600,
} as const;

type MailedPurpose = 'passcode' | 'login_code' | 'challenge_code' | 'activation' | 'password_reset' | 'email_change';

/** A secret to be mailed. `subject` is whom it is for, `heldBy` what must be presented beside it. */
type MailedSecret<Purpose extends MailedPurpose> = {
  purpose: Purpose;
  subject: string;
  heldBy: string;
  secret: string;
  customerId: CustomerId;
  /** Where it is mailed to, in comparison form. */
  emailKey: string;
  entryFor: (challengeId: ChallengeId) => SecretEntries[Purpose];
  event: NewEvent;
  /** What waits until it is presented. */
  held?: HeldChange;
  send: () => Promise<MailOutcome>;
};

/** Stores a challenge with its event, unless a limit forbids the mail. */
export type Issue = ChallengeStore['issueLimited'];

/** A secret that is all but stored and mailed: `keep` comes before it is stored, `send` after. */
export type Draft = MailedChallenge & {
  keep: () => Promise<void>;
  /** Refuses with `mail_refused`: then the secret is void, and a next try does not have to wait. */
  send: () => Promise<void>;
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

  const prepare = async <Purpose extends MailedPurpose>({
    purpose,
    subject,
    customerId,
    ...mailed
  }: MailedSecret<Purpose>) => {
    const createdAt = now();
    const challenge: NewChallenge = {
      id: newId('chl', createdAt),
      purpose,
      subject,
      customerId,
      createdAt,
      expiresAt: createdAt + LIFETIME_SECONDS[purpose] * 1000,
    };
    const hash = await hashOf(purpose, mailed.heldBy, mailed.secret);
    const keep = () => secrets.put(purpose, hash, mailed.entryFor(challenge.id), LIFETIME_SECONDS[purpose]);
    return { challenge, keep };
  };

  /** @param among for a run of a flow (see `Limits`). */
  const draft = async <Purpose extends MailedPurpose>(
    mailed: MailedSecret<Purpose>,
    among?: MailsOfRun,
  ): Promise<Draft> => {
    const counting = limits.mailTo(mailed.emailKey, among);
    const [{ challenge, keep }, counted] = await Promise.all([prepare(mailed), counting]);
    const { event, held } = mailed;
    const send = async (): Promise<void> => {
      if ((await mailed.send()) === 'accepted') return;
      await challenges.revokeIssued(challenge, event, counted.hit);
      throw new Refusal('mail_refused');
    };
    return { challenge, held, counted, event, keep, send };
  };

  /** The first half of `mailCounted`, for what has to be the same whatever becomes of the mail; gives the other half. */
  const issueCounted = async <Purpose extends MailedPurpose>(
    mailed: MailedSecret<Purpose>,
  ): Promise<() => Promise<void>> => {
    const { challenge, keep } = await prepare(mailed);
    const { event, held } = mailed;
    await Promise.all([challenges.issue({ challenge, held, event }), keep()]);
    return async () => {
      // The secret stays, though nobody has it: a wrong one is told the same as where there is nobody to mail it to.
      if ((await mailed.send()) !== 'accepted') await challenges.retract(event);
    };
  };

  const mailDraft = async ({ keep, send, ...mailed }: Draft, issue: Issue = challenges.issueLimited): Promise<void> => {
    const [issuance] = await Promise.all([issue(mailed), keep()]);
    if (issuance.kind === 'limited') throw rateLimited(issuance.waitMs);
    await send();
  };

  return {
    draft,

    /** As `mail`, of what was drafted before. */
    mailDraft,

    /**
     * Stores and mails a secret; an older one of the same purpose and subject is dead from then on. Refuses with
     * `rate_limited`, and with `mail_refused`: then the secret is void, and a next try does not have to wait.
     *
     * @param issue for whoever stores more with it.
     */
    mail: async <Purpose extends MailedPurpose>(mailed: MailedSecret<Purpose>, issue?: Issue): Promise<void> =>
      mailDraft(await draft(mailed), issue),

    issueCounted,

    /** As `mail`, for a mail of whose fate nobody is told: it is counted before, and counts even if it is refused. */
    mailCounted: async <Purpose extends MailedPurpose>(mailed: MailedSecret<Purpose>): Promise<void> => {
      const send = await issueCounted(mailed);
      await send();
    },

    /** What a presented secret leads to, if anything. Finding it accepts nothing yet. */
    find: async <Purpose extends MailedPurpose>(purpose: Purpose, heldBy: string, secret: string) =>
      secrets.find(purpose, await hashOf(purpose, heldBy, secret)),
  };
};

export type OneTimeSecrets = ReturnType<typeof createOneTimeSecrets>;
