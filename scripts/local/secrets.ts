import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** The secrets of the local service. They are made once, kept in a file that is never committed, and never printed. */
export type LocalSecrets = { MASTER_KEY: string; OPERATOR_TOKEN: string };

/** Reads the secrets of a `.dev.vars` file, and adds to it what is missing. */
export const ensureSecrets = (file: string): LocalSecrets => {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const find = (name: string) => new RegExp(`^${name}="?([^"\\n]+)"?$`, 'm').exec(text)?.[1];
  const secrets = {
    MASTER_KEY: find('MASTER_KEY') ?? randomBytes(32).toString('base64'),
    OPERATOR_TOKEN: find('OPERATOR_TOKEN') ?? randomBytes(32).toString('base64url'),
  };
  const missing = Object.entries(secrets).filter(([name]) => find(name) === undefined);
  if (missing.length > 0) {
    const lines = missing.map(([name, value]) => `${name}="${value}"\n`);
    const before = text === '' || text.endsWith('\n') ? text : `${text}\n`;
    writeFileSync(file, before + lines.join(''), { mode: 0o600 });
  }
  return secrets;
};
