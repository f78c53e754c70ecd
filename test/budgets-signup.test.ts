import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders } from './support/accounts.ts';
import { countRoundTrips } from './support/bindings.ts';
import { createService } from './support/service.ts';
import { AWS_USER, newColleague, newCustomerBody, newOwnerWorld, newUserBody, PHONE_TYPE } from './support/signups.ts';

const PHONES = [{ phone_number: '+44 20 7946 0000', phone_type: PHONE_TYPE.work }];

/** A customer with two users behind counted bindings, in an isolate that knows its tenant and keys already. */
const newCountedWorld = async () => {
  const counter = countRoundTrips(env);
  const service = createService(counter.bindings);
  const { tenant, owner } = await newOwnerWorld(service);
  const colleague = await newColleague(service, tenant, owner);
  const headers = { ...bearerHeaders(owner.token), 'CF-Connecting-IP': '192.0.2.1' };
  const depthOf = async (method: string, path: string, body: unknown, status: number) => {
    const { depth } = await counter.during(async () => {
      const response = await service.call(method, `${tenant.host}/v1/auth${path}`, {
        headers,
        ...(body !== undefined && { body }),
      });
      expect(response.status).toBe(status);
    });
    return depth;
  };
  // The keys that an isolate remembers grow old.
  await depthOf('GET', '/self', undefined, 200);
  return { colleague, depthOf };
};

describe('sequential round trips of the login surface to D1 and KV', () => {
  it('are none for the phone types', async () => {
    const { depthOf } = await newCountedWorld();
    expect(await depthOf('GET', '/phone_types', undefined, 200)).toBe(0);
  });

  it('are one for whatever reads', async () => {
    const { colleague, depthOf } = await newCountedWorld();
    expect(await depthOf('GET', '/self', undefined, 200)).toBe(1);
    expect(await depthOf('GET', '/self?include=aws_secrets', undefined, 200)).toBe(1);
    expect(await depthOf('GET', '/users', undefined, 200)).toBe(1);
    expect(await depthOf('GET', `/users/${colleague.id}`, undefined, 200)).toBe(1);
    expect(await depthOf('POST', '/customers/email', { email_address: colleague.email }, 200)).toBe(1);
  });

  it('are two for a signup and a new user, with all that can be told', async () => {
    const { depthOf } = await newCountedWorld();
    const user = () => newUserBody({ phones: PHONES, aws_user: AWS_USER });
    expect(await depthOf('POST', '/signup', { customer: newCustomerBody({ phones: PHONES }), user: user() }, 200)).toBe(
      2,
    );
    expect(await depthOf('POST', '/users', user(), 201)).toBe(2);
  });

  it('are two for a change and a removal of a user', async () => {
    const { colleague, depthOf } = await newCountedWorld();
    const path = `/users/${colleague.id}`;
    expect(await depthOf('PATCH', path, { first_name: 'Carl', phones: PHONES, aws_user: AWS_USER }, 200)).toBe(2);
    expect(await depthOf('DELETE', path, undefined, 204)).toBe(2);
  });
});
