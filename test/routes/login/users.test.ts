import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, linkIn, signIn } from '../../support/accounts.ts';
import { newBrowser, signInByCode } from '../../support/logins.ts';
import { lastMailTo, mailsTo } from '../../support/mailbox.ts';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import {
  AWS_USER,
  faultsOf,
  newColleague,
  newOwner,
  newOwnerWorld,
  newUserBody,
  PHONE_TYPE,
  type UserObject,
} from '../../support/signups.ts';
import { newApp, newCustomer, newTenant, refusalOf, uniqueEmail, uniqueName } from '../../support/tenants.ts';

const PHONE = { phone_number: '020 7946 0000', phone_type: PHONE_TYPE.work };
const UNKNOWN = `usr_${'0'.repeat(26)}`;
const { secret_access: SECRET_ACCESS, private_key: PRIVATE_KEY, ...OPEN_AWS_USER } = AWS_USER;

/** A customer with two users, both signed in. */
const newTeam = async (member: Record<string, unknown> = {}) => {
  const world = await newOwnerWorld(createService());
  return { ...world, colleague: await newColleague(world.service, world.tenant, world.owner, member) };
};

describe('POST /v1/auth/users', () => {
  it('answers 201 with the user, and tells where it is', async () => {
    const { call } = await newOwnerWorld(createService());
    const body = newUserBody({ phones: [PHONE], aws_user: AWS_USER });
    const response = await call('POST', '/users', body);
    expect(response.status).toBe(201);
    const user = await response.json<UserObject>();
    expect(user).toEqual({
      id: expect.stringMatching(/^usr_/),
      first_name: 'Ada',
      last_name: 'Lovelace',
      user_name: body.user_name,
      phones: [{ id: expect.stringMatching(/^phn_/), phone_number: '+442079460000', phone_type: PHONE_TYPE.work }],
      aws_user: { id: expect.stringMatching(/^aws_/), ...OPEN_AWS_USER },
    });
    expect(response.headers.get('Location')).toBe(`/v1/auth/users/${user.id}`);
    expect(await (await call('GET', `/users/${user.id}`)).json()).toEqual(user);
  });

  it('mails the user a link, with which it signs in to the same customer', async () => {
    const { service, tenant, owner, callAs, colleague } = await newTeam();
    const headers = bearerHeaders(colleague.token);
    const self = await service.call('GET', `${tenant.host}/customers/self`, { headers });
    expect(await self.json()).toMatchObject({ id: owner.customerId });
    expect((await callAs(colleague, 'GET', '/self')).status).toBe(200);
  });

  it('takes the customer’s own address for a user', async () => {
    const email_address = uniqueEmail();
    const { call } = await newOwnerWorld(createService(), { customer: { email_address } });
    expect((await call('POST', '/users', newUserBody({ user_name: email_address }))).status).toBe(201);
  });

  it('refuses addresses that are taken, with 409, and stores nothing', async () => {
    const { service, tenant, call, owner, colleague } = await newTeam();
    const other = await newOwner(service, tenant, { customer: { email_address: uniqueEmail() } });
    const app = await newApp(service, tenant);
    const { email } = await newCustomer(service, app);
    const { customers = [] } = await rowsOf(tenant.id);
    const ofOther = customers.find(({ id }) => id === other.customerId)?.email;
    const before = await rowsOf(tenant.id);
    for (const user_name of [owner.email, colleague.email.toUpperCase(), other.email, ofOther, email]) {
      expect(await refusalOf(await call('POST', '/users', newUserBody({ user_name })))).toMatchObject({
        status: 409,
        code: 'email_taken',
      });
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('takes an address that is taken in another tenant', async () => {
    const service = createService();
    const { call } = await newOwnerWorld(service);
    const { email } = await newOwner(service, await newTenant(service));
    expect((await call('POST', '/users', newUserBody({ user_name: email }))).status).toBe(201);
  });

  it('names every missing and wrong member at once, and then every wrong number', async () => {
    const { tenant, call } = await newOwnerWorld(createService());
    const before = await rowsOf(tenant.id);
    expect(await faultsOf(await call('POST', '/users', { phones: [{}], owner: true }))).toEqual({
      first_name: 'required',
      last_name: 'required',
      user_name: 'required',
      'phones.0.phone_number': 'required',
      'phones.0.phone_type': 'required',
      owner: 'unknown_member',
    });
    const phones = [PHONE, { ...PHONE, phone_number: '12' }, { ...PHONE, phone_number: '+1 2' }];
    expect(await faultsOf(await call('POST', '/users', newUserBody({ phones })))).toEqual({
      'phones.1.phone_number': 'invalid',
      'phones.2.phone_number': 'invalid',
    });
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('refuses a user whom no mail reaches, and stores nothing of it', async () => {
    const { tenant, call } = await newOwnerWorld(createService());
    const { users, phones, aws_credentials, challenges } = await rowsOf(tenant.id);
    const user_name = `refused-${uniqueName('person')}@example.com`;
    const body = newUserBody({ user_name, phones: [PHONE], aws_user: AWS_USER });
    expect(await refusalOf(await call('POST', '/users', body))).toMatchObject({ status: 500, code: 'mail_refused' });
    expect(await rowsOf(tenant.id)).toMatchObject({ users, phones, aws_credentials, challenges });
  });

  it('refuses a mail that the limit per address forbids, and stores nothing', async () => {
    const { service, tenant, call } = await newOwnerWorld(createService());
    const body = newUserBody();
    await service.call('POST', `${tenant.host}/customers/password_reset`, {
      body: { email: body.user_name, reset_uri: '/reset' },
    });
    const before = await rowsOf(tenant.id);
    const refused = await call('POST', '/users', body);
    expect(refused.headers.get('Retry-After')).toBe('30');
    expect(await refusalOf(refused)).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('counts as an attempt from the address of the internet, since it tells who is known', async () => {
    const { service, tenant, owner } = await newOwnerWorld(createService());
    const add = (ip: string) =>
      service.call('POST', `${tenant.host}/v1/auth/users`, {
        headers: { ...bearerHeaders(owner.token), 'CF-Connecting-IP': ip },
        body: newUserBody({ user_name: owner.email }),
      });
    for (let i = 0; i < 30; i += 1) expect((await add('192.0.2.1')).status).toBe(409);
    expect((await add('192.0.2.1')).status).toBe(429);
    expect((await add('192.0.2.2')).status).toBe(409);
  });

  it('makes one user of ten simultaneous ones with one address', async () => {
    const { tenant, call } = await newOwnerWorld(createService());
    const body = newUserBody();
    const responses = await Promise.all(Array.from({ length: 10 }, () => call('POST', '/users', body)));
    const statuses = responses.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
    expect((await rowsOf(tenant.id)).users).toHaveLength(2);
    expect(await mailsTo(body.user_name)).toHaveLength(1);
  });
});

describe('GET /v1/auth/users', () => {
  it('lists all users of the customer, newest first, to each of them and without secrets', async () => {
    const { service, tenant, owner, callAs, colleague } = await newTeam({ phones: [PHONE], aws_user: AWS_USER });
    await newOwner(service, tenant);
    for (const caller of [owner, colleague]) {
      const response = await callAs(caller, 'GET', '/users');
      expect(response.status).toBe(200);
      expect(response.headers.get('Link')).toBeNull();
      const text = await response.text();
      for (const secret of [SECRET_ACCESS, 'MIIB private', 'secret_access', 'private_key']) {
        expect(text).not.toContain(secret);
      }
      const users: UserObject[] = JSON.parse(text);
      expect(users.map(({ id }) => id)).toEqual([colleague.id, owner.id]);
      expect(users).toMatchObject([{ phones: [{ phone_number: '+442079460000' }], aws_user: OPEN_AWS_USER }, {}]);
      expect(users[1]).toMatchObject({ phones: [], aws_user: null });
    }
  });

  it('lists in pages, each with a link to the next', async () => {
    const { service, tenant, owner, call } = await newOwnerWorld(createService());
    const colleagues = [
      await newColleague(service, tenant, owner, { phones: [PHONE] }),
      await newColleague(service, tenant, owner, { phones: [PHONE] }),
    ];
    const expected = [...colleagues.toReversed(), owner].map(({ id }) => id);
    const seen: string[] = [];
    let path: string | undefined = '/users?limit=1';
    while (path !== undefined) {
      const response: Response = await call('GET', path);
      const users = await response.json<UserObject[]>();
      seen.push(...users.map(({ id }) => id));
      expect(users.map(({ phones }) => phones.length)).toEqual([seen.length < 3 ? 1 : 0]);
      path = /^<\/v1\/auth([^>]+)>; rel="next"$/.exec(response.headers.get('Link') ?? '')?.[1];
    }
    expect(seen).toEqual(expected);
  });

  it('refuses a page that cannot be', async () => {
    const { call } = await newOwnerWorld(createService());
    expect(await faultsOf(await call('GET', '/users?limit=0'))).toEqual({ limit: 'invalid' });
    expect(await faultsOf(await call('GET', '/users?limit=1001&cursor=x'))).toEqual({
      limit: 'invalid',
      cursor: 'invalid',
    });
  });
});

describe('GET /v1/auth/users/:id', () => {
  it('tells each user of the customer about each', async () => {
    const { owner, callAs, colleague } = await newTeam({ aws_user: AWS_USER });
    for (const caller of [owner, colleague]) {
      for (const { id, email } of [owner, colleague]) {
        const response = await callAs(caller, 'GET', `/users/${id}?include=aws_secrets`);
        const text = await response.text();
        expect(JSON.parse(text)).toMatchObject({ id, user_name: email });
        expect(text).not.toContain(SECRET_ACCESS);
      }
    }
  });

  it.each([UNKNOWN, 'x', 'usr_', "usr_' or 1=1 --", `USR_${'0'.repeat(26)}`])('finds nobody as %s', async (id) => {
    const { call } = await newOwnerWorld(createService());
    expect(await refusalOf(await call('GET', `/users/${encodeURIComponent(id)}`))).toMatchObject({
      status: 404,
      code: 'user_not_found',
    });
  });
});

describe('PATCH /v1/auth/users/:id', () => {
  it('changes what is mentioned, and tells the user as it is then', async () => {
    const { call, colleague } = await newTeam({ phones: [PHONE], aws_user: AWS_USER });
    const path = `/users/${colleague.id}`;
    const before = await (await call('GET', path)).json<UserObject>();
    const response = await call('PATCH', path, { first_name: 'Carl' });
    expect(response.status).toBe(200);
    const changed = await response.json();
    expect(changed).toEqual({ ...before, first_name: 'Carl' });
    expect(await (await call('GET', path)).json()).toEqual(changed);
  });

  it('changes the owner itself', async () => {
    const { call, owner } = await newOwnerWorld(createService());
    await call('PATCH', `/users/${owner.id}`, { last_name: 'Byron', phones: [PHONE] });
    expect(await (await call('GET', '/self')).json()).toMatchObject({
      customer: { phones: [] },
      user: { last_name: 'Byron', phones: [{ phone_number: '+442079460000' }] },
    });
  });

  it('replaces the phones by the new list, and those of nobody else', async () => {
    const { call, colleague, owner } = await newTeam({
      phones: [PHONE, { ...PHONE, phone_number: '+1 202 555 0123' }],
    });
    await call('PATCH', `/users/${owner.id}`, { phones: [PHONE] });
    const numbersOf = async (body: unknown) => {
      const { phones } = await (await call('PATCH', `/users/${colleague.id}`, body)).json<UserObject>();
      const read = await (await call('GET', `/users/${colleague.id}`)).json<UserObject>();
      expect(read.phones).toEqual(phones);
      return phones.map(({ phone_number }) => phone_number);
    };
    expect(await numbersOf({})).toEqual(['+442079460000', '+12025550123']);
    expect(await numbersOf({ phones: [{ ...PHONE, phone_number: '020 7946 0999' }] })).toEqual(['+442079460999']);
    expect(await numbersOf({ phones: [] })).toEqual([]);
    expect((await (await call('GET', `/users/${owner.id}`)).json<UserObject>()).phones).toHaveLength(1);
  });

  it('changes single members of aws_user, clears them with null, and all of them, too', async () => {
    const { call, callAs, colleague } = await newTeam({ aws_user: AWS_USER });
    const change = async (aws_user: unknown) => {
      const { aws_user: told } = await (await call('PATCH', `/users/${colleague.id}`, { aws_user })).json<UserObject>();
      const read = await (await call('GET', `/users/${colleague.id}`)).json<UserObject>();
      expect(read.aws_user).toEqual(told);
      const self = await (await callAs(colleague, 'GET', '/self?include=aws_secrets')).json<{ user: UserObject }>();
      return self.user.aws_user;
    };
    const { id } = (await change({})) ?? {};
    expect(await change({ region: 'us-east-1' })).toEqual({ id, ...AWS_USER, region: 'us-east-1' });
    expect(await change({ secret_access: 'new', cmk_id: null, private_key: null })).toEqual({
      ...{ id, ...AWS_USER, region: 'us-east-1' },
      ...{ secret_access: 'new', cmk_id: null, private_key: null },
    });
    expect(await change(null)).toBeNull();
    expect(await change({ region: 'eu-west-1' })).toEqual({
      id,
      ...Object.fromEntries(Object.keys(AWS_USER).map((member) => [member, null])),
      region: 'eu-west-1',
    });
  });

  it('takes the same user_name again, without a mail', async () => {
    const { call, colleague } = await newTeam();
    const mails = await mailsTo(colleague.email);
    const response = await call('PATCH', `/users/${colleague.id}`, { user_name: colleague.email.toUpperCase() });
    expect(await response.json()).toMatchObject({ user_name: colleague.email });
    expect(await mailsTo(colleague.email)).toEqual(mails);
  });

  it('changes a user_name only when its new address confirms it, and tells the old one', async () => {
    const { service, tenant, call, colleague } = await newTeam();
    const user_name = uniqueEmail();
    const response = await call('PATCH', `/users/${colleague.id}`, { user_name });
    expect(await response.json()).toMatchObject({ user_name: colleague.email, pending_user_name: user_name });
    expect((await lastMailTo(colleague.email)).subject).toContain('new email address');
    const { identifier, secret } = linkIn(await lastMailTo(user_name), 'confirm-email');
    expect(identifier).toBe(colleague.id);
    const confirmed = await service.call('POST', `${tenant.host}/customers/newemail_confirm`, {
      body: { identifier, key: secret },
    });
    expect(confirmed.status).toBe(200);
    const read = await (await call('GET', `/users/${colleague.id}`)).json<UserObject>();
    expect(read).toMatchObject({ user_name });
    expect(read).not.toHaveProperty('pending_user_name');
    await signIn(service, tenant, { email: user_name, password: colleague.password });
  });

  it('shows no pending user_name once its key has expired', async () => {
    const { service, tenant, call, colleague, owner } = await newTeam();
    await call('PATCH', `/users/${colleague.id}`, { user_name: uniqueEmail() });
    service.clock.advance(24 * 3600);
    const token = await signIn(service, tenant, owner);
    const headers = bearerHeaders(token);
    const read = await service.call('GET', `${tenant.host}/v1/auth/users/${colleague.id}`, { headers });
    expect(await read.json()).not.toHaveProperty('pending_user_name');
  });

  it('refuses a user_name whose address no mail reaches, and changes nothing', async () => {
    const { tenant, call, colleague } = await newTeam();
    const before = await rowsOf(tenant.id);
    const body = { first_name: 'Carl', user_name: `refused-${uniqueName('person')}@example.com` };
    const refused = await call('PATCH', `/users/${colleague.id}`, body);
    expect(await refusalOf(refused)).toMatchObject({ status: 500, code: 'mail_refused' });
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('names every fault at once, and changes nothing', async () => {
    const { tenant, call, colleague } = await newTeam();
    const before = await rowsOf(tenant.id);
    const path = `/users/${colleague.id}`;
    const body = {
      first_name: null,
      last_name: '',
      user_name: 'x',
      owner: true,
      aws_user: { region: 7 },
      phones: null,
    };
    expect(await faultsOf(await call('PATCH', path, body))).toEqual({
      first_name: 'invalid',
      last_name: 'invalid',
      user_name: 'invalid',
      owner: 'unknown_member',
      'aws_user.region': 'invalid',
      phones: 'invalid',
    });
    const phones = [{ ...PHONE, phone_number: '1' }, PHONE, { ...PHONE, phone_number: 'two' }];
    expect(await faultsOf(await call('PATCH', path, { first_name: 'Carl', phones }))).toEqual({
      'phones.0.phone_number': 'invalid',
      'phones.2.phone_number': 'invalid',
    });
    expect(await rowsOf(tenant.id)).toEqual(before);
  });
});

describe('DELETE /v1/auth/users/:id', () => {
  it('answers 204, and the user is gone with all that it had', async () => {
    const { service, tenant, owner, call, callAs, colleague } = await newTeam({ phones: [PHONE], aws_user: AWS_USER });
    await service.call('POST', `${tenant.host}/customers/password_reset`, {
      body: { email: colleague.email, reset_uri: '/reset' },
    });
    service.clock.advance(30);
    const { access_token } = await signInByCode(newBrowser(service, tenant.host), colleague.email);
    expect((await callAs({ token: access_token }, 'GET', '/self')).status).toBe(200);
    const response = await call('DELETE', `/users/${colleague.id}`);
    expect(response.status).toBe(204);
    for (const token of [colleague.token, access_token]) {
      expect(await refusalOf(await callAs({ token }, 'GET', '/self'))).toMatchObject({ status: 401 });
    }
    expect((await call('GET', `/users/${colleague.id}`)).status).toBe(404);
    const { events: _, rate_hits: __, ...rows } = await rowsOf(tenant.id);
    const dump = JSON.stringify(rows);
    for (const trace of [colleague.id, colleague.email, 'Babbage', OPEN_AWS_USER.access_key]) {
      expect(dump).not.toContain(trace);
    }
    expect(rows.users?.map(({ id }) => id)).toEqual([owner.id]);
  });

  it('leaves ids alone in the audit log of what the user did', async () => {
    const { service, tenant, call, colleague } = await newTeam();
    const headers = { ...bearerHeaders(colleague.token), 'CF-Connecting-IP': '192.0.2.7', 'User-Agent': 'a browser' };
    await service.call('PATCH', `${tenant.host}/customers/self`, {
      headers,
      body: { password: 'a new password', current_password: colleague.password },
    });
    const traces = () =>
      env.DB.prepare(
        'select count(*) as count from events where actor = ? and (ip is not null or user_agent is not null)',
      )
        .bind(`user:${colleague.id}`)
        .first('count');
    expect(await traces()).toBeGreaterThan(0);
    await call('DELETE', `/users/${colleague.id}`);
    expect(await traces()).toBe(0);
  });

  it('sets the address free', async () => {
    const { service, call, colleague } = await newTeam();
    await call('DELETE', `/users/${colleague.id}`);
    service.clock.advance(30);
    expect((await call('POST', '/users', newUserBody({ user_name: colleague.email }))).status).toBe(201);
  });

  it('refuses to remove the owner', async () => {
    const { tenant, owner, call } = await newTeam();
    const before = await rowsOf(tenant.id);
    expect(await refusalOf(await call('DELETE', `/users/${owner.id}`))).toMatchObject({
      status: 409,
      code: 'owner_required',
    });
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('finds a user once', async () => {
    const { call, colleague } = await newTeam();
    await call('DELETE', `/users/${colleague.id}`);
    expect(await refusalOf(await call('DELETE', `/users/${colleague.id}`))).toMatchObject({
      status: 404,
      code: 'user_not_found',
    });
  });
});

describe('the users of a customer', () => {
  it('are changed by its owner alone', async () => {
    const { tenant, owner, callAs, colleague } = await newTeam();
    const before = await rowsOf(tenant.id);
    for (const id of [owner.id, colleague.id, UNKNOWN]) {
      for (const response of [
        await callAs(colleague, 'POST', '/users', newUserBody()),
        await callAs(colleague, 'PATCH', `/users/${id}`, { first_name: 'Eve' }),
        await callAs(colleague, 'DELETE', `/users/${id}`),
      ]) {
        expect(await refusalOf(response)).toMatchObject({ status: 403, code: 'owner_only' });
      }
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('are for the owner of another customer as nobody', async () => {
    const { service, tenant, owner, callAs, colleague } = await newTeam({ phones: [PHONE], aws_user: AWS_USER });
    const stranger = await newOwner(service, tenant);
    const before = await rowsOf(tenant.id);
    for (const id of [owner.id, colleague.id]) {
      for (const [method, body] of [
        ['GET'],
        ['PATCH', { first_name: 'Eve', phones: [], aws_user: null }],
        ['DELETE'],
      ] as const) {
        const response = await callAs(stranger, method, `/users/${id}`, body);
        expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'user_not_found' });
      }
    }
    const listed = await (await callAs(stranger, 'GET', `/users?cursor=usr_${'z'.repeat(26)}`)).json<UserObject[]>();
    expect(listed.map(({ id }) => id)).toEqual([stranger.id]);
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('and what is done to them are in the audit log of the customer, by id', async () => {
    const { owner, call, colleague } = await newTeam();
    await call('PATCH', `/users/${colleague.id}`, { first_name: 'Carl' });
    await call('DELETE', `/users/${colleague.id}`);
    const actor = `user:${owner.id}`;
    const events = await eventsAbout(owner.customerId);
    expect(events.filter(({ type }) => type.startsWith('user.') && type !== 'user.activation_sent')).toEqual([
      { type: 'user.created', actor },
      { type: 'user.updated', actor },
      { type: 'user.deleted', actor },
    ]);
    const data = await env.DB.prepare("select data from events where type = 'user.deleted' and subject = ?")
      .bind(owner.customerId)
      .first('data');
    expect(data).toBe(JSON.stringify({ user: colleague.id }));
  });
});
