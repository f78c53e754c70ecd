import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { newPerson } from '../support/accounts.ts';
import { type Issuer, newAuthenticationWorld, newIssuer, outcomeOf, peopleOf } from '../support/authentications.ts';
import { overtakable } from '../support/bindings.ts';
import {
  callbackWith,
  failuresOf,
  identitiesOf,
  newOnlineService,
  newStaffedCompany,
  signInAs,
  peopleOf as traceOf,
} from '../support/companies.ts';
import { putConnection, returnOf } from '../support/connections.ts';
import { clientSecret } from '../support/oidc.ts';
import { callAsOperator } from '../support/operator.ts';
import { CLIENT_ID } from '../support/provider-checks.ts';
import { eventsAbout, rowsOf } from '../support/rows.ts';
import { createService } from '../support/service.ts';
import { newCustomer, type TestTenant, uniqueEmail } from '../support/tenants.ts';

/*
 * An isolate remembers whom people sign in with for up to a minute. What the operator changes meanwhile is changed in
 * another isolate here, so that the one that is asked does not know of it.
 */

const IN = [200, ''];
const UNKNOWN = [400, 'unknown_provider'];

/** Has somebody known under a name that nobody has. */
const leaveIdentity = (tenant: TestTenant, provider: string, subject: string, userId: string) =>
  env.DB.prepare('insert into identities values (?, ?, ?, ?, 0)').bind(tenant.id, provider, subject, userId).run();

