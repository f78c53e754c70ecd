import { describe, expect, it } from 'vitest';
import { NAMED_MAKERS } from '../../support/named.ts';
import { callAsOperator } from '../../support/operator.ts';
import { createService } from '../../support/service.ts';
import { newTenant, refusalOf } from '../../support/tenants.ts';

type Page = { items: { name: string }[]; next: string | null };

describe.each(Object.entries(NAMED_MAKERS))('GET /operator/v1/tenants/{slug}/%s', (noun, make) => {
  const newList = async (names: string[]) => {
    const service = createService();
    const tenant = await newTenant(service);
    for (const name of names) await make(service, tenant, name);
    const ask = (query: string) =>
      callAsOperator(service, 'GET', `/operator/v1/tenants/${tenant.slug}/${noun}${query}`);
    return {
      ask,
      list: async (query = ''): Promise<Page> => {
        const response = await ask(query);
        expect(response.status).toBe(200);
        return response.json<Page>();
      },
    };
  };

  it('gives all by name, a page after the other', async () => {
    const { list } = await newList(['zz-c', 'zz-a', 'zz-b', 'zz']);
    const whole = await list();
    const names = whole.items.map(({ name }) => name);
    expect(names).toEqual(names.toSorted());
    expect(names.filter((name) => name.startsWith('zz'))).toEqual(['zz', 'zz-a', 'zz-b', 'zz-c']);
    expect(whole.next).toBeNull();
    const paged: string[] = [];
    for (let query: string | null = '?limit=3'; query !== null; ) {
      const { items, next }: Page = await list(query);
      expect(items.length).toBeLessThanOrEqual(3);
      paged.push(...items.map(({ name }) => name));
      query = next === null ? null : `?limit=3&cursor=${next}`;
    }
    expect(paged).toEqual(names);
    expect((await list(`?limit=${names.length}`)).next).toBeNull();
    expect(await list('?cursor=zz-c')).toEqual({ items: [], next: null });
  });

  it.each(['?limit=0', '?limit=1001', '?limit=x', '?cursor=', '?cursor=A', `?cursor=${'a'.repeat(41)}`])(
    'refuses %s',
    async (query) => {
      const { ask } = await newList([]);
      expect(await refusalOf(await ask(query))).toMatchObject({ status: 400, code: 'validation_failed' });
    },
  );
});
