import type { KeyedHash } from '../crypto/hashing.ts';
import {
  type AppId,
  type ChallengeId,
  type CustomerId,
  isId,
  newId,
  type TenantId,
  type UserId,
} from '../crypto/ids.ts';
import { randomDigits } from '../crypto/random.ts';
import type { Sealer } from '../crypto/sealing.ts';
import type { Mailer, MailOutcome } from '../outside/mail/mailer.ts';
import type { Texter } from '../outside/texts/texter.ts';
import type { Account, AccountStore } from '../storage/accounts.ts';
import type { NewUser } from '../storage/customers.ts';
import type { HeldChangeStore } from '../storage/held-changes.ts';
import type { FlowStep, TenantSettings } from '../storage/schema.ts';
import type { SubscriptionStore } from '../storage/subscriptions.ts';
import type { AccountReference, AnswerOutcome, Application, TenantAccountStore } from '../storage/tenant-accounts.ts';
import type { UserStore } from '../storage/users.ts';
import type { Access, Credentials } from './access.ts';
import { isAlive, type PresentedToken } from './access-tokens.ts';
import type { Activations } from './activations.ts';
import { checkAttributes } from './attributes.ts';
import type { Actor, Audit, Origin } from './audit.ts';
import type { Edge } from './edge.ts';
import type { EmailAddress } from './email.ts';
import type { EmailChanges } from './email-changes.ts';
import type { Enrich, TenantProfile } from './enrichment.ts';
import { type Channel, type FlowPlan, planFlow, stepsOf } from './flows.ts';
import { type Limits, rateLimited } from './limits.ts';
import { LIFETIME_SECONDS, type OneTimeSecrets } from './one-time-secrets.ts';
import { parsePhoneNumber } from './phones.ts';
import { newRedemption } from './redemptions.ts';
import { type Fault, Refusal } from './refusal.ts';
import {
  customerChangesOf,
  isOfCustomer,
  mergeAttributes,
  profileOf,
  userChangesOf,
  withoutGuesses,
} from './tenant-profiles.ts';

const DIGITS = 6;

/** Who creates or changes an account: by a token of its own, an app, or nobody knows who. */
export type Caller =
  | { kind: 'anonymous' }
  | { kind: 'user'; token: PresentedToken }
  | { kind: 'app'; credentials: Credentials };

/** What a form or app says of an account: `id`, the address or the phone tells which one it is. */
export type Upsert = {
  id: string | null;
  email: EmailAddress | null;
  profile: TenantProfile;
  subscriptions: readonly string[] | null;
  flow: string | null;
  edge: Edge;
};

/** A challenge that has to be answered. `expiresAt` is in milliseconds; `destination` tells only who knows it which it is. */
export type PendingChallenge = { id: string; channel: Channel; destination: string; expiresAt: number };

export type UpsertOutcome = { kind: 'stored'; account: Account } | { kind: 'challenged'; challenge: PendingChallenge };

/** Where a code goes: an address or a number, in the form in which it is compared. */
type Destination = { channel: Channel; to: string };

type Target = { customerId: CustomerId; userId: UserId; isNew: boolean };

/** Whether a caller may change an account at once, and who it is; the app that it is, if it is one. */
type Admission = { mayChange: boolean; actor: Actor; appId: AppId | null };

/** What waits for an answer: everything that it takes to go on as if it had been known from the start. */
type Held = {
  /** What the answer is for: one kind of challenge cannot be answered as the other. */
  purpose: 'change' | 'sign_in';
  /** Null for a sign-in of nobody, which is asked for a code as everybody is. */
  target: Target | null;
  destination: Destination;
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
};

type Dependencies = {
  tenantId: TenantId;
  store: TenantAccountStore;
  accounts: AccountStore;
  users: UserStore;
  heldChanges: HeldChangeStore;
  subscriptions: SubscriptionStore;
  access: Access;
  enrich: Enrich;
  activations: Activations;
  emailChanges: EmailChanges;
  oneTimeSecrets: OneTimeSecrets;
  keyedHash: KeyedHash;
  sealer: () => Promise<Sealer>;
  limits: Limits;
  mailer: Mailer;
  texter: Texter | null;
  audit: Audit;
  origin: Origin;
  defer: (work: Promise<unknown>) => void;
  settings: TenantSettings;
  now: () => number;
};

