import { env } from 'cloudflare:workers';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, newPerson, readSelf, signIn } from '../../support/accounts.ts';
import { breakable } from '../../support/bindings.ts';
import { UNKNOWN_CUID } from '../../support/customers.ts';
import {
  ALIVE,
  DEAD,
  expectSessionOver,
  newBrowser,
  newSessionWorld,
  REDIRECT_URI,
  signInByCode,
} from '../../support/logins.ts';
import { callAsOperator, changeCustomer, customersOf } from '../../support/operator.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { newColleague, newOwner } from '../../support/signups.ts';
import { newApp, newCustomer, newTenant, refusalOf } from '../../support/tenants.ts';

type Session = { id: string; user: string };
type Page = { items: Session[]; next: string | null };

const UNKNOWN_SESSION = `ses_${'0'.repeat(26)}`;

const idOf = ({ access_token }: { access_token: string }): string => String(decodeJwt(access_token).sid);

/** A customer that is signed in, and what the operator does about its sessions. */
const newCase = async (profile: Record<string, unknown> = {}, service = createService()) => {
  const world = await newSessionWorld(service, profile);
  const ask = (method: string, rest = '', cuid = world.customer.cuid, slug = world.tenant.slug) =>
    callAsOperator(service, method, customersOf({ slug }, `/${cuid}/sessions${rest}`));
  return {
    ...world,
    ask,
    list: async (query = ''): Promise<Page> => {
      const response = await ask('GET', query);
      expect(response.status).toBe(200);
      return response.json<Page>();
    },
    revoked: async () =>
      (
        await env.DB.prepare("select actor, data from events where type = 'session.revoked' and subject = ?")
          .bind(world.customer.cuid)
          .all()
      ).results,
  };
};

describe('GET /operator/v1/tenants/{slug}/customers/{cuid}/sessions', () => {
  it('tells whose a session is, how it began, from where and for how long, and nothing secret', async () => {
    const { service, tenant, customer, tokens, list } = await newCase();
    const at = service.clock.now();
    const time = (milliseconds: number): string => new Date(milliseconds).toISOString();
    const { items, next } = await list();
    expect(items).toEqual([
      {
        ...{ id: idOf(tokens), user: tokens.user_id, provider: 'email', amr: ['otp'] },
        ...{ created_at: time(at), last_used_at: time(at), expires_at: time(at + 30 * 24 * 3600 * 1000) },
        ...{ ip: null, user_agent: null, place: null },
      },
    ]);
    expect(next).toBeNull();
    await env.DB.prepare(
      "update sessions set ip = '203.0.113.7', user_agent = 'curl', place = 'Ulm, DE' where tenant_id = ?",
    )
      .bind(tenant.id)
      .run();
    expect((await list()).items).toMatchObject([{ ip: '203.0.113.7', user_agent: 'curl', place: 'Ulm, DE' }]);
    expect(customer.cuid).toBe(tokens.customer_id);
  });

  it('lists those of all users of the customer that live, newest first, in pages', async () => {
    const service = createService();
    const tenant = await newTenant(service, { redirect_uris: [REDIRECT_URI] });
    const owner = await newOwner(service, tenant);
    service.clock.advance(31);
    const colleague = await newColleague(service, tenant, owner);
    const stranger = await newCustomer(service, await newApp(service, tenant));
    const sessions: string[] = [];
    for (const { email } of [owner, colleague, stranger, colleague]) {
      service.clock.advance(31);
      sessions.push(idOf(await signInByCode(newBrowser(service, tenant.host), email)));
    }
    const [first, second, , third] = sessions;
    const list = async (query = '') => {
      const response = await callAsOperator(
        service,
        'GET',
        customersOf(tenant, `/${owner.customerId}/sessions${query}`),
      );
      const { items, next } = await response.json<Page>();
      return [items.map(({ id, user }) => [id, user]), next];
    };
    const whole = [
      [third, colleague.id],
      [second, colleague.id],
      [first, owner.id],
    ];
    expect(await list()).toEqual([whole, null]);
    expect(await list('?limit=2')).toEqual([whole.slice(0, 2), second]);
    expect(await list(`?limit=2&cursor=${second}`)).toEqual([whole.slice(2), null]);
  });

  it('lists none that has ended: by logout, by time, by a new password or by the customer’s end', async () => {
    const lifetimes = { refresh_idle: 120 };
    const { service, tenant, customer, tokens, post, list, signInElsewhere } = await newCase({
      settings: { lifetimes },
    });
    expect((await list()).items).toHaveLength(1);
    await post('logout', { refresh_token: tokens.refresh_token });
    expect((await list()).items).toEqual([]);
    await signInElsewhere();
    expect((await list()).items).toHaveLength(1);
    service.clock.advance(120);
    expect((await list()).items).toEqual([]);
    await signInElsewhere();
    await changeCustomer(service, tenant, customer.cuid, { status: 'disabled' });
    expect((await list()).items).toEqual([]);
    await changeCustomer(service, tenant, customer.cuid, { status: 'active' });
    expect((await list()).items).toEqual([]);
  });

  it.each(['?limit=0', '?limit=1001', '?cursor=x', `?cursor=${UNKNOWN_CUID}`])('refuses %s', async (query) => {
    const { ask } = await newCase();
    expect(await refusalOf(await ask('GET', query))).toMatchObject({ status: 400, code: 'validation_failed' });
  });
});