describe('a provider of which an isolate knows, while it is', () => {
  const newWorld = async () => {
    const storage = overtakable(env);
    const online = createService(storage.bindings, (...request) => fetch(...request));
    const world = await newAuthenticationWorld({}, online);
    const { service, tenant } = world;
    const elsewhere = newOnlineService();
    const [issuer, other] = [await newIssuer(service), await newIssuer(service)];
    const path = `/operator/v1/tenants/${tenant.slug}/providers/theirs`;
    const settingsOf = ({ url }: Issuer, changes: Record<string, unknown> = {}) => ({
      ...{ type: 'google', client_ids: [CLIENT_ID], issuer: url, signup: true, ...changes },
    });
    const claims = { sub: 'one and the same', email: uniqueEmail(), email_verified: true };
    const signIn = async (from: Issuer, said: Record<string, unknown> = {}, at = service) =>
      at.call('POST', `${world.path}/authenticate?provider=theirs`, {
        body: { id_token: await from.newToken({ ...claims, ...said }) },
      });
    await world.put('theirs', settingsOf(issuer));
    // Somebody whose token is none has the isolate read its providers.
    await world.authenticate('theirs', { id_token: 'none' });
    return {
      ...{ ...world, ...storage, elsewhere, issuer, other, claims, settingsOf, signIn },
      people: () => peopleOf(tenant),
      removeElsewhere: async () => expect((await callAsOperator(elsewhere, 'DELETE', path)).status).toBe(204),
      putElsewhere: async (settings: Record<string, unknown>) =>
        expect([200, 201]).toContain((await callAsOperator(elsewhere, 'PUT', path, settings)).status),
    };
  };

  type World = Awaited<ReturnType<typeof newWorld>>;

  const changes: [string, (world: World) => Promise<unknown>][] = [
    ['removed', ({ removeElsewhere }) => removeElsewhere()],
    ['given to another issuer', ({ putElsewhere, settingsOf, other }) => putElsewhere(settingsOf(other))],
    [
      'removed and given to another issuer',
      async ({ removeElsewhere, putElsewhere, settingsOf, other }) => {
        await removeElsewhere();
        await putElsewhere(settingsOf(other));
      },
    ],
  ];

  for (const [what, change] of changes) {
    it(`${what}, lets nobody in, and nothing is stored`, async () => {
      const world = await newWorld();
      const { tenant, app, service, issuer, signIn, people } = world;
      const { email } = await newPerson(service, tenant, app);
      await change(world);
      const before = await people();
      expect(await outcomeOf(await signIn(issuer))).toEqual(UNKNOWN);
      expect(await outcomeOf(await signIn(issuer, { email }))).toEqual(UNKNOWN);
      expect(await people()).toEqual(before);
    });

    it(`${what} between a look and a new account, makes none`, async () => {
      const world = await newWorld();
      const { tenant, issuer, signIn, overtake } = world;
      overtake('D1 batch', 2, () => change(world));
      expect(await outcomeOf(await signIn(issuer))).toEqual(UNKNOWN);
      const { customers, users, identities, events = [] } = await rowsOf(tenant.id);
      expect({ customers, users, identities }).toEqual({ customers: [], users: [], identities: [] });
      expect(events.map(({ type }) => type)).not.toContain('customer.created');
    });

    it(`${what} between a look and a link, links nobody`, async () => {
      const world = await newWorld();
      const { tenant, app, service, issuer, signIn, people, overtake } = world;
      const { email, cuid } = await newPerson(service, tenant, app);
      const before = await people();
      overtake('D1 batch', 2, () => change(world));
      expect(await outcomeOf(await signIn(issuer, { email }))).toEqual(UNKNOWN);
      expect(await people()).toEqual(before);
      expect((await eventsAbout(cuid)).map(({ type }) => type)).not.toContain('user.linked');
    });
  }

  it('given to another issuer, lets nobody in as a person of that one', async () => {
    const { issuer, other, claims, settingsOf, putElsewhere, elsewhere, signIn, people } = await newWorld();
    expect(await outcomeOf(await signIn(issuer))).toEqual(IN);
    await putElsewhere(settingsOf(other));
    expect(await outcomeOf(await signIn(other, { email: uniqueEmail() }, elsewhere))).toEqual(IN);
    const { identities } = await people();
    expect(identities).toMatchObject([{ subject: claims.sub }]);
    expect(await outcomeOf(await signIn(issuer))).toEqual(UNKNOWN);
    expect((await people()).identities).toEqual(identities);
  });

  it('given another secret, or removed and made again, lets everybody in as before', async () => {
    const { issuer, claims, settingsOf, removeElsewhere, putElsewhere, signIn, people } = await newWorld();
    await putElsewhere(settingsOf(issuer, { client_secret: 'another', signup: false }));
    expect(await outcomeOf(await signIn(issuer))).toEqual(IN);
    await removeElsewhere();
    await putElsewhere(settingsOf(issuer));
    expect(await outcomeOf(await signIn(issuer))).toEqual(IN);
    expect((await people()).identities).toMatchObject([{ subject: claims.sub }]);
  });

  it('is another’s who knows nobody, whatever was left under the name before', async () => {
    const { tenant, app, service, other, claims, settingsOf, removeElsewhere, putElsewhere, signIn, claimsOf } =
      await newWorld();
    const { userId } = await newPerson(service, tenant, app);
    await removeElsewhere();
    await leaveIdentity(tenant, 'provider:theirs', claims.sub, userId);
    await putElsewhere(settingsOf(other));
    expect((await peopleOf(tenant)).identities).toEqual([]);
    service.clock.advance(60);
    const response = await signIn(other);
    expect((await claimsOf(await response.json<string>())).sub).not.toBe(userId);
  });
});

