import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runOperator, startOperator, startPeer } from './operator.ts';
import { newStateFolder } from './service.ts';

let folder: Awaited<ReturnType<typeof newStateFolder>>;

beforeAll(async () => {
  folder = await newStateFolder();
});

afterAll(() => folder.remove());

const newFile = () => path.join(folder.folder, `${crypto.randomUUID()}.ndjson`);

const keep = async (content: string): Promise<string> => {
  const file = newFile();
  await writeFile(file, content);
  return file;
};

const customers = (count: number): string =>
  Array.from({ length: count }, (_, i) => `{"email":"number${i + 1}@example.com"}\n`).join('');

type Fault = (response: ServerResponse) => void;

/** Takes imports as the service does, but for these faults, one a request. A line that is no JSON is refused. */
const startImports = async (faults: (Fault | null)[]) => {
  const known = new Set<string>();
  const bodies: string[] = [];
  const peer = await startPeer(async (request, response) => {
    const body = await text(request);
    bodies.push(body);
    let created = 0;
    const refused = body.split('\n').flatMap((line, i) => {
      if (line === '') return [];
      if (!line.startsWith('{')) {
        const errors = [{ path: '', code: 'malformed', message: 'This is no JSON.' }];
        return JSON.stringify({ line: i + 1, errors });
      }
      if (!known.has(line)) created += 1;
      known.add(line);
      return [];
    });
    const lines = body.split('\n').filter((line) => line !== '').length;
    const summary = { lines, created, existing: lines - created - refused.length, refused: refused.length };
    const fault = faults.shift();
    if (fault) return fault(response);
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    response.end([...refused, JSON.stringify({ summary })].join('\n').concat('\n'));
  });
  return { peer, known, bodies };
};

const cutOff: Fault = (response) => {
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  response.write('{"line":1,"err');
  setTimeout(() => response.destroy(), 50);
};

const endEarly: Fault = (response) => {
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' }).end();
};

const failLate: Fault = (response) => {
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  const error = { code: 'storage_unavailable', message: 'Not now.', lines: 0 };
  response.end(`{"line":1,"errors":[]}\n${JSON.stringify({ error })}\n`);
};

const refuse =
  (status: number, code: string, headers: Record<string, string> = {}): Fault =>
  (response) => {
    response.writeHead(status, { 'Content-Type': 'application/problem+json', ...headers });
    response.end(JSON.stringify({ status, code, message: 'Not now.' }));
  };

