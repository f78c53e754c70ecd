import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { bearerHeaders, newMember, newSignedInWorld } from './accounts.ts';
import { answerOf } from './answers.ts';
import { mailsTo } from './mailbox.ts';
import { callAsOperator, changeCustomer, customersOf } from './operator.ts';
import { callTo, type DocumentedRoute, nameOf } from './routes.ts';
import { rowsOf } from './rows.ts';
import { createService } from './service.ts';
import { appHeaders, customerHeaders } from './tenants.ts';

type Headers = Record<string, string>;

const newCase = async (route: DocumentedRoute) => {
  const service = createService();
  const world = await newMember(service);
  const { tenant, app, person } = world;
  const { cuid, email } = person;
  const { path, call } = callTo(route, { cuid, email, identifier: cuid, slug: tenant.slug, id: app.id });
  const send = (headers: Headers, { query = '', body = call.body } = {}): Promise<Response> =>
    service.call(route.method, `${tenant.host}${path}${query}`, { headers, body });
  const mailed = await mailsTo(email);
  return {
    ...world,
    service,
    admits: async (headers: Headers): Promise<void> => {
      expect((await send(headers)).status).toBeLessThan(400);
    },
    /** Fails unless the call is refused as one without a token is, and had no effect. */
    refuses: async (headers: Headers, other: { query?: string; body?: unknown } = {}): Promise<void> => {
      const before = await rowsOf(tenant.id);
      const answer = await answerOf(await send(headers, other));
      expect([headers, answer.status]).toEqual([headers, 401]);
      expect(JSON.parse(answer.body)).toMatchObject({ status: 401, code: 'unauthenticated' });
      expect(answer.headers).toContainEqual(['www-authenticate', 'Bearer']);
      expect(answer.headers).toContainEqual(['cache-control', 'no-store']);
      expect(answer).toEqual(await answerOf(await send({})));
      expect(await rowsOf(tenant.id)).toEqual(before);
      expect(await mailsTo(email)).toEqual(mailed);
    },
  };
};

/** What every route that takes an access token does with a right one, and with every other (contract 0, tokens). */
export const describeBearer = (route: DocumentedRoute): void => {
  describe(`${nameOf(route)} with an access token`, () => {
    it('is open to the right one, in the header', async () => {
      const { admits, token } = await newCase(route);
      await admits(bearerHeaders(token));
    });

    it('refuses a call without one', async () => {
      const { refuses } = await newCase(route);
      for (const headers of [{}, { Authorization: '' }, { Authorization: 'Bearer' }, { Authorization: 'Bearer ' }]) {
        await refuses(headers);
      }
    });

    it('refuses the right one under another scheme, or beside another one', async () => {
      const { refuses, token, person } = await newCase(route);
      const basic = `Basic ${btoa(`${person.email}:${person.password}`)}`;
      for (const authorization of [
        token,
        `Basic ${token}`,
        `Token ${token}`,
        `DPoP ${token}`,
        `Bearer ${token}, Bearer ${token}`,
        `${basic}, Bearer ${token}`,
        `Bearer ${token}, ${basic}`,
      ]) {
        await refuses({ Authorization: authorization });
      }
    });

    it('refuses the right one anywhere but in the header', async () => {
      const { refuses, token } = await newCase(route);
      for (const name of ['access_token', 'token', 'Authorization', 'bearer_token']) {
        await refuses({}, { query: `?${new URLSearchParams({ [name]: token })}` });
        await refuses(bearerHeaders('wrong'), { query: `?${new URLSearchParams({ [name]: token })}` });
      }
      await refuses({ Cookie: `token=${token}; access_token=${token}; __Host-token=${token}` });
      await refuses({ 'x-access-token': token, 'X-Authorization': `Bearer ${token}` });
    });

    it('refuses what is none', async () => {
      const { refuses, token, app, pair, person } = await newCase(route);
      const [header = '', payload = '', signature = ''] = token.split('.');
      for (const garbage of [
        'x',
        'null',
        'a.b.c',
        '..',
        `${header}.${payload}.`,
        `${header}.${payload}.${signature.split('').toReversed().join('')}`,
        pair.token,
        app.supertoken,
        person.cuid,
        person.userId,
        env.OPERATOR_TOKEN,
      ]) {
        await refuses(bearerHeaders(garbage));
      }
      await refuses({ ...appHeaders(app), ...customerHeaders(pair) });
    });

    it('refuses an expired one', async () => {
      const { service, refuses, token } = await newCase(route);
      service.clock.advance(24 * 3600 + 5);
      await refuses(bearerHeaders(token));
    });

    it('refuses one of another tenant', async () => {
      const { service, refuses } = await newCase(route);
      const other = await newSignedInWorld(service);
      await refuses(bearerHeaders(other.token));
    });

    it('refuses one of a customer that is disabled, was disabled, or is deleted', async () => {
      const { service, refuses, tenant, person, token } = await newCase(route);
      for (const status of ['disabled', 'active']) {
        await changeCustomer(service, tenant, person.cuid, { status });
        await refuses(bearerHeaders(token));
      }
      expect((await callAsOperator(service, 'DELETE', customersOf(tenant, `/${person.cuid}`))).status).toBe(204);
      await refuses(bearerHeaders(token));
    });

    it('tells nothing of its input to whoever has none', async () => {
      const { refuses } = await newCase(route);
      if (callTo(route, NO_NAMES).call.body === undefined) return;
      for (const body of [{ unknown: true }, { email: 7 }, {}]) await refuses({}, { body });
    });
  });
};

const NO_NAMES = { cuid: '', email: '', identifier: '', slug: '', id: '' };
