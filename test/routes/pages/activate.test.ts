import { describe, expect, it } from 'vitest';
import {
  canSignIn,
  newActivation,
  newActivationPage,
  newPassword,
  openPage,
  postForm,
  twice,
} from '../../support/pages.ts';
import { rowsOf } from '../../support/rows.ts';
import { createService } from '../../support/service.ts';
import { newTenant } from '../../support/tenants.ts';

const LINK_IS_OVER = 'This link is no longer valid';

describe('the activation page', () => {
  it('asks for a password, twice, and consumes nothing however often it is looked at', async () => {
    const service = createService();
    const { tenant, email, url } = await newActivation(service, { name: 'The Bakery' });
    const before = await rowsOf(tenant.id);
    for (const method of ['GET', 'HEAD', 'GET', 'HEAD', 'GET', 'GET', 'GET']) {
      expect((await service.call(method, url)).status).toBe(200);
    }
    const page = await openPage(service, url);
    expect(page.textOf('title')).toBe('Activate your account – The Bakery');
    expect(page.textOf('main')).toContain('The Bakery');
    expect(page.all('form')).toMatchObject([{ attributes: { method: 'post' } }]);
    expect(page.all('input').map(({ attributes }) => attributes)).toMatchObject([
      { name: 'password', type: 'password', autocomplete: 'new-password', required: '' },
      { name: 'password_check', type: 'password', autocomplete: 'new-password', required: '' },
    ]);
    expect(page.told('alert')).toBe('');
    expect(await rowsOf(tenant.id)).toEqual(before);

    const password = newPassword();
    expect((await postForm(service, url, twice(password))).status).toBe(200);
    expect(await canSignIn(service, tenant, email, password)).toBe(true);
  });

  it('says that it is done, and leads to the login', async () => {
    const service = createService();
    const { url } = await newActivation(service, { name: 'The Bakery' });
    const done = await postForm(service, url, twice(newPassword()));
    expect(done.textOf('h1')).toBe('Your account is active');
    expect(done.told('status')).toContain('The Bakery');
    expect(done.all('a')).toMatchObject([{ attributes: { href: '/login' }, text: 'Sign in' }]);
    expect(done.all('form')).toEqual([]);
  });

  it('activates once, and then offers a new link', async () => {
    const service = createService();
    const { tenant, email, url } = await newActivation(service);
    const [first, second] = [newPassword(), newPassword()];
    await postForm(service, url, twice(first));
    const again = await postForm(service, url, twice(second));
    expect(again).toMatchObject({ status: 400 });
    expect(again.textOf('h1')).toBe(LINK_IS_OVER);
    expect(again.all('a')).toMatchObject([{ attributes: { href: '/reset' } }]);
    expect(await canSignIn(service, tenant, email, second)).toBe(false);
    expect(await canSignIn(service, tenant, email, first)).toBe(true);
  });

  it('activates once when it is posted twice at a time', async () => {
    const service = createService();
    const { url } = await newActivation(service);
    const pages = await Promise.all([0, 1, 2].map(() => postForm(service, url, twice(newPassword()))));
    expect(pages.map(({ status }) => status).toSorted()).toEqual([200, 400, 400]);
  });

  const faulty: Record<string, { fields: Record<string, string>; at: string; fault: RegExp }> = {
    'a password that is repeated otherwise': {
      fields: { password: 'correct horse battery', password_check: 'correct horse batterz' },
      at: 'password_check',
      fault: /not the same/,
    },
    'a password that is too short': { fields: twice('seven77'), at: 'password', fault: /too short/ },
    'a password that is too long': { fields: twice('ß'.repeat(257)), at: 'password', fault: /too long/ },
    'a password that is longer than is read': { fields: twice('x'.repeat(1025)), at: 'password', fault: /8 to 256/ },
    'a common password': { fields: twice('password123'), at: 'password', fault: /easy to guess/ },
    'the tenant’s name as password': { fields: twice('the GREAT bakery'), at: 'password', fault: /name of this site/ },
    'no password': { fields: {}, at: 'password', fault: /8 to 256/ },
    'an empty password': { fields: twice(''), at: 'password', fault: /too short/ },
  };
  for (const [what, { fields, at, fault }] of Object.entries(faulty)) {
    it(`tells what is wrong with ${what}, repeats none and leaves the link good`, async () => {
      const service = createService();
      const { tenant, email, url } = await newActivation(service, { name: 'The Great Bakery' });
      const page = await postForm(service, url, fields);
      expect(page.status).toBe(400);
      expect(page.textOf('title')).toBe('Error: Activate your account – The Great Bakery');
      expect(page.told('alert')).toBe('Please check what you typed.');
      expect(page.faultOf(at)).toMatch(fault);
      const [start] = page.all('input').filter(({ attributes }) => attributes.autofocus !== undefined);
      expect(start?.attributes.name).toBe(at);
      expect(page.all('input').map(({ attributes }) => attributes.value)).toEqual([undefined, undefined]);
      const [typed] = Object.values(fields).filter((each) => each !== '' && each.length < 300);
      if (typed !== undefined && typed !== 'the GREAT bakery') expect(page.source).not.toContain(typed);

      const password = newPassword();
      expect((await postForm(service, url, twice(password))).status).toBe(200);
      expect(await canSignIn(service, tenant, email, password)).toBe(true);
    });
  }

  it('takes the email address for no password', async () => {
    const service = createService();
    const { email, url } = await newActivation(service);
    expect((await postForm(service, url, twice(email))).faultOf('password')).toMatch(/your email address/);
  });

  it('takes no secret that was not mailed, whoever it is said to be for', async () => {
    const service = createService();
    const { tenant, identifier, secret, url } = await newActivation(service);
    for (const path of [
      `${identifier}/${'A'.repeat(24)}`,
      `usr_${'0'.repeat(26)}/${secret}`,
      `${identifier.toUpperCase()}/${secret}`,
      `${identifier}/${secret.toLowerCase()}`,
      `${secret}/${identifier}`,
      `${encodeURIComponent('"><script>alert(1)</script>')}/${encodeURIComponent("'; drop table users; --")}`,
      `${'x'.repeat(3000)}/${'y'.repeat(3000)}`,
    ]) {
      const page = await postForm(service, `${tenant.host}/activate/${path}`, twice(newPassword()));
      expect(page.status, path).toBe(400);
      expect(page.textOf('h1')).toBe(LINK_IS_OVER);
      expect(page.source).not.toContain('alert(1)');
    }
    expect((await postForm(service, url, twice(newPassword()))).status).toBe(200);
  });

  it('tells nothing of a link before its form is posted', async () => {
    const service = createService();
    const { tenant, url } = await newActivation(service);
    const good = await openPage(service, url);
    const bad = await openPage(service, `${tenant.host}/activate/nobody/nothing`);
    expect(bad.source).toBe(good.source);
  });

  it('takes no link that is older than seven days', async () => {
    const service = createService();
    const { url } = await newActivation(service);
    service.clock.advance(7 * 24 * 3600 + 1);
    expect(await postForm(service, url, twice(newPassword()))).toMatchObject({ status: 400 });
  });

  it('takes no link at another tenant’s host', async () => {
    const service = createService();
    const { identifier, secret, url } = await newActivation(service);
    const other = await newTenant(service, { name: 'Another' });
    const elsewhere = `${other.host}/activate/${identifier}/${secret}`;
    expect((await openPage(service, elsewhere)).textOf('header')).toBe('Another');
    expect(await postForm(service, elsewhere, twice(newPassword()))).toMatchObject({ status: 400 });
    expect((await postForm(service, url, twice(newPassword()))).status).toBe(200);
  });

  it('says how long to wait after too many tries, also to whoever has the right link', async () => {
    const service = createService();
    const tenant = await newTenant(service, { settings: { rate_limits: { auth_per_ip_per_minute: 2 } } });
    const { url } = await newActivationPage(service, tenant);
    const from = { 'CF-Connecting-IP': '192.0.2.7' };
    const wrong = `${tenant.host}/activate/usr_${'0'.repeat(26)}/WRONG`;
    for (let i = 0; i < 2; i += 1)
      expect((await postForm(service, wrong, twice(newPassword()), from)).status).toBe(400);
    service.clock.advance(15);
    const page = await postForm(service, url, twice(newPassword()), from);
    expect(page.status).toBe(429);
    expect(page.headers.get('Retry-After')).toBe('45');
    expect(page.told('alert')).toBe('This was tried too often. Please try again in 45 seconds.');
    expect(page.all('input')).toHaveLength(2);
    service.clock.advance(46);
    expect((await postForm(service, url, twice(newPassword()), from)).status).toBe(200);
  });

  it('says to whoever follows a link without its end that it is not complete', async () => {
    const service = createService();
    const { tenant, identifier } = await newActivation(service);
    for (const path of ['/activate', '/activate/', `/activate/${identifier}`, `/activate/${identifier}/a/b`]) {
      const page = await openPage(service, `${tenant.host}${path}`);
      expect(page.status).toBe(404);
      expect(page.told('alert')).toContain('check that it is complete');
      expect((await service.call('HEAD', `${tenant.host}${path}`)).status).toBe(404);
    }
  });
});
