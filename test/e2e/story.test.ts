import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call } from './http.ts';
import { freePorts, newStateFolder, type Run, start, untilPrinted } from './service.ts';

type Ports = Awaited<ReturnType<typeof freePorts>>;
type ReceivedMail = { text: string; html: string; to: { address: string }[]; subject: string };

const printed = (run: Run, what: string): string =>
  new RegExp(`^ +${what} +(\\S+)$`, 'm').exec(run.output())?.[1] ?? '';

const mailsTo = async (ports: Ports, address: string): Promise<ReceivedMail[]> => {
  const { text } = await call(ports.mailbox, 'localhost', '/email');
  const mails: ReceivedMail[] = JSON.parse(text);
  return mails.filter(({ to }) => to.some((each) => each.address === address));
};

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
    const vars = readFileSync(path.join(import.meta.dirname, '../../.dev.vars'), 'utf8');
    const operator = { Authorization: `Bearer ${/^OPERATOR_TOKEN="?([^"\n]+)/m.exec(vars)?.[1]}` };
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
    const [mail] = await mailsTo(ports, 'Ada@example.com');
    expect(mail?.subject).toBe('Votre code d’accès pour The Bakery');
    const passcode = /\b\d{6}\b/.exec(mail?.text ?? '')?.[0];

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

  it('prints an app of the demo tenant that can call at once', async () => {
    const headers = {
      'x-access-superkey': printed(run, 'super key'),
      'x-access-supertoken': printed(run, 'super token'),
    };
    const listed = await call(ports.worker, 'demo.localhost', '/customer', { headers });
    expect(listed).toMatchObject({ status: 200, text: '[]' });
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
