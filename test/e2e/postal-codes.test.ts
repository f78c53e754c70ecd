import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensurePostalCodes } from '../../scripts/local/postal-codes.ts';
import { createProcesses } from '../../scripts/local/processes.ts';
import { readGeoNames } from '../../scripts/postal-codes/geonames.ts';
import { readShipped } from '../../scripts/postal-codes/shipped.ts';
import { statementsOf } from '../../scripts/postal-codes/statements.ts';
import { newStateFolder } from './service.ts';

const root = path.join(import.meta.dirname, '../..');

let state: Awaited<ReturnType<typeof newStateFolder>>;

beforeAll(async () => {
  state = await newStateFolder();
});

afterAll(() => state.remove());

/** A line as GeoNames has it. The places are invented. */
const line = (
  country: string,
  code: string,
  place: string,
  region: string,
  abbreviation: string,
  latitude: string,
  longitude: string,
) => [country, code, place, region, abbreviation, '', '', '', '', latitude, longitude, '4'].join('\t');

const LINES = [
  line('DE', '00001', 'Musterstadt', 'Bayern', 'BY', '48.25', '11.5'),
  line('DE', '00001', 'Musterdorf', 'Bayern', 'BY', '48.3', '11.6'),
  line('FR', '00001 CEDEX 2', "L'Île-d'Essai", 'Île-de-France', '11', '48.5', '-2.5'),
  '',
  line('GB', 'ZZ9', "O'Test; -- DROP", 'England', 'ENG', '51', '0'),
  line('CA', 'X9X', 'Downtown Toronto (Test Tower / Test Yards)', 'Ontario', 'ON', '', ''),
  line('JP', '000-0001', '試験町', '', '', '35.0', '139.0'),
];

const keep = async (content: string | Buffer): Promise<string> => {
  const file = path.join(state.folder, `${crypto.randomUUID()}.txt`);
  await writeFile(file, content);
  return file;
};

const read = async (content: string | Buffer, countries: string[] | null = null) =>
  Array.fromAsync(readGeoNames(await keep(content), countries && new Set(countries)));

describe('a postal-code file of GeoNames', () => {
  it('is read row by row, and of places with one code the first counts', async () => {
    expect(await read(`\ufeff${LINES.join('\r\n')}\r\n`)).toEqual([
      { country: 'DE', code: '00001', city: 'Musterstadt', region: 'Bayern', latitude: 48.25, longitude: 11.5 },
      {
        country: 'FR',
        code: '00001CEDEX2',
        city: "L'Île-d'Essai",
        region: 'Île-de-France',
        latitude: 48.5,
        longitude: -2.5,
      },
      { country: 'GB', code: 'ZZ9', city: "O'Test; -- DROP", region: 'England', latitude: 51, longitude: 0 },
      { country: 'CA', code: 'X9X', city: 'Toronto', region: 'ON', latitude: null, longitude: null },
      { country: 'JP', code: '0000001', city: '試験町', region: null, latitude: 35, longitude: 139 },
    ]);
  });

  it('gives the countries that are asked for alone', async () => {
    expect((await read(LINES.join('\n'), ['JP', 'DE'])).map(({ country }) => country)).toEqual(['DE', 'JP']);
  });

  it.each([
    ['too few columns', 'DE\t00001\tMusterstadt', 'line 1: 3 columns'],
    ['another table', 'a,b,c', 'line 1: 1 columns'],
    ['an unknown country', line('ZZ', '1', 'A', '', '', '1', '1'), 'line 1: "ZZ" is no country'],
    ['a name for a country', line('Germany', '00001', 'A', '', '', '1', '1'), 'line 1: "Germany" is no country'],
    ['no code', line('DE', ' - ', 'A', '', '', '1', '1'), 'line 1: "-" is no postal code'],
    ['no place', line('DE', '00001', ' ', '', '', '1', '1'), 'line 1: the place has no name'],
    ['a long name', line('DE', '00001', 'A'.repeat(181), '', '', '1', '1'), 'line 1: a name has more than 180'],
    ['a NUL', line('DE', '00001', 'A\0B', '', '', '1', '1'), 'line 1: "A\\u0000B" has control characters'],
    ['another encoding', Buffer.from(line('DE', '00001', 'Münster', '', '', '1', '1'), 'latin1'), 'not in UTF-8'],
    ['a latitude beyond the pole', line('DE', '00001', 'A', '', '', '91', '1'), 'line 1: "91, 1" are no degrees'],
    ['half a coordinate', line('DE', '00001', 'A', '', '', '1', ''), 'line 1: "1, " are no degrees'],
    ['a word for a number', line('DE', '00001', 'A', '', '', 'NaN', '1'), 'line 1: "NaN, 1" are no degrees'],
    ['nothing', '\n\n', 'it has no row'],
  ])('is refused for %s', async (_, content, message) => {
    await expect(read(content)).rejects.toThrow(message);
  });

  it('is refused with every fault by its line, up to twenty', async () => {
    await expect(read([LINES[0], 'one', LINES[1], 'two'].join('\n'))).rejects.toThrow(/line 2: .*\nline 4: .*$/);
    const message = await read('wrong\n'.repeat(1000)).catch(String);
    expect(message).toContain('line 20: ');
    expect(message).toMatch(/maybe more.*$/);
    expect(message).not.toContain('line 21');
  });

  it('is refused for a country of which it has nothing', async () => {
    await expect(read(LINES.join('\n'), ['DE', 'IT'])).rejects.toThrow('it has no row of IT');
  });
});

