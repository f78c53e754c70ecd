import path from 'node:path';
import { parseArgs } from 'node:util';

export const HELP = `Writes all rows of a database into a file, but for the postal codes, which are loaded again instead.

  npm run backup -- environments/production.wrangler.json FILE [--local]

  the first       what npm run deploy wrote of the environment
  FILE            what to write: SQL for a database that has the tables already (docs/deploy.md says how it comes back)
  --local         from the data of npm start on this machine; the first is wrangler.toml then

The file has everything but MASTER_KEY, sealed or hashed where it is secret: keep it as safe as the database itself.
The database answers nothing else meanwhile.
`;

export type Options = { configuration: string; file: string; place: '--local' | '--remote' };

/** The options typed, or null when help was asked for. Files are those of the caller. */
export const readOptions = (typed: string[], cwd: string): Options | null => {
  const { values, positionals } = parseArgs({
    args: typed,
    allowPositionals: true,
    options: { local: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) return null;
  const [configuration, file, ...others] = positionals;
  if (configuration === undefined || file === undefined || others.length > 0) {
    throw new Error('Two files are due: npm run backup -- environments/production.wrangler.json production.sql');
  }
  return {
    configuration: path.resolve(cwd, configuration),
    file: path.resolve(cwd, file),
    place: values.local ? '--local' : '--remote',
  };
};
