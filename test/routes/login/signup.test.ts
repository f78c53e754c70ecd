import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, linkIn } from '../../support/accounts.ts';
import { readCustomer } from '../../support/customers.ts';
import { lastMailTo, mailsTo } from '../../support/mailbox.ts';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import {
  ADDRESS,
  AWS_USER,
  activate,
  faultsOf,
  newCustomerBody,
  newOwner,
  newUserBody,
  PHONE_TYPE,
  type SelfObject,
} from '../../support/signups.ts';
import { newApp, newCustomer, newTenant, refusalOf, uniqueEmail, uniqueName } from '../../support/tenants.ts';

const newTenantWithSignup = async () => {
  const service = createService();
  const tenant = await newTenant(service);
  const signUp = (body: unknown, headers: Record<string, string> = {}) =>
    service.call('POST', `${tenant.host}/v1/auth/signup`, { body, headers });
  /** Signs up with this, activates, and reads what is known then. */
  const readSignedUp = async (body: { customer: unknown; user: Record<string, unknown> & { user_name: string } }) => {
    expect((await signUp(body)).status).toBe(200);
    const { token } = await activate(service, tenant, body.user.user_name);
    const read = await service.call('GET', `${tenant.host}/v1/auth/self`, { headers: bearerHeaders(token) });
    return read.json<SelfObject>();
  };
  /** What there is of people in the tenant. */
  const peopleIn = async () => {
    const { customers = [], users = [], phones = [], aws_credentials = [], challenges = [] } = await rowsOf(tenant.id);
    return [customers, users, phones, aws_credentials, challenges].map((rows) => rows.length);
  };
  return { service, tenant, signUp, readSignedUp, peopleIn };
};

const newBody = (customer: Record<string, unknown> = {}, user: Record<string, unknown> = {}) => ({
  customer: newCustomerBody(customer),
  user: newUserBody(user),
});

const phone = (phone_number: unknown, phone_type: unknown = PHONE_TYPE.work) => ({ phone_number, phone_type });

const NOBODY = [0, 0, 0, 0, 0];

