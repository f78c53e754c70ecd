// `npm run postal-codes`: loads the places of postal codes into D1, here or where the service is deployed.
import path from 'node:path';
import { callerFolder, runCommand } from './local/command.ts';
import { createProcesses } from './local/processes.ts';
import { readGeoNames } from './postal-codes/geonames.ts';
import { loadPostalCodes } from './postal-codes/load.ts';
import { HELP, readOptions } from './postal-codes/options.ts';

const root = path.join(import.meta.dirname, '..');
const processes = createProcesses(root);

const main = async (): Promise<void> => {
  const options = readOptions(root, process.argv.slice(2), callerFolder());
  if (options === null) {
    console.log(HELP);
    return;
  }
  const { target, file, countries } = options;
  const begunAt = performance.now();
  const rows =
    file === null ? (await import('./postal-codes/shipped.ts')).readShipped() : readGeoNames(file, countries);
  const counts = await loadPostalCodes(processes, target, rows);
  const seconds = ((performance.now() - begunAt) / 1000).toFixed(1);
  const loaded = [...counts].sort().map(([country, count]) => `${country} ${count}`);
  console.log(`Loaded in ${seconds} s: ${loaded.join(', ')}`);
};

await runCommand(processes, main);
