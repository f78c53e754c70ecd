import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { ScriptedAnswer } from '../peers/scripted.ts';
import { breakable } from '../support/bindings.ts';
import {
  callbackWith,
  failuresOf,
  identitiesOf,
  newCompany,
  newOnlineService,
  newScriptedCompany,
  peopleOf,
  signInAs,
} from '../support/companies.ts';
import { redeemReturn, returnOf } from '../support/connections.ts';
import { cookieIn, postLogin } from '../support/logins.ts';
import { DISCOVERY, newScriptedProvider } from '../support/oidc.ts';
import { rowsOf } from '../support/rows.ts';
import { newSamlCompany } from '../support/saml-companies.ts';
import { htmlAnswer, jsonAnswer, SILENCE } from '../support/scripted.ts';
import { createService } from '../support/service.ts';
import { refusalOf } from '../support/tenants.ts';

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:1';

const FAILED = { status: 502, code: 'identity_provider_failed' };

type Company = Awaited<ReturnType<typeof newCompany>>;

const start = ({ browser, emailOf }: Company): Promise<Response> =>
  browser.call('POST', '/v1/auth/startlogin', { body: { email_address: emailOf('ada') } });

/** Fails unless the sign-in does not begin, and nothing is stored. */
const expectNoStart = async (company: Company): Promise<void> => {
  const before = await rowsOf(company.tenant.id);
  const response = await start(company);
  const text = await response.clone().text();
  expect(await refusalOf(response)).toMatchObject(FAILED);
  expect(text).not.toMatch(/127\.0\.0\.1|canary/);
  expect(await rowsOf(company.tenant.id)).toEqual(before);
};

describe('a provider that fails when a sign-in begins', () => {
  it('is told when nobody is there', async () => {
    await expectNoStart(await newCompany(newOnlineService(), NOWHERE));
  });

  const answers: [string, (issuer: string) => ScriptedAnswer][] = [
    ['is not found', () => ({ status: 404 })],
    ['has an error of its own', () => ({ status: 500, body: 'canary' })],
    ['answers a page', () => htmlAnswer],
    ['answers half an object', () => jsonAnswer({ issuer: 'canary' })],
    ['is another one', (issuer) => jsonAnswer({ issuer: `${issuer}/canary`, authorization_endpoint: issuer })],
    ['leads elsewhere', () => ({ status: 302, headers: { Location: 'http://127.0.0.1/canary' } })],
    ['never ends', () => ({ headers: { 'Content-Type': 'application/json' }, body: '{', ending: 'endless' })],
  ];
  it.each(answers)('is told when it %s', async (_, answer) => {
    const provider = await newScriptedProvider();
    await provider.answer(answer(provider.issuer), DISCOVERY);
    await expectNoStart(await newCompany(newOnlineService(), provider.issuer));
  });

  it.each(['authorization_endpoint', 'token_endpoint', 'jwks_uri', 'userinfo_endpoint', 'end_session_endpoint'])(
    'is told when its %s is within a private network, which is not called',
    async (member) => {
      const provider = await newScriptedProvider();
      await provider.answer(jsonAnswer({ ...provider.metadata, [member]: 'http://10.0.0.1/canary' }), DISCOVERY);
      const called: string[] = [];
      const service = createService({}, (url, init) => {
        called.push(String(url));
        return fetch(url, init);
      });
      await expectNoStart(await newCompany(service, provider.issuer));
      expect(called).toEqual([provider.issuer + DISCOVERY]);
    },
  );

  it('does not last: the next sign-in begins', async () => {
    const company = await newScriptedCompany({ signup: true });
    await company.provider.answer({ status: 500 }, DISCOVERY);
    await expectNoStart(company);
    await company.provider.answer(jsonAnswer(company.provider.metadata), DISCOVERY);
    expect((await signInAs(company)).user_id).not.toBe('');
  });

  it('hinders nobody who does not sign in there', async () => {
    const { browser, customer } = await newCompany(newOnlineService(), NOWHERE);
    const body = { email_address: customer.email };
    const response = await browser.call('POST', '/v1/auth/startlogin', { body });
    expect(await response.json()).toMatchObject({ has_idp: false });
  });
});

