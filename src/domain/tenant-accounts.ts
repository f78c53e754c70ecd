import { isId, newId } from '../crypto/ids.ts';
import type { Account, AccountStore } from '../storage/accounts.ts';
import type { TenantSettings } from '../storage/schema.ts';
import type { SubscriptionStore } from '../storage/subscriptions.ts';
import type { AccountReference, TenantAccountStore } from '../storage/tenant-accounts.ts';
import { isAlive, type PresentedToken } from './access-tokens.ts';
import type { Admissions, Caller } from './admissions.ts';
import { applicationOf, recipientOf } from './applications.ts';
import type { Audit, Origin } from './audit.ts';
import { addressOf, destinationBy, newDestination } from './destinations.ts';
import type { Edge } from './edge.ts';
import type { EmailAddress } from './email.ts';
import { type Enrich, readPhone, type TenantProfile } from './enrichment.ts';
import type { FlowRuns, RunOutcome } from './flow-runs.ts';
import { besideProfile, planFlow, stepsOf } from './flows.ts';
import { applyHeld, writeUntilFresh } from './held-applications.ts';
import { type HeldChange, type HeldChanges, NOTHING_HELD, type Target } from './held-changes.ts';
import { type Limits, rateLimited } from './limits.ts';
import type { OneTimeSecrets } from './one-time-secrets.ts';
import { WRONG_PHONE } from './phones.ts';
import { type Fault, memberOf, Refusal, refuseFaults } from './refusal.ts';
import { checkOffered, listOffered } from './subscriptions.ts';
import { checkMergedAttributes, isOfCustomer, profileOf } from './tenant-profiles.ts';

/** What a form or app says of an account: `id`, the address or the phone tells which one it is. */
export type Upsert = {
  id: string | null;
  email: EmailAddress | null;
  profile: TenantProfile;
  subscriptions: readonly string[] | null;
  /** What is wrong with the form of members that were sent: they are left out. */
  faults: readonly Fault[];
  flow: string | null;
  edge: Edge;
};

type Dependencies = {
  store: TenantAccountStore;
  accounts: AccountStore;
  subscriptions: SubscriptionStore;
  admissions: Admissions;
  enrich: Enrich;
  heldChanges: HeldChanges;
  flowRuns: FlowRuns;
  oneTimeSecrets: OneTimeSecrets;
  limits: Limits;
  audit: Audit;
  origin: Origin;
  settings: TenantSettings;
  now: () => number;
};

