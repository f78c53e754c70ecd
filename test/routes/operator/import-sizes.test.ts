import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { breakable } from '../../support/bindings.ts';
import {
  asLines,
  exportFrom,
  type ImportAnswer,
  importInto,
  linesOf,
  sendImport,
  summaryOf,
} from '../../support/imports.ts';
import { offerSubscriptions } from '../../support/operator.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { newTenant } from '../../support/tenants.ts';

const LONGEST_LINE = 64 * 1024;

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

const newPlace = async (service = createService()) => {
  const tenant = await newTenant(service);
  return { service, tenant, import: (body: BodyInit | readonly unknown[]) => importInto(service, tenant, body) };
};

/** A line as long as one may be, with as many elements in a list as that holds. */
const fullLine = (member: string, elementOf: (i: number) => unknown): { line: string; count: number } => {
  const lineOf = (count: number): string =>
    JSON.stringify({ email: 'full@example.com', [member]: times(count, elementOf) });
  let count = 0;
  for (let step = 4096; step >= 1; step /= 2) if (lineOf(count + step).length <= LONGEST_LINE) count += step;
  return { line: lineOf(count).padEnd(LONGEST_LINE), count };
};

describe('an import of customers who have much', () => {
  it('stores five hundred of twenty-one users each', async () => {
    const { tenant, import: importHere } = await newPlace();
    const lines = times(500, (i) => ({
      email: `p${i}@example.com`,
      users: times(20, (j) => ({ email: `user${j}.of${i}@customers.example.com` })),
    }));
    expect(await importHere(lines)).toMatchObject({ refused: [], summary: summaryOf({ created: 500 }) });
    expect((await rowsOf(tenant.id)).users).toHaveLength(500 * 21);
  });

  it('stores five hundred of a hundred subscriptions each', async () => {
    const { service, tenant, import: importHere } = await newPlace();
    const subscriptions = times(100, (i) => `s${i}`);
    await offerSubscriptions(service, tenant, ...subscriptions);
    const lines = times(500, (i) => ({ email: `p${i}@example.com`, subscriptions }));
    expect(await importHere(lines)).toMatchObject({ refused: [], summary: summaryOf({ created: 500 }) });
    expect((await rowsOf(tenant.id)).customer_subscriptions).toHaveLength(500 * 100);
  });

  it('stores attributes that are twice their size in JSON', async () => {
    const { service, tenant, import: importHere } = await newPlace();
    const attributes = { text: '"'.repeat(8000) };
    const lines = times(200, (i) => ({ email: `p${i}@example.com`, attributes }));
    expect(await importHere(lines)).toMatchObject({ refused: [], summary: summaryOf({ created: 200 }) });
    expect(await exportFrom(service, tenant)).toMatchObject(times(200, () => ({ attributes })));
  });

  it.each([
    ['users', 'users', (i: number) => ({ email: `${i.toString(36)}@b.co` })],
    ['phones', 'phones', () => ({ number: '+442079460000', type: 'fax' })],
  ])('stores as many %s as a line can hold', async (table, member, elementOf) => {
    const { tenant, import: importHere } = await newPlace();
    const { line, count } = fullLine(member, elementOf);
    expect(await importHere(`${line}\n{"email": "next@example.com"}\n`)).toMatchObject({
      refused: [],
      summary: summaryOf({ created: 2 }),
    });
    const { [table]: rows } = await rowsOf(tenant.id);
    expect(rows).toHaveLength(table === 'users' ? count + 2 : count);
  });

  it('says how far it came where a line that would not have fitted comes after what failed', async () => {
    const storage = breakable(env);
    const { service, tenant } = await newPlace(createService(storage.bindings));
    const { line } = fullLine('users', (i) => ({ email: `${i.toString(36)}@b.co` }));
    let batches = 0;
    storage.failWhen((operation) => {
      if (operation === 'D1 batch') batches += 1;
      // The first one reads what the tenant has to offer.
      return operation === 'D1 batch' && batches === 3 ? 'before' : null;
    });
    const body = `${asLines(times(10, (i) => ({ email: `p${i}@example.com` })))}${line}\n`;
    const answer = await linesOf<ImportAnswer>(await sendImport(service, tenant, body));
    expect(answer).toMatchObject([{ error: { code: 'storage_unavailable', lines: 10 } }]);
    expect((await rowsOf(tenant.id)).customers).toHaveLength(10);
  });
});
