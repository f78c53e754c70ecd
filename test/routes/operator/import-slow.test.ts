import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { firstIdAt } from '../../../src/crypto/ids.ts';
import { overtakable } from '../../support/bindings.ts';
import { asLines, openBody, sendImport } from '../../support/imports.ts';
import { callAsOperator } from '../../support/operator.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import { newTenant, type TestTenant } from '../../support/tenants.ts';

/** An import whose body is still coming. */
const newSlowImport = async (service = createService()) => {
  const tenant = await newTenant(service);
  const { body, write, writer } = openBody();
  const answered = sendImport(service, tenant, body);
  const answer = readAnswer(answered);
  return {
    service,
    tenant,
    /** Sends customers, who are read when this is done. */
    send: async (...customers: readonly unknown[]): Promise<void> => {
      await write(`${asLines(customers)}wrong\n`);
      await answer.next();
    },
    /** Ends the body, and gives the last line of the answer. */
    end: async (): Promise<unknown> => {
      await writer.close();
      return JSON.parse((await Array.fromAsync(answer)).at(-1) ?? '');
    },
  };
};

/** An answer, as it comes. */
const readAnswer = async function* (answered: Promise<Response>): AsyncGenerator<string, void> {
  const { body } = await answered;
  if (body) yield* body.pipeThrough(new TextDecoderStream());
};

const removeTenant = async (service: Service, { slug }: TestTenant): Promise<void> => {
  const removed = await callAsOperator(service, 'DELETE', `/operator/v1/tenants/${slug}?confirm=${slug}`);
  expect(removed.status).toBe(204);
};

const REMOVED = { error: { code: 'tenant_not_found', message: 'There is no such tenant.', lines: 0 } };

/** The types of the events that are left of a tenant, of which nothing else is. */
const leftOf = async ({ id }: TestTenant): Promise<unknown[]> => {
  const { events = [], ...others } = await rowsOf(id);
  expect(Object.values(others).flat()).toEqual([]);
  return events.map(({ type }) => type);
};

describe('an import that takes its time', () => {
  it('dates the events as they are written, so that who follows them finds them', async () => {
    const { service, tenant, send, end } = await newSlowImport();
    await send({ email: 'a@example.com' });
    const read = service.clock.now();
    service.clock.advance(600);
    await end();
    const { customers, events = [] } = await rowsOf(tenant.id);
    expect(customers).toMatchObject([{ created_at: read }]);
    const [event] = events.filter(({ type }) => type === 'customer.created');
    expect(event?.at).toBe(service.clock.now());
    expect(String(event?.id) >= firstIdAt('evt', service.clock.now())).toBe(true);
  });

  it('ends when its tenant is deleted, and leaves nothing of it', async () => {
    const { service, tenant, send, end } = await newSlowImport();
    await send({ email: 'a@example.com' });
    await removeTenant(service, tenant);
    await send({ email: 'b@example.com' });
    expect(await end()).toEqual(REMOVED);
    expect(await leftOf(tenant)).toEqual(['tenant.deleted']);
  });

  it('leaves nothing of a tenant that is deleted just before a batch is written', async () => {
    const storage = overtakable(env);
    const { service, tenant, send, end } = await newSlowImport(createService(storage.bindings));
    await send({ email: 'a@example.com', users: [{ email: 'b@example.com' }] });
    storage.overtake('D1 batch', 1, () => removeTenant(service, tenant));
    expect(await end()).toEqual(REMOVED);
    expect(await leftOf(tenant)).toEqual(['tenant.deleted']);
  });
});
