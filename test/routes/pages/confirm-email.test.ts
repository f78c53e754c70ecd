import { describe, expect, it } from 'vitest';
import { bearerHeaders, linkIn, newSignedInWorld } from '../../support/accounts.ts';
import { lastMailTo } from '../../support/mailbox.ts';
import { canSignIn, openPage, postForm } from '../../support/pages.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import { newCustomer, newTenant, uniqueEmail } from '../../support/tenants.ts';

const newChange = async (service: Service, profile: Record<string, unknown> = {}) => {
  const world = await newSignedInWorld(service, profile);
  const email = uniqueEmail();
  const asked = await service.call('PATCH', `${world.tenant.host}/customers/self`, {
    headers: bearerHeaders(world.token),
    body: { email },
  });
  expect(asked.status).toBe(200);
  const { identifier, secret } = linkIn(await lastMailTo(email), 'confirm-email');
  return { ...world, email, path: `/confirm-email/${identifier}/${secret}` };
};

describe('the confirmation page', () => {
  it('has a button, and changes nothing before it is pressed', async () => {
    const service = createService();
    const { tenant, person, email, path } = await newChange(service, { name: 'The Bakery' });
    const url = `${tenant.host}${path}`;
    const before = await rowsOf(tenant.id);
    for (const method of ['GET', 'HEAD', 'GET', 'HEAD', 'GET', 'GET', 'GET']) {
      expect((await service.call(method, url)).status).toBe(200);
    }
    const page = await openPage(service, url);
    expect(page.textOf('title')).toBe('Confirm your new email address – The Bakery');
    expect(page.all('input')).toEqual([]);
    expect(page.all('button')).toMatchObject([{ text: 'Confirm address' }]);
    expect(await rowsOf(tenant.id)).toEqual(before);

    const done = await postForm(service, url, {});
    expect(done.status).toBe(200);
    expect(done.textOf('h1')).toBe('Your email address was changed');
    expect(await canSignIn(service, tenant, email, person.password)).toBe(true);
    expect(await canSignIn(service, tenant, person.email, person.password)).toBe(false);
  });

  it('takes a post without any body', async () => {
    const service = createService();
    const { tenant, path } = await newChange(service);
    expect((await service.call('POST', `${tenant.host}${path}`)).status).toBe(200);
  });

  it('takes a key once', async () => {
    const service = createService();
    const { tenant, path } = await newChange(service);
    await postForm(service, `${tenant.host}${path}`, {});
    const again = await postForm(service, `${tenant.host}${path}`, {});
    expect(again.status).toBe(400);
    expect(again.textOf('h1')).toBe('This link is no longer valid');
    expect(again.all('form')).toEqual([]);
  });

  it('says so when somebody else has the address by now', async () => {
    const service = createService();
    const { tenant, app, person, email, path } = await newChange(service);
    await newCustomer(service, app, { email });
    const page = await postForm(service, `${tenant.host}${path}`, {});
    expect(page.status).toBe(409);
    expect(page.textOf('title')).toContain('This address is already in use');
    expect(await canSignIn(service, tenant, person.email, person.password)).toBe(true);
  });

  it('takes no wrong key, none at another tenant’s host, and none after a day', async () => {
    const service = createService();
    const { tenant, person, path } = await newChange(service);
    const other = await newTenant(service);
    expect((await postForm(service, `${tenant.host}${path.slice(0, -1)}-`, {})).status).toBe(400);
    expect((await postForm(service, `${other.host}${path}`, {})).status).toBe(400);
    service.clock.advance(24 * 3600 + 1);
    expect((await postForm(service, `${tenant.host}${path}`, {})).status).toBe(400);
    expect(await canSignIn(service, tenant, person.email, person.password)).toBe(true);
  });

  it('keeps its button for when too many tries are over', async () => {
    const service = createService();
    const { tenant, path } = await newChange(service, { settings: { rate_limits: { auth_per_ip_per_minute: 1 } } });
    const from = { 'CF-Connecting-IP': '192.0.2.9', 'Accept-Language': 'es' };
    await postForm(service, `${tenant.host}/confirm-email/nobody/WRONG`, {}, from);
    const page = await postForm(service, `${tenant.host}${path}`, {}, from);
    expect(page.status).toBe(429);
    expect(page.told('alert')).toBe('Ha habido demasiados intentos. Inténtelo de nuevo dentro de 1 minuto.');
    service.clock.advance(Number(page.headers.get('Retry-After')));
    expect((await postForm(service, `${tenant.host}${path}`, {}, from)).status).toBe(200);
  });
});
