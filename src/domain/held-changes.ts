import type { KeyedHash } from '../crypto/hashing.ts';
import { type ChallengeId, type CustomerId, newId, type TenantId, type UserId } from '../crypto/ids.ts';
import { randomDigits } from '../crypto/random.ts';
import type { Sealer } from '../crypto/sealing.ts';
import type { Mailer, MailOutcome } from '../outside/mail/mailer.ts';
import type { Texter } from '../outside/texts/texter.ts';
import type { HeldChangeStore } from '../storage/held-changes.ts';
import type { FlowStep } from '../storage/schema.ts';
import type { Audit } from './audit.ts';
import { type Destination, mask } from './destinations.ts';
import type { EmailAddress } from './email.ts';
import type { TenantProfile } from './enrichment.ts';
import type { Channel } from './flows.ts';
import { type Draft, LIFETIME_SECONDS, type OneTimeSecrets } from './one-time-secrets.ts';
import { Refusal } from './refusal.ts';

const DIGITS = 6;

/** The account that a change is for. */
export type Target = { customerId: CustomerId; userId: UserId; isNew: boolean };

/** What waits for an answer: everything that it takes to go on as if it had been known from the start. */
export type HeldChange = {
  /** What the answer is for: one kind of challenge cannot be answered as the other. */
  purpose: 'change' | 'sign_in';
  /** Null for nobody, who is asked for a code as everybody is, but whose answer is never right. */
  target: Target | null;
  destination: Destination;
  /** By what wrong codes are counted: the address of an account that is known and has one; null for the destination. */
  countedBy: string | null;
  /** The forms of the address of an account that is new. */
  email: EmailAddress | null;
  /** The address that an account which is known wants to have instead of its own. */
  emailChange: EmailAddress | null;
  profile: TenantProfile;
  derived: string[];
  subscriptions: readonly string[] | null;
  flow: { steps: FlowStep[]; index: number };
  proven: Channel[];
  /** The number that was proved before in this run. */
  number: string | null;
  /** The address that was mailed before in this run. */
  mailedTo: string | null;
};

/** What waits, and since when, in milliseconds. */
export type FoundChange = HeldChange & { heldAt: number };

/** A held change that is of nothing yet. */
export const NOTHING_HELD = {
  profile: {},
  derived: [],
  subscriptions: null,
  countedBy: null,
  email: null,
  emailChange: null,
  flow: { steps: [], index: 0 },
  proven: [],
  number: null,
  mailedTo: null,
} satisfies Partial<HeldChange>;

/** A challenge that has to be answered. `expiresAt` is in milliseconds; `destination` tells only who knows it which it is. */
export type PendingChallenge = { id: string; channel: Channel; destination: string; expiresAt: number };

type Dependencies = {
  tenantId: TenantId;
  store: HeldChangeStore;
  oneTimeSecrets: OneTimeSecrets;
  keyedHash: KeyedHash;
  sealer: () => Promise<Sealer>;
  mailer: Mailer;
  texter: Texter | null;
  audit: Audit;
  defer: (work: Promise<unknown>) => void;
  now: () => number;
};

/** Changes that wait, unseen, until the code that was mailed or texted is answered (contract 4, store). */
export const createHeldChanges = (dependencies: Dependencies) => {
  const { tenantId, store, oneTimeSecrets, keyedHash, sealer, mailer, texter, audit, defer, now } = dependencies;

  /** A newer challenge of the same person takes the place of the one before: whoever it is, known or not. */
  const subjectOf = ({ to }: Destination): Promise<string> => keyedHash('challenge', tenantId, to);

  const requireMeans = ({ channel }: Destination): void => {
    if (channel === 'sms' && texter === null) throw new Refusal('sms_unavailable');
  };

  /** What goes on when a code is answered, to be stored with the mail or text that tells it. */
  const seal = async (held: HeldChange, locale: string | null) => {
    const { destination, target } = held;
    requireMeans(destination);
    const at = now();
    const customerId = target?.customerId ?? newId('cus', at);
    const id = newId('chg', at);
    const lifetime = LIFETIME_SECONDS.challenge_code;
    const expiresAt = at + lifetime * 1000;
    const code = randomDigits(DIGITS);
    const subject = await subjectOf(destination);
    const { channel, to } = destination;
    const kept: HeldChange = { ...held, mailedTo: channel === 'email' ? to : held.mailedTo };
    const sealedChange = await (await sealer()).seal(JSON.stringify(kept), contextOf(id));
    const send = async (): Promise<MailOutcome> => {
      if (channel === 'email') return mailer.sendPasscode({ email: to, locale }, code, lifetime);
      return (await texter?.sendChallenge({ phone: to, locale }, code, lifetime)) ?? 'refused';
    };
    const mailed = {
      purpose: 'challenge_code' as const,
      subject,
      heldBy: id,
      secret: code,
      customerId,
      emailKey: to,
      entryFor: (challengeId: ChallengeId) => ({ challengeId }),
      event: audit('challenge.sent', 'anonymous', customerId, { channel }),
      held: { id, subject, customerId, sealedChange, expiresAt },
      send,
    };
    return { mailed, challenge: { id, channel, destination: mask(destination), expiresAt } };
  };

  /** Holds a change until its code is answered, which is all but stored and sent. Refuses with `sms_unavailable`. */
  const draft = async (
    held: HeldChange,
    locale: string | null,
  ): Promise<{ draft: Draft; challenge: PendingChallenge }> => {
    const { mailed, challenge } = await seal(held, locale);
    const among = { isFirst: held.mailedTo !== held.destination.to, more: 0 };
    return { draft: await oneTimeSecrets.draft(mailed, among), challenge };
  };

  return {
    subjectOf,

    /** Refuses with `sms_unavailable` what cannot be sent at all. */
    requireMeans,

    draft,

    /** Holds a change until its code is answered, and sends that. Refuses with `sms_unavailable`, `mail_refused` and `rate_limited`. */
    challenge: async (held: HeldChange, locale: string | null): Promise<PendingChallenge> => {
      const drafted = await draft(held, locale);
      await oneTimeSecrets.mailDraft(drafted.draft);
      return drafted.challenge;
    },

    /** As `challenge`, of whose code nobody is told what becomes of it: it is counted before, and sent after the answer. */
    challengeCounted: async (held: HeldChange, locale: string | null): Promise<PendingChallenge> => {
      const { mailed, challenge } = await seal(held, locale);
      const send = await oneTimeSecrets.issueCounted(mailed);
      // To nobody all is the same, but that nothing is sent.
      if (held.target !== null) defer(send());
      return challenge;
    },

    /** What is held under this id; null when it never was, or is over. */
    find: async (id: string, at: number): Promise<FoundChange | null> => {
      const row = await store.find(id, at);
      if (!row) return null;
      const held: HeldChange = JSON.parse(await (await sealer()).open(row.sealedChange, contextOf(id)));
      return { ...held, heldAt: row.expiresAt - LIFETIME_SECONDS.challenge_code * 1000 };
    },
  };
};

export type HeldChanges = ReturnType<typeof createHeldChanges>;

const contextOf = (id: string): string => `held change ${id}`;
