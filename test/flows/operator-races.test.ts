import { describe, expect, it } from 'vitest';
import { NAMED_MAKERS } from '../support/named.ts';
import { callAsOperator, offerSubscriptions } from '../support/operator.ts';
import { rowsOf } from '../support/rows.ts';
import { createService } from '../support/service.ts';
import { newTenant } from '../support/tenants.ts';

const MAKERS: typeof NAMED_MAKERS = { ...NAMED_MAKERS, subscriptions: offerSubscriptions };

describe('simultaneous removals', () => {
  it.each(Object.entries(MAKERS))(
    'of one of the %s, 20 of them, remove it once and tell of it once',
    async (noun, make) => {
      const service = createService();
      const tenant = await newTenant(service);
      await make(service, tenant, 'ours');
      const path = `/operator/v1/tenants/${tenant.slug}/${noun}/ours`;
      const responses = await Promise.all(Array.from({ length: 20 }, () => callAsOperator(service, 'DELETE', path)));
      expect(responses.map(({ status }) => status).toSorted()).toEqual([204, ...Array<number>(19).fill(404)]);
      const { events } = await rowsOf(tenant.id);
      expect(events?.filter(({ type }) => type === `${noun.slice(0, -1)}.deleted`)).toHaveLength(1);
    },
  );
});