describe('DELETE /operator/v1/tenants/{slug}/customers/{cuid}/sessions/{id}', () => {
  it('ends the session at once, and no other', async () => {
    const { ask, tokens, list, refresh, statusesOf, signInElsewhere, revoked } = await newCase();
    const other = (await signInElsewhere()).tokens;
    const response = await ask('DELETE', `/${idOf(tokens)}`);
    expect([response.status, await response.text()]).toEqual([204, '']);
    expect(await statusesOf(tokens)).toEqual(DEAD);
    await expectSessionOver(await refresh(tokens.refresh_token));
    expect(await statusesOf(other)).toEqual(ALIVE);
    expect((await list()).items.map(({ id }) => id)).toEqual([idOf(other)]);
    expect(await revoked()).toEqual([{ actor: 'operator', data: JSON.stringify({ session: idOf(tokens) }) }]);
  });

  it('finds none that has ended, that there never was, or of somebody else', async () => {
    const { service, tenant, app, customer, ask, tokens, signInElsewhere, revoked } = await newCase();
    const neighbour = await newCustomer(service, app);
    const theirs = (await signInElsewhere(neighbour.email)).tokens;
    const elsewhere = await newCase({}, service);
    expect((await ask('DELETE', `/${idOf(tokens)}`)).status).toBe(204);
    const before = [await rowsOf(tenant.id), await rowsOf(elsewhere.tenant.id)];
    for (const [id, cuid, code] of [
      [idOf(tokens), customer.cuid, 'session_not_found'],
      [UNKNOWN_SESSION, customer.cuid, 'session_not_found'],
      ['x', customer.cuid, 'session_not_found'],
      [idOf(theirs), customer.cuid, 'session_not_found'],
      [idOf(elsewhere.tokens), customer.cuid, 'session_not_found'],
      [idOf(elsewhere.tokens), elsewhere.customer.cuid, 'customer_not_found'],
      [idOf(tokens), UNKNOWN_CUID, 'customer_not_found'],
      [idOf(tokens), 'x', 'customer_not_found'],
    ] as const) {
      expect(await refusalOf(await ask('DELETE', `/${id}`, cuid))).toMatchObject({ status: 404, code });
    }
    expect([await rowsOf(tenant.id), await rowsOf(elsewhere.tenant.id)]).toEqual(before);
    expect(await revoked()).toHaveLength(1);
  });

  it('changes nothing when the database fails', async () => {
    const storage = breakable(env);
    const { tenant, ask, tokens } = await newCase({}, createService(storage.bindings));
    const before = await rowsOf(tenant.id);
    storage.failWhen((operation) => (operation === 'D1 batch' ? 'before' : null));
    for (const rest of ['', `/${idOf(tokens)}`]) {
      expect(await refusalOf(await ask('DELETE', rest))).toMatchObject({ status: 503, code: 'storage_unavailable' });
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
  });
});

describe('DELETE /operator/v1/tenants/{slug}/customers/{cuid}/sessions', () => {
  it('ends all sessions of all its users, and leaves everybody else theirs', async () => {
    const { service, app, ask, tokens, list, refresh, statusesOf, signInElsewhere, revoked } = await newCase();
    const neighbour = await newCustomer(service, app);
    const theirs = (await signInElsewhere(neighbour.email)).tokens;
    const other = (await signInElsewhere()).tokens;
    const response = await ask('DELETE');
    expect([response.status, await response.text()]).toEqual([204, '']);
    for (const each of [tokens, other]) {
      expect(await statusesOf(each)).toEqual(DEAD);
      await expectSessionOver(await refresh(each.refresh_token));
    }
    expect(await statusesOf(theirs)).toEqual(ALIVE);
    expect((await list()).items).toEqual([]);
    expect(await revoked()).toEqual([{ actor: 'operator', data: '{}' }]);
  });

  it('ends tokens that belong to no session, too, and bars nobody from signing in again', async () => {
    const { service, tenant, app } = await newCase();
    const [person, neighbour] = [await newPerson(service, tenant, app), await newPerson(service, tenant, app)];
    const [token, theirs] = [await signIn(service, tenant, person), await signIn(service, tenant, neighbour)];
    const deleted = await callAsOperator(service, 'DELETE', customersOf(tenant, `/${person.cuid}/sessions`));
    expect(deleted.status).toBe(204);
    expect((await readSelf(service, tenant, token)).status).toBe(401);
    expect((await readSelf(service, tenant, theirs)).status).toBe(200);
    service.clock.advance(1);
    expect((await readSelf(service, tenant, await signIn(service, tenant, person))).status).toBe(200);
  });

  it('finds no customer that there is not, nor one of another tenant', async () => {
    const { service, tenant, ask, statusesOf, tokens } = await newCase();
    const elsewhere = await newTenant(service);
    const before = await rowsOf(tenant.id);
    for (const cuid of [UNKNOWN_CUID, 'x']) {
      expect(await refusalOf(await ask('DELETE', '', cuid))).toMatchObject({ status: 404, code: 'customer_not_found' });
    }
    const foreign = await ask('DELETE', '', tokens.customer_id, elsewhere.slug);
    expect(await refusalOf(foreign)).toMatchObject({ status: 404, code: 'customer_not_found' });
    expect(await rowsOf(tenant.id)).toEqual(before);
    expect(await statusesOf(tokens)).toEqual(ALIVE);
  });
});

describe('a customer that is disabled', () => {
  it('has no session, refresh token or access token left, on any surface, also when it is enabled again', async () => {
    const { service, tenant, customer, tokens, refresh, statusesOf } = await newCase();
    const asked = async () => {
      const headers = bearerHeaders(tokens.access_token);
      const surfaces = [`${tenant.host}/customers/self`, `${tenant.host}/v1/auth/self`, `/api/${tenant.slug}/customer`];
      const answers = await Promise.all(surfaces.map((path) => service.call('GET', path, { headers })));
      return [...answers.map(({ status }) => status), ...(await statusesOf(tokens))];
    };
    expect(await asked()).toEqual([200, 200, 200, ...ALIVE]);
    await changeCustomer(service, tenant, customer.cuid, { status: 'disabled' });
    expect(await asked()).toEqual([401, 401, 401, ...DEAD]);
    await expectSessionOver(await refresh(tokens.refresh_token));
    await changeCustomer(service, tenant, customer.cuid, { status: 'active' });
    service.clock.advance(1);
    expect(await asked()).toEqual([401, 401, 401, ...DEAD]);
    await expectSessionOver(await refresh(tokens.refresh_token));
  });
});
