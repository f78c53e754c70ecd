// `npm run backup`: all rows of a database in a file, in an order in which another database takes them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { HELP, type Options, readOptions } from './backup/options.ts';
import { orderInserts } from './backup/order.ts';
import { listTables } from './backup/tables.ts';
import { callerFolder, runCommand } from './local/command.ts';
import { createProcesses } from './local/processes.ts';
import { writeWhole } from './local/whole-file.ts';

const processes = createProcesses(path.join(import.meta.dirname, '..'));

const backUp = async ({ configuration, file, place }: Options, interruption: AbortSignal): Promise<void> => {
  const tables = listTables();
  // Nobody else may look into it: wrangler lets all read what it writes.
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-backup-'));
  try {
    const exported = path.join(folder, 'exported.sql');
    await processes.run('wrangler', [
      ...['d1', 'export', 'DB', place, '--config', configuration, '--output', exported],
      ...['--no-schema', '--skip-confirmation'],
      ...tables.flatMap((table) => ['--table', table]),
    ]);
    const ordered = orderInserts(exported, tables, folder, interruption);
    await writeWhole(file, ordered, { signal: interruption });
  } finally {
    // What was interrupted may be about to write one more file.
    await rm(folder, { recursive: true, maxRetries: 5 });
  }
  console.log(`${file}: the rows of ${tables.length} tables`);
};

await runCommand(processes, async (interruption) => {
  const options = readOptions(process.argv.slice(2), callerFolder());
  if (options === null) console.log(HELP);
  else await backUp(options, interruption);
});
