import { describe, expect, it } from 'vitest';
import { canSignIn, newActivation, newPassword, readPage, twice } from '../support/pages.ts';
import { rowsOf } from '../support/rows.ts';
import { createService } from '../support/service.ts';
import { newTenant } from '../support/tenants.ts';

const newCase = async (profile: Record<string, unknown> = {}) => {
  const service = createService();
  const { tenant, email, url } = await newActivation(service, profile);
  const password = newPassword();
  const post = (headers: Record<string, string>, method = 'POST') =>
    service.call(method, url, {
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', ...headers },
      ...(method === 'POST' && { rawBody: new URLSearchParams(twice(password)).toString() }),
    });
  return {
    service,
    tenant,
    post,
    takes: async (headers: Record<string, string>): Promise<void> => {
      expect((await post(headers)).status).toBe(200);
      expect(await canSignIn(service, tenant, email, password)).toBe(true);
    },
    refuses: async (headers: Record<string, string>): Promise<void> => {
      const before = await rowsOf(tenant.id);
      const page = await readPage(await post(headers));
      expect(page.status, JSON.stringify(headers)).toBe(403);
      expect(page.textOf('h1')).toBe('That came from another site');
      expect(await rowsOf(tenant.id)).toEqual(before);
    },
  };
};

const SHOP = 'https://shop.example.com';

describe('a form', () => {
  it('is taken from its own host', async () => {
    const { tenant, takes } = await newCase();
    await takes({ Origin: tenant.host, 'Sec-Fetch-Site': 'same-origin' });
  });

  it('is taken without a word about where it was filled in, as of a program', async () => {
    const { takes } = await newCase();
    await takes({});
  });

  it('is taken from a page that tells no origin when the browser says that it is ours', async () => {
    const { takes } = await newCase();
    await takes({ Origin: 'null', 'Sec-Fetch-Site': 'same-origin' });
  });

  for (const site of ['same-origin', 'none']) {
    it(`is taken without an origin when the browser says ${site}`, async () => {
      const { takes } = await newCase();
      await takes({ 'Sec-Fetch-Site': site });
    });
  }

  it('is taken from the tenant’s origins', async () => {
    const { takes } = await newCase({ origins: [SHOP] });
    await takes({ Origin: SHOP, 'Sec-Fetch-Site': 'cross-site' });
  });

  it('is taken from the origins that the tenant has for CORS, and then from no other', async () => {
    const { takes, refuses } = await newCase({
      origins: ['https://old.example.com'],
      settings: { cors_origins: [SHOP] },
    });
    await refuses({ Origin: 'https://old.example.com' });
    await takes({ Origin: SHOP });
  });

  it('is refused from any other site', async () => {
    const { service, tenant, refuses } = await newCase({ origins: [SHOP] });
    const sibling = await newTenant(service, { origins: [`${SHOP}:8443`] });
    for (const origin of [
      'https://evil.example.com',
      sibling.host,
      'http://localhost',
      tenant.host.replace('http:', 'https:'),
      `${tenant.host}:8787`,
      `${tenant.host}.evil.example`,
      `${tenant.host}/`,
      `${SHOP}:8443`,
      `${SHOP}/`,
      SHOP.toUpperCase(),
      'http://shop.example.com',
      '',
      `${tenant.host}, https://evil.example.com`,
    ]) {
      await refuses({ Origin: origin });
      await refuses({ Origin: origin, 'Sec-Fetch-Site': 'same-origin' });
    }
  });

  it('is refused from a page that tells no origin, unless the browser says that it is ours', async () => {
    const { refuses } = await newCase();
    await refuses({ Origin: 'null' });
    for (const site of ['cross-site', 'same-site', 'none', '', 'same-origin, cross-site']) {
      await refuses({ Origin: 'null', 'Sec-Fetch-Site': site });
    }
  });

  it('is refused without an origin when the browser says that it is another site’s, a sibling tenant’s included', async () => {
    const { refuses } = await newCase();
    for (const site of ['cross-site', 'same-site', 'whatever']) await refuses({ 'Sec-Fetch-Site': site });
  });
});

describe('a link', () => {
  it('is followed from anywhere', async () => {
    const { post } = await newCase();
    for (const method of ['GET', 'HEAD']) {
      const response = await post({ Origin: 'https://mail.example.com', 'Sec-Fetch-Site': 'cross-site' }, method);
      expect(response.status).toBe(200);
    }
  });
});
