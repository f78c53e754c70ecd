import { describe, expect, it } from 'vitest';
import { createService } from '../../support/service.ts';
import { PHONE_TYPE } from '../../support/signups.ts';
import { newTenant, refusalOf } from '../../support/tenants.ts';

describe('GET /v1/auth/phone_types', () => {
  it('lists the five types with ids that stay', async () => {
    const service = createService();
    const { host } = await newTenant(service);
    const response = await service.call('GET', `${host}/v1/auth/phone_types`);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(Object.entries(PHONE_TYPE).map(([name, id]) => ({ id, name })));
  });

  it('is nothing where there is no tenant', async () => {
    const response = await createService().call('GET', 'http://nobody.localhost/v1/auth/phone_types');
    expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'tenant_not_found' });
  });
});
