import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { call } from './http.ts';
import { mailWith } from './mails.ts';
import { freePorts, newStateFolder, operatorHeaders, type Ports, type Run, start, untilPrinted } from './service.ts';

const printed = (run: Run, what: string): string =>
  new RegExp(`^ +${what} +(\\S+)$`, 'm').exec(run.output())?.[1] ?? '';

describe('the service as npm start brings it up', () => {
  let ports: Ports;
  let state: Awaited<ReturnType<typeof newStateFolder>>;
  let run: Run;

  beforeAll(async () => {
    [ports, state] = await Promise.all([freePorts(), newStateFolder()]);
    run = start(ports, state.folder);
    await untilPrinted(run, 'Ctrl-C stops all of it.');
  });

  afterAll(async () => {
    run.process.kill('SIGINT');
    await run.ended;
    await state.remove();
  });

  it('takes a tenant from the operator to a customer that reads itself', async () => {
    const operator = operatorHeaders();
    const tenant = await call(ports.worker, 'localhost', '/operator/v1/tenants/bakery', {
      method: 'PUT',
      headers: operator,
      body: { name: 'The Bakery', locale: 'fr' },
    });
    expect(tenant.status).toBe(201);
    const app = await call(ports.worker, 'localhost', '/operator/v1/tenants/bakery/apps', {
      method: 'POST',
      headers: operator,
      body: { name: 'Shop', permissions: ['passcode'], platforms: [] },
    });
    expect(app.status).toBe(201);
    const { superkey, supertoken } = JSON.parse(app.text);
    const headers = { 'x-access-superkey': superkey, 'x-access-supertoken': supertoken };
    const host = 'bakery.localhost';

    const created = await call(ports.worker, host, '/customer', {
      method: 'POST',
      headers,
      body: { company: 'Ada & Söhne', email: 'Ada@example.com', country: 'France' },
    });
    expect(created.status).toBe(201);
    const { cuid } = JSON.parse(created.text);

    const asked = await call(ports.worker, host, '/customer/ada@example.com/passcode', { headers });
    expect(asked.status).toBe(200);
    const { mail, match } = await mailWith(ports, 'Ada@example.com', /\b\d{6}\b/);
    expect(mail.subject).toBe('Votre code d’accès pour The Bakery');
    const [passcode] = match;

    const traded = await call(ports.worker, host, `/customer/ada@example.com/auth?passcode=${passcode}`, { headers });
    expect(traded.status).toBe(200);
    const { key, token } = JSON.parse(traded.text);
    const read = await call(ports.worker, host, `/customer/${cuid}`, {
      headers: { 'x-access-key': key, 'x-access-token': token },
    });
    expect(JSON.parse(read.text)).toMatchObject({
      cuid,
      company: 'Ada & Söhne',
      email: 'Ada@example.com',
      country: 'FR',
    });

    const elsewhere = await call(ports.worker, 'demo.localhost', `/customer/${cuid}`, {
      headers: { 'x-access-key': key, 'x-access-token': token },
    });
    expect(elsewhere.status).toBe(404);
  });

  it('carries a person from the activation to the end, with tokens that any client verifies by the JWKS alone', async () => {
    const host = 'shop.localhost';
    const operator = operatorHeaders();
    const operate = (method: string, at: string, body: unknown) =>
      call(ports.worker, 'localhost', `/operator/v1/tenants/shop${at}`, { method, headers: operator, body });
    const post = async (at: string, body: unknown) =>
      call(ports.worker, host, `/customers/${at}`, { method: 'POST', body });
    const signIn = async (email: string, password: string): Promise<string> => {
      const answer = await post('login', { email, password });
      expect(answer.status, answer.text).toBe(200);
      return JSON.parse(answer.text).token;
    };
    const linkTo = async (email: string, place: string) => {
      const { match } = await mailWith(ports, email, new RegExp(`/${place}/([^/\\s]+)/([A-Z0-9]+)`));
      const [, identifier, secret] = match;
      return { identifier, secret };
    };

    expect((await operate('PUT', '', { name: 'The Shop', site_url: 'https://shop.example.com' })).status).toBe(201);
    const app = JSON.parse((await operate('POST', '/apps', { name: 'Shop' })).text);
    const created = await call(ports.worker, host, '/customer', {
      method: 'POST',
      headers: { 'x-access-superkey': app.superkey, 'x-access-supertoken': app.supertoken },
      body: { company: 'Grace Inc.', email: 'grace@example.com', send_activation: true },
    });
    expect(created.status).toBe(201);

    const { identifier, secret } = await linkTo('grace@example.com', 'activate');
    const password = 'eine lange Geschichte, ßĳ';
    const activated = await post('activate', { identifier, secret, password, password_check: password });
    expect(activated.text).toBe('{"result":"activated"}');
    const firstToken = await signIn('grace@example.com', password);

    const keys = createRemoteJWKSet(new URL(`http://127.0.0.1:${ports.worker}/api/shop/.well-known/jwks.json`), {
      cooldownDuration: 0,
    });
    const verify = (token: string) => jwtVerify(token, keys, { typ: 'at+jwt', algorithms: ['ES256'] });
    expect((await verify(firstToken)).payload).toMatchObject({
      cid: JSON.parse(created.text).cuid,
      provider: 'password',
    });
    expect((await operate('POST', '/keys/rotate', {})).status).toBe(201);
    const secondToken = await signIn('grace@example.com', password);
    expect((await verify(secondToken)).protectedHeader.kid).not.toBe((await verify(firstToken)).protectedHeader.kid);

    const changed = await call(ports.worker, host, '/customers/self', {
      method: 'PATCH',
      headers: { Authorization: `Bearer ${firstToken}` },
      body: { email: 'hopper@example.com' },
    });
    expect(JSON.parse(changed.text)).toMatchObject({ email: 'grace@example.com', pending_email: 'hopper@example.com' });
    const confirmation = await linkTo('hopper@example.com', 'confirm-email');
    const confirmed = await post('newemail_confirm', {
      identifier: confirmation.identifier,
      key: confirmation.secret,
    });
    expect(confirmed.text).toBe('{"result":"updated"}');

    // The address got a mail just now, and gets one in 30 seconds at most: so the tenant is set to be more patient.
    const settings = { rate_limits: { mail_interval_seconds: 1 } };
    await operate('PUT', '', { name: 'The Shop', site_url: 'https://shop.example.com', settings });
    const resetBody = { email: 'hopper@example.com', reset_uri: '/customers/do_reset' };
    await vi.waitFor(async () => expect((await post('password_reset', resetBody)).status).toBe(200), 20_000);
    const link = /https:\/\/shop\.example\.com\/customers\/do_reset\/(\w{10})\s/;
    const [, code = ''] = (await mailWith(ports, 'hopper@example.com', link)).match;
    const reset = await post('do_reset', { email: 'hopper@example.com', code });
    const { payload } = await jwtVerify<{ passphrase: string }>(
      JSON.parse(reset.text).token,
      new TextEncoder().encode(code),
    );
    const lastToken = await signIn('hopper@example.com', payload.passphrase);
    const self = (method: string, token: string) =>
      call(ports.worker, host, '/customers/self', { method, headers: { Authorization: `Bearer ${token}` } });
    expect((await self('GET', secondToken)).status).toBe(401);
    expect((await self('DELETE', lastToken)).text).toBe('{"result":"deleted"}');
    expect((await self('GET', lastToken)).status).toBe(401);
  });

  it('prints an app of the demo tenant that can call at once', async () => {
    const headers = {
      'x-access-superkey': printed(run, 'super key'),
      'x-access-supertoken': printed(run, 'super token'),
    };
    const listed = await call(ports.worker, 'demo.localhost', '/customer', { headers });
    expect(listed).toMatchObject({ status: 200, text: '[]' });
  });

  it('prints where the texts are to be read, on a page that is there', async () => {
    expect(printed(run, 'texts')).toBe(`http://localhost:${ports.texts}`);
    const page = await call(ports.texts, 'localhost', '/');
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('<h1>Texts</h1>') });
  });

  it('serves the reference with files of its own', async () => {
    const page = await call(ports.worker, 'demo.localhost', '/docs');
    expect(page.headers['content-type']).toContain('text/html');
    for (const [, file = ''] of page.text.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect((await call(ports.worker, 'demo.localhost', file)).status, file).toBe(200);
    }
  });

  it('says in one line which ports are busy', async () => {
    const second = start(ports, state.folder);
    expect(await second.ended).toBe(1);
    const lines = second.output().trim().split('\n');
    expect(lines).toHaveLength(1);
    for (const port of Object.values(ports)) expect(lines[0]).toContain(String(port));
  });

  it('logs no credential, address or passcode', async () => {
    expect(run.output()).toContain('"route":"/customer/:email/passcode"');
    expect(run.output().split('Ctrl-C stops')[1]).not.toMatch(/ada@example|passcode=|[sc]k_/i);
    expect(run.output()).not.toMatch(/error/i);
  });

  it('keeps its data and its app over a restart, and leaves no process behind', async () => {
    const before = printed(run, 'super token');
    run.process.kill('SIGINT');
    expect(await run.ended).toBe(0);
    for (const port of Object.values(ports)) {
      await expect(call(port, 'localhost', '/')).rejects.toThrow('ECONNREFUSED');
    }
    run = start(ports, state.folder);
    await untilPrinted(run, 'Ctrl-C stops all of it.');
    expect(printed(run, 'super token')).toBe(before);
  });
});
