import { describe, expect, it } from 'vitest';
import { newPerson } from '../../support/accounts.ts';
import { lastMailTo, mailsTo } from '../../support/mailbox.ts';
import { canSignIn, newActivation, newPassword, openPage, postForm, twice } from '../../support/pages.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService, type Service } from '../../support/service.ts';
import { newApp, newTenant, type TestTenant, uniqueEmail } from '../../support/tenants.ts';

const newHousehold = async (service: Service, profile: Record<string, unknown> = {}) => {
  const tenant = await newTenant(service, profile);
  const person = await newPerson(service, tenant, await newApp(service, tenant));
  // The person's address just got a mail, and gets one in 30 seconds at most.
  service.clock.advance(31);
  return { tenant, person };
};

/** The page that the mail leads to, at the tenant's own host. */
const askForLink = async (service: Service, tenant: TestTenant, email: string) => {
  const asked = await postForm(service, `${tenant.host}/reset`, { email });
  expect(asked.status).toBe(200);
  const { text } = await lastMailTo(email);
  const [, site, code] = /(https?:\/\/\S+)\/reset\/([A-Z0-9]{10})\s/.exec(text) ?? [];
  return { asked, site, code, url: `${tenant.host}/reset/${code}` };
};

describe('the page for a forgotten password', () => {
  it('asks for the address', async () => {
    const service = createService();
    const page = await openPage(service, `${(await newTenant(service, { name: 'The Bakery' })).host}/reset`);
    expect(page.status).toBe(200);
    expect(page.textOf('title')).toBe('Forgotten your password? – The Bakery');
    expect(page.all('input').map(({ attributes }) => attributes)).toMatchObject([
      { name: 'email', type: 'email', autocomplete: 'email', required: '' },
    ]);
  });

  it('mails a link to a hosted page, and says the same of an address that nobody has', async () => {
    const service = createService();
    const { tenant, person } = await newHousehold(service);
    const { asked, site, url } = await askForLink(service, tenant, person.email);
    expect(site).toBe(`${tenant.host}:8787`);
    expect(asked.told('status')).toMatch(/If there is an account/);
    const stranger = uniqueEmail();
    const unknown = await postForm(service, `${tenant.host}/reset`, { email: stranger });
    expect(unknown.status).toBe(200);
    expect(unknown.source).toBe(asked.source);
    const [known, other] = [asked, unknown].map(({ headers }) =>
      [...headers].filter(([name]) => name !== 'x-request-id'),
    );
    expect(other).toEqual(known);
    expect(await mailsTo(stranger)).toEqual([]);
    expect((await openPage(service, url)).status).toBe(200);
  });

  it('leads to the tenant’s own site where it has one', async () => {
    const service = createService();
    const { tenant, person } = await newHousehold(service, { site_url: 'https://shop.example.com' });
    expect((await askForLink(service, tenant, person.email)).site).toBe('https://shop.example.com');
  });

  it('keeps an address that is none, and says what is wrong with it', async () => {
    const service = createService();
    const { host } = await newTenant(service);
    const typed = `"><b onclick=alert(1)>&amp;`;
    const page = await postForm(service, `${host}/reset`, { email: typed });
    expect(page.status).toBe(400);
    expect(page.faultOf('email')).toMatch(/^Enter an email address/);
    expect(page.source).toContain('value="&quot;&gt;&lt;b onclick=alert(1)&gt;&amp;amp;"');
    expect(page.all('b')).toEqual([]);
    for (const fields of [{}, { email: '' }]) {
      expect((await postForm(service, `${host}/reset`, fields)).faultOf('email')).not.toBe('');
    }
  });

  it('takes an address that is given twice for none', async () => {
    const service = createService();
    const { host } = await newTenant(service);
    const url = `${host}/reset`;
    const response = await service.call('POST', url, {
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      rawBody: 'email=a@example.com&email=b@example.com',
    });
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain('a@example.com');
  });

  it('says how long to wait for the next mail, the same for whoever has an account or none', async () => {
    const service = createService();
    const { tenant, person } = await newHousehold(service);
    const pages = [];
    for (const email of [person.email, uniqueEmail()]) {
      await postForm(service, `${tenant.host}/reset`, { email });
      const page = await postForm(service, `${tenant.host}/reset`, { email });
      expect(page).toMatchObject({ status: 429 });
      expect(page.headers.get('Retry-After')).toBe('30');
      expect(page.all('input')[0]?.attributes.value).toBe(email);
      pages.push(page.source.replace(email, ''));
    }
    expect(pages[0]).toBe(pages[1]);
    expect(pages[0]).toContain('Please try again in 30 seconds.');
  });
});