describe.concurrent('an import from the command line', () => {
  it('goes in parts, and tells refused lines by their number in the whole file', async () => {
    const { peer, bodies } = await startImports([]);
    await using _ = peer;
    const file = await keep(`${customers(5001)}no JSON\n${customers(5003).split('\n').slice(5001).join('\n')}nor this`);
    const { code, stdout, stderr } = await runOperator(['import', 'acme', file], { env: peer.env });
    expect(stdout).toBe(
      'line 5002: This is no JSON.\nline 5005: This is no JSON.\n5,005 lines: 5,003 created, 0 existing, 2 refused\n',
    );
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    expect(bodies.map((body) => body.trimEnd().split('\n').length)).toEqual([5000, 5]);
  });

  it('reads standard input, and tells programs as the service does', async () => {
    const { peer } = await startImports([]);
    await using _ = peer;
    const input = `\ufeff${customers(2)}wrong\r\n`;
    const { code, stdout } = await runOperator(['import', 'acme', '-', '--json'], { env: peer.env, input });
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { line: 3, errors: [{ path: '', code: 'malformed', message: 'This is no JSON.' }] },
      { summary: { lines: 3, created: 2, existing: 0, refused: 1 } },
    ]);
    expect(code).toBe(4);
  });

  it.each([
    ['a connection that breaks', (response: ServerResponse) => void response.destroy(), /Trying again in 1 s/],
    ['an answer that breaks off', cutOff, /Trying again in 1 s/],
    ['an answer without its end', endEarly, /The answer broke off\. Trying again in 1 s/],
    ['an answer that cannot be finished', failLate, /broke off: Not now\. \(storage_unavailable\) Trying again in 1 s/],
    ['a refusal for the moment', refuse(503, 'storage_unavailable', { 'Retry-After': '2' }), /Trying again in 2 s/],
    ['a limit', refuse(429, 'rate_limited', { 'Retry-After': '0' }), /Trying again in 0 s/],
  ])('survives %s, and refuses each line once', async (_, fault, told) => {
    const { peer, known, bodies } = await startImports([fault]);
    await using __ = peer;
    const file = await keep(`${customers(3)}wrong\n`);
    const { code, stdout, stderr } = await runOperator(['import', 'acme', file], { env: peer.env });
    expect(stdout).toBe('line 4: This is no JSON.\n4 lines: 0 created, 3 existing, 1 refused\n');
    expect(stderr).toMatch(told);
    expect(code).toBe(4);
    expect(known.size).toBe(3);
    expect(bodies).toHaveLength(2);
  });

  it('stops at once when it is refused as a whole, and says how far it came', async () => {
    const { peer } = await startImports([null, refuse(404, 'tenant_not_found')]);
    await using _ = peer;
    const file = await keep(customers(6000));
    const { code, stdout, stderr } = await runOperator(['import', 'acme', file], { env: peer.env });
    expect(stderr).toContain('Up to line 5,000 all is done: 5,000 created, 0 existing, 0 refused.');
    expect(stderr).toContain('run the same command again');
    expect(stderr).toContain('tenant_not_found (404): Not now.');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  });

  it('gives up when nothing comes back, and goes on when it is run again', async () => {
    const faults: (Fault | null)[] = [
      null,
      ...Array.from({ length: 5 }, () => refuse(503, 'later', { 'Retry-After': '0' })),
    ];
    const { peer, known } = await startImports(faults);
    await using _ = peer;
    const file = await keep(customers(5001));
    const first = await runOperator(['import', 'acme', file], { env: peer.env });
    expect(first.code).toBe(1);
    expect(first.stderr).toContain('run the same command again');
    const second = await runOperator(['import', 'acme', file], { env: peer.env });
    expect(second).toEqual({ code: 0, stdout: '5,001 lines: 0 created, 5,001 existing, 0 refused\n', stderr: '' });
    expect(known.size).toBe(5001);
  });

  it('ends with 130 on Ctrl-C, while it waits for its input as well', async () => {
    const { peer, bodies } = await startImports([]);
    await using _ = peer;
    const run = startOperator(['import', 'acme', '-'], { env: peer.env, input: null });
    run.process.stdin.write(customers(5001));
    while (bodies.length === 0) await wait(20);
    run.process.kill('SIGINT');
    const { code, stderr } = await run.ended;
    expect(code).toBe(130);
    expect(stderr).toContain('run the same command again');
  });

  it('refuses a file with a line that is no customer of anybody', async () => {
    const { peer, bodies } = await startImports([]);
    await using _ = peer;
    const file = await keep('x'.repeat(5 * 1024 * 1024));
    const { code, stderr } = await runOperator(['import', 'acme', file], { env: peer.env });
    expect(stderr).toContain('Line 1 is too long');
    expect(code).toBe(2);
    expect(bodies).toEqual([]);
  });
});

/** Answers an export in these pieces, and breaks off after them where told so. */
const startExport = (pieces: string[], breaksOff: boolean) =>
  startPeer(async ({ url }, response) => {
    if (url !== '/operator/v1/tenants/acme/customers/export') return refuse(404, 'not_found')(response);
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    for (const piece of pieces) {
      response.write(piece);
      await wait(20);
    }
    if (breaksOff) response.destroy();
    else response.end();
  });

