import { env } from 'cloudflare:workers';
import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import type { AppEnv } from '../../../src/env.ts';
import { showPage } from '../../../src/routes/pages/page.tsx';
import { breakable } from '../../support/bindings.ts';
import { FORM_HEADERS, newPassword, openPage, postForm, readPage, type TestPage, twice } from '../../support/pages.ts';
import { createService } from '../../support/service.ts';
import { newTenant, refusalOf } from '../../support/tenants.ts';

const PATHS = ['/activate/usr_1/SECRET', '/reset', '/reset/CODE', '/confirm-email/usr_1/KEY'];

/** The policy that a page should have. */
const policyFor = async ({ all }: TestPage, { image = '', targets = '' } = {}): Promise<string> => {
  const style = all('style');
  expect(style).toHaveLength(1);
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style[0]?.text));
  const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
  const images = image === '' ? '' : `img-src ${image}; `;
  return `default-src 'none'; style-src 'sha256-${hash}'; ${images}form-action 'self'${targets}; frame-ancestors 'none'; base-uri 'none'`;
};

describe('every page', () => {
  it('lets the browser load, run and send nothing but what is its own, be kept or framed by nobody and refer to nobody', async () => {
    const service = createService();
    const { host } = await newTenant(service);
    for (const path of [...PATHS, '/reset/a/b/c']) {
      const page = await openPage(service, `${host}${path}`);
      expect(page.headers.get('Content-Security-Policy')).toBe(await policyFor(page));
      expect(page.headers.get('X-Frame-Options')).toBe('DENY');
      expect(page.headers.get('Referrer-Policy')).toBe('no-referrer');
      expect(page.headers.get('Cache-Control')).toBe('no-store');
      expect(page.headers.get('X-Content-Type-Options')).toBe('nosniff');
      expect(page.headers.get('Set-Cookie')).toBeNull();
      expect(page.headers.get('Access-Control-Allow-Origin')).toBeNull();
    }
  });

  it('has the tenant’s name, logo and colour, and may load images from the logo’s origin alone', async () => {
    const service = createService();
    const { host } = await newTenant(service, {
      name: 'The Bakery',
      branding: { logo_url: 'https://cdn.example.com/logo.svg?a=1&b="2"', primary_color: '#FFD400' },
    });
    for (const path of PATHS) {
      const page = await openPage(service, `${host}${path}`);
      expect(page.textOf('header')).toBe('The Bakery');
      const [logo] = page.all('img');
      expect(logo?.attributes).toMatchObject({ alt: '' });
      expect(logo?.attributes.src).toMatch(/^https:\/\/cdn\.example\.com\/logo\.svg\?a=1&(amp;)?b=(%22|&quot;)2/);
      expect(page.textOf('style')).toContain('--colour: #FFD400; --on-colour: #000000; --edge: #1b1f24;');
      expect(page.headers.get('Content-Security-Policy')).toBe(
        await policyFor(page, { image: 'https://cdn.example.com' }),
      );
    }
  });

  it('shows no logo that could come from anywhere, even when one was stored', async () => {
    const service = createService();
    const tenant = await newTenant(service);
    const branding = { logoUrl: 'javascript:alert(1)', primaryColor: '#000;}</style><script>alert(1)</script>' };
    await env.DB.prepare('update tenants set branding = ? where id = ?')
      .bind(JSON.stringify(branding), tenant.id)
      .run();
    const page = await openPage(service, `${tenant.host}/reset`);
    expect(page.all('img')).toEqual([]);
    expect(page.source).not.toContain('alert(1)');
    expect(page.headers.get('Content-Security-Policy')).toBe(await policyFor(page));
  });

  it('escapes the tenant’s name wherever it stands', async () => {
    const service = createService();
    const name = `<script>alert(1)</script>"'&</title></style>`;
    const { host } = await newTenant(service, { name });
    for (const path of PATHS) {
      const page = await openPage(service, `${host}${path}`);
      expect(page.textOf('header')).toBe(name);
      expect(page.textOf('title').endsWith(` – ${name}`)).toBe(true);
      expect(page.textOf('main')).toContain(name);
      expect(page.source).not.toContain('<script');
    }
  });

  it('repeats nothing of its address', async () => {
    const service = createService();
    const { host } = await newTenant(service);
    const crafted = encodeURIComponent(`x"><script>alert('mark')</script>`);
    for (const path of [
      `/activate/${crafted}/${crafted}`,
      `/reset/${crafted}`,
      `/confirm-email/${crafted}/${crafted}`,
    ]) {
      const url = `${host}${path}?next=${crafted}`;
      const fields = { email: 'ada@example.com', ...twice(newPassword()) };
      for (const page of [await openPage(service, url), await postForm(service, url, fields)]) {
        expect(page.source).not.toContain('mark');
      }
    }
  });

  it('may be redirected to the origins that it is made for after its form was posted', async () => {
    const app = new Hono<AppEnv>().get('/', (c) =>
      showPage(
        c,
        { title: 'T', formTargets: ['https://shop.example.com/signed-in?a=b', 'https://a;script-src/', 'x:y'] },
        'text',
      ),
    );
    const response = await app.request('/');
    expect(response.headers.get('Content-Security-Policy')).toContain(
      "; form-action 'self' https://shop.example.com; frame-ancestors",
    );
  });
});

