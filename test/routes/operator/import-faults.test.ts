import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { breakable } from '../../support/bindings.ts';
import {
  asLines,
  exportFrom,
  type ImportAnswer,
  importInto,
  linesOf,
  openBody,
  sendImport,
  summaryOf,
} from '../../support/imports.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import { newTenant, refusalOf, type TestTenant } from '../../support/tenants.ts';

const customersFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({
    email: `p${first + i}@example.com`,
    users: i % 100 ? [] : [{ email: `u${first + i}@example.com` }],
  }));

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const BATCH = 500;
/** How many of D1's batches read what the tenant has to offer, before any customer is stored. */
const READS = 1;

/** How many customers there are, each of them whole. */
const countWhole = async ({ id }: TestTenant): Promise<number> => {
  const { customers = [], users = [], events = [] } = await rowsOf(id);
  const further = customers.filter(({ email }) => Number(/\d+/.exec(String(email))?.[0]) % 100 === 0);
  expect(users).toHaveLength(customers.length + further.length);
  expect(events.filter(({ type }) => type === 'customer.created')).toHaveLength(customers.length);
  return customers.length;
};

const lastLineOf = async (response: Response) => (await linesOf<ImportAnswer>(response)).at(-1);

const failureAfter = (lines: number, code = 'storage_unavailable') => ({
  error: { code, message: expect.any(String), lines },
});

describe('an import whose storage fails', () => {
  it.each([
    ['before', 1, 0, 0],
    ['before', 2, BATCH, BATCH],
    ['before', 3, 2 * BATCH, 2 * BATCH],
    // What was stored without an answer is found by the next run.
    ['after', 1, 0, BATCH],
    ['after', 3, 2 * BATCH, 1203],
  ] as const)(
    '%s batch %i is stored says how far it came, and is finished by another run',
    async (moment, failing, told, stored) => {
      const storage = breakable(env);
      const service = createService(storage.bindings);
      const tenant = await newTenant(service);
      const lines = customersFrom(0, 1203);
      let batches = 0;
      storage.failWhen((operation) => {
        if (operation === 'D1 batch') batches += 1;
        return operation === 'D1 batch' && batches === READS + failing ? moment : null;
      });
      expect(await lastLineOf(await sendImport(service, tenant, asLines(lines)))).toEqual(failureAfter(told));
      storage.failWhen(null);
      expect(await countWhole(tenant)).toBe(stored);
      const summary = summaryOf({ created: 1203 - stored, existing: stored });
      expect(await importInto(service, tenant, lines)).toMatchObject({ refused: [], summary });
      expect(await countWhole(tenant)).toBe(1203);
    },
  );

  it('at its beginning is refused as any other call', async () => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const tenant = await newTenant(service);
    for (const failing of [1, 2, 3]) {
      storage.failWhen((_, count) => (count === failing ? 'before' : null));
      const response = await sendImport(service, tenant, asLines(customersFrom(0, 1)));
      expect(await refusalOf(response)).toMatchObject({ status: 503, code: 'storage_unavailable' });
    }
    expect(await countWhole(tenant)).toBe(0);
  });

  it('says so at once, and takes the rest of the body for nothing', async () => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const tenant = await newTenant(service);
    const { body, write, writer } = openBody();
    const answered = sendImport(service, tenant, body);
    await write('wrong\n');
    const reader = (await answered).body?.getReader();
    await reader?.read();
    storage.failWhen((operation) => (operation === 'D1 batch' ? 'before' : null));
    const [failed] = await Promise.all([reader?.read(), write(asLines(customersFrom(0, BATCH)))]);
    expect(JSON.parse(new TextDecoder().decode(failed?.value))).toEqual(failureAfter(0));
    storage.failWhen(null);
    const end = reader?.read();
    await write(asLines(customersFrom(BATCH, BATCH)));
    await writer.close();
    expect(await end).toMatchObject({ done: true });
    expect(await countWhole(tenant)).toBe(0);
  });

  it('never says what the database said', async () => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const tenant = await newTenant(service);
    let batches = 0;
    storage.failWhen((operation) => {
      if (operation === 'D1 batch') batches += 1;
      return batches > READS ? 'before' : null;
    });
    const response = await sendImport(service, tenant, asLines(customersFrom(0, 1)));
    expect(JSON.stringify(await lastLineOf(response))).not.toContain('broken');
  });
});

describe('an import whose body breaks off', () => {
  it('keeps what is done, and says how far it came to whoever is still there', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const { body, write, writer } = openBody();
    const answered = sendImport(service, tenant, body);
    await write(asLines(customersFrom(0, 700)));
    await writer.abort(new Error('The connection is gone'));
    expect(await lastLineOf(await answered)).toEqual(failureAfter(BATCH, 'malformed_request'));
    expect(await countWhole(tenant)).toBe(BATCH);
  });
});

const untilThere = async (service: Service, tenant: TestTenant, count: number): Promise<void> => {
  while ((await exportFrom(service, tenant)).length < count);
};

describe('an import', () => {
  it('stores batch after batch while the body is still coming', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const { body, write, writer } = openBody();
    const answered = sendImport(service, tenant, body);
    for (const first of [0, BATCH, 2 * BATCH]) {
      await write(asLines(customersFrom(first, BATCH)));
      await untilThere(service, tenant, first + BATCH);
    }
    await writer.close();
    expect(await lastLineOf(await answered)).toEqual({ summary: summaryOf({ created: 3 * BATCH }) });
  });

  it('tells of a fault while the body is still coming', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const { body, write, writer } = openBody();
    const answered = sendImport(service, tenant, body);
    await write('wrong\n');
    const reader = (await answered).body?.getReader();
    const told = new TextDecoder().decode((await reader?.read())?.value);
    expect(JSON.parse(told)).toMatchObject({ line: 1 });
    await writer.close();
    await reader?.cancel();
  });

  it('reads no further than its answer is read, and nothing more once nobody reads it', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    let sent = 0;
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 1;
        controller.enqueue(bytesOf('wrong\n'));
      },
      cancel: () => {
        isCancelled = true;
      },
    });
    const response = await sendImport(service, tenant, body);
    const reader = response.body?.getReader();
    for (let i = 0; i < 20; i++) await reader?.read();
    expect(sent).toBeLessThan(30);
    await reader?.cancel();
    expect(isCancelled).toBe(true);
    const before = sent;
    await exportFrom(service, tenant);
    expect(sent).toBe(before);
  });

  it('stores nothing more once its caller is gone', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    let next = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        controller.enqueue(bytesOf(asLines(customersFrom(next, 100))));
        next += 100;
      },
    });
    const response = await sendImport(service, tenant, body);
    while ((await countWhole(tenant)) < BATCH);
    await response.body?.cancel();
    const stored = await countWhole(tenant);
    await exportFrom(service, tenant);
    expect(await countWhole(tenant)).toBe(stored);
  });
});
