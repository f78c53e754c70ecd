import type { TenantId } from '../crypto/ids.ts';
import type { Account, AccountStore } from '../storage/accounts.ts';
import type { ChallengeStore, Redemption } from '../storage/challenges.ts';
import type { TenantSettings } from '../storage/schema.ts';
import type { AnswerOutcome, Application, TenantAccountStore } from '../storage/tenant-accounts.ts';
import type { UserStore } from '../storage/users.ts';
import { nothingToApply, recipientOf } from './applications.ts';
import type { Actor, Audit, Origin, RecordLater } from './audit.ts';
import { isOnFile } from './destinations.ts';
import type { FlowRuns, RunOutcome } from './flow-runs.ts';
import { applyHeld, writeUntilFresh } from './held-applications.ts';
import type { FoundChange, HeldChange, HeldChanges } from './held-changes.ts';
import { type Limits, rateLimited } from './limits.ts';
import type { Draft, OneTimeSecrets } from './one-time-secrets.ts';
import { newRedemption } from './redemptions.ts';
import { Refusal } from './refusal.ts';

type Dependencies = {
  tenantId: TenantId;
  store: TenantAccountStore;
  accounts: AccountStore;
  users: UserStore;
  challenges: ChallengeStore;
  heldChanges: HeldChanges;
  flowRuns: FlowRuns;
  settings: TenantSettings;
  oneTimeSecrets: OneTimeSecrets;
  limits: Limits;
  audit: Audit;
  recordLater: RecordLater;
  origin: Origin;
  now: () => number;
};

/** The answers to challenges: each lets go what was held for it. */
export const createChallengeAnswers = (dependencies: Dependencies) => {
  const { tenantId, store, accounts, users, challenges, heldChanges, flowRuns, settings } = dependencies;
  const { oneTimeSecrets, limits, audit, recordLater, origin, now } = dependencies;
  return {
    /**
     * Answers a challenge: what was held is applied, once, and its flow goes on from there. Refuses with
     * `challenge_failed` for a wrong code, `challenge_over` for a challenge that cannot be answered any more,
     * `validation_failed` for attributes that cannot be stored, what `FlowRuns` refuses with, `rate_limited`, also where
     * the next mail has to wait, `storage_unavailable`, and with `mail_refused` where the next code cannot be sent: what
     * was held is stored then, and its flow can be begun again. All but the last leave a right code good.
     */
    answer: async (purpose: HeldChange['purpose'], id: string, code: string): Promise<RunOutcome> => {
      const fromIp = await limits.attemptFrom(origin.ip);
      const at = now();
      const [held, found, waitMs] = await Promise.all([
        heldChanges.find(id, at),
        oneTimeSecrets.find('challenge_code', id, code),
        fromIp ? users.countWrongTry(fromIp) : 0,
      ]);
      if (waitMs > 0) throw rateLimited(waitMs);
      if (held?.purpose !== purpose) throw new Refusal('challenge_over');
      const { target, destination } = held;
      const [subject, wrongTry] = await Promise.all([
        heldChanges.subjectOf(destination),
        limits.wrongCodeOf(held.countedBy ?? destination.to),
      ]);
      const redemption = newRedemption('challenge_code', subject, found?.challengeId ?? null, at);
      const redeem = async (application: Application, by: Redemption, mailed: readonly Draft[]) => {
        const refused = audit('login.failed', 'anonymous', target?.customerId ?? tenantId, { by: 'challenge' });
        const outcome = await store.applyByAnswer(application, id, by, wrongTry, refused, mailed);
        if (target && outcome.kind === 'refused' && outcome.isLast) {
          recordLater(audit('login.locked', 'anonymous', target.customerId, { by: 'challenge' }));
        }
        return accept(outcome);
      };
      // Of a wrong code nothing is looked up, so that it takes as long for nobody as for somebody.
      const isFound = target !== null && found !== null;
      const [isRedeemable, account] = await Promise.all([
        isFound && challenges.isRedeemable(redemption, wrongTry),
        isFound && !target.isNew ? accounts.find({ userId: target.userId, sessionId: null }) : null,
      ]);
      // What else is wrong is told to nobody but whoever has the code, which stays good for it.
      if (!target || !isRedeemable || !(target.isNew || isStillFor(held, account))) {
        await redeem(nothingToApply(at), { ...redemption, found: null }, []);
        throw new Refusal('challenge_failed');
      }
      const proven = [...new Set([...held.proven, destination.channel])];
      const actor: Actor = target.isNew ? 'anonymous' : `user:${target.userId}`;
      const change = { target, held: { ...held, proven }, by: { actor, appId: null } };
      const { held: answered, plan, application } = applyHeld(change, account, settings, audit, now());
      const announcement = await flowRuns.announce(target, answered, plan, recipientOf(application, account), actor);
      const { drafts, pending } = announcement;
      await Promise.all(drafts.map((draft) => draft.keep()));
      await writeUntilFresh(
        application,
        (each) => redeem({ ...each, user: { ...each.user, ...pending } }, redemption, drafts),
        () => accounts.find({ userId: target.userId, sessionId: null }),
        (current) => applyHeld(change, current, settings, audit, now()).application,
      );
      await flowRuns.send(announcement);
      return flowRuns.outcomeOf(announcement, application);
    },
  };
};

export type ChallengeAnswers = ReturnType<typeof createChallengeAnswers>;

/** Whether a code that was sent to an account opens it yet: what it had then, and where it was sent, may have changed. */
const isStillFor = ({ purpose, destination, heldAt }: FoundChange, account: Account | null): boolean =>
  account !== null && heldAt > account.user.validAfter && isOnFile(destination, account, purpose);

const accept = (outcome: AnswerOutcome): 'applied' | 'stale' => {
  if (outcome.kind === 'limited') throw rateLimited(outcome.waitMs);
  if (outcome.kind === 'email_taken' || outcome.kind === 'phone_taken') throw new Refusal(outcome.kind);
  if (outcome.kind === 'refused') throw new Refusal(outcome.wasCompared ? 'challenge_failed' : 'challenge_over');
  return outcome.kind;
};
