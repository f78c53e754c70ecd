import type { Account } from '../storage/accounts.ts';
import type { TenantSettings } from '../storage/schema.ts';
import type { Application } from '../storage/tenant-accounts.ts';
import { type Author, applicationOf } from './applications.ts';
import type { Audit } from './audit.ts';
import { besideProfile, type FlowPlan, planFlow } from './flows.ts';
import type { HeldChange, Target } from './held-changes.ts';
import { Refusal, refuseFaults } from './refusal.ts';
import { checkMergedAttributes, profileOf, withoutGuesses } from './tenant-profiles.ts';

/** A change, to be made to whatever its account is by then. */
type Held = { target: Target; held: HeldChange; by: Author };

/**
 * What a change comes to for its account as it is now. Refuses with `validation_failed` for attributes that cannot be
 * stored beside those on file.
 */
export const applyHeld = (
  { target, held, by }: Held,
  account: Account | null,
  settings: TenantSettings,
  audit: Audit,
  at: number,
): { held: HeldChange; plan: FlowPlan; application: Application } => {
  const onFile = account ? profileOf(account) : {};
  const current: HeldChange = { ...held, ...withoutGuesses(held, onFile) };
  const { steps, index } = held.flow;
  const beside = besideProfile(held.emailChange ?? held.email, held.subscriptions, account);
  const plan = planFlow(steps, index, { onFile, sent: current.profile, beside, proven: held.proven });
  const storesAttributes = plan.profile.attributes !== undefined && account?.user.isOwner !== false;
  refuseFaults(storesAttributes ? checkMergedAttributes(plan.profile, onFile, settings) : []);
  return { held: current, plan, application: applicationOf({ target, held: current, account, plan, by }, audit, at) };
};

/** As many changes of one account may come at once without one of them being refused. */
const MOST_TRIES = 30;

/**
 * Writes `first`, and as long as that is stale, because the account was changed since it was read, what becomes of it for
 * the account read again. Refuses with `storage_unavailable` where it never comes through, and with `customer_not_found`
 * for an account that is there no more.
 */
export const writeUntilFresh = async <Outcome>(
  first: Application,
  write: (application: Application) => Promise<Outcome | 'stale'>,
  read: () => Promise<Account | null>,
  redo: (account: Account) => Application,
): Promise<Outcome> => {
  let application = first;
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    const outcome = await write(application);
    if (outcome !== 'stale') return outcome;
    const account = await read();
    if (!account) throw new Refusal('customer_not_found');
    application = redo(account);
  }
  throw new Refusal('storage_unavailable', { retryAfterSeconds: 1 });
};
