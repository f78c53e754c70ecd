import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cellOf, safeJson } from '../../scripts/operator/cells.ts';
import { readSeconds, readTime } from '../../scripts/operator/durations.ts';
import { createOverlap } from '../../scripts/operator/overlap.ts';
import { partsOf } from '../../scripts/operator/parts.ts';
import { column, layTable, textColumn } from '../../scripts/operator/table.ts';
import { findTarget } from '../../scripts/operator/target.ts';
import { newStateFolder } from './service.ts';

describe('the parts of a file', () => {
  const cut = async (chunks: (string | Uint8Array)[], most = { lines: 2, bytes: 100 }) => {
    const parts = await Array.fromAsync(partsOf(streamOf(chunks.map((chunk) => Buffer.from(chunk))), most));
    return parts.map(({ firstLine, lines, body }) => [firstLine, lines, Buffer.from(body).toString()]);
  };

  it('are whole lines, however the bytes come', async () => {
    const whole = Buffer.from('a\nbé\n\nd\r\ne');
    const expected = [
      [1, 2, 'a\nbé\n'],
      [3, 2, '\nd\r\n'],
      [5, 1, 'e'],
    ];
    expect(await cut([whole])).toEqual(expected);
    expect(await cut([...whole].map((byte) => Uint8Array.of(byte)))).toEqual(expected);
  });

  it('are no larger than they may be', async () => {
    const most = { lines: 100, bytes: 10 };
    expect(await cut(['123456789\n1234\n1234\n1\n'], most)).toEqual([
      [1, 1, '123456789\n'],
      [2, 2, '1234\n1234\n'],
      [4, 1, '1\n'],
    ]);
    await expect(cut(['1\n12345678901\n'], most)).rejects.toThrow('Line 2 is too long');
    await expect(cut(['1\n123456', '78901'], most)).rejects.toThrow('Line 2 is too long');
  });

  it('begin after the mark that some programs begin a file with', async () => {
    expect(await cut([Uint8Array.of(0xef), Uint8Array.of(0xbb, 0xbf), 'a\n\ufeffb\n'])).toEqual([
      [1, 2, 'a\n\ufeffb\n'],
    ]);
  });

  it('are none of nothing', async () => {
    expect(await cut([])).toEqual([]);
    expect(await cut([''])).toEqual([]);
  });
});

const streamOf = async function* (chunks: Uint8Array[]) {
  yield* chunks;
};

describe('a table', () => {
  const columns = [column('id'), textColumn('name'), column('status'), textColumn('note')];
  const items = [
    { id: 'a1', name: 'a name that is rather long', status: 'active', note: null },
    { id: 'b2', name: '日本語', status: 'disabled', note: null },
  ];

  it('leaves out columns that are empty, and takes the room that it needs', () => {
    expect(layTable(columns, items, Number.POSITIVE_INFINITY)).toEqual({
      head: 'id  name                        status',
      rows: ['a1  a name that is rather long  active', 'b2  日本語                      disabled'],
      hidden: [],
    });
  });

  it('cuts what people wrote first, and leaves columns out then', () => {
    expect(layTable(columns, items, 30)).toEqual({
      head: 'id  name              status',
      rows: ['a1  a name that is …  active', 'b2  日本語            disabled'],
      hidden: [],
    });
    const { rows, hidden } = layTable(columns, items, 20);
    expect(rows).toEqual(['a1  a name that is …', 'b2  日本語']);
    expect(hidden).toEqual(['status']);
  });
});

describe('what is shown', () => {
  it('moves no cursor, hides nothing and turns nothing around', () => {
    const typed = 'a\u001b[31mb\u009b2Jc\u202ed\u2028\n';
    expect(cellOf(typed)).toBe('a\\u{1b}[31mb\\u{9b}2Jc\\u{202e}d\\u{2028}\\u{a}');
    const json = safeJson({ typed });
    expect(json).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}]/u);
    expect(JSON.parse(json)).toEqual({ typed });
  });
});

describe('a time that is typed', () => {
  it('is a number and a unit', () => {
    expect(['45s', '30m', '24h', '7d'].map(readSeconds)).toEqual([45, 1800, 86_400, 604_800]);
    for (const wrong of ['', '5', 'h', '-1h', '1.5h', '1w']) expect(() => readSeconds(wrong)).toThrow('is no time');
  });

  it('is a date, or how long ago', () => {
    expect(readTime('2026-05-01')).toBe('2026-05-01T00:00:00.000Z');
    expect(readTime('2026-05-01T12:00:00+02:00')).toBe('2026-05-01T10:00:00.000Z');
    for (const zoneless of ['2026-05-01T12:00', '2026-05-01 12:00:00Z']) {
      expect(readTime(zoneless)).toBe('2026-05-01T12:00:00.000Z');
    }
    expect(Date.now() - Date.parse(readTime('2h'))).toBeGreaterThanOrEqual(7_200_000);
    for (const wrong of ['', '5', 'yesterday', '2026-13-01', '2026-02-30', '2026-02-30T12:00Z'])
      expect(() => readTime(wrong)).toThrow('is no time');
  });
});

