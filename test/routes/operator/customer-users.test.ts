import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { linkIn, newPerson } from '../../support/accounts.ts';
import { breakable } from '../../support/bindings.ts';
import { UNKNOWN_CUID } from '../../support/customers.ts';
import { exportFrom, importInto } from '../../support/imports.ts';
import { lastMailTo, mailsTo } from '../../support/mailbox.ts';
import { callAsOperator, customersOf } from '../../support/operator.ts';
import { eventsAbout, insertRow, rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { newColleague, newOwnerWorld, newUserBody } from '../../support/signups.ts';
import {
  newApp,
  newCustomer,
  newTenant,
  newWorld,
  refusalOf,
  type TestTenant,
  uniqueEmail,
  uniqueName,
} from '../../support/tenants.ts';

type User = { id: string; email: string; owner: boolean; identities: { provider: string; subject: string }[] };
type Page = { items: User[]; next: string | null };

const UNKNOWN_USER = `usr_${'0'.repeat(26)}`;

/** What the operator does about the users of a customer. */
const supportOf = (service: ReturnType<typeof createService>, tenant: Pick<TestTenant, 'slug'>, cuid: string) => {
  const ask = (query = '') => callAsOperator(service, 'GET', customersOf(tenant, `/${cuid}/users${query}`));
  return {
    ask,
    list: async (query = ''): Promise<Page> => {
      const response = await ask(query);
      expect(response.status).toBe(200);
      return response.json<Page>();
    },
    resend: (id: string) => callAsOperator(service, 'POST', customersOf(tenant, `/${cuid}/users/${id}/activation`)),
  };
};

/** A tenant with a customer whose owner has not chosen a password yet. */
const newNewcomer = async (service = createService(), email = uniqueEmail()) => {
  const tenant = await newTenant(service, { site_url: 'https://accounts.example.com' });
  const app = await newApp(service, tenant);
  const customer = await newCustomer(service, app, { email });
  const support = supportOf(service, tenant, customer.cuid);
  const [owner] = (await support.list()).items;
  return { service, tenant, app, customer, userId: owner?.id ?? '', ...support };
};

describe('GET /operator/v1/tenants/{slug}/customers/{cuid}/users', () => {
  it('tells all that is known of a user, and of a password no more than that there is one', async () => {
    const { service, tenant, owner, call } = await newOwnerWorld(createService());
    await env.DB.prepare("update users set phone = '+442079460000', phone_verified_at = 1, locale = 'de' where id = ?")
      .bind(owner.id)
      .run();
    for (const [provider, created_at] of [
      ['connection:company', 2],
      ['provider:google', 1],
    ] as const) {
      await insertRow('identities', { tenant_id: tenant.id, provider, subject: 'ada', user_id: owner.id, created_at });
    }
    service.clock.advance(31);
    const pending = uniqueEmail();
    expect((await call('PATCH', `/users/${owner.id}`, { user_name: pending })).status).toBe(200);
    const { list } = supportOf(service, tenant, owner.customerId);
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/);
    const known = {
      ...{ id: owner.id, email: owner.email, owner: true, given_name: 'Ada', family_name: 'Lovelace', locale: 'de' },
      ...{ phone: '+442079460000', phone_verified: true, activated_at: time, has_password: true },
      identities: [
        { provider: 'provider:google', subject: 'ada', created_at: new Date(1).toISOString() },
        { provider: 'connection:company', subject: 'ada', created_at: new Date(2).toISOString() },
      ],
      ...{ created_at: time, updated_at: time },
    };
    expect(await list()).toEqual({ items: [{ ...known, pending_email: pending }], next: null });
    service.clock.advance(24 * 3600);
    expect((await list()).items).toEqual([{ ...known, pending_email: null }]);
  });

  it('tells of a user who was never there what is not known', async () => {
    const { customer, list } = await newNewcomer();
    expect((await list()).items).toEqual([
      expect.objectContaining({
        ...{ email: customer.email, owner: true, given_name: null, phone: null, phone_verified: false },
        ...{ activated_at: null, has_password: false, pending_email: null, identities: [] },
      }),
    ]);
  });

  it('lists the users of the customer alone, newest first, in pages', async () => {
    const { service, tenant, owner } = await newOwnerWorld(createService());
    await newCustomer(service, await newApp(service, tenant));
    const colleagues: string[] = [];
    for (let i = 0; i < 2; i += 1) {
      service.clock.advance(31);
      colleagues.push((await newColleague(service, tenant, owner)).id);
    }
    const [second, third] = colleagues;
    const { list } = supportOf(service, tenant, owner.customerId);
    const whole = await list();
    expect([whole.items.map(({ id }) => id), whole.next]).toEqual([[third, second, owner.id], null]);
    const first = await list('?limit=2');
    expect([first.items.map(({ id }) => id), first.next]).toEqual([[third, second], second]);
    const last = await list(`?limit=2&cursor=${first.next}`);
    expect([last.items.map(({ id, owner: isOwner }) => [id, isOwner]), last.next]).toEqual([[[owner.id, true]], null]);
  });

  it.each(['?limit=0', '?limit=1001', '?cursor=x', `?cursor=${UNKNOWN_CUID}`])('refuses %s', async (query) => {
    const { ask } = await newNewcomer();
    expect(await refusalOf(await ask(query))).toMatchObject({ status: 400, code: 'validation_failed' });
  });

  it('finds none of a customer that there is not', async () => {
    const { service, tenant, app } = await newNewcomer();
    for (const cuid of [UNKNOWN_CUID, 'x', app.id]) {
      const response = await supportOf(service, tenant, cuid).ask();
      expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'customer_not_found' });
    }
  });
});

