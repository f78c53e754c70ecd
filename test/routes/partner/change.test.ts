import { describe, expect, it } from 'vitest';
import { DETAILS, readCustomer, UNKNOWN_CUID } from '../../support/customers.ts';
import { eventsAbout } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { appHeaders, customerHeaders, newApp, newCustomer, newTenant, refusalOf } from '../../support/tenants.ts';

const NOT_FOUND = { status: 404, code: 'customer_not_found', message: 'User not found' };

/** An app with a customer of whom everything is known, as it is read an hour later. */
const newKnownCustomer = async () => {
  const service = createService();
  const tenant = await newTenant(service);
  const app = await newApp(service, tenant);
  const customer = await newCustomer(service, app, { company: 'Analytical', ...DETAILS });
  const before = await readCustomer(service, app, customer.cuid);
  service.clock.advance(3600);
  const change = (body: unknown, headers: Record<string, string> = appHeaders(app)) =>
    service.call('PATCH', `/customer/${customer.cuid}`, { headers, body });
  return { service, tenant, app, customer, before, change };
};

const CHANGES = {
  company: 'Difference Engines',
  name: 'Charles Babbage',
  address: '1 Dorset Street',
  country: 'FR',
  city: 'Paris',
  zip: '75001',
  state: 'Île-de-France',
  phone: '+33 1 23 45 67 89',
  website: 'https://difference.example.com',
};

describe('PATCH /customer/:cuid', () => {
  it.each(Object.entries(CHANGES))('changes %s to %j, and nothing else', async (member, value) => {
    const { service, app, customer, before, change } = await newKnownCustomer();
    const response = await change({ [member]: value });
    expect(response.status).toBe(200);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    const expected = { ...before, [member]: value, updated_at: new Date(service.clock.now()).toISOString() };
    expect(await response.json()).toEqual(expected);
    expect(await readCustomer(service, app, customer.cuid)).toEqual(expected);
  });

  it('changes all members at once', async () => {
    const { before, change } = await newKnownCustomer();
    expect(await (await change(CHANGES)).json()).toMatchObject({
      ...CHANGES,
      email: before.email,
      created_at: before.created_at,
    });
  });

  it.each(
    Object.keys(DETAILS).flatMap((member) => [
      [member, null],
      [member, ''],
    ]),
  )('clears %s by %j', async (member, nothing) => {
    const { service, app, customer, before, change } = await newKnownCustomer();
    expect((await change({ [String(member)]: nothing })).status).toBe(200);
    const { updated_at: _, ...after } = await readCustomer(service, app, customer.cuid);
    const { updated_at: __, ...expected } = { ...before, [String(member)]: null };
    expect(after).toEqual(expected);
  });

  it('keeps a country by its code', async () => {
    const { change } = await newKnownCustomer();
    expect(await (await change({ country: 'Germany' })).json()).toMatchObject({ country: 'DE' });
  });

  it.each([
    ['email', 'other@example.com', 'unknown_member'],
    ['cuid', UNKNOWN_CUID, 'unknown_member'],
    ['created_at', '2026-01-01T00:00:00Z', 'unknown_member'],
    ['send_activation', true, 'unknown_member'],
    ['status', 'disabled', 'unknown_member'],
    ['country', 'Atlantis', 'invalid'],
    ['company', null, 'invalid'],
    ['company', '', 'invalid'],
    ['name', 7, 'invalid'],
  ])('refuses %s as %j, and changes nothing', async (member, value, code) => {
    const { service, app, customer, before, change } = await newKnownCustomer();
    const response = await change({ city: 'Paris', [member]: value });
    expect(response.status).toBe(400);
    const { errors } = await response.json<{ errors: { path: string; code: string }[] }>();
    expect(errors.map((each) => [each.path, each.code])).toEqual([[member, code]]);
    expect(await readCustomer(service, app, customer.cuid)).toEqual(before);
  });

  it('lets a customer change itself', async () => {
    const { service, app, customer, change } = await newKnownCustomer();
    const response = await change({ city: 'Paris' }, customerHeaders(customer));
    expect(response.status).toBe(200);
    expect(await readCustomer(service, app, customer.cuid)).toMatchObject({ city: 'Paris' });
  });

  it('has no other customer for a customer', async () => {
    const { service, app, customer, before, change } = await newKnownCustomer();
    const other = await newCustomer(service, app);
    expect(await refusalOf(await change({ city: 'Paris' }, customerHeaders(other)))).toEqual(NOT_FOUND);
    expect(await readCustomer(service, app, customer.cuid)).toEqual(before);
  });

  it('has no customer of another app', async () => {
    const { service, tenant, app, customer, before, change } = await newKnownCustomer();
    const other = await newApp(service, tenant);
    expect(await refusalOf(await change({ city: 'Paris' }, appHeaders(other)))).toEqual(NOT_FOUND);
    expect(await readCustomer(service, app, customer.cuid)).toEqual(before);
  });

  it('lets an app with the permission all_customers change every customer of its tenant', async () => {
    const { service, tenant, change } = await newKnownCustomer();
    const seeing = await newApp(service, tenant, { permissions: ['all_customers'] });
    expect((await change({ city: 'Paris' }, appHeaders(seeing))).status).toBe(200);
  });

  it('has no customer that there is not', async () => {
    const { service, app, customer } = await newKnownCustomer();
    for (const identifier of [UNKNOWN_CUID, customer.email]) {
      const call = { headers: appHeaders(app), body: { city: 'Paris' } };
      expect(await refusalOf(await service.call('PATCH', `/customer/${identifier}`, call))).toEqual(NOT_FOUND);
    }
  });

  it('is written in the audit log with who did it', async () => {
    const { app, customer, change } = await newKnownCustomer();
    await change({ city: 'Paris' });
    await change({ city: 'Lyon' }, customerHeaders(customer));
    expect((await eventsAbout(customer.cuid)).slice(1)).toEqual([
      { type: 'customer.updated', actor: `app:${app.id}` },
      { type: 'customer.updated', actor: `customer:${customer.cuid}` },
    ]);
  });
});