describe('the language of a page', () => {
  const languages = {
    en: { accepted: 'en-GB,en;q=0.9', title: 'Forgotten your password?' },
    de: { accepted: 'de-AT, de;q=0.9, en;q=0.8', title: 'Passwort vergessen?' },
    fr: { accepted: 'nl, FR-CH;q=0.9, en;q=0.8', title: 'Mot de passe oublié ?' },
    es: { accepted: 'en;q=0.1, es-419;q=0.4', title: '¿Ha olvidado su contraseña?' },
  };
  for (const [language, { accepted, title }] of Object.entries(languages)) {
    it(`is ${language} for whoever asks for ${accepted}`, async () => {
      const service = createService();
      const { host } = await newTenant(service, { locale: language === 'en' ? 'fr' : 'en' });
      const page = await openPage(service, `${host}/reset`, { 'Accept-Language': accepted });
      expect(page.all('html')[0]?.attributes).toEqual({ lang: language });
      expect(page.textOf('h1')).toBe(title);
    });

    it(`is ${language} for a tenant of that locale when nothing else is asked for`, async () => {
      const service = createService();
      const { host } = await newTenant(service, { locale: language });
      for (const asked of [
        null,
        '',
        '*',
        'it',
        'de;q=0, en;q=0, fr;q=0, es;q=0',
        'constructor',
        ';;;,=q',
        'x'.repeat(5000),
      ]) {
        const headers: Record<string, string> = asked === null ? {} : { 'Accept-Language': asked };
        expect((await openPage(service, `${host}/reset`, headers)).textOf('h1'), asked ?? 'nothing').toBe(title);
      }
    });

    it(`is ${language} on every page, with no text left out`, async () => {
      const service = createService();
      const { host } = await newTenant(service, { name: 'Ümit & Co.' });
      const headers = { 'Accept-Language': language };
      const fields = { email: 'ada@example.com', ...twice(newPassword()) };
      const pages = [];
      for (const path of PATHS) {
        pages.push(
          await openPage(service, `${host}${path}`, headers),
          await postForm(service, `${host}${path}`, fields, headers),
        );
        if (path.startsWith('/reset')) pages.push(await postForm(service, `${host}${path}`, { email: 'x' }, headers));
      }
      pages.push(await openPage(service, `${host}/activate/x`, headers));
      for (const page of pages) {
        expect(page.all('html')[0]?.attributes).toEqual({ lang: language });
        expect(page.textOf('h1')).not.toBe('');
        expect(page.source).not.toMatch(/undefined|null|NaN|\[object/);
      }
    });
  }
});

describe('a page that is refused', () => {
  it('is none where no tenant is', async () => {
    const service = createService();
    for (const url of ['http://nobody.localhost', 'http://localhost']) {
      for (const method of ['GET', 'POST']) {
        const response = await service.call(
          method,
          `${url}/activate/a/b`,
          method === 'POST' ? { headers: FORM_HEADERS, rawBody: '' } : {},
        );
        expect(await refusalOf(response)).toMatchObject({ status: 404, code: 'tenant_not_found' });
      }
    }
  });

  it('is none at the host of a disabled tenant', async () => {
    const service = createService();
    const { host } = await newTenant(service, { status: 'disabled' });
    expect(await refusalOf(await service.call('GET', `${host}/reset`))).toMatchObject({ code: 'tenant_not_found' });
  });

  it('says when to come back while storage does not answer, before or after the tenant is found', async () => {
    const storage = breakable(env);
    const service = createService(storage.bindings);
    const { host } = await newTenant(service, { name: 'The Bakery', locale: 'de' });
    storage.failWhen(() => 'before');
    const early = await openPage(service, `${host}/reset`, { 'Accept-Language': 'fr' });
    expect(early).toMatchObject({ status: 503 });
    expect(early.all('html')[0]?.attributes.lang).toBe('fr');
    storage.failWhen(null);
    await openPage(service, `${host}/reset`);
    for (const path of PATHS) {
      storage.failWhen(() => 'before');
      const page = await postForm(service, `${host}${path}`, { email: 'ada@example.com', ...twice(newPassword()) });
      expect(page).toMatchObject({ status: 503 });
      expect(page.headers.get('Retry-After')).toBe('5');
      expect(page.textOf('h1')).toBe('Im Moment nicht verfügbar');
      expect(page.textOf('header')).toBe('The Bakery');
      expect(page.headers.get('Content-Security-Policy')).toBe(await policyFor(page));
    }
  });

  it('takes forms alone, and JSON is for the API', async () => {
    const service = createService();
    const { host } = await newTenant(service);
    const body = JSON.stringify({ email: 'ada@example.com', ...twice(newPassword()) });
    for (const type of [
      'application/json',
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded; charset=utf-16',
      'application/x-www-form-urlencodedx',
    ]) {
      for (const path of PATHS) {
        const response = await service.call('POST', `${host}${path}`, {
          headers: { 'Content-Type': type },
          rawBody: body,
        });
        expect((await readPage(response)).status, `${type} ${path}`).toBe(415);
      }
    }
    const untyped = await service.call('POST', `${host}/reset`, { rawBody: new TextEncoder().encode('email=a') });
    expect(untyped.status).toBe(415);
    const typed = {
      headers: { 'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8' },
      rawBody: 'email=x',
    };
    expect((await service.call('POST', `${host}/reset`, typed)).status).toBe(400);
  });

  it('leaves forms to the pages: everywhere else they are refused', async () => {
    const service = createService();
    const { host } = await newTenant(service);
    const call = { headers: FORM_HEADERS, rawBody: 'email=ada%40example.com&password=x' };
    for (const path of [
      '/customers/login',
      '/customers/activate',
      '/customers/password_reset',
      '/customers/do_reset',
      '/customer',
      '/operator/v1/tenants/x/apps',
      '/resets',
      '/activated/a/b',
      '/activate/a',
      '/reset/a/b',
    ]) {
      expect((await service.call('POST', `${host}${path}`, call)).status, path).toBe(415);
    }
  });

  it('tells of a body over 64 KiB and of an address that cannot be read', async () => {
    const service = createService();
    const { host } = await newTenant(service);
    const large = await postForm(service, `${host}/reset`, { email: 'x'.repeat(64 * 1024) });
    expect(large).toMatchObject({ status: 413 });
    expect(large.textOf('h1')).toBe('That was too much');
    const stream = new Blob([`email=${'x'.repeat(64 * 1024)}`]).stream();
    const streamed = await service.call('POST', `${host}/reset`, { headers: FORM_HEADERS, rawBody: stream });
    expect((await readPage(streamed)).status).toBe(413);
    for (const path of ['/activate/%ff/x', '/reset/%E0%A4%A']) {
      expect(await openPage(service, `${host}${path}`)).toMatchObject({ status: 400 });
    }
  });

  it('takes no other method', async () => {
    const service = createService();
    const { host } = await newTenant(service);
    for (const path of PATHS) {
      for (const method of ['PUT', 'PATCH', 'DELETE']) {
        const response = await service.call(method, `${host}${path}`);
        expect(response.status, `${method} ${path}`).toBe(405);
        expect(response.headers.get('Allow')?.split(', ').toSorted()).toEqual(['GET', 'HEAD', 'POST']);
      }
    }
  });
});
