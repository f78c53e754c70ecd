import { describe, expect, it } from 'vitest';
import { createService } from '../../support/service.ts';
import { appHeaders, customerHeaders, newWorld, refusalOf } from '../../support/tenants.ts';

describe('a call whose credentials and input are both wrong', () => {
  it('is told of the credentials alone', async () => {
    const service = createService();
    const { app, customer } = await newWorld(service);
    const wrongApp = { ...appHeaders(app), 'x-access-supertoken': 'wrong' };
    const wrongCustomer = { ...customerHeaders(customer), 'x-access-token': 'wrong' };
    const path = `/customer/${customer.cuid}`;
    const invalid = { headers: wrongApp, body: { unknown: 1 } };
    for (const response of [
      await service.call('POST', '/customer', invalid),
      await service.call('PATCH', path, invalid),
      await service.call('PATCH', path, { headers: wrongCustomer, body: { unknown: 1 } }),
      await service.call('GET', '/customer?limit=0', { headers: wrongApp }),
    ]) {
      expect(await refusalOf(response)).toMatchObject({ status: 403, message: 'Invalid token' });
    }
  });

  it('is told of the input when the credentials are right', async () => {
    const service = createService();
    const { app, customer } = await newWorld(service);
    const path = `/customer/${customer.cuid}`;
    for (const headers of [appHeaders(app), customerHeaders(customer)]) {
      const response = await service.call('PATCH', path, { headers, body: { unknown: 1 } });
      expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'validation_failed' });
    }
  });
});