/** The accounts that forms and apps of a tenant create and change (contract 4). */
export const createTenantAccounts = (dependencies: Dependencies) => {
  const { tenantId, store, accounts, users, heldChanges, subscriptions, access, enrich, activations } = dependencies;
  const { emailChanges, oneTimeSecrets, keyedHash, sealer, limits, mailer, texter, audit, origin, settings } =
    dependencies;
  const { defer, now } = dependencies;

  /** What is checked whoever asks, and whatever is on file. */
  const checkSent = async ({ subscriptions: wanted }: Upsert): Promise<Fault[]> => {
    const offered = wanted && new Set((await subscriptions.list()).map(({ id }) => id));
    return (wanted ?? []).flatMap((id, i): Fault[] =>
      offered?.has(id) ? [] : [{ path: `subscriptions.${i}`, code: 'invalid', message: 'is not offered' }],
    );
  };

  const checkMerged = (profile: TenantProfile, before: TenantProfile): Fault[] => {
    const schema = settings.attributesSchema ?? null;
    const merged = mergeAttributes(before.attributes ?? null, profile.attributes ?? {});
    return checkAttributes(merged ?? {}, schema);
  };

  const requireNone = (faults: readonly Fault[]): void => {
    if (faults.length > 0) throw new Refusal('validation_failed', { faults });
  };

  /** The account that is meant, by `id`, else the address, else the phone. Refuses with `validation_failed`. */
  const referenceOf = ({ id, email, profile }: Upsert, phone: string | null): AccountReference => {
    if (id !== null) return isId('cus', id) ? { customerId: id } : raiseUnknownId();
    if (email) return { emailKey: email.key };
    if (phone !== null) return { phone };
    if (profile.phone) raiseWrongPhone();
    const message = 'is needed to tell which account it is, or a phone, or an id';
    throw new Refusal('validation_failed', { faults: [{ path: 'email', code: 'required', message }] });
  };

  /** Refuses credentials that are not good, and an app that names a customer who may not be used through the API. */
  const admit = async (caller: Caller, account: Account | null): Promise<Admission> => {
    if (caller.kind === 'anonymous') return { mayChange: false, actor: 'anonymous', appId: null };
    if (caller.kind === 'app') {
      const app = await access.asApp(caller.credentials);
      const customer = account?.user.customer ?? null;
      const mayChange = !customer || app.seesAllCustomers || customer.createdByApp === app.appId;
      const isUsable = !customer || (customer.hasApiAccess && customer.status === 'active');
      if (mayChange && !isUsable) throw new Refusal('api_access_denied');
      return { mayChange, actor: `app:${app.appId}`, appId: app.appId };
    }
    const user = await users.find(caller.token);
    if (!isAlive(caller.token, user)) throw new Refusal('unauthenticated');
    const mayChange = account !== null && account.user.id === caller.token.userId;
    return { mayChange, actor: `user:${caller.token.userId}`, appId: null };
  };

  /** Holds what goes on when a code is answered, and gives the mail or text that tells it. */
  const hold = async (held: Held, locale: string | null) => {
    const { destination } = held;
    const customerId = held.target?.customerId ?? newId('cus', now());
    const at = now();
    const id = newId('chg', at);
    const expiresAt = at + LIFETIME_SECONDS.challenge_code * 1000;
    const code = randomDigits(DIGITS);
    const lifetime = LIFETIME_SECONDS.challenge_code;
    if (destination.channel === 'sms' && texter === null) throw new Refusal('sms_unavailable');
    const subject = await subjectOf(destination);
    const sealedChange = await (await sealer()).seal(JSON.stringify(held), contextOf(id));
    await heldChanges.put({ id, subject, customerId, sealedChange, expiresAt }, at);
    const mailed = {
      purpose: 'challenge_code' as const,
      subject,
      heldBy: id,
      secret: code,
      customerId,
      emailKey: destination.to,
      entryFor: (challengeId: ChallengeId) => ({ challengeId }),
      event: audit('challenge.sent', 'anonymous', customerId, { channel: destination.channel }),
      send: async () =>
        destination.channel === 'email'
          ? mailer.sendPasscode({ email: destination.to, locale }, code, lifetime)
          : ((await texter?.sendChallenge({ phone: destination.to, locale }, code, lifetime)) ?? 'refused'),
    };
    const { channel, to } = destination;
    const supersede = () => heldChanges.supersede({ id, subject });
    return { mailed, supersede, challenge: { id, channel, destination: mask(to), expiresAt } };
  };

  const challenge = async (held: Held, locale: string | null): Promise<UpsertOutcome> => {
    const { mailed, supersede, challenge } = await hold(held, locale);
    await oneTimeSecrets.mail(held.target ? mailed : toNobody(mailed));
    defer(supersede());
    return { kind: 'challenged', challenge };
  };

  /** A newer challenge of the same person takes the place of the one before: whoever it is, known or not. */
  const subjectOf = ({ to }: Destination): Promise<string> => keyedHash('challenge', tenantId, to);

  const applicationOf = (
    target: Target,
    held: Held,
    account: Account | null,
    plan: FlowPlan,
    { actor, appId }: Pick<Admission, 'actor' | 'appId'>,
  ): Application => {
    const at = now();
    const { email, proven, subscriptions: wanted } = held;
    const { customerId, userId, isNew } = target;
    const { profile } = plan;
    const by = (channel: Channel) => (proven.includes(channel) ? at : null);
    const isAddressProved = account !== null && account.user.email !== '' && account.user.activatedAt !== null;
    const hasAddress = isNew ? email !== null : account?.user.email !== '';
    // Whoever has the number need not be who reads mail at an address that is not proved: it is not known by it then.
    const isKnownByNumber = isAddressProved || !hasAddress || proven.includes('email');
    const phone = isKnownByNumber ? (numberOf(held) ?? undefined) : undefined;
    const knownByPhone = email === null ? (profile.phone ?? phone) : phone;
    const names = [...held.derived];
    const described = { ...(names.length > 0 && { derived: names.join(' ') }) };
    const common = { customerId, userId, subscriptions: wanted, added: plan.added, at };
    const notices = plan.notices.map((name) => audit('flow.notified', actor, customerId, { name }));
    if (isNew) {
      const times = { createdAt: at, updatedAt: at };
      const addresses = email
        ? { email: email.address, emailKey: email.key }
        : { email: '', emailKey: `tel:${knownByPhone ?? userId}` };
      const user = userChangesOf(profile);
      return {
        ...common,
        created: {
          customer: {
            ...definedOnly(customerChangesOf(profile)),
            attributes: mergeAttributes(null, profile.attributes ?? {}),
            ...{ id: customerId, ...addresses, status: 'active', hasApiAccess: true, version: 1, ...times },
            createdByApp: appId,
          },
          user: {
            ...{ id: userId, customerId, ...addresses, isOwner: true, ...times },
            ...{ givenName: user.givenName ?? null, familyName: user.familyName ?? null, locale: user.locale ?? null },
            ...{ phone: knownByPhone ?? null, activatedAt: by('email'), phoneVerifiedAt: by('sms') },
          },
        },
        customer: {},
        user: {},
        events: [audit('customer.created', actor, customerId, described), ...notices],
      };
    }
    const isVerified = account?.user.activatedAt !== null;
    const isOwners = account?.user.isOwner === true;
    return {
      ...common,
      ...(!isOwners && { subscriptions: null, added: [] }),
      created: null,
      customer: isOwners ? customerChangesOf(profile) : {},
      user: {
        ...userChangesOf(profile),
        ...(proven.includes('email') && !isVerified && { activatedAt: at }),
        ...(phone !== undefined && { phone, phoneVerifiedAt: at }),
      },
      events: held.purpose === 'change' ? [audit('customer.updated', actor, customerId, described), ...notices] : [],
    };
  };

  /** Mails and texts what a plan asks for. Null when there is no challenge that has to be answered before it goes on. */
  const announce = async (
    { customerId, userId }: Target,
    held: Held,
    plan: FlowPlan,
    user: NewUser & { activatedAt?: number | null | undefined },
    reach: Reach,
    actor: Actor,
  ): Promise<UpsertOutcome | null> => {
    const destination = plan.next && destinationOf(reach, plan.next.channel);
    if (plan.sendsActivation && !user.activatedAt && user.email !== '') await activations.send(actor, customerId, user);
    if (!plan.next || !destination) return null;
    const target = { customerId, userId, isNew: false };
    const flow = { steps: held.flow.steps, index: plan.next.index };
    const nothing = { profile: {}, derived: [], subscriptions: null, email: null, emailChange: null };
    const going = { target, destination, flow, proven: held.proven, number: numberOf(held) };
    return challenge({ ...nothing, ...going, purpose: 'change' }, user.locale);
  };

  const findStored = async ({ userId }: Target): Promise<Account> => {
    const account = await accounts.find({ userId, sessionId: null });
    if (!account) throw new Refusal('customer_not_found');
    return account;
  };

  /** What is done after a held change is applied, up to the flow's next challenge. */
  const goOn = async (target: Target, held: Held, plan: FlowPlan, actor: Actor): Promise<UpsertOutcome> => {
    const account = await findStored(target);
    const { user } = account;
    if (held.emailChange) {
      const pending = await emailChanges.request(user, held.emailChange, actor);
      const event = audit('customer.updated', actor, target.customerId);
      await accounts.update(user, { customer: {}, user: pending, subscriptions: null }, null, [event], now());
    }
    return (await announce(target, held, plan, user, reachOf(account), actor)) ?? { kind: 'stored', account };
  };

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
     * `unauthenticated`, what `Access` refuses with, `owner_only`, `sms_unavailable`, `mail_refused` and `rate_limited`.
     */
    upsert: async (request: Upsert, caller: Caller): Promise<UpsertOutcome> => {
      const { profile: sent, edge, email } = request;
      const fromIp = await limits.attemptFrom(origin.ip);
      const country = sent.address?.country ?? edge.country;
      const phone = sent.phone ? await parsePhoneNumber(sent.phone, country) : null;
      const reference = referenceOf(request, phone);
      const [{ account, steps: defined, waitMs }, faults] = await Promise.all([
        store.find(reference, request.flow, fromIp ? [fromIp] : []),
        checkSent(request),
      ]);
      if (waitMs > 0) throw rateLimited(waitMs);
      const { mayChange, ...by } = await admit(caller, account);
      const steps = stepsOf(request.flow, defined);
      if (sent.phone && phone === null) {
        faults.push({ path: 'phone', code: 'invalid', message: 'must be a phone number, with its country code' });
      }
      if ('customerId' in reference && !account) raiseUnknownId();
      // Whoever is not known must not learn from what is missing what is on file.
      const onFile = mayChange && account ? profileOf(account) : {};
      const { profile, derived } = await enrich(
        { ...sent, ...(phone !== null && { phone }) },
        { onFile, edge, defaults: settings.profileDefaults ?? {} },
      );
      const proven: Channel[] = [];
      const plan = planFlow(steps, 0, { onFile, sent: profile, proven });
      requireNone([...faults, ...checkMerged(plan.profile, onFile), ...plan.faults]);

      const at = now();
      const target: Target = account
        ? { customerId: account.user.customerId, userId: account.user.id, isNew: false }
        : { customerId: newId('cus', at), userId: newId('usr', at), isNew: true };
      const known = account ?? null;
      const isCustomers = isOfCustomer(sent) || request.subscriptions !== null;
      if (known && !known.user.isOwner && isCustomers && mayChange) throw new Refusal('owner_only');
      const emailChange =
        email && known && 'customerId' in reference && email.key !== known.user.emailKey ? email : null;
      const isHeld = known ? !mayChange : settings.challenge === 'always' && caller.kind !== 'app';
      const isDisabled = known !== null && known.user.customer.status !== 'active';
      const held: Held = {
        purpose: 'change',
        // To whoever asks, one that is disabled is like any other; but no answer is right.
        target: isDisabled ? null : target,
        destination: known ? destinationBy(reference, known) : newDestination(email, phone),
        email: known ? null : email,
        emailChange,
        profile,
        derived,
        subscriptions: request.subscriptions,
        flow: { steps, index: 0 },
        proven,
        number: null,
      };
      if (isHeld) return challenge(held, known?.user.locale ?? profile.locale ?? null);
      const application = applicationOf(target, held, known, plan, by);
      const user = application.created ? { ...application.created.user, locale: profile.locale ?? null } : known?.user;
      const reach = reachOf(known, email, plan.profile.phone);
      // Before anything is stored: what cannot be gone on with is not begun.
      const pending = known && emailChange ? await emailChanges.request(known.user, emailChange, by.actor) : {};
      const next = user ? await announce(target, held, plan, user, reach, by.actor) : null;
      const outcome = await store.apply({ ...application, user: { ...application.user, ...pending } });
      // Somebody else made the account meanwhile: it is not for this caller to change.
      if (outcome === 'taken') throw new Refusal('email_taken');
      return next ?? { kind: 'stored', account: await findStored(target) };
    },

    /**
     * Sends a code to sign in with; the answer for an address or number that nobody has is the same, but nothing is sent
     * to it unless `allowsSignup`. Refuses with `validation_failed`, `sms_unavailable` and `rate_limited`.
     */
    challengeSignIn: async (
      { email, phone: typed, country }: { email: EmailAddress | null; phone: string | null; country: string | null },
      allowsSignup: boolean,
    ): Promise<PendingChallenge> => {
      const phone = typed === null ? null : await parsePhoneNumber(typed, country);
      if (typed !== null && phone === null) raiseWrongPhone();
      const to = newDestination(email, phone);
      if (to.channel === 'sms' && texter === null) throw new Refusal('sms_unavailable');
      const reference = email ? { emailKey: email.key } : { phone: phone ?? '' };
      const [fromIp, counted] = await Promise.all([limits.attemptFrom(origin.ip), limits.mailTo(to.to)]);
      const found = await store.find(reference, null, fromIp ? [fromIp, counted] : [counted]);
      if (found.waitMs > 0) throw rateLimited(found.waitMs);
      const user = found.account?.user ?? null;
      const at = now();
      const fresh = allowsSignup ? { customerId: newId('cus', at), userId: newId('usr', at), isNew: true } : null;
      const known = user && { customerId: user.customerId, userId: user.id, isNew: false };
      const target = user?.customer.status === 'disabled' ? null : (known ?? fresh);
      const nothing = { profile: {}, derived: [], subscriptions: null, flow: { steps: [], index: 0 }, proven: [] };
      const held: Held = {
        ...nothing,
        purpose: 'sign_in',
        target,
        destination: to,
        email,
        emailChange: null,
        number: null,
      };
      const { mailed, supersede, challenge: pending } = await hold(held, user?.locale ?? null);
      defer(oneTimeSecrets.mailCounted(target ? mailed : toNobody(mailed)).then(supersede));
      return pending;
    },

    /**
     * Answers a challenge: what was held is applied, once, and its flow goes on from there. Refuses with
     * `challenge_failed` for a wrong code, `challenge_over` for a challenge that cannot be answered any more, and
     * `rate_limited`.
     */
    answer: async (purpose: Held['purpose'], id: string, code: string): Promise<UpsertOutcome> => {
      const fromIp = await limits.attemptFrom(origin.ip);
      const at = now();
      const [row, found, waitMs] = await Promise.all([
        heldChanges.find(id, at),
        oneTimeSecrets.find('challenge_code', id, code),
        fromIp ? users.countWrongTry(fromIp) : 0,
      ]);
      if (waitMs > 0) throw rateLimited(waitMs);
      if (!row) throw new Refusal('challenge_over');
      const held: Held = JSON.parse(await (await sealer()).open(row.sealedChange, contextOf(id)));
      const { target, destination } = held;
      if (held.purpose !== purpose) throw new Refusal('challenge_over');
      const [subject, wrongTry] = await Promise.all([subjectOf(destination), limits.wrongCodeOf(destination.to)]);
      const redeem = (application: Application, challengeId: ChallengeId | null) =>
        store.applyByAnswer(
          application,
          id,
          newRedemption('challenge_code', subject, challengeId, at),
          wrongTry,
          audit('login.failed', 'anonymous', target?.customerId ?? tenantId, { by: 'challenge' }),
        );
      const accept = (outcome: AnswerOutcome): void => {
        if (outcome.kind === 'limited') throw rateLimited(outcome.waitMs);
        if (outcome.kind === 'taken') throw new Refusal('email_taken');
        if (outcome.kind === 'refused') throw new Refusal(outcome.wasCompared ? 'challenge_failed' : 'challenge_over');
      };
      if (target === null) {
        // No answer is right, and the same number of tries is wrong.
        accept(await redeem(nothingToApply(at), null));
        throw new Refusal('challenge_failed');
      }
      const account = target.isNew ? null : await accounts.find({ userId: target.userId, sessionId: null });
      const proven = [...new Set([...held.proven, destination.channel])];
      const onFile = account ? profileOf(account) : {};
      const answered: Held = { ...held, ...withoutGuesses(held, onFile), proven };
      const plan = planFlow(held.flow.steps, held.flow.index, { onFile, sent: answered.profile, proven });
      requireNone(account ? checkMerged(plan.profile, onFile) : []);
      const actor: Actor = target.isNew ? 'anonymous' : `user:${target.userId}`;
      const application = applicationOf(target, answered, account, plan, { actor, appId: null });
      accept(await redeem(application, found?.challengeId ?? null));
      return goOn(target, answered, plan, actor);
    },
  };

  /** Refuses with `validation_failed` where there is nothing to send a code to, and with `sms_unavailable`. */
  function destinationOf(reach: Reach, channel: Channel | null): Destination {
    const destination = findDestination(reach, channel);
    if (destination.channel === 'sms' && texter === null) throw new Refusal('sms_unavailable');
    return destination;
  }
};

