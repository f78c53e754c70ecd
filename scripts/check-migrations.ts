// Refuses migrations that would lose data on D1: it ignores PRAGMA foreign_keys, so recreating a table (which drizzle-kit
// does under the name __new_…) fires what hangs on the old one's deletion, and is reported as a success.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const folder = path.join(import.meta.dirname, '../migrations');

const faults = readdirSync(folder)
  .filter((file) => file.endsWith('.sql'))
  .flatMap((file) =>
    readFileSync(path.join(folder, file), 'utf8')
      .split('\n')
      .flatMap((line, i) => (/drop\s+table|__new_/i.test(line) ? [`migrations/${file}:${i + 1}: ${line.trim()}`] : [])),
  );

if (faults.length > 0) {
  console.error(`Only additive migrations are safe on D1:\n${faults.join('\n')}`);
  process.exitCode = 1;
}