describe('the postal codes that come along', () => {
  const rows = readShipped();
  const find = (country: string, code: string) => rows.find((row) => row.country === country && row.code === code);

  it('are those of the United States and the areas of Canada', () => {
    expect(rows.filter(({ country }) => country === 'US')).toHaveLength(42_555);
    expect(rows.filter(({ country }) => country === 'CA')).toHaveLength(1620);
    expect(new Set(rows.map(({ country, code }) => `${country}${code}`)).size).toBe(rows.length);
    const isRight = (country: string, code: string) => (country === 'US' ? /^\d{5}$/ : /^[A-Z]\d[A-Z]$/).test(code);
    expect(rows.filter(({ country, code }) => !isRight(country, code))).toEqual([]);
  });

  it.each([
    ['US', '90210', 'Beverly Hills', 'CA'],
    ['US', '75070', 'McKinney', 'TX'],
    ['CA', 'K1A', 'Ottawa', 'ON'],
    ['CA', 'M5V', 'Toronto', 'ON'],
    ['CA', 'T2P', 'Calgary', 'AB'],
    ['CA', 'J9P', "Val-d'Or", 'QC'],
    ['CA', 'J3B', 'Saint-Jean-sur-Richelieu', 'QC'],
    ['CA', 'V7P', 'North Vancouver', 'BC'],
    ['CA', 'X0A', '', 'NU'],
  ])('tell of %s %s: %s, %s', (country, code, city, region) => {
    expect(find(country, code)).toMatchObject({ city, region });
  });

  it('tell no city that is none, and no coordinates that are none', () => {
    const wrong = rows.filter(
      ({ city, region, latitude, longitude }) =>
        /[\ufffd\d(&]|Provincial/.test(city) ||
        !/^[A-Z]{2}$/.test(region ?? '') ||
        (latitude === null) !== (longitude === null) ||
        latitude === 0,
    );
    expect(wrong).toEqual([]);
  });
});

describe('the database', () => {
  const processes = createProcesses(root);
  /** What wrangler is run for. */
  const runs: string[] = [];
  const counting: Pick<typeof processes, 'run'> = {
    run: (name, parameters) => {
      runs.push(parameters.join(' '));
      return processes.run(name, parameters);
    },
  };

  beforeAll(() =>
    processes.run('wrangler', ['d1', 'migrations', 'apply', 'DB', '--local', '--persist-to', state.folder]),
  );

  const open = (): DatabaseSync => {
    const files = globSync(path.join(state.folder, 'v3/d1/*/*.sqlite'));
    const [file = ''] = files.filter((each) => path.basename(each) !== 'metadata.sqlite');
    return new DatabaseSync(file);
  };

  const query = (sql: string) => {
    const db = open();
    // Rows have no prototype, which equality looks at.
    const rows = db.prepare(sql).all();
    db.close();
    return rows.map((row) => ({ ...row }));
  };

  const runScript = async (...parameters: string[]) => {
    const child = spawn(process.execPath, ['scripts/postal-codes.ts', ...parameters], {
      cwd: root,
      env: { ...process.env, INIT_CWD: state.folder },
    });
    const [output, faults, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    return { output, faults, code };
  };

  const COUNTS = 'select country, count(*) as count from postal_codes group by country order by country';

  it('gets the codes that come along at the first start, and is not asked for at the second', async () => {
    await ensurePostalCodes(counting, state.folder);
    expect(query(COUNTS)).toEqual([
      { country: 'CA', count: 1620 },
      { country: 'US', count: 42_555 },
    ]);
    expect(runs).toHaveLength(1);
    await ensurePostalCodes(counting, state.folder);
    expect(runs).toHaveLength(1);
  });

  it('is written nothing where it has all already, by statements that D1 takes', async () => {
    const db = open();
    for await (const statement of statementsOf(readShipped())) {
      expect(Buffer.byteLength(statement)).toBeLessThan(100_000);
      db.exec(statement);
    }
    expect({ ...db.prepare('select total_changes() as changes').get() }).toEqual({ changes: 0 });
    db.close();
  });

  it('gets what a file has, and only what differs is replaced', async () => {
    const content = [...LINES, line('US', '90210', 'Beverly Test', 'California', 'CA', '34', '-118')].join('\n');
    const { output, code, faults } = await runScript(await keep(content), '--state', state.folder);
    expect(faults).toBe('');
    expect(code).toBe(0);
    expect(output).toMatch(/^Loaded in [\d.]+ s: CA 1, DE 1, FR 1, GB 1, JP 1, US 1\n$/);
    expect(query("select * from postal_codes where country in ('GB', 'JP') or code = '90210' order by code")).toEqual([
      { country: 'JP', code: '0000001', city: '試験町', region: null, latitude: 35, longitude: 139 },
      { country: 'US', code: '90210', city: 'Beverly Test', region: 'CA', latitude: 34, longitude: -118 },
      { country: 'GB', code: 'ZZ9', city: "O'Test; -- DROP", region: 'England', latitude: 51, longitude: 0 },
    ]);
    expect(query(COUNTS)).toContainEqual({ country: 'US', count: 42_555 });
  });

  it('stays as it is when a line of the file is wrong', async () => {
    const before = query(COUNTS);
    const file = await keep([line('IT', '00001', 'Prova', '', '', '41', '12'), 'wrong'].join('\n'));
    const { code, faults } = await runScript(path.basename(file), '--state', state.folder);
    expect(code).toBe(1);
    expect(faults).toBe(
      `Nothing was loaded, for ${file} is not in order:\nline 2: 1 columns between tabs, and 12 are due\n`,
    );
    expect(query(COUNTS)).toEqual(before);
  });

  it.each([
    [['--countries', 'DE'], '--countries goes with a file'],
    [['a.txt', '--countries', 'DE,Atlantis'], '--countries: Atlantis is no country'],
    [['--remote', '--local'], '--remote goes neither with'],
    [['--remote'], '--remote and --config go with each other'],
    [['a.txt', 'b.txt'], 'one file at a time'],
    [['DE.zip'], 'unpacked first'],
    [['no-such-file.txt'], 'ENOENT'],
    [['--remotely'], "Unknown option '--remotely'"],
  ])('is not touched by the call %j', async (parameters, message) => {
    const { code, faults } = await runScript(...parameters);
    expect(code).toBe(1);
    expect(faults).toContain(message);
    expect(faults).not.toContain('    at ');
  });

  it('is explained by the help, with whose the data are', async () => {
    const { code, output } = await runScript('--help');
    expect(code).toBe(0);
    expect(output).toContain('CC BY 4.0');
  });
});
