import path from 'node:path';
import { parseArgs } from 'node:util';
import { parseCountry } from '../../src/domain/countries.ts';
import type { Target } from './load.ts';

export const HELP = `Loads postal codes, from which profiles get city, region and coordinates.

  npm run postal-codes -- [--local | --remote --config FILE] [--state DIR] [FILE [--countries DE,FR]]

  without FILE    the codes of the United States and the areas of Canada, from the npm package zipcodes (BSD)
  FILE            a postal-code file of GeoNames, unpacked: https://download.geonames.org/export/zip/
                  They are licensed under CC BY 4.0: whoever uses them names GeoNames (https://www.geonames.org).
  --countries     of the file only these, by ISO 3166-1 alpha-2
  --local         into the data of npm start on this machine, which must not run meanwhile (this is the default)
  --state DIR     where these data are kept (.wrangler/state)
  --remote        into a deployed database, which answers nothing else for some seconds; wrangler must be signed in
  --config FILE   which one: what npm run deploy wrote, e.g. environments/production.wrangler.json

What is there already is replaced where it differs, and nothing is removed. The migrations must have been applied.
`;

export type Options = { target: Target; file: string | null; countries: ReadonlySet<string> | null };

/** The options typed, or null when help was asked for. Relative folders are those of `root`, files those of the caller. */
export const readOptions = (root: string, typed: string[], cwd: string): Options | null => {
  const { values, positionals } = parseArgs({
    args: typed,
    allowPositionals: true,
    options: {
      local: { type: 'boolean', default: false },
      remote: { type: 'boolean', default: false },
      state: { type: 'string' },
      config: { type: 'string' },
      countries: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  if (values.remote && (values.local || values.state !== undefined)) {
    throw new Error('--remote goes neither with --local nor with --state');
  }
  if (values.remote !== (values.config !== undefined)) throw new Error('--remote and --config go with each other');
  const [file, ...others] = positionals;
  if (others.length > 0) throw new Error('one file at a time');
  if (file === undefined && values.countries !== undefined) throw new Error('--countries goes with a file');
  if (file?.endsWith('.zip')) throw new Error('the file is to be unpacked first');
  return {
    target:
      values.config !== undefined
        ? ['--remote', '--config', path.resolve(cwd, values.config)]
        : ['--local', '--persist-to', path.resolve(root, values.state ?? '.wrangler/state')],
    file: file === undefined ? null : path.resolve(cwd, file),
    countries: values.countries === undefined ? null : readCountries(values.countries),
  };
};

const readCountries = (typed: string): ReadonlySet<string> =>
  new Set(
    typed.split(',').map((text) => {
      const code = text.trim().length === 2 ? parseCountry(text) : null;
      if (code === null) throw new Error(`--countries: ${text} is no country by ISO 3166-1 alpha-2`);
      return code;
    }),
  );
