import { describe, expect, it } from 'vitest';
import { UNKNOWN_CUID } from '../../support/customers.ts';
import { mailPasscode, wrongCodes } from '../../support/passcodes.ts';
import { eventsAbout, locksOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import {
  type AppPair,
  appHeaders,
  type CustomerPair,
  customerHeaders,
  newApp,
  newCustomer,
  newTenant,
  newWorld,
  refusalOf,
  uniqueEmail,
} from '../../support/tenants.ts';

const NOT_FOUND = { status: 404, code: 'customer_not_found', message: 'User not found' };
const INVALID = { status: 401, code: 'invalid_passcode', message: 'Expired or invalid passcode' };
const DENIED = { status: 401, code: 'api_access_denied', message: 'User not allowed for API access' };

const newAuthWorld = async () => {
  const service = createService();
  const world = await newWorld(service);
  const authenticate = (identifier: string, app: AppPair = world.app) =>
    service.call('GET', `/customer/${identifier}`, { headers: appHeaders(app) });
  const redeem = (passcode: string, app: AppPair = world.app) =>
    authenticate(`${world.customer.email}/auth?passcode=${passcode}`, app);
  const readAs = (pair: CustomerPair) =>
    service.call('GET', `/customer/${pair.cuid}`, { headers: customerHeaders(pair) });
  return { service, ...world, authenticate, redeem, readAs };
};

const pairIn = async (response: Response): Promise<CustomerPair> => {
  expect(response.status).toBe(200);
  expect(response.headers.get('Cache-Control')).toBe('no-store');
  const pair = await response.json<CustomerPair>();
  expect(Object.keys(pair)).toEqual(['cuid', 'key', 'token']);
  return pair;
};

describe('GET /customer/:identifier/auth with a cuid', () => {
  it('keeps the key, renews the token, and refuses the token from before at once', async () => {
    const { customer, authenticate, readAs } = await newAuthWorld();
    const pair = await pairIn(await authenticate(`${customer.cuid}/auth`));
    expect(pair).toMatchObject({ cuid: customer.cuid, key: customer.key });
    expect(pair.token).not.toBe(customer.token);
    expect((await readAs(pair)).status).toBe(200);
    expect(await refusalOf(await readAs(customer))).toMatchObject({ status: 403, message: 'Invalid token' });
    const next = await pairIn(await authenticate(`${customer.cuid}/auth`));
    expect(next.key).toBe(customer.key);
    expect(await refusalOf(await readAs(pair))).toMatchObject({ status: 403, message: 'Invalid token' });
  });

  it('gives each app a pair of its own', async () => {
    const { service, tenant, customer, authenticate, readAs } = await newAuthWorld();
    const other = await newApp(service, tenant, { permissions: ['all_customers'] });
    const theirs = await pairIn(await authenticate(`${customer.cuid}/auth`, other));
    expect(theirs.key).not.toBe(customer.key);
    expect((await readAs(theirs)).status).toBe(200);
    expect((await readAs(customer)).status).toBe(200);
  });

  it('has no customer that the app may not see', async () => {
    const { service, tenant, authenticate } = await newAuthWorld();
    const theirs = await newCustomer(service, await newApp(service, tenant));
    for (const identifier of [theirs.cuid, UNKNOWN_CUID, 'ada']) {
      expect(await refusalOf(await authenticate(`${identifier}/auth`))).toEqual(NOT_FOUND);
    }
  });

  it('refuses HEAD, which renews nothing', async () => {
    const { service, app, customer, readAs } = await newAuthWorld();
    const response = await service.call('HEAD', `/customer/${customer.cuid}/auth`, { headers: appHeaders(app) });
    expect(response.status).toBe(405);
    expect(response.headers.get('Allow')).toBe('GET');
    expect((await readAs(customer)).status).toBe(200);
  });

  it('is written in the audit log', async () => {
    const { app, customer, authenticate } = await newAuthWorld();
    await authenticate(`${customer.cuid}/auth`);
    expect((await eventsAbout(customer.cuid)).at(-1)).toEqual({ type: 'api_key.renewed', actor: `app:${app.id}` });
  });
});

describe('GET /customer/:identifier/auth with an email address', () => {
  it('gives the pair for the passcode that was mailed', async () => {
    const { service, app, customer, redeem, readAs } = await newAuthWorld();
    const pair = await pairIn(await redeem(await mailPasscode(service, app, customer.email)));
    expect(pair).toMatchObject({ cuid: customer.cuid, key: customer.key });
    expect((await readAs(pair)).status).toBe(200);
    expect(await refusalOf(await readAs(customer))).toMatchObject({ status: 403, message: 'Invalid token' });
  });

  it('knows the address in any case', async () => {
    const { service, app, customer, authenticate } = await newAuthWorld();
    const passcode = await mailPasscode(service, app, customer.email);
    await pairIn(await authenticate(`${customer.email.toUpperCase()}/auth?passcode=${passcode}`));
  });

  it.each(['', '?passcode=', '?other=1'])('refuses a missing passcode: %j', async (query) => {
    const { service, app, customer, authenticate, readAs } = await newAuthWorld();
    await mailPasscode(service, app, customer.email);
    expect(await refusalOf(await authenticate(`${customer.email}/auth${query}`))).toEqual(INVALID);
    expect((await readAs(customer)).status).toBe(200);
  });

  it('refuses a wrong passcode, and the right one is still good', async () => {
    const { service, app, customer, redeem, readAs } = await newAuthWorld();
    const passcode = await mailPasscode(service, app, customer.email);
    for (const wrong of [...wrongCodes(passcode, 2), 'abcdef', `0${passcode}`]) {
      expect(await refusalOf(await redeem(wrong))).toEqual(INVALID);
    }
    expect((await readAs(customer)).status).toBe(200);
    await pairIn(await redeem(passcode));
  });

  it('refuses a passcode when none was asked for', async () => {
    const { redeem } = await newAuthWorld();
    expect(await refusalOf(await redeem('123456'))).toEqual(INVALID);
  });

  it('refuses a passcode after ten minutes', async () => {
    const { service, app, customer, redeem } = await newAuthWorld();
    const passcode = await mailPasscode(service, app, customer.email);
    service.clock.advance(600);
    expect(await refusalOf(await redeem(passcode))).toEqual(INVALID);
  });

  it('takes a passcode until ten minutes are over', async () => {
    const { service, app, customer, redeem } = await newAuthWorld();
    const passcode = await mailPasscode(service, app, customer.email);
    service.clock.advance(599);
    await pairIn(await redeem(passcode));
  });

  it('refuses a passcode that was used', async () => {
    const { service, app, customer, redeem, readAs } = await newAuthWorld();
    const passcode = await mailPasscode(service, app, customer.email);
    const pair = await pairIn(await redeem(passcode));
    expect(await refusalOf(await redeem(passcode))).toEqual(INVALID);
    expect((await readAs(pair)).status).toBe(200);
  });

  it('refuses an older passcode, and takes the newest', async () => {
    const { service, app, customer, redeem } = await newAuthWorld();
    const older = await mailPasscode(service, app, customer.email);
    service.clock.advance(30);
    const newest = await mailPasscode(service, app, customer.email);
    expect(await refusalOf(await redeem(older))).toEqual(INVALID);
    await pairIn(await redeem(newest));
  });

  it('refuses even the right passcode after five wrong ones', async () => {
    const { service, app, customer, redeem } = await newAuthWorld();
    const passcode = await mailPasscode(service, app, customer.email);
    for (const wrong of wrongCodes(passcode, 5)) expect(await refusalOf(await redeem(wrong))).toEqual(INVALID);
    expect(await refusalOf(await redeem(passcode))).toEqual(INVALID);
  });

  it('takes a new passcode after the one before died of wrong tries', async () => {
    const { service, app, customer, redeem } = await newAuthWorld();
    for (const wrong of wrongCodes(await mailPasscode(service, app, customer.email), 5)) await redeem(wrong);
    service.clock.advance(30);
    await pairIn(await redeem(await mailPasscode(service, app, customer.email)));
  });

  it('refuses a passcode that another app asked for, which stays good for that one', async () => {
    const { service, tenant, app, customer, redeem } = await newAuthWorld();
    const other = await newApp(service, tenant, { permissions: ['passcode', 'all_customers'] });
    const passcode = await mailPasscode(service, app, customer.email);
    expect(await refusalOf(await redeem(passcode, other))).toEqual(INVALID);
    await pairIn(await redeem(passcode));
  });

  it('refuses the passcode of another customer', async () => {
    const { service, app, customer, redeem } = await newAuthWorld();
    await mailPasscode(service, app, customer.email);
    const other = await newCustomer(service, app);
    const theirs = await mailPasscode(service, app, other.email);
    expect(await refusalOf(await redeem(theirs))).toEqual(INVALID);
  });

  it('has no customer that the app may not see, whatever the passcode', async () => {
    const { service, tenant, authenticate } = await newAuthWorld();
    const other = await newApp(service, tenant);
    const theirs = await newCustomer(service, other);
    const passcode = await mailPasscode(service, other, theirs.email);
    for (const identifier of [theirs.email, uniqueEmail()]) {
      for (const query of ['', `?passcode=${passcode}`]) {
        expect(await refusalOf(await authenticate(`${identifier}/auth${query}`))).toEqual(NOT_FOUND);
      }
    }
  });

  it('is written in the audit log, as is a wrong passcode', async () => {
    const { service, app, customer, redeem } = await newAuthWorld();
    const passcode = await mailPasscode(service, app, customer.email);
    for (const each of [...wrongCodes(passcode, 1), passcode]) {
      service.clock.advance(1);
      await redeem(each);
    }
    expect((await eventsAbout(customer.cuid)).slice(-2)).toEqual([
      { type: 'login.failed', actor: `app:${app.id}` },
      { type: 'api_key.renewed', actor: `app:${app.id}` },
    ]);
  });
});

describe('the limit on wrong codes of a person', () => {
  it('refuses the right passcode too after 20 in an hour, and ends after 15 minutes', async () => {
    const { service, app, customer, redeem } = await newAuthWorld();
    for (const wrong of wrongCodes('000000', 20)) expect((await redeem(wrong)).status).toBe(401);
    const passcode = await mailPasscode(service, app, customer.email);
    const refused = await redeem(passcode);
    expect(await refusalOf(refused)).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(refused.headers.get('Retry-After')).toBe('900');
    service.clock.advance(899);
    const last = await redeem(passcode);
    expect(last.status).toBe(429);
    expect(last.headers.get('Retry-After')).toBe('1');
    service.clock.advance(1);
    await pairIn(await redeem(await mailPasscode(service, app, customer.email)));
  });

  it('is told of in the log when it locks, once', async () => {
    const { service, app, customer, redeem } = await newAuthWorld();
    const wrong = wrongCodes('000000', 21);
    for (const each of wrong.slice(0, 19)) await redeem(each);
    expect(await locksOf(customer.cuid)).toEqual([]);
    for (const each of wrong.slice(19)) await redeem(each);
    const locked = { actor: `app:${app.id}`, data: '{"by":"passcode"}' };
    expect(await locksOf(customer.cuid)).toEqual([locked]);
    service.clock.advance(900);
    await redeem('000000');
    expect(await locksOf(customer.cuid)).toEqual([locked, locked]);
  });

  it('leaves a passcode as it was: a refused try is none', async () => {
    const { service, app, customer, redeem } = await newAuthWorld();
    for (const wrong of wrongCodes('000000', 20)) await redeem(wrong);
    service.clock.advance(600);
    const passcode = await mailPasscode(service, app, customer.email);
    for (const wrong of wrongCodes(passcode, 6)) expect((await redeem(wrong)).status).toBe(429);
    service.clock.advance(300);
    await pairIn(await redeem(passcode));
  });

  it('is not used up by right passcodes', async () => {
    const { service, app, customer, redeem } = await newAuthWorld();
    for (const wrong of wrongCodes('000000', 19)) await redeem(wrong);
    await pairIn(await redeem(await mailPasscode(service, app, customer.email)));
    service.clock.advance(30);
    await pairIn(await redeem(await mailPasscode(service, app, customer.email)));
  });

  it('counts over all apps', async () => {
    const { service, tenant, redeem } = await newAuthWorld();
    const other = await newApp(service, tenant, { permissions: ['all_customers'] });
    for (const wrong of wrongCodes('000000', 20)) await redeem(wrong, other);
    expect((await redeem('123456')).status).toBe(429);
  });

  it('leaves other persons alone', async () => {
    const { service, app, redeem } = await newAuthWorld();
    for (const wrong of wrongCodes('000000', 21)) await redeem(wrong);
    const { email } = await newCustomer(service, app);
    const passcode = await mailPasscode(service, app, email);
    const response = await service.call('GET', `/customer/${email}/auth?passcode=${passcode}`, {
      headers: appHeaders(app),
    });
    await pairIn(response);
  });
});

describe('GET /customer/:email/auth/nopasscode', () => {
  it('gives the pair to an app with the permission', async () => {
    const { customer, authenticate, readAs } = await newAuthWorld();
    const pair = await pairIn(await authenticate(`${customer.email.toUpperCase()}/auth/nopasscode`));
    expect(pair).toMatchObject({ cuid: customer.cuid, key: customer.key });
    expect((await readAs(pair)).status).toBe(200);
    expect(await refusalOf(await readAs(customer))).toMatchObject({ status: 403, message: 'Invalid token' });
  });

  it('refuses an app without the permission nopasscode, and renews nothing', async () => {
    const service = createService();
    const app = await newApp(service, await newTenant(service), { permissions: ['passcode', 'sso'] });
    const customer = await newCustomer(service, app);
    const path = `/customer/${customer.email}/auth/nopasscode`;
    expect(await refusalOf(await service.call('GET', path, { headers: appHeaders(app) }))).toEqual(DENIED);
    const read = await service.call('GET', `/customer/${customer.cuid}`, { headers: customerHeaders(customer) });
    expect(read.status).toBe(200);
  });

  it('has no customer by cuid, none that there is not, and none that the app may not see', async () => {
    const { service, tenant, customer, authenticate } = await newAuthWorld();
    const theirs = await newCustomer(service, await newApp(service, tenant));
    for (const identifier of [customer.cuid, uniqueEmail(), theirs.email]) {
      expect(await refusalOf(await authenticate(`${identifier}/auth/nopasscode`))).toEqual(NOT_FOUND);
    }
  });

  it('refuses HEAD, which renews nothing', async () => {
    const { service, app, customer, readAs } = await newAuthWorld();
    const path = `/customer/${customer.email}/auth/nopasscode`;
    const response = await service.call('HEAD', path, { headers: appHeaders(app) });
    expect(response.status).toBe(405);
    expect(response.headers.get('Allow')).toBe('GET');
    expect((await readAs(customer)).status).toBe(200);
  });
});
