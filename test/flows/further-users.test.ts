import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, linkIn } from '../support/accounts.ts';
import { newBrowser, signInByCode } from '../support/logins.ts';
import { lastMailTo } from '../support/mailbox.ts';
import { rowsOf } from '../support/rows.ts';
import { createService } from '../support/service.ts';
import { AWS_USER, newColleague, newOwnerWorld, PHONE_TYPE, type SignedInUser } from '../support/signups.ts';
import { refusalOf, uniqueEmail } from '../support/tenants.ts';

const phone = (phone_number: string) => ({ phone_number, phone_type: PHONE_TYPE.work });

/** A customer with two users, and calls to the account surface. */
const newTeam = async () => {
  const service = createService();
  const world = await newOwnerWorld(service, {
    customer: { phones: [phone('020 7946 0001')] },
    user: { phones: [phone('020 7946 0002')], aws_user: AWS_USER },
  });
  const { tenant, owner } = world;
  const colleague = await newColleague(service, tenant, owner, { phones: [phone('020 7946 0003')] });
  const callAs = ({ token }: SignedInUser, method: string, path: string, body?: unknown) =>
    service.call(method, `${tenant.host}/customers${path}`, {
      headers: bearerHeaders(token),
      ...(body !== undefined && { body }),
    });
  return { service, tenant, owner, colleague, callAs };
};

describe('the export of an account', () => {
  it('holds its phones, its users’ names, and what is no secret of their AWS credentials', async () => {
    const { service, owner, colleague, callAs } = await newTeam();
    const signedUpAt = new Date(service.clock.now() - 2000).toISOString();
    const response = await callAs(owner, 'GET', '/self/export');
    expect(response.status).toBe(200);
    const text = await response.text();
    const anyId = expect.stringMatching(/^phn_/);
    expect(JSON.parse(text)).toMatchObject({
      customer: { id: owner.customerId, type: 'business', address_line_2: 'Flat 3' },
      users: [
        { id: owner.id, first_name: 'Ada', last_name: 'Lovelace' },
        { id: colleague.id, first_name: 'Charles', last_name: 'Babbage' },
      ],
      aws_credentials: [{ user: owner.id, access_key: AWS_USER.access_key, created_at: signedUpAt }],
      phones: [
        { id: anyId, user: null, number: '+442079460001', type: 'work' },
        { id: anyId, user: owner.id, number: '+442079460002', type: 'work' },
        { id: anyId, user: colleague.id, number: '+442079460003', type: 'work' },
      ],
    });
    for (const secret of [AWS_USER.secret_access, 'MIIB private', 'v1.', 'argon2']) {
      expect(text).not.toContain(secret);
    }
  });

  it('holds the sessions and identities of its users, and no token of theirs', async () => {
    const { service, tenant, owner, colleague, callAs } = await newTeam();
    await env.DB.prepare('insert into identities values (?, ?, ?, ?, ?)')
      .bind(tenant.id, 'connection:acme', 'subject-1', colleague.id, service.clock.now())
      .run();
    service.clock.advance(30);
    const { refresh_token } = await signInByCode(newBrowser(service, tenant.host), colleague.email);
    const response = await callAs(owner, 'GET', '/self/export');
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({
      identities: [{ user: colleague.id, provider: 'connection:acme', subject: 'subject-1' }],
      sessions: [{ user: colleague.id, provider: 'email', revoked_at: null }],
    });
    expect(text).not.toContain(refresh_token);
    expect(text).not.toContain('sealed');
    expect((await callAs(owner, 'DELETE', '/self')).status).toBe(200);
    expect(await rowsOf(tenant.id)).toMatchObject({ identities: [], sessions: [] });
  });

  it('is its owner’s alone', async () => {
    const { colleague, callAs } = await newTeam();
    expect(await refusalOf(await callAs(colleague, 'GET', '/self/export'))).toMatchObject({
      status: 403,
      code: 'owner_only',
    });
  });
});

describe('the deletion of an account', () => {
  it('takes all of its users with it, their phones and credentials, and their tokens', async () => {
    const { service, tenant, owner, colleague, callAs } = await newTeam();
    expect((await callAs(owner, 'DELETE', '/self')).status).toBe(200);
    for (const each of [owner, colleague]) expect((await callAs(each, 'GET', '/self')).status).toBe(401);
    const { events: _, rate_hits: __, ...rows } = await rowsOf(tenant.id);
    const dump = JSON.stringify(rows);
    for (const trace of [owner.email, colleague.email, owner.id, colleague.id, 'Lovelace', '+44207946', 'AKIA']) {
      expect(dump).not.toContain(trace);
    }
    const known = await service.call('POST', `${tenant.host}/v1/auth/customers/email`, {
      body: { email_address: colleague.email },
    });
    expect(known.status).toBe(404);
  });

  it('is its owner’s alone', async () => {
    const { tenant, colleague, callAs } = await newTeam();
    const before = await rowsOf(tenant.id);
    expect(await refusalOf(await callAs(colleague, 'DELETE', '/self'))).toMatchObject({
      status: 403,
      code: 'owner_only',
    });
    expect(await rowsOf(tenant.id)).toEqual(before);
  });
});

describe('a user who is not the owner', () => {
  it('changes nothing that is the customer’s', async () => {
    const { tenant, colleague, callAs } = await newTeam();
    const before = await rowsOf(tenant.id);
    for (const body of [{ name: 'Eve' }, { phone: null }, { country: 'DE' }, { subscriptions: [] }]) {
      const password = { password: 'another good password', current_password: colleague.password };
      for (const each of [body, { ...body, ...password }, { ...body, email: uniqueEmail() }]) {
        expect(await refusalOf(await callAs(colleague, 'PATCH', '/self', each))).toMatchObject({
          status: 403,
          code: 'owner_only',
        });
      }
    }
    expect(await rowsOf(tenant.id)).toEqual(before);
  });

  it('changes its own password and address, and not the customer’s address', async () => {
    const { service, tenant, owner, colleague, callAs } = await newTeam();
    const email = uniqueEmail();
    expect((await callAs(colleague, 'PATCH', '/self', { email })).status).toBe(200);
    const { identifier, secret } = linkIn(await lastMailTo(email), 'confirm-email');
    const confirmed = await service.call('POST', `${tenant.host}/customers/newemail_confirm`, {
      body: { identifier, key: secret },
    });
    expect(confirmed.status).toBe(200);
    const { customers, users } = await rowsOf(tenant.id);
    expect(customers).not.toEqual([expect.objectContaining({ email })]);
    expect(users).toContainEqual(expect.objectContaining({ id: colleague.id, email }));
    const changed = await callAs(colleague, 'PATCH', '/self', {
      password: 'another good password',
      current_password: colleague.password,
    });
    expect(changed.status).toBe(200);
    expect((await callAs(colleague, 'GET', '/self')).status).toBe(401);
    expect((await callAs(owner, 'GET', '/self')).status).toBe(200);
  });
});
