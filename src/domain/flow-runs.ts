import type { Account, AccountStore } from '../storage/accounts.ts';
import type { Application } from '../storage/tenant-accounts.ts';
import type { UserChanges } from '../storage/users.ts';
import type { Activations } from './activations.ts';
import { isPhoneCleared, numberOf, type Recipient } from './applications.ts';
import type { Actor } from './audit.ts';
import { addressOf, destinationWithin } from './destinations.ts';
import type { EmailChanges } from './email-changes.ts';
import type { FlowPlan } from './flows.ts';
import { type HeldChange, type HeldChanges, NOTHING_HELD, type PendingChallenge, type Target } from './held-changes.ts';
import type { Draft } from './one-time-secrets.ts';
import { type Fault, Refusal } from './refusal.ts';

/** How far a flow has come: to its end, `at` this time, or to a challenge. */
export type RunOutcome =
  | { kind: 'stored'; account: Account; at: number }
  | { kind: 'challenged'; challenge: PendingChallenge };

/** What a run is about to mail and text, in this order, and what it leaves with the user. `next` is the challenge's. */
export type Announcement = {
  drafts: Draft[];
  next: Draft | null;
  pending: UserChanges;
  challenge: PendingChallenge | null;
};

type Dependencies = {
  accounts: AccountStore;
  heldChanges: HeldChanges;
  activations: Activations;
  emailChanges: EmailChanges;
  defer: (work: Promise<unknown>) => void;
};

/** What a flow does beside what it stores, from one challenge to the next. */
export const createFlowRuns = ({ accounts, heldChanges, activations, emailChanges, defer }: Dependencies) => ({
  /**
   * What a plan asks to mail and text, of which nothing is stored and sent yet. Without a challenge, none has to be
   * answered before it goes on. Refuses with `validation_failed` where a challenge has nowhere to go, or where nothing
   * would be left that tells the account, and with `sms_unavailable`.
   */
  announce: async (
    { customerId, userId }: Target,
    held: HeldChange,
    plan: FlowPlan,
    user: Recipient,
    actor: Actor,
  ): Promise<Announcement> => {
    const isLost = isPhoneCleared(plan) && user.email === '' && !(await accounts.hasIdentity(userId));
    if (isLost) throw new Refusal('validation_failed', { faults: [ONLY_IDENTIFIER] });
    const destination = plan.next && destinationWithin(user, plan.next.channel);
    if (destination) heldChanges.requireMeans(destination);
    const change = held.emailChange && (await emailChanges.draft(user, held.emailChange, actor));
    const mailsActivation = plan.sendsActivation && !user.activatedAt && user.email !== '';
    const among = { isFirst: held.mailedTo !== user.emailKey, more: destination?.to === user.emailKey ? 1 : 0 };
    const activation = mailsActivation ? await activations.draft(actor, customerId, user, among) : null;
    const rest: HeldChange | null = plan.next &&
      destination && {
        ...NOTHING_HELD,
        purpose: 'change',
        target: { customerId, userId, isNew: false },
        destination,
        countedBy: addressOf(user),
        flow: { steps: held.flow.steps, index: plan.next.index },
        proven: held.proven,
        number: isPhoneCleared(plan) ? null : numberOf(held),
        mailedTo: mailsActivation ? user.emailKey : held.mailedTo,
      };
    const next = rest && (await heldChanges.draft(rest, user.locale));
    return {
      drafts: [change?.draft, activation, next?.draft].filter((draft) => draft !== null && draft !== undefined),
      next: next?.draft ?? null,
      pending: change?.pending ?? {},
      challenge: next?.challenge ?? null,
    };
  },

  /**
   * Sends what was announced with what is stored by now: a link that is refused takes nothing back, but is void and
   * logged. Refuses with `mail_refused` where it is the next challenge, without which the run does not go on.
   */
  send: async ({ drafts, next }: Announcement): Promise<void> => {
    for (const draft of drafts) if (draft !== next) defer(draft.send());
    await next?.send();
  },

  /** How far a run has come whose announcement went out. */
  outcomeOf: async ({ challenge }: Announcement, { userId, at }: Application): Promise<RunOutcome> => {
    if (challenge) return { kind: 'challenged', challenge };
    const account = await accounts.find({ userId, sessionId: null });
    if (!account) throw new Refusal('customer_not_found');
    return { kind: 'stored', account, at };
  },
});

const ONLY_IDENTIFIER: Fault = { path: 'phone', code: 'required', message: 'is all that the account is known by' };

export type FlowRuns = ReturnType<typeof createFlowRuns>;