/** Answers the exports that go on after these cursors with these lines, and any other with 404. */
const startExports = (answers: Record<string, string>) =>
  startPeer(({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const body = answers[searchParams.get('cursor') ?? ''];
    const isAsked = pathname === '/operator/v1/tenants/acme/customers/export' && searchParams.has('include');
    if (!isAsked || body === undefined) return refuse(404, 'not_found')(response);
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' }).end(body);
  });

const leftovers = async (file: string) =>
  (await readdir(folder.folder)).filter((name) => name.startsWith(path.basename(file)));

describe.concurrent('an export from the command line', () => {
  it('is a file for nobody else, whatever was there before', async () => {
    await using peer = await startExport(['{"email":"a@example.com"}\n{"email":', '"b@example.com"}\n'], false);
    const file = await keep('before');
    await writeFile(`${file}.part`, 'of somebody else');
    const { code, stdout, stderr } = await runOperator(['export', 'acme', file], { env: peer.env });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: `2 customers in ${file}\n` });
    expect(await readFile(file, 'utf8')).toBe('{"email":"a@example.com"}\n{"email":"b@example.com"}\n');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await leftovers(file)).toEqual([path.basename(file), `${path.basename(file)}.part`]);
    expect(await readFile(`${file}.part`, 'utf8')).toBe('of somebody else');
  });

  it('goes through a link, even to what is not there yet', async () => {
    await using peer = await startExport(['{}\n'], false);
    const [link, file] = [newFile(), newFile()];
    await symlink(path.basename(file), link);
    for (const _ of ['at first', 'again']) {
      expect((await runOperator(['export', 'acme', link], { env: peer.env })).code).toBe(0);
      expect(await readFile(file, 'utf8')).toBe('{}\n');
      expect(await readlink(link)).toBe(path.basename(file));
    }
  });

  it.skipIf(process.platform === 'win32')('goes into a pipe that is there, once somebody reads it', async () => {
    await using peer = await startExport(['{}\n', '{}\n'], false);
    const pipe = newFile();
    execFileSync('mkfifo', [pipe]);
    const run = startOperator(['export', 'acme', pipe], { env: peer.env });
    const reader = spawn('cat', [pipe]);
    expect(await text(reader.stdout)).toBe('{}\n{}\n');
    expect((await run.ended).code).toBe(0);
    expect(await leftovers(pipe)).toEqual([path.basename(pipe)]);
  });

  it('asks for nothing when the file is a folder', async () => {
    const asked: unknown[] = [];
    await using peer = await startPeer((request, response) => {
      asked.push(request.url);
      response.end();
    });
    const { code, stderr } = await runOperator(['export', 'acme', folder.folder], { env: peer.env });
    expect(stderr).toContain('EISDIR');
    expect({ code, asked }).toEqual({ code: 2, asked: [] });
  });

  it('goes to standard output without a file', async () => {
    await using peer = await startExport(['{"email":"a@example.com"}\n'], false);
    const run = await runOperator(['export', 'acme'], { env: peer.env });
    expect(run).toEqual({ code: 0, stdout: '{"email":"a@example.com"}\n', stderr: '1 customer\n' });
  });

  it.each([
    ['breaks off between two lines', ['{"email":"a@example.com"}\n'], true],
    ['breaks off within a line', ['{"email":"a@example.com"}\n{"em'], true],
    ['ends within a line', ['{"email":"a@example.com"}\n{"em'], false],
    ['is something else', ['<!doctype html>\n<p>Sign in</p>\n'], false],
    ['says that it cannot go on', ['{}\n{"err', 'or":{"code":"later","message":"Not now."}}\n'], false],
  ])('leaves nothing that looks whole when it %s', async (_, pieces, breaksOff) => {
    await using peer = await startExport(pieces, breaksOff);
    const file = await keep('before');
    const [{ code, stderr }, shown] = await Promise.all([
      runOperator(['export', 'acme', file], { env: peer.env }),
      runOperator(['export', 'acme'], { env: peer.env }),
    ]);
    expect(code).toBe(3);
    expect(shown).toMatchObject({ code: 3, stdout: '' });
    expect(stderr).not.toBe('');
    expect(stderr).not.toContain('{');
    expect(await readFile(file, 'utf8')).toBe('before');
    expect(await leftovers(file)).toEqual([path.basename(file)]);
  });

  it('asks for a part again after a limit, or when it broke off, and has each line once', async () => {
    const [first, second] = ['{"email":"a@example.com"}\n', '{"email":"b@example.com"}\n'];
    const breakOff: Fault = (response) => {
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
      response.write(`${second}${second}{"em`);
      setTimeout(() => response.destroy(), 50);
    };
    const limit = refuse(429, 'rate_limited', { 'Retry-After': '1' });
    const faults = [limit, null, limit, breakOff];
    const asked: string[] = [];
    await using peer = await startPeer(({ url = '' }, response) => {
      const cursor = new URL(url, 'http://localhost').searchParams.get('cursor') ?? '';
      asked.push(cursor);
      const fault = faults.shift();
      if (fault) return fault(response);
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
      response.end(cursor === '' ? `${first}{"next":"cus_1"}\n` : second);
    });
    const file = newFile();
    const { code, stderr } = await runOperator(['export', 'acme', file], { env: peer.env });
    expect(stderr).toContain('Not now. Trying again in 1 s …');
    expect(stderr).toContain(`2 customers in ${file}\n`);
    expect(code).toBe(0);
    expect(await readFile(file, 'utf8')).toBe(`${first}${second}`);
    expect(asked).toEqual(['', '', 'cus_1', 'cus_1', 'cus_1']);
  });

  it('asks for one part after the other, and is one file of them all', async () => {
    const [first, second] = ['{"email":"a@example.com"}\n', '{"email":"b@example.com","next":"no cursor"}\n'];
    await using peer = await startExports({
      '': `${first}${first}{"next":"cus_1"}\n`,
      cus_1: '{"next":"cus_2"}\n',
      cus_2: second,
    });
    const file = newFile();
    const run = await runOperator(['export', 'acme', file, '--include-password-hashes'], { env: peer.env });
    expect(run).toEqual({ code: 0, stdout: '', stderr: `3 customers in ${file}\n` });
    expect(await readFile(file, 'utf8')).toBe(`${first}${first}${second}`);
  });

  it('may have nobody in its last part, or in all', async () => {
    await using some = await startExports({ '': '{"email":"a@example.com"}\n{"next":"cus_1"}\n', cus_1: '' });
    const args = ['export', 'acme', '--include-password-hashes'];
    expect(await runOperator(args, { env: some.env })).toMatchObject({ code: 0, stderr: '1 customer\n' });
    await using none = await startExports({ '': '' });
    expect(await runOperator(args, { env: none.env })).toEqual({ code: 0, stdout: '', stderr: '0 customers\n' });
  });

  it('leaves nothing that looks whole when a later part fails', async () => {
    await using peer = await startExports({ '': '{"email":"a@example.com"}\n{"next":"cus_1"}\n' });
    const file = newFile();
    const { code, stderr } = await runOperator(['export', 'acme', file, '--include-password-hashes'], peer);
    expect(stderr).toContain('not_found (404)');
    expect(code).toBe(1);
    expect(await leftovers(file)).toEqual([]);
  });

  it('leaves nothing behind on Ctrl-C, and ends with 130', async () => {
    await using peer = await startExport(
      Array.from({ length: 1000 }, () => '{}\n'),
      false,
    );
    const file = newFile();
    const run = startOperator(['export', 'acme', file], { env: peer.env });
    while ((await leftovers(file)).length === 0) await wait(20);
    run.process.kill('SIGINT');
    expect((await run.ended).code).toBe(130);
    expect(await leftovers(file)).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')('ends with 2 and a line when standard output is full', async () => {
    await using peer = await startExport(['{}\n'], false);
    for (const command of ['export acme', 'events acme --help']) {
      const full = `exec ${process.execPath} scripts/operator.ts ${command} > /dev/full`;
      const run = spawn('sh', ['-c', full], { env: { ...process.env, ...peer.env } });
      const [stderr, [code]] = await Promise.all([text(run.stderr), once(run, 'close')]);
      expect(stderr).toBe('ENOSPC: no space left on device, write\n');
      expect(code).toBe(2);
    }
  });

  it('ends with 2 when the file cannot be written', async () => {
    await using peer = await startExport(['{}\n'], false);
    const { code, stderr } = await runOperator(['export', 'acme', '/nowhere/at/all'], { env: peer.env });
    expect(stderr).toContain('ENOENT');
    expect(code).toBe(2);
  });
});

