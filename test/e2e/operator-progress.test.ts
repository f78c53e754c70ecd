import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runInTerminal, runOperator, startPeer } from './operator.ts';
import { newStateFolder } from './service.ts';

/** Longer than what is shown stays at least. */
const ANSWER_MILLISECONDS = 250;

const EMPTY_LINE = '\r\u001b[2K';

let folder: Awaited<ReturnType<typeof newStateFolder>>;

beforeAll(async () => {
  folder = await newStateFolder();
});

afterAll(() => folder.remove());

const newFile = () => path.join(folder.folder, `${crypto.randomUUID()}.ndjson`);

/** Takes imports and makes exports, and takes its time for them. */
const startSlowPeer = () =>
  startPeer(async (request, response) => {
    const lines = (await text(request)).trimEnd().split('\n').length;
    await wait(ANSWER_MILLISECONDS);
    response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
    if (request.method === 'POST') {
      return void response.end(`${JSON.stringify({ summary: { lines, created: lines, existing: 0, refused: 0 } })}\n`);
    }
    for (let customers = 0; customers < 3; customers += 1) {
      response.write('{"email":"a@example.com"}\n');
      await wait(ANSWER_MILLISECONDS);
    }
    response.end();
  });

/** What a terminal showed one after the other in the line of the progress, and what it is left with. */
const readScreen = (screen: string) => {
  const [before = '', ...shown] = screen.split(EMPTY_LINE);
  return { shown: shown.slice(0, -1), left: before + (shown.at(-1) ?? '') };
};

const LINES = Array.from({ length: 10_001 }, (_, i) => `{"email":"number${i + 1}@example.com"}\n`);

/** How far it is after so many lines. */
const percentAfter = (lines: number): number =>
  Math.floor((100 * LINES.slice(0, lines).join('').length) / LINES.join('').length);

describe.skipIf(process.platform !== 'linux')('progress in a terminal', { concurrent: true }, () => {
  it.each([
    [80, 24],
    [80, 1],
    [80, 0],
    [0, 24],
    [0, 0],
  ])('tells in one line how far an import is, and is gone at its end: %i × %i', async (columns, rows) => {
    await using peer = await startSlowPeer();
    const file = newFile();
    await writeFile(file, LINES.join(''));
    const { code, screen } = await runInTerminal({ columns, rows }, ['import', 'acme', file], peer.env);
    const { shown, left } = readScreen(screen);
    expect({ code, left }).toEqual({ code: 0, left: '10,001 lines: 10,001 created, 0 existing, 0 refused\r\n' });
    expect(new Set(shown)).toEqual(
      new Set([
        `${'░'.repeat(30)}   0 %  0 created, 0 existing, 0 refused`,
        `${'█'.repeat(15)}${'░'.repeat(15)}  ${percentAfter(5000)} %  5,000 created, 0 existing, 0 refused`,
        `${'█'.repeat(30)}  ${percentAfter(10_000)} %  10,000 created, 0 existing, 0 refused`,
        `${'█'.repeat(30)} 100 %  10,001 created, 0 existing, 0 refused`,
      ]),
    );
  });

  it('tells what there is room for', async () => {
    await using peer = await startSlowPeer();
    const file = newFile();
    await writeFile(file, LINES.join(''));
    const narrow = readScreen((await runInTerminal({ columns: 20 }, ['import', 'acme', file], peer.env)).screen);
    expect(new Set(narrow.shown)).toContain(`  ${percentAfter(5000)} %  5,000 crea…`);
    for (const line of narrow.shown) expect(line.length).toBeLessThan(20);
  });

  it('counts the customers of an export, and is gone at its end', async () => {
    await using peer = await startSlowPeer();
    const file = newFile();
    const { code, screen } = await runInTerminal({ columns: 80, rows: 0 }, ['export', 'acme', file], {
      ...peer.env,
      NO_COLOR: '1',
    });
    const { shown, left } = readScreen(screen);
    expect({ code, left }).toEqual({ code: 0, left: `3 customers in ${file}\r\n` });
    expect(shown).toContain('1 customer');
    expect((await readFile(file, 'utf8')).split('\n')).toHaveLength(4);
  });

  it('is nothing where nobody looks', async () => {
    await using peer = await startSlowPeer();
    const file = newFile();
    await writeFile(file, LINES.join(''));
    expect(await runOperator(['import', 'acme', file], peer)).toMatchObject({ code: 0, stderr: '' });
  });
});