describe('POST /v1/auth/signup', () => {
  it('answers 200 with the id of the customer and nothing else', async () => {
    const { signUp, tenant } = await newTenantWithSignup();
    const response = await signUp(newBody());
    expect(response.status).toBe(200);
    const answer = await response.json<{ customer_id: string }>();
    expect(Object.keys(answer)).toEqual(['customer_id']);
    const { customers } = await rowsOf(tenant.id);
    expect(customers?.map(({ id }) => id)).toEqual([answer.customer_id]);
  });

  it('keeps every member, and ignores the ids that the client sends', async () => {
    const { readSignedUp } = await newTenantWithSignup();
    const id = 'client-made';
    const customer = { name: 'Engines', email_address: uniqueEmail(), customer_type: 'business' };
    const user = { first_name: 'Ada', last_name: 'Lovelace', user_name: uniqueEmail() };
    const self = await readSignedUp({
      customer: {
        id,
        ...customer,
        address: { id, ...ADDRESS },
        phones: [
          { id, ...phone('020 7946 0000') },
          { id, ...phone('+49 731 1234567', PHONE_TYPE.fax) },
        ],
      },
      user: {
        id,
        ...user,
        phones: [{ id, ...phone('07700 900123', PHONE_TYPE.mobile) }],
        aws_user: { id, ...AWS_USER },
      },
    });
    const { secret_access: _, private_key: __, ...awsUser } = AWS_USER;
    const anyId = expect.stringMatching(/^[a-z]{3}_[0-9a-z]{26}$/);
    expect(self).toEqual({
      customer: {
        id: anyId,
        ...customer,
        address: { id: anyId, ...ADDRESS },
        phones: [
          { id: anyId, ...phone('+442079460000') },
          { id: anyId, ...phone('+497311234567', PHONE_TYPE.fax) },
        ],
      },
      user: {
        id: anyId,
        ...user,
        phones: [{ id: anyId, ...phone('+447700900123', PHONE_TYPE.mobile) }],
        aws_user: { id: anyId, ...awsUser },
      },
    });
  });

  it('is content with the members that are required', async () => {
    const { readSignedUp } = await newTenantWithSignup();
    const { address_2: _, ...address } = ADDRESS;
    const self = await readSignedUp(newBody({ address }));
    expect(self).toMatchObject({
      customer: { address: { ...address, address_2: null }, phones: [] },
      user: { phones: [], aws_user: null },
    });
  });

  it('makes the user the owner, who may do what owners may', async () => {
    const { service, tenant } = await newTenantWithSignup();
    const owner = await newOwner(service, tenant);
    const deleted = await service.call('DELETE', `${tenant.host}/customers/self`, {
      headers: bearerHeaders(owner.token),
    });
    expect(deleted.status).toBe(200);
  });

  it('mails the user, and not the customer’s address, a link with which the account is activated', async () => {
    const { signUp } = await newTenantWithSignup();
    const { customer, user } = newBody();
    await signUp({ customer, user });
    expect(linkIn(await lastMailTo(user.user_name), 'activate').identifier).toMatch(/^usr_/);
    expect(await mailsTo(customer.email_address)).toEqual([]);
  });

  it('lets nobody in before that', async () => {
    const { service, tenant, signUp } = await newTenantWithSignup();
    const body = newBody();
    await signUp(body);
    const login = await service.call('POST', `${tenant.host}/customers/login`, {
      body: { email: body.user.user_name, password: 'correct horse battery' },
    });
    expect(await refusalOf(login)).toMatchObject({ status: 401, code: 'invalid_credentials' });
  });

  it('makes a customer that apps of the tenant read, with its first phone', async () => {
    const { service, tenant, signUp } = await newTenantWithSignup();
    const app = await newApp(service, tenant, { permissions: ['all_customers'] });
    const body = newBody({
      phones: [
        phone('020 7946 0001', PHONE_TYPE.fax),
        phone('07700 900123', PHONE_TYPE.mobile),
        phone('020 7946 0000'),
      ],
    });
    const { customer_id } = await (await signUp(body)).json<{ customer_id: string }>();
    expect(await readCustomer(service, app, customer_id)).toMatchObject({
      name: 'Analytical Engines',
      email: body.customer.email_address,
      address: ADDRESS.address_1,
      city: 'London',
      zip: ADDRESS.zip_postal_code,
      state: ADDRESS.state_province_region,
      country: 'GB',
      phone: '+442079460000',
    });
  });

  it('is written to the audit log', async () => {
    const { signUp } = await newTenantWithSignup();
    const { customer_id } = await (await signUp(newBody())).json<{ customer_id: string }>();
    expect(await eventsAbout(customer_id)).toEqual([
      { type: 'customer.created', actor: 'anonymous' },
      { type: 'user.activation_sent', actor: 'anonymous' },
    ]);
  });

  it('takes the country by its English name, and reads numbers by it', async () => {
    const { readSignedUp } = await newTenantWithSignup();
    const address = { ...ADDRESS, country: 'Germany' };
    const self = await readSignedUp(newBody({ address, phones: [phone('0731 1234567')] }));
    expect(self.customer).toMatchObject({ address: { country: 'DE' }, phones: [{ phone_number: '+497311234567' }] });
  });
});