describe('a provider that fails when a person comes back', () => {
  const newFailing = async (answer: ScriptedAnswer, below: string) => {
    const company = await newScriptedCompany({ signup: true });
    const prepared = await company.prepare();
    await company.provider.answer(answer, below === '/token' ? `/token/${prepared.code}` : below);
    return { ...company, ...prepared };
  };

  /** Fails unless the person goes on with this error and nothing else, and can begin again. */
  const expectError = async (company: Awaited<ReturnType<typeof newFailing>>, error: string): Promise<void> => {
    const { browser, tenant, code, state } = company;
    const before = await peopleOf(tenant.id);
    const response = await browser.call('GET', callbackWith({ code, state }));
    expect(returnOf(response)).toEqual({ error, state });
    expect(cookieIn(response, '__Host-refresh')).toBeNull();
    expect(await peopleOf(tenant.id)).toEqual(before);
    const failures = await failuresOf(tenant.id);
    expect(failures).toMatchObject([{ by: 'connection:company' }]);
    expect(JSON.stringify(failures)).not.toContain('canary');
    expect((await browser.call('GET', callbackWith({ code, state }))).status).toBe(401);
    await company.provider.answer(jsonAnswer({ keys: [company.provider.key.jwk] }), '/keys');
    // Keys are asked for once a minute.
    company.service.clock.advance(60);
    expect((await signInAs(company)).user_id).not.toBe('');
  };

  const nonsense: [string, ScriptedAnswer, string][] = [
    [
      'refuses the code',
      jsonAnswer({ error: 'invalid_grant', error_description: 'canary' }, { status: 400 }),
      '/token',
    ],
    ['does not know us', jsonAnswer({ error: 'invalid_client' }, { status: 401 }), '/token'],
    ['answers a page', htmlAnswer, '/token'],
    ['answers without an ID token', jsonAnswer({ access_token: 'canary', token_type: 'Bearer' }), '/token'],
    [
      'answers an ID token that is none',
      jsonAnswer({ access_token: 'a', token_type: 'Bearer', id_token: 'canary' }),
      '/token',
    ],
    ['leads elsewhere', { status: 307, headers: { Location: 'http://127.0.0.1/canary' } }, '/token'],
    ['never ends', { headers: { 'Content-Type': 'application/json' }, body: '{', ending: 'endless' }, '/token'],
    ['has no keys', jsonAnswer({ keys: [] }), '/keys'],
    ['has a page for its keys', htmlAnswer, '/keys'],
  ];
  it.each(nonsense)('and %s lets nobody in', async (_, answer, below) => {
    await expectError(await newFailing(answer, below), 'access_denied');
  });

  it('and is gone lets nobody in for the moment', async () => {
    const provider = await newScriptedProvider();
    let isGone = false;
    const service = createService({}, (url, init) => fetch(isGone ? NOWHERE : url, init));
    const company = await newCompany(service, provider.issuer, { signup: true });
    const response = await start(company);
    const { state } = await response.json<{ state: string }>();
    isGone = true;
    const back = await company.browser.call('GET', callbackWith({ code: 'code', state }));
    expect(returnOf(back)).toEqual({ error: 'temporarily_unavailable', state });
    expect(await failuresOf(company.tenant.id)).toMatchObject([{ reason: 'token_network' }]);
  });

  it('and one that is silent have five seconds each', async () => {
    const callback = await newFailing(SILENCE, '/token');
    const keys = await newFailing(SILENCE, '/keys');
    const beginning = await newScriptedCompany();
    await beginning.provider.answer(SILENCE, DISCOVERY);
    const startedAt = Date.now();
    await Promise.all([
      expectNoStart(beginning),
      expectError(callback, 'temporarily_unavailable'),
      expectError(keys, 'temporarily_unavailable'),
    ]);
    expect(Date.now() - startedAt).toBeLessThan(10_000);
  }, 20_000);
});

