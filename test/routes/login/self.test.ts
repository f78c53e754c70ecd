import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, newSignedInWorld } from '../../support/accounts.ts';
import { createService } from '../../support/service.ts';
import { AWS_USER, faultsOf, newColleague, newOwnerWorld, PHONE_TYPE, type SelfObject } from '../../support/signups.ts';
import { refusalOf } from '../../support/tenants.ts';

const WITH_SECRETS = '/self?include=aws_secrets';

describe('GET /v1/auth/self', () => {
  it('tells of the user who asks, and not of another of the customer', async () => {
    const service = createService();
    const phones = [{ phone_number: '020 7946 0000', phone_type: PHONE_TYPE.work }];
    const { tenant, owner, callAs } = await newOwnerWorld(service, { customer: { phones }, user: { phones } });
    const colleague = await newColleague(service, tenant, owner);
    const ofOwner = await (await callAs(owner, 'GET', '/self')).json<SelfObject>();
    const ofColleague = await (await callAs(colleague, 'GET', '/self')).json<SelfObject>();
    expect(ofOwner.user).toMatchObject({ id: owner.id, user_name: owner.email, phones: [{}] });
    expect(ofColleague.user).toMatchObject({ id: colleague.id, user_name: colleague.email, phones: [] });
    expect(ofColleague.customer).toEqual(ofOwner.customer);
    expect(ofOwner.customer.phones).toHaveLength(1);
  });

  it('tells nulls of a customer that an app created with little', async () => {
    const service = createService();
    const { tenant, person, token } = await newSignedInWorld(service);
    const response = await service.call('GET', `${tenant.host}/v1/auth/self`, { headers: bearerHeaders(token) });
    expect(response.status).toBe(200);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(await response.json()).toEqual({
      customer: {
        id: person.cuid,
        name: null,
        email_address: person.email,
        customer_type: null,
        address: {
          id: expect.stringMatching(/^adr_/),
          country: null,
          address_1: null,
          address_2: null,
          city: null,
          state_province_region: null,
          zip_postal_code: null,
        },
        phones: [],
      },
      user: {
        id: person.userId,
        first_name: null,
        last_name: null,
        user_name: person.email,
        phones: [],
        aws_user: null,
      },
    });
  });

  it('refuses what is to be included and is not known', async () => {
    const { call } = await newOwnerWorld(createService());
    for (const include of ['secrets', '', 'aws_secrets,x']) {
      expect(await faultsOf(await call('GET', `/self?include=${include}`))).toEqual({ include: 'invalid' });
    }
  });
});

describe('GET /v1/auth/self?include=aws_secrets', () => {
  it('tells the secrets just as they were, and only when asked', async () => {
    const { call } = await newOwnerWorld(createService(), { user: { aws_user: AWS_USER } });
    const { user } = await (await call('GET', WITH_SECRETS)).json<SelfObject>();
    expect(user.aws_user).toEqual({ id: expect.stringMatching(/^aws_/), ...AWS_USER });
    const without = await (await call('GET', '/self')).text();
    expect(without).not.toContain('secret_access');
    expect(without).not.toContain('private_key');
  });

  it('tells null of secrets that there are none of', async () => {
    const { tenant, owner, callAs, call } = await newOwnerWorld(createService(), { user: { aws_user: {} } });
    const { user } = await (await call('GET', WITH_SECRETS)).json<SelfObject>();
    expect(user.aws_user).toMatchObject({ secret_access: null, private_key: null });
    expect(tenant.id).not.toBe('');
    expect((await callAs(owner, 'GET', WITH_SECRETS)).status).toBe(200);
  });

  it('tells nothing of the secrets of another user, not even to the owner', async () => {
    const service = createService();
    const { tenant, owner, callAs } = await newOwnerWorld(service);
    const colleague = await newColleague(service, tenant, owner, { aws_user: AWS_USER });
    const { user } = await (await callAs(owner, 'GET', WITH_SECRETS)).json<SelfObject>();
    expect(user.aws_user).toBeNull();
    const own = await (await callAs(colleague, 'GET', WITH_SECRETS)).json<SelfObject>();
    expect(own.user.aws_user).toMatchObject({ secret_access: AWS_USER.secret_access });
  });

  it('wants a sign-in younger than 15 minutes', async () => {
    const service = createService();
    const { call } = await newOwnerWorld(service, { user: { aws_user: AWS_USER } });
    // The claim has whole seconds.
    service.clock.advance(15 * 60 - 1);
    expect((await call('GET', WITH_SECRETS)).status).toBe(200);
    service.clock.advance(1);
    const refused = await call('GET', WITH_SECRETS);
    expect(refused.headers.get('WWW-Authenticate')).toBeNull();
    expect(await refusalOf(refused)).toMatchObject({ status: 403, code: 'reauthentication_required' });
    expect((await call('GET', '/self')).status).toBe(200);
  });

  it('opens no secret that was moved to another user or member', async () => {
    const service = createService();
    const { tenant, owner, callAs, call } = await newOwnerWorld(service, { user: { aws_user: AWS_USER } });
    const colleague = await newColleague(service, tenant, owner, { aws_user: AWS_USER });
    await env.DB.prepare(
      `update aws_credentials set sealed_secret_access =
        (select sealed_secret_access from aws_credentials where user_id = ?) where user_id = ?`,
    )
      .bind(owner.id, colleague.id)
      .run();
    await env.DB.prepare('update aws_credentials set sealed_secret_access = sealed_private_key where user_id = ?')
      .bind(owner.id)
      .run();
    expect((await callAs(colleague, 'GET', WITH_SECRETS)).status).toBe(500);
    expect((await call('GET', WITH_SECRETS)).status).toBe(500);
  });
});
