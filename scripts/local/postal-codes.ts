import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Processes } from './processes.ts';

const { version }: { version: string } = createRequire(import.meta.url)('zipcodes/package.json');

/** To be raised when something else is made of the package's rows. */
const EDITION = 1;

/** Loads the postal codes that come along, once: a later start only sees that they are there. */
export const ensurePostalCodes = async (processes: Pick<Processes, 'run'>, state: string): Promise<void> => {
  // Beside the database, so that whoever removes that removes this with it.
  const marker = path.join(state, 'v3/d1/postal-codes.txt');
  const loaded = `zipcodes ${version}, edition ${EDITION}\n`;
  if (existsSync(marker) && readFileSync(marker, 'utf8') === loaded) return;
  // Five megabytes of code that a later start does without.
  const [{ readShipped }, { loadPostalCodes }] = await Promise.all([
    import('../postal-codes/shipped.ts'),
    import('../postal-codes/load.ts'),
  ]);
  await loadPostalCodes(processes, ['--local', '--persist-to', state], readShipped());
  writeFileSync(marker, loaded);
};