type Event = { id: string; at: string; type: string };

const eventAt = (second: number, id: string): Event => ({
  id,
  at: new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString(),
  type: 'customer.created',
});

/** Tells of these events, newest first and by pages of three; `faults` is what it does instead, once each. */
const startEvents = (events: Event[], faults: (Fault | null)[] = []) => {
  const asked: URL[] = [];
  return {
    asked,
    started: startPeer((request, response) => {
      const url = new URL(request.url ?? '', 'http://localhost');
      asked.push(url);
      const fault = faults.shift();
      if (fault) return fault(response);
      const since = url.searchParams.get('since') ?? '';
      const found = events.filter(({ at }) => at >= since).toSorted((a, b) => b.at.localeCompare(a.at));
      const from = Number(url.searchParams.get('cursor') ?? 0);
      const next = from + 3 < found.length ? String(from + 3) : null;
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify({ items: found.slice(from, from + 3), next }));
    }),
  };
};

describe.concurrent('following events from the command line', () => {
  it('shows each once and oldest first, survives an outage, and ends with 130 on Ctrl-C', async () => {
    const events = [1, 2, 3, 4, 5].map((second) => eventAt(second, `evt_${second}`));
    const faults: Fault[] = [];
    const { asked, started } = startEvents(events, faults);
    await using peer = await started;
    const run = startOperator(['events', 'acme', '--since', '2026-01-01T12:00:02Z', '--follow', '--json'], peer);
    let shown = '';
    run.process.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
    });
    const untilShown = async (id: string) => {
      while (!shown.includes(`"${id}"`)) await wait(20);
    };
    await untilShown('evt_5');
    // One that is late, two of one instant, and more than a page.
    events.push(eventAt(3, 'evt_late'), eventAt(5, 'evt_same'), eventAt(6, 'evt_6'), eventAt(7, 'evt_7'));
    faults.push((response) => void response.destroy(), refuse(503, 'storage_unavailable', { 'Retry-After': '1' }));
    await untilShown('evt_7');
    const polls = asked.length;
    while (asked.length < polls + 3) await wait(20);
    run.process.kill('SIGINT');
    const { code, stdout } = await run.ended;
    expect(code).toBe(130);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual(['evt_2', 'evt_3', 'evt_4', 'evt_5', 'evt_late', 'evt_same', 'evt_6', 'evt_7']);
  });

  it('begins with the last ones, and goes back no further', async () => {
    const events = [1, 2, 3, 4].map((second) => eventAt(second, `evt_${second}`));
    const { asked, started } = startEvents(events);
    await using peer = await started;
    const run = startOperator(['events', 'acme', '--follow', '--limit', '1'], peer);
    while (asked.length < 2) await wait(20);
    events.push(eventAt(4, 'evt_same'));
    while (asked.length < 4) await wait(20);
    run.process.kill('SIGINT');
    const { code, stdout } = await run.ended;
    expect(code).toBe(130);
    expect(stdout).toBe('2026-01-01 12:00:04Z  customer.created\n'.repeat(2));
  });

  it('asks for one page as long as nothing is new, however much there was', async () => {
    const events = Array.from({ length: 20 }, (_, i) => eventAt(i, `evt_${i}`));
    const { asked, started } = startEvents(events);
    await using peer = await started;
    const run = startOperator(['events', 'acme', '--since', '2026-01-01T12:00:00Z', '--follow'], peer);
    while (asked.length < 10) await wait(20);
    run.process.kill('SIGINT');
    await run.ended;
    const pages = asked.map(({ searchParams }) => searchParams.get('cursor') ?? '0');
    expect(pages.slice(0, 10)).toEqual(['0', '3', '6', '9', '12', '15', '18', '0', '0', '0']);
  });

  it('shows what it has read before a limit, and then goes on from there', async () => {
    const events = [1, 2, 3, 4, 5].map((second) => eventAt(second, `evt_${second}`));
    const limit = refuse(429, 'rate_limited', { 'Retry-After': '1' });
    const { asked, started } = startEvents(events, [null, limit]);
    await using peer = await started;
    const run = startOperator(['events', 'acme', '--since', '2026-01-01T12:00:00Z', '--follow', '--json'], peer);
    while (asked.length < 5) await wait(20);
    run.process.kill('SIGINT');
    const { code, stdout } = await run.ended;
    expect(code).toBe(130);
    const shown = stdout.trimEnd().split('\n');
    expect(shown.map((line) => JSON.parse(line).id)).toEqual(['evt_3', 'evt_4', 'evt_5', 'evt_1', 'evt_2']);
    expect(asked.map(({ searchParams }) => searchParams.get('cursor'))).toEqual([null, '3', '3', null, null]);
  });

  it('ends at once when it is refused', async () => {
    const { started } = startEvents([], [refuse(401, 'unauthenticated')]);
    await using peer = await started;
    const { code, stderr } = await runOperator(['events', 'acme', '--follow'], peer);
    expect(stderr).toContain('unauthenticated (401): Not now.');
    expect(code).toBe(1);
  });
});