describe('POST /operator/v1/tenants/{slug}/customers/{cuid}/users/{id}/activation', () => {
  it('mails a link that activates, and tells of it in the log', async () => {
    const { service, tenant, customer, userId, resend, list } = await newNewcomer();
    const response = await resend(userId);
    expect([response.status, await response.json()]).toEqual([202, {}]);
    const { identifier, secret } = linkIn(await lastMailTo(customer.email), 'activate');
    expect(identifier).toBe(userId);
    expect((await eventsAbout(customer.cuid)).at(-1)).toEqual({ type: 'user.activation_sent', actor: 'operator' });
    expect(JSON.stringify((await rowsOf(tenant.id)).events)).not.toContain(secret);
    const password = 'correct horse, correct battery';
    const activated = await service.call('POST', `${tenant.host}/customers/activate`, {
      body: { identifier, secret, password, password_check: password },
    });
    expect(activated.status).toBe(200);
    expect((await list()).items).toMatchObject([{ has_password: true, activated_at: expect.any(String) }]);
  });

  it('kills the link from before', async () => {
    const { service, tenant, customer, userId, resend } = await newNewcomer();
    const links: ReturnType<typeof linkIn>[] = [];
    for (let i = 1; i <= 2; i += 1) {
      expect((await resend(userId)).status).toBe(202);
      expect(await mailsTo(customer.email)).toHaveLength(i);
      links.push(linkIn(await lastMailTo(customer.email), 'activate'));
      service.clock.advance(31);
    }
    const password = 'correct horse, correct battery';
    const activate = async (
      { identifier, secret }: { identifier: string; secret: string } = { identifier: '', secret: '' },
    ) =>
      (
        await service.call('POST', `${tenant.host}/customers/activate`, {
          body: { identifier, secret, password, password_check: password },
        })
      ).status;
    expect([await activate(links[0]), await activate(links[1])]).toEqual([400, 200]);
  });

  it('mails a further user as well as the owner', async () => {
    const { service, tenant, owner, call } = await newOwnerWorld(createService());
    const body = newUserBody();
    const { id } = await (await call('POST', '/users', body)).json<{ id: string }>();
    service.clock.advance(31);
    expect((await supportOf(service, tenant, owner.customerId).resend(id)).status).toBe(202);
    expect(await mailsTo(body.user_name)).toHaveLength(2);
  });

  it('refuses a user who is activated, and mails nothing', async () => {
    const service = createService();
    const { tenant, app } = await newNewcomer(service);
    const person = await newPerson(service, tenant, app);
    const before = await rowsOf(tenant.id);
    const refused = await supportOf(service, tenant, person.cuid).resend(person.userId);
    expect(await refusalOf(refused)).toMatchObject({ status: 409, code: 'already_activated' });
    expect(await mailsTo(person.email)).toHaveLength(1);
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('refuses a user who has no address, and changes nothing', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const phone = { phone_number: '+442079460000', phone_verified: true };
    expect((await importInto(service, tenant, [phone])).summary).toMatchObject({ created: 1 });
    const [{ id: cuid } = { id: '' }] = await exportFrom(service, tenant);
    const support = supportOf(service, tenant, cuid);
    const [user] = (await support.list()).items;
    const before = await rowsOf(tenant.id);
    expect(await refusalOf(await support.resend(user?.id ?? ''))).toMatchObject({
      status: 409,
      code: 'no_email_address',
    });
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('keeps the limits of mails to an address', async () => {
    const { service, userId, customer, resend } = await newNewcomer();
    expect((await resend(userId)).status).toBe(202);
    const tooSoon = await resend(userId);
    expect(tooSoon.headers.get('Retry-After')).toBe('30');
    expect(await refusalOf(tooSoon)).toMatchObject({ status: 429, code: 'rate_limited' });
    for (let i = 2; i <= 5; i += 1) {
      service.clock.advance(31);
      expect((await resend(userId)).status).toBe(202);
    }
    service.clock.advance(31);
    expect((await resend(userId)).status).toBe(429);
    expect(await mailsTo(customer.email)).toHaveLength(5);
  });

  it('leaves nothing when the mail is refused', async () => {
    const { tenant, userId, resend } = await newNewcomer(
      createService(),
      `refused-${uniqueName('person')}@example.com`,
    );
    const before = await rowsOf(tenant.id);
    expect(await refusalOf(await resend(userId))).toMatchObject({ status: 500, code: 'mail_refused' });
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('mails nothing while storage fails', async () => {
    const storage = breakable(env);
    const { tenant, customer, userId, resend } = await newNewcomer(createService(storage.bindings));
    const before = await rowsOf(tenant.id);
    storage.failWhen((operation, count) => (operation === 'D1 batch' && count > 2 ? 'before' : null));
    expect(await refusalOf(await resend(userId))).toMatchObject({ status: 503, code: 'storage_unavailable' });
    expect([await rowsOf(tenant.id), await mailsTo(customer.email)]).toEqual([before, []]);
  });

  it('finds no user of another customer, nor of none', async () => {
    const { service, tenant, app, userId } = await newNewcomer();
    const neighbour = await newCustomer(service, app);
    const elsewhere = await newWorld(service);
    const before = [await rowsOf(tenant.id), await rowsOf(elsewhere.tenant.id)];
    const theirs = String((await rowsOf(elsewhere.tenant.id)).users?.[0]?.id);
    for (const [cuid, id, code] of [
      [neighbour.cuid, userId, 'user_not_found'],
      [neighbour.cuid, UNKNOWN_USER, 'user_not_found'],
      [neighbour.cuid, 'x', 'user_not_found'],
      [neighbour.cuid, theirs, 'user_not_found'],
      [UNKNOWN_CUID, userId, 'customer_not_found'],
      ['x', userId, 'customer_not_found'],
      [elsewhere.customer.cuid, theirs, 'customer_not_found'],
    ] as const) {
      const refused = await supportOf(service, tenant, cuid).resend(id);
      expect(await refusalOf(refused)).toMatchObject({ status: 404, code });
    }
    expect([await rowsOf(tenant.id), await rowsOf(elsewhere.tenant.id)]).toEqual(before);
  });
});
