import type { TenantId } from '../crypto/ids.ts';
import type { Account } from '../storage/accounts.ts';
import type { Flow, FlowStore } from '../storage/flows.ts';
import type { FlowStep } from '../storage/schema.ts';
import type { SubscriptionStore } from '../storage/subscriptions.ts';
import { type Attributes, checkEachAttribute } from './attributes.ts';
import type { Audit } from './audit.ts';
import type { EmailAddress } from './email.ts';
import { enrich, type ProfileDefaults, type TenantProfile } from './enrichment.ts';
import { type Fault, Refusal, refuseFaults } from './refusal.ts';
import { checkOffered, listOffered } from './subscriptions.ts';
import { mergeAttributes } from './tenant-profiles.ts';

export type { Flow } from '../storage/flows.ts';
export type { FlowStep } from '../storage/schema.ts';

export type Channel = 'email' | 'sms';

/** The flows that every tenant has, until the operator defines others of these names. */
const BUILT_IN: readonly Flow[] = [
  { name: 'activation', steps: [{ kind: 'send_activation' }] },
  {
    name: 'preregistration',
    steps: [
      { kind: 'challenge', channel: null },
      { kind: 'subscribe', subscriptions: null },
    ],
  },
];

/** The steps of a flow, given those that the operator has defined under its name. Refuses with `flow_not_found`. */
export const stepsOf = (name: string | null, defined: FlowStep[] | null): FlowStep[] => {
  if (name === null) return [];
  const steps = defined ?? BUILT_IN.find((flow) => flow.name === name)?.steps;
  if (!steps) throw new Refusal('flow_not_found');
  return steps;
};

/** What a flow does to an account up to its next challenge, or to its end. */
export type FlowPlan = {
  profile: TenantProfile;
  /** Lists of subscriptions to add, each null for all that there are. */
  added: (string[] | null)[];
  notices: (string | null)[];
  sendsActivation: boolean;
  /** Members that are required and missing. */
  faults: Fault[];
  /** The challenge that has to be answered first, and where the flow goes on then. */
  next: { channel: Channel | null; index: number } | null;
};

/** Members that are no part of the profile which is stored: the address that was sent, the lists there are by then. */
type Beside = { email?: string; subscriptions?: readonly string[] };

/** Of nothing there is no member, so that it is missing where it is required. */
export const besideProfile = (
  email: EmailAddress | null,
  sent: readonly string[] | null,
  onFile: Account | null,
): Beside => {
  const subscriptions = sent ?? onFile?.subscriptions.map(({ id }) => id) ?? [];
  return { ...(email && { email: email.address }), ...(subscriptions.length > 0 && { subscriptions }) };
};

/**
 * What the steps from `index` on would do. `onFile` is what is known of the account, `sent` what is about to be stored
 * and `beside` what is beside it; `proven` are the channels on which the person has answered in this run, which need not
 * be asked again.
 */
export const planFlow = (
  steps: readonly FlowStep[],
  index: number,
  {
    onFile,
    sent,
    beside,
    proven,
  }: { onFile: TenantProfile; sent: TenantProfile; beside: Beside; proven: readonly Channel[] },
): FlowPlan => {
  const plan: FlowPlan = { profile: sent, added: [], notices: [], sendsActivation: false, faults: [], next: null };
  // What is required later, too, has to be there before anybody is asked for a code.
  let expected = sent;
  for (const [i, step] of steps.entries()) {
    if (i < index) continue;
    if (step.kind === 'set') expected = withDefaults(expected, onFile, step.members);
    if (step.kind === 'require') plan.faults.push(...missingOf(step.members, onFile, { ...expected, ...beside }));
    if (plan.next) continue;
    plan.profile = expected;
    if (step.kind === 'subscribe') plan.added.push(step.subscriptions);
    if (step.kind === 'notify') plan.notices.push(step.name);
    if (step.kind === 'send_activation') plan.sendsActivation = true;
    if (step.kind === 'challenge' && !isAnswered(step.channel, proven))
      plan.next = { channel: step.channel, index: i + 1 };
  }
  return plan;
};

const isAnswered = (channel: Channel | null, proven: readonly Channel[]): boolean =>
  channel === null ? proven.length > 0 : proven.includes(channel);

const withDefaults = (sent: TenantProfile, onFile: TenantProfile, defaults: ProfileDefaults): TenantProfile =>
  enrich(sent, { onFile, defaults, edge: NOWHERE, place: null, phone: null }).profile;

const NOWHERE = { country: null, timezone: null, acceptLanguage: null };

const missingOf = (names: readonly string[], ...profiles: TenantProfile[]): Fault[] =>
  names
    .filter((name) => !profiles.some((profile) => memberOf(profile, name) !== undefined))
    .map((name) => ({ path: name, code: 'required', message: 'This is required.' }));

/** Of `address.city`, or of an attribute. */
const memberOf = ({ attributes, ...known }: TenantProfile, name: string): unknown => {
  const members: unknown = { ...attributes, ...known };
  const value = name
    .split('.')
    .reduce<unknown>(
      (within, part) =>
        typeof within === 'object' && within !== null && Object.hasOwn(within, part)
          ? Reflect.get(within, part)
          : undefined,
      members,
    );
  return value ?? undefined;
};

/** What is wrong with steps that would do nothing, or would have every account refused. */
const checkSteps = (
  steps: readonly FlowStep[],
  offered: ReadonlySet<string>,
  attributesSchema: Attributes | null,
): Fault[] =>
  steps.flatMap((step, i) => {
    if (step.kind === 'subscribe') return faultsAt(`steps.${i}`, checkOffered(step.subscriptions ?? [], offered));
    if (step.kind !== 'set') return [];
    const attributes = mergeAttributes(null, step.members.attributes ?? {}) ?? {};
    return faultsAt(`steps.${i}.members`, checkEachAttribute(attributes, attributesSchema));
  });

const faultsAt = (place: string, faults: readonly Fault[]): Fault[] =>
  faults.map((fault) => ({ ...fault, path: fault.path === '' ? place : `${place}.${fault.path}` }));

type Dependencies = {
  tenantId: TenantId;
  store: FlowStore;
  subscriptions: SubscriptionStore;
  attributesSchema: Attributes | null;
  audit: Audit;
};

/** The flows of a tenant: all verbs are the operator's. */
export const createFlows = ({ tenantId, store, subscriptions, attributesSchema, audit }: Dependencies) => {
  const list = async (): Promise<Flow[]> => {
    const defined = await store.list();
    const rest = BUILT_IN.filter((flow) => !defined.some(({ name }) => name === flow.name));
    return [...defined, ...rest].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  };
  return {
    /** By name, the ones that every tenant has among them. */
    list,

    /** Refuses with `flow_not_found`. */
    get: async (name: string): Promise<Flow> => {
      const flow = (await list()).find((each) => each.name === name);
      if (!flow) throw new Refusal('flow_not_found');
      return flow;
    },

    /** Defines the flow, or replaces it. Whether it is new. Refuses with `validation_failed`. */
    put: async (flow: Flow): Promise<boolean> => {
      refuseFaults(checkSteps(flow.steps, await listOffered(subscriptions), attributesSchema));
      return store.put(flow, audit('flow.updated', 'operator', tenantId, { name: flow.name }));
    },

    /** Takes the operator's definition back. Refuses with `flow_not_found`. */
    remove: async (name: string): Promise<void> => {
      const isRemoved = await store.remove(name, audit('flow.deleted', 'operator', tenantId, { name }));
      if (!isRemoved) throw new Refusal('flow_not_found');
    },
  };
};
