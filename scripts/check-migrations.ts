// Refuses migrations that would lose data on D1: it ignores PRAGMA foreign_keys, so recreating a table (which drizzle-kit
// does under the name __new_…) fires what hangs on the old one's deletion, and is reported as a success.
// Refuses what the version before could not run on, too, since it runs beside the new one and after a rollback; and a
// schema that no migration leads to.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const folder = path.join(root, 'migrations');
const migrationsIn = (directory: string) => readdirSync(directory).filter((file) => file.endsWith('.sql'));

const faults = migrationsIn(folder).flatMap((file) =>
  readFileSync(path.join(folder, file), 'utf8')
    .split('\n')
    .flatMap((line, i) =>
      /drop\s+table|alter\s+table\s+\S+\s+(drop|rename)\b|__new_/i.test(line)
        ? [`migrations/${file}:${i + 1}: ${line.trim()}`]
        : [],
    ),
);

/** What drizzle-kit says when it would add a migration, or cannot tell; null when it would not. */
const findDrift = (): string | null => {
  const copy = mkdtempSync(path.join(root, 'node_modules/.migrations-'));
  try {
    cpSync(folder, copy, { recursive: true });
    const script = path.join(path.dirname(createRequire(import.meta.url).resolve('drizzle-kit')), 'bin.cjs');
    // Relative, since drizzle-kit puts ./ before it.
    const out = path.relative(root, copy).replaceAll(path.sep, '/');
    const settings = ['--dialect=sqlite', '--schema=./src/storage/schema.ts', `--out=./${out}`];
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, 'generate', ...settings], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const isSame = status === 0 && migrationsIn(copy).length === migrationsIn(folder).length;
    return isSame ? null : `${stdout}${stderr}`.trim();
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
};

if (faults.length > 0) {
  console.error(`Only migrations that add are safe:\n${faults.join('\n')}`);
  process.exitCode = 1;
}
const drift = findDrift();
if (drift !== null) {
  console.error(`src/storage/schema.ts says what no migration does (npm run migration -- --name …):\n${drift}`);
  process.exitCode = 1;
}