describe('a connection of which an isolate knows, while it is', () => {
  const newWorld = async () => {
    const storage = overtakable(env);
    const company = await newStaffedCompany({ signup: true }, storage.bindings);
    const { tenant, domain, provider, browser, emailOf } = company;
    const elsewhere = newOnlineService();
    const path = `/operator/v1/tenants/${tenant.slug}/connections/company`;
    const putElsewhere = async (issuer: string) => {
      const body = { type: 'oidc', issuer, client_id: 'ES256', client_secret: clientSecret };
      const response = await putConnection(elsewhere, tenant, 'company', { ...body, domains: [domain], signup: true });
      expect([200, 201]).toContain(response.status);
    };
    const removeElsewhere = async () => expect((await callAsOperator(elsewhere, 'DELETE', path)).status).toBe(204);
    /** Fails unless whoever comes back with this goes on with an error, and the people stay as they are. */
    const expectRefused = async (prepared: Record<string, string>) => {
      const before = await traceOf(tenant.id);
      const response = await browser.call('GET', callbackWith(prepared));
      expect(returnOf(response)).toEqual({ error: 'access_denied', state: prepared.state });
      expect(await traceOf(tenant.id)).toEqual(before);
      expect((await failuresOf(tenant.id)).at(-1)).toMatchObject({ by: 'connection:company', reason: 'connection' });
    };
    return {
      ...company,
      ...storage,
      newcomer: emailOf('grace'),
      issuer: provider.issuer,
      putElsewhere,
      removeElsewhere,
      expectRefused,
    };
  };

  type World = Awaited<ReturnType<typeof newWorld>>;

  const OTHER = 'https://other.example.com';

  const changes: [string, (world: World) => Promise<unknown>][] = [
    ['removed', ({ removeElsewhere }) => removeElsewhere()],
    ['given to another issuer', ({ putElsewhere }) => putElsewhere(OTHER)],
  ];

  for (const [what, change] of changes) {
    it(`${what}, lets nobody in, and nothing is stored`, async () => {
      const world = await newWorld();
      const [known, unknown] = [await world.prepare(), await world.prepare({ email: world.newcomer })];
      await change(world);
      await world.expectRefused(known);
      await world.expectRefused(unknown);
    });

    it(`${what} between a look and a new account, makes none`, async () => {
      const world = await newWorld();
      const prepared = await world.prepare({ email: world.newcomer });
      world.overtake('D1 batch', 2, () => change(world));
      await world.expectRefused(prepared);
    });

    it(`${what} between a look and a link, links nobody and takes nothing from the account`, async () => {
      const world = await newWorld();
      const prepared = await world.prepare();
      world.overtake('D1 batch', 2, () => change(world));
      await world.expectRefused(prepared);
    });

    it(`${what} while the provider is asked, lets nobody in, though it is read again meanwhile`, async () => {
      const world = await newWorld();
      const prepared = await world.prepare();
      world.whileAsked(async () => {
        await change(world);
        world.service.clock.advance(60);
      });
      await world.expectRefused(prepared);
    });
  }

  it('given to another issuer, lets nobody in as a person of that one', async () => {
    const { service, app, tenant, emailOf, prepare, putElsewhere, expectRefused } = await newWorld();
    const { cuid } = await newCustomer(service, app, { email: emailOf('grace') });
    const prepared = await prepare();
    await putElsewhere(OTHER);
    const { users = [] } = await rowsOf(tenant.id);
    const userId = String(users.find(({ customer_id }) => customer_id === cuid)?.id);
    await leaveIdentity(tenant, 'connection:company', 'person-1', userId);
    await expectRefused(prepared);
  });

  it('made again of the same issuer, lets everybody in as before', async () => {
    const world = await newWorld();
    const prepared = await world.prepare();
    await world.removeElsewhere();
    await world.putElsewhere(world.issuer);
    expect(returnOf(await world.browser.call('GET', callbackWith(prepared))).code).toBeDefined();
    expect(await identitiesOf(world.tenant.id)).toMatchObject([{ subject: 'person-1' }]);
  });

  it('is another’s who knows nobody, whatever was left under the name before', async () => {
    const world = await newWorld();
    const { user_id } = await signInAs(world);
    await world.removeElsewhere();
    await leaveIdentity(world.tenant, 'connection:company', 'person-1', user_id);
    await world.putElsewhere(OTHER);
    expect(await identitiesOf(world.tenant.id)).toEqual([]);
  });
});
