import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, mkdtemp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createProgram } from '../../scripts/operator/program.ts';
import { call } from './http.ts';
import { type Ended, runInTerminal, runOperator, startOperator, startPeer } from './operator.ts';
import { freePorts, newStateFolder, type Run, start, untilPrinted } from './service.ts';

describe('the operator command line', () => {
  let state: Awaited<ReturnType<typeof newStateFolder>>;
  let run: Run;
  let port: number;
  let env: Record<string, string>;

  beforeAll(async () => {
    const [ports, folder] = await Promise.all([freePorts(), newStateFolder()]);
    state = folder;
    run = start(ports, state.folder);
    await untilPrinted(run, 'Ctrl-C stops all of it.');
    port = ports.worker;
    env = { GATEHOUSE_URL: `http://localhost:${port}` };
  });

  afterAll(async () => {
    run.process.kill('SIGINT');
    await run.ended;
    await state.remove();
  });

  const operate = (...typed: string[]): Promise<Ended> => runOperator(typed, { env });

  const operateDone = async (...typed: string[]): Promise<string> => {
    const { code, stdout, stderr } = await operate(...typed);
    if (code !== 0) throw new Error(`operator ${typed.join(' ')} ended with ${code}: ${stderr}`);
    return stdout;
  };

  const answer = async (...typed: string[]) => JSON.parse(await operateDone(...typed, '--json'));

  const fileOf = async (content: unknown): Promise<string> => {
    const file = path.join(await mkdtemp(path.join(state.folder, 'put-')), 'content.json');
    await writeFile(file, JSON.stringify(content));
    return file;
  };

  const newTenant = async (profile: object = {}): Promise<string> => {
    const slug = `t-${crypto.randomUUID().slice(0, 8)}`;
    await operateDone('tenant', 'put', slug, await fileOf({ name: 'Acme', ...profile }));
    return slug;
  };

  const newCustomer = async (slug: string, email: string, company: string): Promise<string> => {
    const { superkey, supertoken } = await answer('app', 'create', slug, '--name', 'Shop');
    const created = await fetch(`${env.GATEHOUSE_URL}/customer`, {
      method: 'POST',
      headers: {
        'x-access-superkey': superkey,
        'x-access-supertoken': supertoken,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify({ email, company }),
    });
    const { cuid } = JSON.parse(await created.text());
    return cuid;
  };

  it('makes a tenant out of a file or standard input, and takes back what it has shown', async () => {
    const slug = await newTenant({ origins: ['https://acme.example'] });
    expect((await operateDone('tenant', 'show', slug)).split('\n')).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^name +Acme$/),
        expect.stringMatching(/^origins +https:\/\/acme\.example$/),
        expect.stringMatching(/^settings\.rate_limits\.mail_per_hour +5$/),
      ]),
    );
    const shown = await answer('tenant', 'show', slug);
    const input = JSON.stringify({ ...shown, name: 'Acme & Co.' });
    const put = await runOperator(['tenant', 'put', slug, '-', '--json'], { env, input });
    expect(put).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(put.stdout)).toEqual({ ...shown, name: 'Acme & Co.', updated_at: expect.any(String) });
  });

  it('lists a page, says that there are more, and lists all of them', async () => {
    const slugs = [await newTenant(), await newTenant(), await newTenant()];
    const page = await operate('tenant', 'list', '--limit', '2');
    expect(page.stdout.split('\n')[0]).toMatch(/^slug +name +status +id +created/);
    expect(page.stdout).toContain(slugs[2]);
    const [, cursor = ''] = /There are more: --all, or --cursor (ten_\w+)/.exec(page.stderr) ?? [];
    expect((await answer('tenant', 'list', '--limit', '1', '--cursor', cursor)).items).toMatchObject([
      { slug: slugs[0] },
    ]);
    const all = await answer('tenant', 'list', '--all');
    expect(all.next).toBeNull();
    expect(all.items.map(({ slug }: { slug: string }) => slug)).toEqual(expect.arrayContaining(slugs));
  });

  it('tells a refusal with its code and each fault, and programs as the service does', async () => {
    const file = await fileOf({ nme: 'Acme' });
    expect(await operate('tenant', 'put', 'acme', file)).toEqual({
      code: 1,
      stdout: '',
      stderr:
        'validation_failed (400): Some of the input is not as it should be.\n' +
        '  name: This is required.\n  nme: There is no such member.\n',
    });
    const { code, stdout, stderr } = await operate('tenant', 'show', 'nobody', '--json');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ status: 404, code: 'tenant_not_found', instance: expect.any(String) });
  });

  it('registers, changes, rotates and removes an app, and shows its token once', async () => {
    const slug = await newTenant();
    const platform = ['--platform', 'web=https://acme.example/in?a=b'];
    const created = await operate(
      'app',
      'create',
      slug,
      '--name',
      'Shop',
      '--permissions',
      'passcode,sso',
      ...platform,
    );
    expect(created.stderr).toBe(
      'The super token is not shown again: keep it now where your back end keeps its secrets.\n',
    );
    const [, id = ''] = /^id +(app_\w+)$/m.exec(created.stdout) ?? [];
    expect(created.stdout).toMatch(/^supertoken +\S{20,}$/m);
    const shown = await answer('app', 'show', slug, id);
    expect(shown).toMatchObject({
      name: 'Shop',
      permissions: ['passcode', 'sso'],
      platforms: [{ name: 'web', url: 'https://acme.example/in?a=b' }],
      query_credentials: true,
    });
    expect(shown.supertoken).toBeUndefined();
    await operateDone('app', 'update', slug, id, '--name', 'Store', '--no-query-credentials');
    expect(await answer('app', 'show', slug, id)).toMatchObject({
      name: 'Store',
      permissions: ['passcode', 'sso'],
      query_credentials: false,
    });
    expect((await operate('app', 'update', slug, id)).code).toBe(2);
    const rotated = await answer('app', 'rotate', slug, id, '--overlap', '1h');
    expect(rotated.superkey).not.toBe(shown.superkey);
    await operateDone('app', 'delete', slug, id, '--yes');
    expect(await operate('app', 'show', slug, id)).toMatchObject({
      code: 1,
      stderr: 'app_not_found (404): There is no such app.\n',
    });
  });

  it('finds a customer by id or address, disables, enables and deletes it', async () => {
    const slug = await newTenant();
    const id = await newCustomer(slug, 'Ada@example.com', 'Acme');
    expect((await answer('customer', 'show', slug, 'ada@example.com')).id).toBe(id);
    expect(await answer('customer', 'disable', slug, 'ada@example.com')).toMatchObject({ id, status: 'disabled' });
    expect((await answer('customer', 'list', slug, '--status', 'disabled')).items).toMatchObject([{ id }]);
    expect((await answer('customer', 'list', slug, '--status', 'active')).items).toEqual([]);
    expect(await answer('customer', 'enable', slug, id)).toMatchObject({ status: 'active' });
    expect((await operate('customer', 'delete', slug, id)).code).toBe(2);
    await operateDone('customer', 'delete', slug, id, '--yes');
    expect(await operate('customer', 'show', slug, 'ada@example.com')).toMatchObject({
      code: 1,
      stderr: 'customer_not_found (404): User not found\n',
    });
    expect(await operate('customer', 'list', slug)).toEqual({ code: 0, stdout: '', stderr: 'There are none.\n' });
  });

  it('finds by the address of a user whose customer that is, and takes it for the name of none', async () => {
    const slug = await newTenant();
    const file = await fileOf({ email: 'acme@example.com', users: [{ email: 'Amy@example.com' }] });
    await operateDone('import', slug, file);
    const { items } = await answer('customer', 'list', slug, '--email', 'amy@example.com');
    expect(items).toMatchObject([{ email: 'acme@example.com' }]);
    expect(await operate('customer', 'delete', slug, 'amy@example.com', '--yes')).toMatchObject({
      code: 1,
      stderr: 'customer_not_found (404): User not found\n',
    });
    expect((await answer('customer', 'show', slug, 'Acme@example.com')).id).toBe(items[0].id);
  });

  it.each([
    ['connection', 'okta', { type: 'oidc', domains: ['acme.example'], issuer: 'https://idp.example', signup: true }],
    ['provider', 'codes', { type: 'otp', signup: true, enabled: true }],
    ['flow', 'newsletter', { steps: [{ kind: 'send_activation' }] }],
    ['subscription', 'news', { name: 'The news' }],
  ])('makes, lists, shows and removes a %s', async (noun, name, content) => {
    const slug = await newTenant();
    const secrets = noun === 'connection' ? { client_id: 'x', client_secret: 'kept-to-itself' } : {};
    await operateDone(noun, 'put', slug, name, await fileOf({ ...content, ...secrets }));
    const shown = await operateDone(noun, 'show', slug, name, '--json');
    expect(JSON.parse(shown)).toMatchObject(content);
    expect(shown).not.toContain('kept-to-itself');
    expect(await operateDone(noun, 'list', slug)).toMatch(new RegExp(`^${name} `, 'm'));
    if (noun === 'flow' || noun === 'subscription') {
      await operateDone(noun, 'put', slug, name, await fileOf(JSON.parse(shown)));
    }
    await operateDone(noun, 'delete', slug, name, '--yes');
    expect((await operate(noun, 'show', slug, name)).code).toBe(1);
  });

  it('lists the users and sessions of a customer, ends sessions and mails the activation again', async () => {
    const slug = await newTenant();
    const id = await newCustomer(slug, 'ada@example.com', 'Acme');
    expect(await operateDone('customer', 'users', slug, id)).toMatch(/ ada@example\.com +yes +not yet +no$/m);
    const { items: users } = await answer('customer', 'users', slug, 'ada@example.com');
    await operateDone('customer', 'resend-activation', slug, id, users[0].id);
    expect((await operate('customer', 'sessions', slug, id)).stderr).toBe('There are none.\n');
    expect((await operate('customer', 'revoke-sessions', slug, id)).stderr).toBe('All its sessions have ended.\n');
    expect(await operate('customer', 'revoke-session', slug, id, 'ses_unknown')).toMatchObject({
      code: 1,
      stderr: 'session_not_found (404): There is no such session.\n',
    });
  });

  it('imports what another tenant exported, tells refused lines, and changes nothing twice', async () => {
    const [from, to] = [await newTenant(), await newTenant()];
    await newCustomer(from, 'ada@example.com', 'Acme');
    const file = path.join(state.folder, `${from}.ndjson`);
    expect(await operate('export', from, file)).toEqual({ code: 0, stdout: '', stderr: `1 customer in ${file}\n` });
    await appendFile(file, '\n{"email":"nobody"}\nno JSON\n{"email":"grace@example.com","company":"Navy"}');
    const refused =
      'line 3: email: must be one email address\nline 4: is no JSON object, or not of whole characters\n5 lines: 2 created, 0 existing, 2 refused\n';
    expect(await operate('import', to, file)).toEqual({ code: 4, stdout: refused, stderr: '' });
    const again = await operate('import', to, file);
    expect(again.stdout).toContain('5 lines: 0 created, 2 existing, 2 refused');
    const { items } = await answer('customer', 'list', to);
    expect(items).toMatchObject([{ email: 'grace@example.com' }, { email: 'ada@example.com', company: 'Acme' }]);
    expect(await operateDone('export', to)).not.toContain('password_hash');
    expect(await operateDone('export', to, '-', '--include-password-hashes')).toContain('password_hash');
  });

  it('shows the audit log, of a type and since a time, and goes on with what happens', async () => {
    const slug = await newTenant();
    const id = await newCustomer(slug, 'ada@example.com', 'Acme');
    const types = async (...options: string[]) =>
      (await answer('events', slug, ...options)).items.map(({ type }: { type: string }) => type);
    expect(await types()).toEqual(expect.arrayContaining(['customer.created', 'app.created', 'tenant.created']));
    expect(await types('--type', 'app.*', '--since', '1h')).toEqual(['app.created']);
    expect(await types('--subject', id)).toEqual(['customer.created']);
    const following = startOperator(['events', slug, '--type', 'customer.*', '--follow', '--json'], { env });
    await once(following.process.stdout, 'data');
    const more = once(following.process.stdout, 'data');
    await operateDone('customer', 'disable', slug, id);
    await more;
    following.process.kill('SIGINT');
    const { code, stdout } = await following.ended;
    const shown = stdout.trimEnd().split('\n');
    expect(shown.map((line) => JSON.parse(line).type)).toEqual(['customer.created', 'customer.updated']);
    expect(code).toBe(130);
  });

  it('makes a webhook, shows its secret once, tries it, and tells what was sent', async () => {
    const received: string[] = [];
    await using receiver = await startPeer((request, response) => {
      received.push(String(request.headers['webhook-id']));
      response.writeHead(received.length === 1 ? 204 : 500).end();
    });
    const slug = await newTenant();
    const put = ['webhook', 'put', slug, 'crm', `${receiver.env.GATEHOUSE_URL}/hook`, '--events', 'customer.*'];
    const made = await operate(...put);
    expect(made.stdout).toMatch(/^secret +whsec_/m);
    expect(made.stderr).toBe('The secret is not shown again: keep it now where the receiver checks signatures.\n');
    expect(await operate(...put)).toMatchObject({ code: 0, stderr: '', stdout: expect.not.stringContaining('whsec_') });
    expect(await operateDone('webhook', 'rotate', slug, 'crm')).toContain('whsec_');
    expect(await answer('webhook', 'test', slug, 'crm')).toMatchObject({ delivered: true, status: 204 });
    expect(await operate('webhook', 'test', slug, 'crm')).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^delivered +no\nstatus +500$/m),
    });
    const id = await newCustomer(slug, 'ada@example.com', 'Acme');
    await vi.waitUntil(async () => (await answer('webhook', 'deliveries', slug, 'crm')).items[0]?.attempts > 0, 30_000);
    const [event] = (await answer('events', slug, '--subject', id)).items;
    expect((await answer('webhook', 'deliveries', slug, 'crm', '--status', 'pending')).items).toMatchObject([
      { id: event.id, type: 'customer.created', last_status: 500 },
    ]);
    await operateDone('webhook', 'redeliver', slug, 'crm', event.id);
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const own = await runOperator([...put, '--disabled', '--secret-file', '-'], { env, input: `${secret}\n` });
    expect(own).toMatchObject({ code: 0, stderr: '', stdout: expect.not.stringContaining(secret) });
    expect(await operateDone('webhook', 'list', slug)).toMatch(/^crm .* disabled +customer\.\* +operator/m);
    await operateDone('webhook', 'delete', slug, 'crm', '--yes');
    expect((await operate('webhook', 'show', slug, 'crm')).code).toBe(1);
  });

  it('rotates keys, and drops the ones from before when that is confirmed alone', async () => {
    const slug = await newTenant();
    const published = async (): Promise<string[]> => {
      const { text } = await call(port, `${slug}.localhost`, '/.well-known/jwks.json');
      return JSON.parse(text).keys.map((key: { kid: string }) => key.kid);
    };
    const before = await published();
    const { kid } = await answer('keys', 'rotate', slug);
    expect(new Set(await published())).toEqual(new Set([...before, kid]));
    expect(await operate('keys', 'rotate', slug, '--retire')).toEqual({
      code: 2,
      stdout: '',
      stderr: `This ends every access token of ${slug} at once. Say so with --yes.\n`,
    });
    const { kid: last } = await answer('keys', 'rotate', slug, '--retire', '--yes');
    expect(await published()).toEqual([last]);
  });

  it('goes nowhere else with the token, wherever it is pointed to', async () => {
    const seen: string[] = [];
    await using elsewhere = await startPeer((request, response) => {
      seen.push(request.url ?? '');
      response.end('{"items":[],"next":null}');
    });
    await using pointing = await startPeer((request, response) => {
      response.writeHead(307, { Location: `${elsewhere.env.GATEHOUSE_URL}${request.url}` }).end();
    });
    const { code, stdout } = await runOperator(['tenant', 'list'], pointing);
    expect({ code, stdout, seen }).toEqual({ code: 3, stdout: '', seen: [] });
  });

  it('tells what is wrong with a file without what is in it', async () => {
    const input = '{"type": "oidc",\n "client_secret": "hush';
    const { code, stderr } = await runOperator(['connection', 'put', 'demo', 'okta', '-'], { env, input });
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^- cannot be read: it has to be one JSON object \(line 2 column \d+\)\n$/),
    });
  });

  it('never takes a name for a way up', async () => {
    const slug = await newTenant();
    for (const name of ['', '.', '..']) {
      expect(await operate('app', 'delete', slug, name, '--yes')).toMatchObject({
        code: 2,
        stderr: `"${name}" is no name.\n`,
      });
    }
    expect(await operate('customer', 'show', slug, '../apps')).toMatchObject({ code: 1 });
    await operateDone('tenant', 'show', slug);
  });

  it.each([
    ['no command', []],
    ['an unknown command', ['tenants']],
    ['an unknown option', ['tenant', 'list', '--colour']],
    ['a missing argument', ['tenant', 'show']],
    ['a number out of bounds', ['tenant', 'list', '--limit', '1001']],
    ['a file that is not there', ['tenant', 'put', 'acme', '/nowhere.json']],
    ['a URL in the clear', ['tenant', 'list', '--url', 'http://accounts.example']],
    ['two ways to begin', ['events', 'acme', '--follow', '--all']],
    ['all of a list and a part of it', ['tenant', 'list', '--all', '--limit', '1']],
  ])('ends with 2 for %s', async (_, typed) => {
    const { code, stdout, stderr } = await operate(...typed);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).not.toBe('');
  });

  it('ends with 3 where nothing answers, and with 1 for a wrong token', async () => {
    const { worker } = await freePorts();
    const url = `http://127.0.0.1:${worker}`;
    expect(await operate('tenant', 'list', '--url', url)).toEqual({
      code: 3,
      stdout: '',
      stderr: `${url} is not there (ECONNREFUSED).\n`,
    });
    const wrong = { ...env, GATEHOUSE_OPERATOR_TOKEN: 'a-token-that-is-not-the-one' };
    expect(await runOperator(['tenant', 'list'], { env: wrong })).toEqual({
      code: 1,
      stdout: '',
      stderr: 'unauthenticated (401): A valid bearer token is needed.\n',
    });
  });

  it('helps with every command, by an example, and tells its exit codes', async () => {
    const help = await operateDone('--help');
    expect(help).toMatch(/^ {2}4 +imported, but/m);
    expect(help).toMatch(/^ {2}130 +interrupted/m);
    const helpOf = (command: CommandUnknownOpts): string => {
      let told = '';
      command.configureOutput({
        writeOut: (text) => {
          told += text;
        },
      });
      command.outputHelp();
      return told;
    };
    const commands = createProgram(new AbortController().signal).commands.flatMap((command) =>
      command.commands.length === 0 ? command : command.commands,
    );
    expect(commands.length).toBeGreaterThan(40);
    for (const command of commands) {
      const [, examples = ''] = /^Examples:\n((?: {2}\S.*\n)+)/m.exec(helpOf(command)) ?? [];
      const names = [command.parent?.parent ? command.parent.name() : '', command.name()].join(' ').trim();
      for (const line of examples.trimEnd().split('\n')) {
        const [, npm, typed = ''] = /^ {2}(?:echo '.*' \| )?(npm run(?: --silent)?) operator -- (.*)$/.exec(line) ?? [];
        expect(`${typed} `).toMatch(new RegExp(`^${names} `));
        // What npm says to people would be part of what a file, another program or a reader of JSON gets.
        expect(npm).toBe(/ (--json|[|>])( |$)/.test(typed) ? 'npm run --silent' : 'npm run');
      }
    }
  });

  describe.skipIf(process.platform !== 'linux')('in a terminal', () => {
    it('fits the table to the width, and colours unless told not to', async () => {
      const slug = await newTenant();
      const company = 'The Acme Corporation of Everything That Anybody Can Think Of';
      const id = await newCustomer(slug, 'ada.lovelace.of.the.analytical.engine@example.com', company);
      const narrow = await runInTerminal({ columns: 80 }, ['customer', 'list', slug], env);
      expect(narrow.screen).toContain(`${id}  ada.lovelace`);
      expect(narrow.screen).toContain('\u001b[1mid ');
      expect(narrow.screen).toMatch(/Left out for want of room, but in --json: .*created/);
      const wide = await runInTerminal({ columns: 200 }, ['customer', 'list', slug], { ...env, NO_COLOR: '1' });
      expect(wide.screen).toContain(company);
      expect(wide.screen).not.toContain('\u001b');
      for (const line of narrow.screen.split('\r\n')) {
        expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(80);
      }
      expect((await operate('customer', 'list', slug)).stdout).not.toContain('\u001b');
    });

    it('asks before it deletes a tenant, and does so for its name alone', async () => {
      const slug = await newTenant();
      const no = await runInTerminal({ columns: 80 }, ['tenant', 'delete', slug], env, 'yes\n');
      expect(no).toMatchObject({ code: 2, screen: expect.stringContaining('Nothing was done.') });
      await operateDone('tenant', 'show', slug);
      const interrupted = await runInTerminal({ columns: 80 }, ['tenant', 'delete', slug], env, '\u0003');
      expect(interrupted.code).toBe(130);
      await operateDone('tenant', 'show', slug);
      const yes = await runInTerminal({ columns: 80 }, ['tenant', 'delete', slug], env, `${slug}\n`);
      expect(yes).toMatchObject({ code: 0, screen: expect.stringContaining(`The tenant ${slug} is deleted.`) });
      expect((await operate('tenant', 'show', slug)).code).toBe(1);
    });
  });
});