/** Lists customers by pages of one, and stands in for what comes after a limit of calls; `faults` come first. */
const startCustomers = async (count: number, faults: (Fault | null)[] = []) => {
  const asked: string[] = [];
  const peer = await startPeer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://localhost');
    asked.push(searchParams.get('cursor') ?? '');
    const fault = faults.shift();
    if (fault) return fault(response);
    const from = Number(searchParams.get('cursor') ?? 0);
    const items = from < count ? [{ id: `cus_${from}`, name: 'two\nlines', attributes: {}, tags: ['a', 'b'] }] : [];
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ items, next: from + 1 < count ? String(from + 1) : null }));
  });
  return { peer, asked };
};

describe.concurrent('a whole list from the command line', () => {
  it('waits for a limit and for a connection that broke, and goes on from there', async () => {
    const limit = refuse(429, 'rate_limited', { 'Retry-After': '1' });
    const { peer, asked } = await startCustomers(3, [null, limit, null, (response) => void response.destroy()]);
    await using _ = peer;
    const { code, stdout, stderr } = await runOperator(['customer', 'list', 'acme', '--all'], peer);
    expect(stdout.match(/^cus_\d/gm)).toEqual(['cus_0', 'cus_1', 'cus_2']);
    expect(stderr).toContain('Not now. Trying again in 1 s …');
    expect(code).toBe(0);
    expect(asked).toEqual(['', '1', '1', '2', '2']);
  });

  it('ends at once when its beginning is refused', async () => {
    const { peer, asked } = await startCustomers(1, [refuse(429, 'rate_limited', { 'Retry-After': '1' })]);
    await using _ = peer;
    const { code, stdout } = await runOperator(['customer', 'list', 'acme', '--all', '--json'], peer);
    expect({ code, stdout, asked }).toEqual({ code: 1, stdout: '', asked: [''] });
  });

  it.each([0, 1, 3])('is for programs what one page with all %i of it would be', async (count) => {
    const { peer } = await startCustomers(count);
    await using _ = peer;
    const { stdout } = await runOperator(['customer', 'list', 'acme', '--all', '--json'], peer);
    const list = JSON.parse(stdout);
    expect(list.items.map(({ id }: { id: string }) => id)).toEqual(Array.from({ length: count }, (_, i) => `cus_${i}`));
    expect(list.next).toBeNull();
    expect(stdout).toBe(`${JSON.stringify(list, null, 2)}\n`);
  });

  it('is told to programs as it comes', async () => {
    const later = Promise.withResolvers<void>();
    const { peer } = await startCustomers(2, [
      null,
      async (response) => {
        await later.promise;
        response.destroy();
      },
    ]);
    await using _ = peer;
    const run = startOperator(['customer', 'list', 'acme', '--all', '--json'], peer);
    let shown = '';
    run.process.stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
    });
    while (!shown.includes('cus_0')) await wait(20);
    later.resolve();
    expect(JSON.parse((await run.ended).stdout).items).toHaveLength(2);
  });
});
