import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Processes } from '../local/processes.ts';
import type { Secrets } from './secrets.ts';

export type Release = {
  configuration: string;
  /** What is put with the version, or nothing. */
  secrets: Secrets;
  kind: 'deploy' | 'upload' | 'dry run';
};

const COMMANDS = {
  deploy: ['deploy'],
  upload: ['versions', 'upload'],
  'dry run': ['deploy', '--dry-run'],
} as const;

/**
 * Sends the Worker's code to the account, and gives what wrangler said. The secrets go with it, in a file: wrangler sets
 * none on a Worker that is not there yet, and so a version never runs without those that it needs.
 */
export const release = async (
  processes: Pick<Processes, 'run'>,
  { configuration, secrets, kind }: Release,
): Promise<string> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-deploy-'));
  try {
    const file = path.join(folder, 'secrets.json');
    const hasSecrets = Object.keys(secrets).length > 0;
    if (hasSecrets) await writeFile(file, JSON.stringify(secrets), { mode: 0o600 });
    return await processes.run('wrangler', [
      ...COMMANDS[kind],
      ...['--config', configuration],
      ...(hasSecrets ? ['--secrets-file', file] : []),
    ]);
  } finally {
    await rm(folder, { recursive: true });
  }
};

/** The id of the version that wrangler tells of. */
export const versionIn = (output: string): string => /Version ID: *([0-9a-f-]{36})/.exec(output)?.[1] ?? 'unknown';