describe('POST /v1/auth/signup names every fault at once', () => {
  it('when all is missing', async () => {
    const { signUp, peopleIn } = await newTenantWithSignup();
    expect(await faultsOf(await signUp({}))).toEqual({ customer: 'required', user: 'required' });
    expect(await faultsOf(await signUp({ customer: { address: {}, phones: [{}] }, user: { phones: [{}] } }))).toEqual({
      'customer.name': 'required',
      'customer.email_address': 'required',
      'customer.customer_type': 'required',
      'customer.address.country': 'required',
      'customer.address.address_1': 'required',
      'customer.address.city': 'required',
      'customer.address.state_province_region': 'required',
      'customer.address.zip_postal_code': 'required',
      'customer.phones.0.phone_number': 'required',
      'customer.phones.0.phone_type': 'required',
      'user.first_name': 'required',
      'user.last_name': 'required',
      'user.user_name': 'required',
      'user.phones.0.phone_number': 'required',
      'user.phones.0.phone_type': 'required',
    });
    expect(await faultsOf(await signUp({ customer: newCustomerBody({ address: undefined }), user: {} }))).toEqual({
      'customer.address': 'required',
      'user.first_name': 'required',
      'user.last_name': 'required',
      'user.user_name': 'required',
    });
    expect(await peopleIn()).toEqual(NOBODY);
  });

  it('when much is wrong, phone numbers among it', async () => {
    const { signUp, peopleIn } = await newTenantWithSignup();
    const response = await signUp({
      customer: {
        ...newCustomerBody({ name: ' ', email_address: 'nobody', customer_type: 7, nickname: 'x' }),
        address: { ...ADDRESS, city: null, address_1: 'a\nb', planet: 'Earth' },
        phones: [phone('020 7946 0000'), phone('12', 'landline'), phone(7), phone('+1 2', PHONE_TYPE.fax)],
      },
      user: newUserBody({
        user_name: 'ada@',
        role: 'admin',
        phones: [phone('call me')],
        aws_user: { access_key: 7, password: 'x' },
      }),
      plan: 'free',
    });
    expect(await faultsOf(response)).toEqual({
      'customer.name': 'invalid',
      'customer.email_address': 'invalid',
      'customer.customer_type': 'invalid',
      'customer.nickname': 'unknown_member',
      'customer.address.city': 'invalid',
      'customer.address.address_1': 'invalid',
      'customer.address.planet': 'unknown_member',
      'customer.phones.1.phone_number': 'invalid',
      'customer.phones.1.phone_type': 'invalid',
      'customer.phones.2.phone_number': 'invalid',
      'customer.phones.3.phone_number': 'invalid',
      'user.user_name': 'invalid',
      'user.role': 'unknown_member',
      'user.phones.0.phone_number': 'invalid',
      'user.aws_user.access_key': 'invalid',
      'user.aws_user.password': 'unknown_member',
      plan: 'unknown_member',
    });
    expect(await peopleIn()).toEqual(NOBODY);
  });

  it('and judges no local number by a country that is none', async () => {
    const { signUp } = await newTenantWithSignup();
    const customer = newCustomerBody({
      address: { ...ADDRESS, country: 'Atlantis' },
      phones: [phone('020 7946 0000'), phone('+49 1')],
    });
    expect(await faultsOf(await signUp({ customer, user: newUserBody() }))).toEqual({
      'customer.address.country': 'invalid',
      'customer.phones.1.phone_number': 'invalid',
    });
  });

  it.each([
    ['an address that is a text', { address: 'London' }, { 'customer.address': 'invalid' }],
    ['phones that are no list', { phones: phone('020 7946 0000') }, { 'customer.phones': 'invalid' }],
    ['a phone that is null', { phones: [null] }, { 'customer.phones.0': 'invalid' }],
    [
      'eleven phones',
      { phones: Array.from({ length: 11 }, () => phone('020 7946 0000')) },
      { 'customer.phones': 'invalid' },
    ],
    [
      'a phone type that is not one of ours',
      { phones: [phone('020 7946 0000', '00000000-0000-4000-8000-000000000000')] },
      { 'customer.phones.0.phone_type': 'invalid' },
    ],
    [
      'a number with an extension',
      { phones: [phone('+44 20 7946 0000 ext 5')] },
      { 'customer.phones.0.phone_number': 'invalid' },
    ],
    ['a name that is too long', { name: 'x'.repeat(201) }, { 'customer.name': 'invalid' }],
  ])('and refuses %s', async (_, customer, faults) => {
    const { signUp, peopleIn } = await newTenantWithSignup();
    expect(await faultsOf(await signUp(newBody(customer)))).toEqual(faults);
    expect(await peopleIn()).toEqual(NOBODY);
  });
});