describe('storage that fails', () => {
  const newBreakable = async () => {
    const storage = breakable(env);
    const company = await newScriptedCompany({ signup: true }, storage.bindings);
    return { ...company, storage, customersBefore: (await peopleOf(company.tenant.id)).customers?.length ?? 0 };
  };

  type Breakable = Awaited<ReturnType<typeof newBreakable>>;

  const expectUnavailable = (response: Response): void => {
    expect(response.status).toBe(503);
    expect(response.headers.get('Retry-After')).toBe('5');
    expect(response.headers.get('Location')).toBeNull();
    expect(cookieIn(response, '__Host-refresh')).toBeNull();
  };

  /** Fails unless the person signs in by beginning again, and is there once. */
  const expectRecovery = async (company: Breakable): Promise<void> => {
    company.storage.failWhen(null);
    const { user_id } = await signInAs(company);
    expect(await identitiesOf(company.tenant.id)).toMatchObject([{ user_id }]);
    expect((await peopleOf(company.tenant.id)).customers).toHaveLength(company.customersBefore + 1);
  };

  const comeBack = async (company: Breakable, fail: Parameters<Breakable['storage']['failWhen']>[0]) => {
    const prepared = await company.prepare();
    company.storage.failWhen(fail);
    return company.browser.call('GET', callbackWith(prepared));
  };

  it.each(['before', 'after'] as const)(
    '%s any one operation of a callback leaves nobody half made',
    async (moment) => {
      const counting = await newBreakable();
      expect(returnOf(await comeBack(counting, () => null)).code).toBeDefined();
      const operations = counting.storage.operations();
      expect(operations).toBeGreaterThan(3);
      for (let failing = 1; failing <= operations; failing += 1) {
        const company = await newBreakable();
        expectUnavailable(await comeBack(company, (_, count) => (count === failing ? moment : null)));
        const { sessions, customers, users, identities } = await peopleOf(company.tenant.id);
        expect(sessions).toEqual([]);
        // The customer, its owner and who that is for the provider: all of them or none.
        const made = (customers?.length ?? 0) - company.customersBefore;
        expect([made, users?.length, identities?.length]).toEqual([made, company.customersBefore + made, made]);
        await expectRecovery(company);
      }
    },
    30_000,
  );

  it.each(['KV', 'D1'])('of the kind %s is told, and nobody is let in', async (kind) => {
    const company = await newBreakable();
    expectUnavailable(await comeBack(company, (operation) => (operation.startsWith(kind) ? 'before' : null)));
    expect((await peopleOf(company.tenant.id)).sessions).toEqual([]);
    await expectRecovery(company);
  });

  it('when a refusal is written down is told, too', async () => {
    const company = await newBreakable();
    const { code, state } = await company.prepare({ email: 'ada@elsewhere.example' });
    let statements = 0;
    company.storage.failWhen((operation) => {
      if (operation.startsWith('D1') && operation !== 'D1 batch') statements += 1;
      return statements === 2 ? 'before' : null;
    });
    expectUnavailable(await company.browser.call('GET', callbackWith({ code, state })));
    company.storage.failWhen(null);
    expect(await failuresOf(company.tenant.id)).toEqual([]);
    await expectRecovery(company);
  });

  it('when a sign-in begins leaves no state', async () => {
    const company = await newBreakable();
    const before = await rowsOf(company.tenant.id);
    let batches = 0;
    company.storage.failWhen((operation) => {
      if (operation === 'D1 batch') batches += 1;
      return operation === 'D1 batch' && batches === 2 ? 'before' : null;
    });
    const response = await start(company);
    expect(await refusalOf(response)).toMatchObject({ status: 503, code: 'storage_unavailable' });
    company.storage.failWhen(null);
    const after = await rowsOf(company.tenant.id);
    expect(after).toEqual({ ...before, rate_hits: after.rate_hits });
  });

  it.each(['D1', 'KV'])('of the kind %s leaves the code good that is being traded', async (kind) => {
    const company = await newBreakable();
    const { code = '', state = '' } = returnOf(await company.comeBackAs());
    company.service.clock.advance(1);
    company.storage.failWhen((operation) => (operation.startsWith(kind) ? 'before' : null));
    expectUnavailable(await postLogin(company.browser, code, state));
    company.storage.failWhen(null);
    expect((await peopleOf(company.tenant.id)).sessions).toEqual([]);
    expect((await postLogin(company.browser, code, state)).status).toBe(200);
  });

  it('leaves nothing of a SAML sign-in either', async () => {
    const storage = breakable(env);
    const company = await newSamlCompany({}, {}, createService(storage.bindings));
    const { state, requestId } = await company.begin();
    const xml = await company.answerTo(requestId);
    const before = await peopleOf(company.tenant.id);
    storage.failWhen((operation) => (operation === 'D1 batch' ? 'before' : null));
    expectUnavailable(await company.post(xml, state));
    storage.failWhen(null);
    expect(await peopleOf(company.tenant.id)).toEqual(before);
    const again = await company.begin();
    const response = await company.post(await company.answerTo(again.requestId), again.state);
    company.service.clock.advance(1);
    expect((await redeemReturn(company.browser, response)).customer_id).toBe(company.customer.cuid);
  });
});