export type TenantAccounts = ReturnType<typeof createTenantAccounts>;

const contextOf = (id: string): string => `held change ${id}`;

const raiseUnknownId = (): never => {
  throw new Refusal('validation_failed', {
    faults: [{ path: 'id', code: 'invalid', message: 'is no account of this tenant' }],
  });
};

const raiseWrongPhone = (): never => {
  const message = 'must be a phone number, with its country code';
  throw new Refusal('validation_failed', { faults: [{ path: 'phone', code: 'invalid', message }] });
};

const definedOnly = <Members extends object>(
  members: Members,
): { [Name in keyof Members]?: Exclude<Members[Name], undefined> } => {
  const defined: { [Name in keyof Members]?: Exclude<Members[Name], undefined> } = {};
  for (const name in members) {
    const value = members[name];
    if (value !== undefined) Object.assign(defined, { [name]: value });
  }
  return defined;
};

/** Where somebody can be sent a code; '' for no address. */
type Reach = { email: string; emailKey: string; phone: string | null; customerPhone: string | null };

/** Of an account as it is on file, or of one as it will be with this address and this phone. */
const reachOf = (account: Account | null, email?: EmailAddress | null, phone?: string | null): Reach => {
  const user = account?.user;
  const customerPhone = (phone === undefined ? user?.customer.phone : phone) ?? null;
  return {
    email: user?.email ?? email?.address ?? '',
    emailKey: user?.emailKey ?? email?.key ?? '',
    phone: user?.phone ?? (user || email ? null : customerPhone),
    customerPhone,
  };
};