describe('POST /v1/auth/signup refuses', () => {
  it('addresses that are taken, with 409, and stores nothing', async () => {
    const { service, tenant, signUp } = await newTenantWithSignup();
    const email_address = uniqueEmail();
    const owner = await newOwner(service, tenant, { customer: { email_address } });
    const app = await newApp(service, tenant);
    const { email } = await newCustomer(service, app);
    const before = await rowsOf(tenant.id);
    for (const taken of [email_address, owner.email, email, email.toUpperCase()]) {
      for (const body of [newBody({ email_address: taken }), newBody({}, { user_name: taken })]) {
        expect(await refusalOf(await signUp(body))).toMatchObject({ status: 409, code: 'email_taken' });
      }
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('no address that is taken in another tenant', async () => {
    const { service, signUp } = await newTenantWithSignup();
    const other = await newTenant(service);
    const email_address = uniqueEmail();
    const { email } = await newOwner(service, other, { customer: { email_address } });
    expect((await signUp(newBody({ email_address }, { user_name: email }))).status).toBe(200);
  });

  it('no signup with one address for the customer and the user', async () => {
    const { signUp } = await newTenantWithSignup();
    const email = uniqueEmail();
    expect((await signUp(newBody({ email_address: email }, { user_name: email }))).status).toBe(200);
  });

  it('a mail that the limit per address forbids, and stores nothing', async () => {
    const { service, tenant, signUp, peopleIn } = await newTenantWithSignup();
    const body = newBody();
    await service.call('POST', `${tenant.host}/customers/password_reset`, {
      body: { email: body.user.user_name, reset_uri: '/reset' },
    });
    const refused = await signUp(body);
    expect(refused.headers.get('Retry-After')).toBe('30');
    expect(await refusalOf(refused)).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(await peopleIn()).toEqual(NOBODY);
    expect(await mailsTo(body.user.user_name)).toEqual([]);
    service.clock.advance(30);
    expect((await signUp(body)).status).toBe(200);
  });

  it('a user whom no mail reaches, and stores nothing of it', async () => {
    const { tenant, signUp, peopleIn } = await newTenantWithSignup();
    const body = newBody(
      { phones: [phone('020 7946 0000')] },
      { user_name: `refused-${uniqueName('person')}@example.com`, aws_user: AWS_USER },
    );
    expect(await refusalOf(await signUp(body))).toMatchObject({ status: 500, code: 'mail_refused' });
    expect(await peopleIn()).toEqual(NOBODY);
    expect((await rowsOf(tenant.id)).rate_hits).toEqual([]);
  });

  it('more than 30 attempts a minute from one address of the internet, taken addresses included', async () => {
    const { service, signUp, peopleIn } = await newTenantWithSignup();
    const from = { 'CF-Connecting-IP': '192.0.2.1' };
    const body = newBody();
    expect((await signUp(body, from)).status).toBe(200);
    for (let i = 1; i < 30; i += 1) expect((await signUp(body, from)).status).toBe(409);
    expect((await signUp(body, from)).status).toBe(429);
    expect((await signUp(newBody(), from)).status).toBe(429);
    expect((await peopleIn()).slice(0, 2)).toEqual([1, 1]);
    expect((await signUp(newBody(), { 'CF-Connecting-IP': '192.0.2.2' })).status).toBe(200);
    service.clock.advance(60);
    expect((await signUp(newBody(), from)).status).toBe(200);
  });
});

describe('simultaneous signups', () => {
  const statusesOf = async (responses: Promise<Response>[]) =>
    (await Promise.all(responses)).map(({ status }) => status).toSorted();

  it('of one customer address make one customer', async () => {
    const { signUp, peopleIn } = await newTenantWithSignup();
    const email_address = uniqueEmail();
    const statuses = await statusesOf(Array.from({ length: 10 }, () => signUp(newBody({ email_address }))));
    expect(statuses).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
    expect((await peopleIn()).slice(0, 2)).toEqual([1, 1]);
  });

  it('of one user address make one customer', async () => {
    const { signUp, peopleIn } = await newTenantWithSignup();
    const user_name = uniqueEmail();
    const statuses = await statusesOf(Array.from({ length: 10 }, () => signUp(newBody({}, { user_name }))));
    expect(statuses).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
    expect((await peopleIn()).slice(0, 2)).toEqual([1, 1]);
    expect(await mailsTo(user_name)).toHaveLength(1);
  });

  it('of one address, for a customer here and a user there, make one customer, whichever comes first', async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const { signUp, peopleIn } = await newTenantWithSignup();
      const email = uniqueEmail();
      const bodies = [newBody({ email_address: email }), newBody({}, { user_name: email })];
      expect(await statusesOf(order.map((i) => signUp(bodies[i])))).toEqual([200, 409]);
      expect((await peopleIn()).slice(0, 2)).toEqual([1, 1]);
    }
  });
});

describe('the secrets of aws_user', () => {
  it('are nowhere at rest but sealed, and differ between users who have the same', async () => {
    const { service, tenant } = await newTenantWithSignup();
    await newOwner(service, tenant, { user: { aws_user: AWS_USER } });
    await newOwner(service, tenant, { user: { aws_user: AWS_USER } });
    const rows = await rowsOf(tenant.id);
    const dump = JSON.stringify(rows);
    for (const secret of [AWS_USER.secret_access, 'MIIB private', btoa(AWS_USER.secret_access)]) {
      expect(dump).not.toContain(secret);
    }
    const sealed = (rows.aws_credentials ?? []).flatMap((row) => [row.sealed_secret_access, row.sealed_private_key]);
    expect(new Set(sealed).size).toBe(4);
    const kept = await env.KV.list();
    for (const { name } of kept.keys) expect(await env.KV.get(name)).not.toContain(AWS_USER.secret_access);
  });
});