/** The accounts that forms and apps of a tenant create and change (contract 4). */
export const createTenantAccounts = (dependencies: Dependencies) => {
  const { store, accounts, subscriptions, admissions, enrich, heldChanges, flowRuns, oneTimeSecrets } = dependencies;
  const { limits, audit, origin, settings, now } = dependencies;

  /** What is wrong whoever asks, and whatever is on file. */
  const checkSent = async ({ subscriptions: wanted }: Upsert): Promise<Fault[]> =>
    wanted === null ? [] : checkOffered(wanted, await listOffered(subscriptions));

  return {
    /** The account of whoever is signed in. Refuses with `unauthenticated`. */
    read: async (token: PresentedToken): Promise<Account> => {
      const account = await accounts.find(token);
      if (!account || !isAlive(token, account.user)) throw new Refusal('unauthenticated');
      return account;
    },

    /**
     * Creates an account or changes it, and runs the flow. Who is not known to be the account's own changes nothing
     * before the challenge that it gets is answered. Refuses with `validation_failed`, `flow_not_found`,
     * `unauthenticated`, what `Access` refuses with, `owner_only`, `sms_unavailable`, `mail_refused`, `rate_limited` and
     * `storage_unavailable`.
     */
    upsert: async (request: Upsert, caller: Caller): Promise<RunOutcome> => {
      const { profile: sent, edge, email } = request;
      // An app's calls are counted by its key: all of them come from one address.
      const fromIp = caller.kind === 'app' ? null : await limits.attemptFrom(origin.ip);
      const defaults = settings.profileDefaults ?? {};
      // Which account a number tells is not for the account to say.
      const isByPhone = request.id === null && email === null;
      const knownBy = isByPhone ? await readPhone(sent, { onFile: {}, edge, defaults }) : null;
      const { reference, faults } = referenceOf(request, knownBy);
      const [{ account: known, steps: defined, waitMs }, sentFaults] = await Promise.all([
        store.find(reference, request.flow, fromIp ? [fromIp] : []),
        checkSent(request),
      ]);
      if (waitMs > 0) throw rateLimited(waitMs);
      const { mayChange, ...by } = await admissions.admit(caller, known);
      const steps = stepsOf(request.flow, defined);
      if ('customerId' in reference && !known) faults.push(UNKNOWN_ID);
      // Whoever is not known must not learn from what is missing what is on file.
      const onFile = mayChange && known ? profileOf(known) : {};
      const phone = knownBy ?? (await readPhone(sent, { onFile, edge, defaults }));
      if (sent.phone && phone === null) faults.push(WRONG_PHONE);
      const { profile, derived } = await enrich(sent, { onFile, edge, defaults, phone });
      const beside = besideProfile(email, request.subscriptions, mayChange ? known : null);
      const plan = planFlow(steps, 0, { onFile, sent: profile, beside, proven: [] });
      // What stays as it is on file is not looked at: what is asked of attributes may have changed since.
      const keepsAttributes = mayChange && known !== null && plan.profile.attributes === undefined;
      const attributeFaults = keepsAttributes ? [] : checkMergedAttributes(plan.profile, onFile, settings);
      const others = [...faults, ...sentFaults, ...attributeFaults, ...plan.faults];
      refuseFaults([...request.faults, ...others.filter((fault) => !isLeftOut(fault, request))]);

      const at = now();
      const target: Target = known
        ? { customerId: known.user.customerId, userId: known.user.id, isNew: false }
        : { customerId: newId('cus', at), userId: newId('usr', at), isNew: true };
      const isCustomers = isOfCustomer(sent) || request.subscriptions !== null;
      if (known && !known.user.isOwner && isCustomers && mayChange) throw new Refusal('owner_only');
      const emailChange =
        email && known && 'customerId' in reference && email.key !== known.user.emailKey ? email : null;
      const isHeld = known ? !mayChange : settings.challenge === 'always' && caller.kind !== 'app';
      const isDisabled = known !== null && known.user.customer.status !== 'active';
      const held: HeldChange = {
        ...NOTHING_HELD,
        purpose: 'change',
        // One that is disabled is like any other to whoever asks, also in what is mailed; but no answer is right.
        target: isDisabled ? null : target,
        destination: known && isHeld ? destinationBy(reference, known) : newDestination(email, phone),
        countedBy: known && addressOf(known.user),
        email: known ? null : email,
        emailChange,
        profile,
        derived,
        subscriptions: request.subscriptions,
        flow: { steps, index: 0 },
      };
      if (isHeld) {
        const locale = known?.user.locale ?? profile.locale ?? null;
        return { kind: 'challenged', challenge: await heldChanges.challenge(held, locale) };
      }
      const application = applicationOf({ target, held, account: known, plan, by }, audit, at);
      const announcement = await flowRuns.announce(target, held, plan, recipientOf(application, known), by.actor);
      // Before anything is stored: what cannot be gone on with is not begun.
      for (const draft of announcement.drafts) await oneTimeSecrets.mailDraft(draft);
      const outcome = await writeUntilFresh(
        application,
        (each) => store.apply({ ...each, user: { ...each.user, ...announcement.pending } }),
        () => accounts.find({ userId: target.userId, sessionId: null }),
        (account) => applyHeld({ target, held, by }, account, settings, audit, at).application,
      );
      // Somebody else made the account meanwhile: it is not for this caller to change.
      if (outcome !== 'applied') throw new Refusal(outcome);
      return flowRuns.outcomeOf(announcement, application);
    },
  };
};

/** The account that is meant, by `id`, else the address, else the phone, and what is wrong with how it is told. */
const referenceOf = (
  { id, email, profile, faults }: Upsert,
  phone: string | null,
): { reference: AccountReference; faults: Fault[] } => {
  if (id !== null && !isId('cus', id)) return { reference: NOBODY, faults: [UNKNOWN_ID] };
  if (id !== null) return { reference: { customerId: id }, faults: [] };
  if (email) return { reference: { emailKey: email.key }, faults: [] };
  if (phone !== null) return { reference: { phone }, faults: [] };
  // In a form that is refused anyway.
  const isTold = profile.phone || faults.some(({ path }) => ['id', 'email', 'phone'].includes(path));
  return { reference: NOBODY, faults: isTold ? [] : [NO_IDENTIFIER] };
};

/** Whether the member at fault was sent in a wrong form, and nothing more can be said of it. */
const isLeftOut = (fault: Fault, { faults }: Upsert): boolean =>
  faults.some((each) => memberOf(each) === memberOf(fault));

/** What tells no account. */
const NOBODY: AccountReference = { emailKey: '' };

const UNKNOWN_ID: Fault = { path: 'id', code: 'invalid', message: 'is no account of this tenant' };

const NO_IDENTIFIER: Fault = {
  path: 'email',
  code: 'required',
  message: 'is needed to tell which account it is, or a phone, or an id',
};
