import { env } from 'cloudflare:workers';
import { expect } from 'vitest';
import { callAsOperator } from './operator.ts';
import { createService, type Service } from './service.ts';
import { newTenant, type TestTenant } from './tenants.ts';

export type WebhookObject = {
  name: string;
  url: string;
  events: string[];
  status: string;
  disabled_reason: string | null;
  created_at: string;
  updated_at: string;
  secret?: string;
};

export type DeliveryObject = {
  id: string;
  type: string;
  status: string;
  attempts: number;
  last_status: number | null;
  last_error: string | null;
  last_attempt_at: string | null;
  next_attempt_at: string | null;
  created_at: string;
};

type ReceivedMessage = {
  url: string;
  id: string;
  headers: Headers;
  body: string;
  content: { type: string; timestamp: string; data: Record<string, unknown> };
};

type Note = { tenantId: string; webhook: string; eventId: string };

export const webhooksOf = ({ slug }: Pick<TestTenant, 'slug'>, rest = ''): string =>
  `/operator/v1/tenants/${slug}/webhooks${rest}`;

export const putWebhook = async (
  service: Service,
  tenant: Pick<TestTenant, 'slug'>,
  name: string,
  profile: Record<string, unknown> = {},
): Promise<WebhookObject> => {
  const body = { url: `https://hooks.example.com/${name}`, events: ['*'], ...profile };
  const response = await callAsOperator(service, 'PUT', webhooksOf(tenant, `/${name}`), body);
  expect(response.status).toBeLessThan(300);
  return response.json<WebhookObject>();
};

/** Newest first. */
export const deliveriesOf = async (
  service: Service,
  tenant: Pick<TestTenant, 'slug'>,
  name: string,
  query = '',
): Promise<DeliveryObject[]> => {
  const response = await callAsOperator(service, 'GET', webhooksOf(tenant, `/${name}/deliveries${query}`));
  expect(response.status).toBe(200);
  return (await response.json<{ items: DeliveryObject[] }>()).items;
};

/** Something that a disabled webhook was told of: the newest event of the tenant. Gives its id. */
export const insertDelivery = async (tenant: Pick<TestTenant, 'id'>, webhook: string): Promise<string> => {
  const row = await env.DB.prepare(
    `insert into deliveries select tenant_id, ?2, id, 'delivered', 1, at, at, 204, null, at from events
     where tenant_id = ?1 order by id desc limit 1 returning event_id`,
  )
    .bind(tenant.id, webhook)
    .first<{ event_id: string }>();
  return row?.event_id ?? '';
};

/** The queue's binding, but that it keeps what it is given until a test takes it. */
export const createHeldQueue = () => {
  let held: unknown[] = [];
  const sizes: number[] = [];
  const metrics = { backlogCount: 0, backlogBytes: 0 };
  const queue: Queue = {
    metrics: async () => metrics,
    send: async (body) => {
      held.push(body);
      return { metadata: { metrics } };
    },
    sendBatch: async (messages) => {
      const bodies = [...messages].map(({ body }) => body);
      sizes.push(bodies.length);
      held.push(...bodies);
      return { metadata: { metrics } };
    },
  };
  return {
    queue,
    /** How many messages came at once, each time. */
    sizes,
    take: (): unknown[] => {
      const taken = held;
      held = [];
      return taken;
    },
  };
};

/**
 * A tenant, receivers that answer as they are told, and a queue that hands messages on when it is told to. Whatever the
 * receivers are not told otherwise, they answer with 204.
 */
export const newWebhookWorld = async (bindings: Parameters<typeof createService>[0] = {}) => {
  const received: ReceivedMessage[] = [];
  let answer: (message: ReceivedMessage) => Response | Promise<Response> = () => new Response(null, { status: 204 });
  const receive: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const body = await request.text();
    const { url, headers } = request;
    const message = { url, headers, body, id: headers.get('webhook-id') ?? '', content: JSON.parse(body) };
    received.push(message);
    return answer(message);
  };
  const held = createHeldQueue();
  const service = createService({ DELIVERIES: held.queue, ...bindings }, receive);
  const tenant = await newTenant(service);
  const isOurs = (message: unknown): message is Note =>
    typeof message === 'object' && message !== null && 'tenantId' in message && message.tenantId === tenant.id;
  const takeMessages = (): Note[] => held.take().filter(isOurs);
  return {
    service,
    tenant,
    received,
    queue: held,
    answerWith: (status: number, headers: Record<string, string> = {}): void => {
      answer = () => new Response(null, { status, headers });
    },
    answerBy: (answerBy: typeof answer): void => {
      answer = answerBy;
    },
    /** What the queue holds for this tenant, which it does not hold any more then. */
    takeMessages,
    /** Lets the queue hand over what it holds for this tenant. */
    deliver: () => service.consume(takeMessages()),
    /** Makes or changes a webhook. Of that itself, the queue has nothing to hand over. */
    put: async (name: string, profile: Record<string, unknown> = {}): Promise<WebhookObject> => {
      const webhook = await putWebhook(service, tenant, name, profile);
      takeMessages();
      return webhook;
    },
    call: (method: string, rest: string, body?: unknown) =>
      callAsOperator(service, method, webhooksOf(tenant, rest), body),
    deliveries: (name: string, query = '') => deliveriesOf(service, tenant, name, query),
    /** Something that webhooks are told of: `subscription.updated`. */
    happen: async (id = 'news'): Promise<void> => {
      const path = `/operator/v1/tenants/${tenant.slug}/subscriptions/${id}`;
      expect((await callAsOperator(service, 'PUT', path, { name: id })).status).toBeLessThan(300);
    },
  };
};