describe('the reset page', () => {
  it('asks for the address and a new password, and consumes nothing however often it is looked at', async () => {
    const service = createService();
    const { tenant, person } = await newHousehold(service);
    const { url } = await askForLink(service, tenant, person.email);
    const before = await rowsOf(tenant.id);
    for (const method of ['GET', 'HEAD', 'GET', 'HEAD', 'GET', 'GET', 'GET']) {
      expect((await service.call(method, url)).status).toBe(200);
    }
    const page = await openPage(service, url);
    expect(page.all('input').map(({ attributes }) => attributes)).toMatchObject([
      { name: 'email', type: 'email', autocomplete: 'email' },
      { name: 'password', type: 'password', autocomplete: 'new-password' },
      { name: 'password_check', type: 'password', autocomplete: 'new-password' },
    ]);
    expect(await rowsOf(tenant.id)).toEqual(before);

    const password = newPassword();
    const done = await postForm(service, url, { email: person.email.toUpperCase(), ...twice(password) });
    expect(done.status).toBe(200);
    expect(done.textOf('h1')).toBe('Your password was changed');
    expect(done.all('a')).toMatchObject([{ attributes: { href: '/login' } }]);
    expect(await canSignIn(service, tenant, person.email, password)).toBe(true);
    expect(await canSignIn(service, tenant, person.email, person.password)).toBe(false);
  });

  it('takes a code once, and then offers a new one', async () => {
    const service = createService();
    const { tenant, person } = await newHousehold(service);
    const { url } = await askForLink(service, tenant, person.email);
    const first = newPassword();
    await postForm(service, url, { email: person.email, ...twice(first) });
    const again = await postForm(service, url, { email: person.email, ...twice(newPassword()) });
    expect(again.status).toBe(400);
    expect(again.told('alert')).toMatch(/already used/);
    expect(again.all('a')).toMatchObject([{ attributes: { href: '/reset' }, text: 'Ask for a new link' }]);
    expect(await canSignIn(service, tenant, person.email, first)).toBe(true);
  });

  it('keeps the address that was typed, but no password', async () => {
    const service = createService();
    const { tenant, person } = await newHousehold(service);
    const { url } = await askForLink(service, tenant, person.email);
    const mistyped = uniqueEmail();
    const password = newPassword();
    const page = await postForm(service, url, { email: mistyped, ...twice(password) });
    expect(page.status).toBe(400);
    expect(page.all('input').map(({ attributes }) => attributes.value)).toEqual([mistyped, undefined, undefined]);
    expect(page.source).not.toContain(password);
    expect((await postForm(service, url, { email: person.email, ...twice(password) })).status).toBe(200);
  });

  it('tells what is wrong with each field', async () => {
    const service = createService();
    const { tenant, person } = await newHousehold(service);
    const { url } = await askForLink(service, tenant, person.email);
    const { email } = person;
    const noAddress = await postForm(service, url, { email: 'ada', ...twice(newPassword()) });
    expect(noAddress.faultOf('email')).toMatch(/name@example\.com/);
    const different = await postForm(service, url, { email, password: newPassword(), password_check: newPassword() });
    expect(different.faultOf('password_check')).toMatch(/not the same/);
    const short = await postForm(service, url, { email, ...twice('short') });
    expect(short.faultOf('password')).toMatch(/too short/);
    expect([noAddress, different, short].map(({ status }) => status)).toEqual([400, 400, 400]);
    expect((await postForm(service, url, { email, ...twice(newPassword()) })).status).toBe(200);
  });

  it('takes no code at another tenant’s host, and none after 30 minutes', async () => {
    const service = createService();
    const { tenant, person } = await newHousehold(service);
    const { code, url } = await askForLink(service, tenant, person.email);
    const other = await newTenant(service);
    const fields = { email: person.email, ...twice(newPassword()) };
    expect((await postForm(service, `${other.host}/reset/${code}`, fields)).status).toBe(400);
    service.clock.advance(30 * 60 + 1);
    expect((await postForm(service, url, fields)).status).toBe(400);
    expect(await canSignIn(service, tenant, person.email, person.password)).toBe(true);
  });

  it('is closed for a while to whoever guesses codes', async () => {
    const service = createService();
    const { tenant, person } = await newHousehold(service, { settings: { rate_limits: { wrong_codes_per_hour: 5 } } });
    const fields = { email: person.email, ...twice(newPassword()) };
    const statuses = [];
    for (let i = 0; i < 7; i += 1) {
      statuses.push((await postForm(service, `${tenant.host}/reset/WRONG0000${i}`, fields)).status);
    }
    expect(statuses).toEqual([400, 400, 400, 400, 400, 429, 429]);
    const page = await postForm(service, `${tenant.host}/reset/WRONG00009`, fields, { 'Accept-Language': 'de' });
    expect(page.told('alert')).toBe('Das wurde zu oft versucht. Bitte versuchen Sie es in 15 Minuten noch einmal.');
    expect(Number(page.headers.get('Retry-After'))).toBeLessThanOrEqual(900);
  });

  it('lets whoever never activated the account in, as the activation page promises', async () => {
    const service = createService();
    const { tenant, email } = await newActivation(service);
    service.clock.advance(31);
    const { url } = await askForLink(service, tenant, email);
    const password = newPassword();
    expect((await postForm(service, url, { email, ...twice(password) })).status).toBe(200);
    expect(await canSignIn(service, tenant, email, password)).toBe(true);
  });
});
