import { describe, expect, it } from 'vitest';
import { firstIdAt } from '../../../src/crypto/ids.ts';
import { asLines, openBody, sendImport } from '../../support/imports.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { newTenant } from '../../support/tenants.ts';

/** An import whose body is still coming. */
const newSlowImport = async () => {
  const service = createService();
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
});
