// `npm run backup`: all rows of a database in a file, in an order in which another database takes them.
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { HELP, type Options, readOptions } from './backup/options.ts';
import { orderInserts } from './backup/order.ts';
import { listTables } from './backup/tables.ts';
import { createProcesses } from './local/processes.ts';

const processes = createProcesses(path.join(import.meta.dirname, '..'));

const backUp = async ({ configuration, file, place }: Options): Promise<void> => {
  const tables = listTables();
  const unordered = `${file}.part`;
  try {
    await processes.run('wrangler', [
      ...['d1', 'export', 'DB', place, '--config', configuration, '--output', unordered],
      ...['--no-schema', '--skip-confirmation'],
      ...tables.flatMap((table) => ['--table', table]),
    ]);
    await orderInserts(unordered, tables, file);
  } finally {
    await rm(unordered, { force: true });
  }
  console.log(`${file}: the rows of ${tables.length} tables`);
};

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => void processes.stop().then(() => process.exit(130)));
}

try {
  // npm changes into the package's folder, and says where it was called.
  const options = readOptions(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd());
  if (options === null) console.log(HELP);
  else await backUp(options);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
