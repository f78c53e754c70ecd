import type { TenantId } from '../crypto/ids.ts';
import { randomBytes } from '../crypto/random.ts';
import type { Sealer } from '../crypto/sealing.ts';
import type { Webhook, WebhookStore } from '../storage/webhooks.ts';
import type { Audit } from './audit.ts';
import { refuseUncallable } from './callable-urls.ts';
import { Refusal } from './refusal.ts';
import { contextOfSecret, type Trial, type WebhookMessages } from './webhook-messages.ts';

export type { Webhook } from '../storage/webhooks.ts';

const FRESH_MS = 20_000;

const HOUR_MS = 3_600_000;

/** For so long the secret from before signs beside a new one. */
const OVERLAP_MS = 24 * HOUR_MS;

/** What waited longer than that for its webhook to be enabled is not told any more. */
const PATIENCE_MS = 72 * HOUR_MS;

type Subscriber = Pick<Webhook, 'name' | 'events'>;

/** What an isolate remembers of who is told of what: at most 20 s old. */
export type WebhookMemory = Map<TenantId, { subscribers: readonly Subscriber[]; until: number }>;

/** What the operator says of a webhook. `secret`: null for one of ours. */
export type WebhookProfile = Pick<Webhook, 'url' | 'events' | 'status'> & { secret: string | null };

/** `secret`: the one that was made, told once. */
export type ToldWebhook = { webhook: Webhook; secret: string | null };

type Dependencies = {
  tenantId: TenantId;
  store: WebhookStore;
  memory: WebhookMemory;
  /** Whether the Worker may be told to call a URL. */
  isCallable: (url: string) => boolean;
  messages: WebhookMessages;
  /** Makes a secret of these bytes. */
  writeSecret: (bytes: Uint8Array) => string;
  sealer: () => Promise<Sealer>;
  audit: Audit;
  now: () => number;
};

/** Whom the operator wants told of what happens in a tenant. */
export const createWebhooks = (dependencies: Dependencies) => {
  const { tenantId, store, memory, isCallable, messages, writeSecret, sealer, audit, now } = dependencies;

  const newSecret = (): string => writeSecret(randomBytes(32));

  const seal = async (name: string, secret: string) => (await sealer()).seal(secret, contextOfSecret(name));
  const open = async (name: string, sealed: string) => (await sealer()).open(sealed, contextOfSecret(name));

  const get = async (name: string): Promise<Webhook> => {
    const webhook = await store.find(name);
    if (!webhook) throw new Refusal('webhook_not_found');
    return webhook;
  };

  const create = async (name: string, { secret: given, ...profile }: WebhookProfile): Promise<ToldWebhook | null> => {
    const event = audit('webhook.updated', 'operator', tenantId, { name });
    const secret = given ?? newSecret();
    const webhook = {
      ...{ name, ...profile },
      disabledReason: disabledReasonOf(profile.status),
      sealedSecret: await seal(name, secret),
      sealedOldSecret: null,
      oldSecretExpiresAt: null,
      createdAt: event.at,
      updatedAt: event.at,
    };
    if (!(await store.create(webhook, event))) return null;
    return { webhook, secret: given === null ? secret : null };
  };

  const replace = async (before: Webhook, { secret, ...profile }: WebhookProfile): Promise<ToldWebhook | null> => {
    const { name, sealedSecret } = before;
    const event = audit('webhook.updated', 'operator', tenantId, { name });
    const isOther = secret !== null && secret !== (await open(name, sealedSecret));
    const webhook = {
      ...{ ...before, ...profile },
      disabledReason: disabledReasonOf(profile.status),
      ...(isOther && {
        sealedSecret: await seal(name, secret),
        sealedOldSecret: sealedSecret,
        oldSecretExpiresAt: event.at + OVERLAP_MS,
      }),
      updatedAt: event.at,
    };
    const isDone = await store.replace(before, webhook, event.at - PATIENCE_MS, event);
    return isDone ? { webhook, secret: null } : null;
  };

  const put = async (name: string, profile: WebhookProfile): Promise<ToldWebhook & { isNew: boolean }> => {
    const before = await store.find(name);
    const told = before ? await replace(before, profile) : await create(name, profile);
    // Where there is none, somebody else made or changed it since it was looked for.
    return told ? { ...told, isNew: before === null } : put(name, profile);
  };

  return {
    /** Makes the webhook or replaces what is said of it. Refuses with `validation_failed`. */
    put: async (name: string, profile: WebhookProfile): Promise<ToldWebhook & { isNew: boolean }> => {
      refuseUncallable(isCallable, 'url', profile.url);
      const told = await put(name, profile);
      memory.delete(tenantId);
      return told;
    },

    /** By name. */
    list: store.list,

    /** Refuses with `webhook_not_found`, as the verbs below do. */
    get,

    /** Gives it a new secret. The one from before signs beside it for a day. */
    rotate: async (name: string): Promise<ToldWebhook> => {
      const secret = newSecret();
      const event = audit('webhook.rotated', 'operator', tenantId, { name });
      const change = { sealedSecret: await seal(name, secret), oldSecretExpiresAt: event.at + OVERLAP_MS };
      const webhook = await store.rotate(name, change, event);
      if (!webhook) throw new Refusal('webhook_not_found');
      return { webhook, secret };
    },

    /** Removes it, and all that it was or is to be told of. */
    remove: async (name: string): Promise<void> => {
      const isRemoved = await store.remove(name, audit('webhook.deleted', 'operator', tenantId, { name }));
      if (!isRemoved) throw new Refusal('webhook_not_found');
      memory.delete(tenantId);
    },

    /** Sends it a message of the type `webhook.test`, whatever its status, once. */
    test: async (name: string): Promise<Trial> => messages.try(await get(name)),

    /** Who is told of anything, as it was at most 20 s ago. */
    subscribers: async (): Promise<readonly Subscriber[]> => {
      const remembered = memory.get(tenantId);
      if (remembered && remembered.until > now()) return remembered.subscribers;
      const subscribers = (await store.list()).filter(({ status }) => status === 'active');
      memory.set(tenantId, { subscribers, until: now() + FRESH_MS });
      return subscribers;
    },

    /** Tells it nothing more: its receiver at this URL said that it is gone for good. */
    disableGone: async ({ name, url }: Webhook): Promise<void> => {
      await store.disableGone(name, url, audit('webhook.disabled', 'system', tenantId, { name, reason: 'gone' }));
      memory.delete(tenantId);
    },
  };
};

export type Webhooks = ReturnType<typeof createWebhooks>;

/** Whether a webhook is told of events of a type, by which `customer.*` and `*` are several: as the database's trigger has it. */
export const isToldOf = ({ events }: Pick<Webhook, 'events'>, type: string): boolean =>
  events.some((each) => (each.endsWith('*') ? type.startsWith(each.slice(0, -1)) : type === each));

const disabledReasonOf = (status: Webhook['status']): Webhook['disabledReason'] =>
  status === 'disabled' ? 'operator' : null;