describe('the overlap in which events are asked for again', () => {
  const event = (id: string, at: string) => ({ id, at: `2026-01-01T12:${at}.000Z` });
  const early = event('evt_1', '00:00');
  const late = event('evt_2', '01:00');

  it('knows what was taken in the last half minute alone', () => {
    const overlap = createOverlap(Number.NEGATIVE_INFINITY, () => 0);
    expect(overlap.since()).toBeUndefined();
    expect(overlap.takeNew([late, early])).toEqual([late, early]);
    expect(overlap.takeNew([late, early])).toEqual([]);
    overlap.endRound();
    expect(overlap.since()).toBe('2026-01-01T12:00:30.000Z');
    expect(overlap.takeNew([late, early])).toEqual([early]);
  });

  it('moves with the clock while nothing happens, whatever the time is here', () => {
    let now = 5_000_000;
    const overlap = createOverlap(Number.NEGATIVE_INFINITY, () => now);
    overlap.takeNew([late]);
    overlap.endRound();
    now += 10_000;
    overlap.takeNew([late]);
    overlap.endRound();
    expect(overlap.since()).toBe('2026-01-01T12:00:40.000Z');
  });

  it('begins where the first page of a round that took long did', () => {
    let now = 0;
    const overlap = createOverlap(Number.NEGATIVE_INFINITY, () => now);
    overlap.takeNew([late]);
    now += 600_000;
    overlap.takeNew([early]);
    overlap.endRound();
    expect(overlap.since()).toBe('2026-01-01T12:00:30.000Z');
  });
});

describe('the service that is operated', () => {
  let folder: Awaited<ReturnType<typeof newStateFolder>>;
  let secrets: string;

  beforeAll(async () => {
    folder = await newStateFolder();
    secrets = path.join(folder.folder, '.dev.vars');
    await writeFile(secrets, 'MASTER_KEY="x"\nOPERATOR_TOKEN="of-this-machine"\n');
  });

  afterAll(() => folder.remove());

  it('is the one on this machine, with its own token, unless another is named', () => {
    const token = 'of-this-machine';
    expect(findTarget(undefined, {}, secrets)).toEqual({ origin: 'http://localhost:8787', token });
    expect(findTarget(undefined, { GATEHOUSE_URL: 'http://127.0.0.1:1' }, secrets).origin).toBe('http://127.0.0.1:1');
    expect(findTarget('http://[::1]:8787/', { GATEHOUSE_URL: 'https://a.example' }, secrets).token).toBe(token);
    const env = { GATEHOUSE_OPERATOR_TOKEN: ' typed\n' };
    expect(findTarget('https://a.example', env, secrets)).toEqual({ origin: 'https://a.example', token: 'typed' });
  });

  it('never gets the token of this machine when it is elsewhere', () => {
    for (const url of ['https://a.example', 'https://localhost.example', 'https://127.0.0.1.example']) {
      expect(() => findTarget(url, {}, secrets)).toThrow('Set GATEHOUSE_OPERATOR_TOKEN');
    }
  });

  it('gets no token in the clear when it is elsewhere', () => {
    const env = { GATEHOUSE_OPERATOR_TOKEN: 'typed' };
    for (const url of ['http://a.example', 'http://localhost.example', 'http://127.0.0.1.example', 'http://10.0.0.1']) {
      expect(() => findTarget(url, env, secrets)).toThrow('use https');
    }
  });

  it.each([
    '',
    'a.example',
    'ftp://a.example',
    'https://a:b@a.example',
    'https://a.example/api',
    'https://a.example?b',
  ])('is not %j', (url) => {
    expect(() => findTarget(url, { GATEHOUSE_OPERATOR_TOKEN: 'typed' }, secrets)).toThrow('The URL must');
  });

  it('is told of a token that no header can have without the token', () => {
    const find = () => findTarget('https://a.example', { GATEHOUSE_OPERATOR_TOKEN: 'sec\nret' }, secrets);
    expect(find).toThrow('characters that no header can have');
    expect(find).not.toThrow('sec');
  });
});
