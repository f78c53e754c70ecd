import type { Account, AccountStore } from '../storage/accounts.ts';
import type { NewUser } from '../storage/customers.ts';
import type { Activations } from './activations.ts';
import { numberOf } from './applications.ts';
import type { Actor, Audit } from './audit.ts';
import { destinationWithin, type Reach, reachOf } from './destinations.ts';
import type { EmailChanges } from './email-changes.ts';
import type { FlowPlan } from './flows.ts';
import { type HeldChange, type HeldChanges, NOTHING_HELD, type PendingChallenge, type Target } from './held-changes.ts';
import { Refusal } from './refusal.ts';

/** How far a flow has come: to its end, or to a challenge. */
export type RunOutcome = { kind: 'stored'; account: Account } | { kind: 'challenged'; challenge: PendingChallenge };

type Dependencies = {
  accounts: AccountStore;
  heldChanges: HeldChanges;
  activations: Activations;
  emailChanges: EmailChanges;
  audit: Audit;
  now: () => number;
};

/** What a flow does beside what it stores, from one challenge to the next. */
export const createFlowRuns = ({ accounts, heldChanges, activations, emailChanges, audit, now }: Dependencies) => {
  /**
   * Mails and texts what a plan asks for. Null when there is no challenge that has to be answered before it goes on.
   * Refuses with `validation_failed` where a challenge has nowhere to go, `sms_unavailable`, `mail_refused` and
   * `rate_limited`.
   */
  const announce = async (
    { customerId, userId }: Target,
    held: HeldChange,
    plan: FlowPlan,
    user: NewUser & { activatedAt?: number | null | undefined },
    reach: Reach,
    actor: Actor,
  ): Promise<RunOutcome | null> => {
    const destination = plan.next && destinationWithin(reach, plan.next.channel);
    if (destination) heldChanges.requireMeans(destination);
    const mailsActivation = plan.sendsActivation && !user.activatedAt && user.email !== '';
    if (mailsActivation) {
      const among = { isFirst: held.mailedTo !== user.emailKey, more: destination?.to === user.emailKey ? 1 : 0 };
      await activations.send(actor, customerId, user, { among });
    }
    if (!plan.next || !destination) return null;
    const rest: HeldChange = {
      ...NOTHING_HELD,
      purpose: 'change',
      target: { customerId, userId, isNew: false },
      destination,
      flow: { steps: held.flow.steps, index: plan.next.index },
      proven: held.proven,
      number: numberOf(held),
      mailedTo: mailsActivation ? user.emailKey : held.mailedTo,
    };
    return { kind: 'challenged', challenge: await heldChanges.challenge(rest, user.locale) };
  };

  const findStored = async ({ userId }: Target): Promise<Account> => {
    const account = await accounts.find({ userId, sessionId: null });
    if (!account) throw new Refusal('customer_not_found');
    return account;
  };

  return {
    announce,
    findStored,

    /** What is done after a held change is applied, up to the flow's next challenge. */
    goOn: async (target: Target, held: HeldChange, plan: FlowPlan, actor: Actor): Promise<RunOutcome> => {
      const account = await findStored(target);
      const { user } = account;
      if (held.emailChange) {
        const pending = await emailChanges.request(user, held.emailChange, actor);
        const event = audit('customer.updated', actor, target.customerId);
        await accounts.update(user, { customer: {}, user: pending, subscriptions: null }, null, [event], now());
      }
      return (await announce(target, held, plan, user, reachOf(account), actor)) ?? { kind: 'stored', account };
    },
  };
};

export type FlowRuns = ReturnType<typeof createFlowRuns>;
