import { describe, expect, it } from 'vitest';
import { newPerson, type TestPerson } from '../../support/accounts.ts';
import { answerOf } from '../../support/answers.ts';
import { disableCustomer } from '../../support/customers.ts';
import { mailsTo } from '../../support/mailbox.ts';
import { eventsAbout, rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { appHeaders, newApp, newCustomer, newTenant, refusalOf, uniqueEmail } from '../../support/tenants.ts';

const SHOP = { site_url: 'https://shop.example.com', origins: ['https://my.example.org', 'http://localhost:3000'] };

/** A person whose mailbox no limit keeps closed, and the call that asks for a reset code. */
const newAskingWorld = async (profile: Record<string, unknown> = SHOP) => {
  const service = createService();
  const tenant = await newTenant(service, profile);
  const app = await newApp(service, tenant);
  const person = await newPerson(service, tenant, app);
  service.clock.advance(3600);
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    service.call('POST', `${tenant.host}/customers/password_reset`, { headers, body });
  const ask = (email = person.email, reset_uri = '/customers/do_reset', headers: Record<string, string> = {}) =>
    post({ email, reset_uri }, headers);
  return { service, tenant, app, person, post, ask };
};

const resetMailsTo = async ({ email }: Pick<TestPerson, 'email'>) =>
  (await mailsTo(email)).filter(({ subject }) => subject.startsWith('Choose a new password'));

const expectLimited = async (response: Response, seconds: number): Promise<void> => {
  expect(await refusalOf(response)).toMatchObject({ status: 429, code: 'rate_limited' });
  expect(response.headers.get('Retry-After')).toBe(String(seconds));
};

describe('POST /customers/password_reset', () => {
  it('mails a link with a code of ten, and tells the caller that it did', async () => {
    const { tenant, person, ask } = await newAskingWorld();
    const response = await ask(` ${person.email.toUpperCase()} `);
    expect(response.status).toBe(200);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(await response.json()).toEqual({ result: 'email_sent' });
    const [mail, ...others] = await resetMailsTo(person);
    expect(others).toEqual([]);
    expect(mail).toMatchObject({ to: person.email, from: { name: `Tenant ${tenant.slug}` } });
    const link = /^https:\/\/shop\.example\.com\/customers\/do_reset\/([A-Z0-9]{10})$/m.exec(mail?.text ?? '');
    expect(link).not.toBeNull();
    const [url = '', code = ''] = link ?? [];
    expect(mail?.html).toContain(`<a href="${url}">`);
    expect(mail?.subject).not.toContain(code);
    expect(mail?.text).not.toContain(person.password);
  });

  it('keeps the code for half an hour, and nowhere in the clear', async () => {
    const { service, tenant, person, ask } = await newAskingWorld();
    await ask();
    const { challenges } = await rowsOf(tenant.id);
    expect(challenges?.filter(({ purpose }) => purpose === 'password_reset')).toEqual([
      expect.objectContaining({
        customer_id: person.cuid,
        attempts: 0,
        consumed_at: null,
        expires_at: service.clock.now() + 30 * 60_000,
      }),
    ]);
    const [mail] = await resetMailsTo(person);
    const code = /do_reset\/([A-Z0-9]{10})/.exec(mail?.text ?? '')?.[1] ?? 'no code';
    expect(JSON.stringify(await rowsOf(tenant.id))).not.toContain(code);
  });

  it('changes nothing of the person, and is written in the audit log', async () => {
    const { service, tenant, person, ask } = await newAskingWorld();
    const { customers, users } = await rowsOf(tenant.id);
    await ask();
    expect(await rowsOf(tenant.id)).toMatchObject({ customers, users });
    expect((await eventsAbout(person.cuid)).at(-1)).toEqual({ type: 'user.password_reset_sent', actor: 'anonymous' });
    const { email, password } = person;
    const login = await service.call('POST', `${tenant.host}/customers/login`, { body: { email, password } });
    expect(login.status).toBe(200);
  });

  it('answers the same for an address that nobody has, and for a disabled customer, and mails them nothing', async () => {
    const { service, app, tenant, person, ask } = await newAskingWorld();
    const disabled = await newCustomer(service, app);
    await disableCustomer(disabled.cuid);
    const nobody = uniqueEmail();
    const known = [await answerOf(await ask()), await answerOf(await ask())];
    for (const email of [nobody, disabled.email]) {
      const before = await rowsOf(tenant.id);
      expect([await answerOf(await ask(email)), await answerOf(await ask(email))]).toEqual(known);
      expect(await mailsTo(email)).toEqual([]);
      expect({ ...(await rowsOf(tenant.id)), rate_hits: [] }).toEqual({ ...before, rate_hits: [] });
    }
    expect(await resetMailsTo(person)).toHaveLength(1);
  });

  it('is about the tenant of the host alone', async () => {
    const { service, person } = await newAskingWorld();
    const other = await newTenant(service, SHOP);
    const body = { email: person.email, reset_uri: '/reset' };
    const response = await service.call('POST', `${other.host}/customers/password_reset`, { body });
    expect(await response.json()).toEqual({ result: 'email_sent' });
    expect(await resetMailsTo(person)).toEqual([]);
  });

  it('tells every fault at once', async () => {
    const { post } = await newAskingWorld();
    for (const [body, expected] of [
      [{}, 'email required, reset_uri required'],
      [{ email: 'nobody', reset_uri: 1, code: 'X' }, 'code unknown_member, email invalid, reset_uri invalid'],
      [{ email: [], reset_uri: `/${'x'.repeat(2048)}` }, 'email invalid, reset_uri invalid'],
    ]) {
      const response = await post(body);
      const problem = await response.json<{ code: string; errors: { path: string; code: string }[] }>();
      expect([response.status, problem.code]).toEqual([400, 'validation_failed']);
      const faults = problem.errors.map(({ path, code }) => `${path} ${code}`);
      expect(faults.toSorted().join(', ')).toBe(expected);
    }
  });
});

describe('the place that the mailed link leads to', () => {
  it.each([
    ['/reset', 'https://shop.example.com/reset/'],
    ['/a/b.c/d-e_f~g/', 'https://shop.example.com/a/b.c/d-e_f~g/'],
    ['/', 'https://shop.example.com/'],
    ['https://shop.example.com/reset', 'https://shop.example.com/reset/'],
    ['https://SHOP.example.com:443/reset', 'https://shop.example.com/reset/'],
    ['https://my.example.org', 'https://my.example.org/'],
    ['http://localhost:3000/reset', 'http://localhost:3000/reset/'],
  ])('is %s below the site or one of its origins', async (resetUri, prefix) => {
    const { person, ask } = await newAskingWorld();
    expect((await ask(person.email, resetUri)).status).toBe(200);
    const [mail] = await resetMailsTo(person);
    const url = /https?:\/\/\S+/.exec(mail?.text ?? '')?.[0] ?? '';
    expect(url.slice(0, prefix.length)).toBe(prefix);
    expect(url.slice(prefix.length)).toMatch(/^[A-Z0-9]{10}$/);
  });

  it('is below the tenant’s own host when it has no site', async () => {
    const { tenant, person, ask } = await newAskingWorld({});
    expect((await ask(person.email, '/reset')).status).toBe(200);
    const [mail] = await resetMailsTo(person);
    expect(mail?.text).toMatch(new RegExp(`^${tenant.host}:8787/reset/[A-Z0-9]{10}$`, 'm'));
  });

  it('is no other: the answer is 400, whoever it is for, nothing is mailed and nothing counted', async () => {
    const { tenant, person, ask } = await newAskingWorld();
    const before = await rowsOf(tenant.id);
    for (const resetUri of [
      'https://evil.example/reset',
      '//evil.example/reset',
      '/\\evil.example/reset',
      '\\\\evil.example/reset',
      '/\t/evil.example/reset',
      '/\n/evil.example',
      ' //evil.example',
      'https:evil.example',
      'https:/evil.example',
      'https:\\\\evil.example',
      'https://shop.example.com.evil.example/reset',
      'https://shop.example.com@evil.example/reset',
      'https://user@shop.example.com/reset',
      'https://shop.example.com\\@evil.example/reset',
      'https://shop.example.com:8443/reset',
      'http://shop.example.com/reset',
      'https://localhost:3000/reset',
      'https://example.org/reset',
      'https://my.example.org.',
      'javascript:alert(1)//',
      'data:text/html,x',
      'reset',
      './reset',
      '/reset?next=https://evil.example',
      '/reset#top',
      '/réset',
      '/reset\r\nBcc: all@example.com',
      '/reset me',
      'https://[/reset',
      tenant.host,
    ]) {
      for (const email of [person.email, uniqueEmail()]) {
        const response = await ask(email, resetUri);
        const problem = await response.json<{ code: string; errors: unknown }>();
        expect([resetUri, response.status, problem.code]).toEqual([resetUri, 400, 'validation_failed']);
        expect(problem.errors).toEqual([{ path: 'reset_uri', code: 'invalid', message: expect.any(String) }]);
      }
    }
    expect(await resetMailsTo(person)).toEqual([]);
    expect(await rowsOf(tenant.id)).toEqual(before);
  });
});

describe('the limits on reset mails', () => {
  it.each(['somebody', 'nobody'])('allow one in 30 seconds to the address of %s', async (whose) => {
    const { service, person, ask } = await newAskingWorld();
    const email = whose === 'somebody' ? person.email : uniqueEmail();
    expect((await ask(email)).status).toBe(200);
    await expectLimited(await ask(email.toUpperCase()), 30);
    service.clock.advance(29);
    await expectLimited(await ask(email), 1);
    service.clock.advance(1);
    expect((await ask(email)).status).toBe(200);
    expect(await resetMailsTo({ email })).toHaveLength(whose === 'somebody' ? 2 : 0);
  });

  it.each(['somebody', 'nobody'])('allow five in an hour to the address of %s', async (whose) => {
    const { service, person, ask } = await newAskingWorld();
    const email = whose === 'somebody' ? person.email : uniqueEmail();
    for (let i = 0; i < 5; i++) {
      expect((await ask(email)).status).toBe(200);
      service.clock.advance(60);
    }
    await expectLimited(await ask(email), 3600 - 5 * 60);
    service.clock.advance(3600 - 5 * 60 - 1);
    await expectLimited(await ask(email), 1);
    service.clock.advance(1);
    expect((await ask(email)).status).toBe(200);
  });

  it('hold for reset codes and passcodes together', async () => {
    const { service, app, person, ask } = await newAskingWorld();
    await ask();
    const path = `/customer/${person.email}/passcode`;
    await expectLimited(await service.call('GET', path, { headers: appHeaders(app) }), 30);
    service.clock.advance(30);
    expect((await service.call('GET', path, { headers: appHeaders(app) })).status).toBe(200);
    await expectLimited(await ask(), 30);
  });

  it('allow 30 requests a minute from one address of the internet', async () => {
    const { person, ask } = await newAskingWorld();
    const from = { 'CF-Connecting-IP': '203.0.113.7' };
    for (let i = 0; i < 30; i++) expect((await ask(uniqueEmail(), '/reset', from)).status).toBe(200);
    await expectLimited(await ask(person.email, '/reset', from), 60);
    expect(await resetMailsTo(person)).toEqual([]);
    expect((await ask(person.email, '/reset', { 'CF-Connecting-IP': '203.0.113.8' })).status).toBe(200);
  });
});
