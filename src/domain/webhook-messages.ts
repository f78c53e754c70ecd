import { randomToken } from '../crypto/random.ts';
import type { Sealer } from '../crypto/sealing.ts';
import type { CallReceiver, Reception } from '../outside/webhooks/receivers.ts';
import type { SignedMessage } from '../outside/webhooks/standard-webhooks.ts';
import type { NewEvent } from '../storage/events.ts';
import type { Webhook } from '../storage/webhooks.ts';

/** Something that happened. `id` is the same each time that it is told. */
export type Told = Pick<NewEvent, 'type' | 'at' | 'data'> & { id: string };

/** What came of a message that was sent at once. */
export type Trial = { isDelivered: boolean; status: number | null; error: string | null; durationMs: number };

type Dependencies = {
  slug: string;
  sign: (body: string, seal: { id: string; secrets: readonly string[]; now: number }) => Promise<SignedMessage>;
  callReceiver: CallReceiver;
  sealer: () => Promise<Sealer>;
  now: () => number;
};

/** What the webhooks of a tenant are told: messages as Standard Webhooks has them, of ids alone. */
export const createWebhookMessages = ({ slug, sign, callReceiver, sealer, now }: Dependencies) => {
  /** Both of its secrets while the old one lasts. */
  const secretsOf = async ({ name, sealedSecret, sealedOldSecret, oldSecretExpiresAt }: Webhook): Promise<string[]> => {
    const isOldGood = sealedOldSecret !== null && oldSecretExpiresAt !== null && oldSecretExpiresAt > now();
    const { open } = await sealer();
    const sealed = [sealedSecret, ...(isOldGood ? [sealedOldSecret] : [])];
    return Promise.all(sealed.map((each) => open(each, contextOfSecret(name))));
  };

  const send = async (webhook: Webhook, { id, type, at, data }: Told): Promise<Reception> => {
    const body = JSON.stringify({ type, timestamp: new Date(at).toISOString(), data: { ...data, tenant: slug } });
    return callReceiver(webhook.url, await sign(body, { id, secrets: await secretsOf(webhook), now: now() }));
  };

  return {
    /** Tells a webhook of something, once. Throws nothing for what its receiver does. */
    send,

    /** As `send`, of nothing that happened: a message of the type `webhook.test`. */
    try: async (webhook: Webhook): Promise<Trial> => {
      const at = now();
      const data = { webhook: webhook.name };
      const reception = await send(webhook, { id: `msg_${randomToken()}`, type: 'webhook.test', at, data });
      const { status, error } = reception;
      return { isDelivered: isTaken(reception), status, error, durationMs: now() - at };
    },
  };
};

export type WebhookMessages = ReturnType<typeof createWebhookMessages>;

/** Whether the receiver took the message. */
export const isTaken = ({ status }: Reception): boolean => status !== null && status >= 200 && status < 300;

/** What a sealed secret is, and whose. */
export const contextOfSecret = (name: string): string => `webhook ${name}`;