/** The address or number on file: of the kind that the account was named by, if there is one. */
const destinationBy = (reference: AccountReference, account: Account): Destination =>
  findDestination(reachOf(account), 'phone' in reference ? 'sms' : null);

/** Refuses with `validation_failed` where there is nothing to send a code to. */
const findDestination = ({ email, emailKey, phone, customerPhone }: Reach, channel: Channel | null): Destination => {
  if (channel !== 'sms' && email !== '') return { channel: 'email', to: emailKey };
  const number = phone ?? (channel === 'sms' ? customerPhone : null);
  if (channel !== 'email' && number?.startsWith('+')) return { channel: 'sms', to: number };
  const path = channel === 'sms' ? 'phone' : 'email';
  throw new Refusal('validation_failed', { faults: [{ path, code: 'required', message: 'This is required.' }] });
};

/** The number that was proved in this run. */
const numberOf = ({ proven, destination, number }: Held): string | null =>
  proven.includes('sms') && destination.channel === 'sms' ? destination.to : number;

/** What is never redeemed. */
const nothingToApply = (at: number): Application => ({
  ...{ customerId: newId('cus', at), userId: newId('usr', at), created: null, customer: {}, user: {} },
  ...{ subscriptions: null, added: [], events: [], at },
});

/** All the same, but that nothing is sent. */
const toNobody = <Mailed extends object>(mailed: Mailed) => ({
  ...mailed,
  send: async (): Promise<MailOutcome> => 'accepted',
});

const newDestination = (email: EmailAddress | null, phone: string | null): Destination =>
  email ? { channel: 'email', to: email.key } : { channel: 'sms', to: phone ?? '' };

/** `j•••@example.com`, or `•••89`: enough for whoever knows it, and for nobody else. */
const mask = (to: string): string => (to.includes('@') ? to.replace(/^(.).*(@.*)$/, '$1•••$2') : `•••${to.slice(-2)}`);
