import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/** The secrets of the local service. They are made once, kept in a file that is never committed, and never printed. */
export type LocalSecrets = { MASTER_KEY: string; OPERATOR_TOKEN: string };

/** Reads the secrets of a `.dev.vars` file, and adds to it what is missing or empty. */
export const ensureSecrets = (file: string): LocalSecrets => {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const found = parseEnv(text);
  const secrets = {
    MASTER_KEY: found.MASTER_KEY || randomBytes(32).toString('base64'),
    OPERATOR_TOKEN: found.OPERATOR_TOKEN || randomBytes(32).toString('base64url'),
  };
  const missing = Object.entries(secrets).filter(([name]) => !found[name]);
  if (missing.length > 0) {
    const lines = missing.map(([name, value]) => `${name}="${value}"\n`);
    const before = text === '' || text.endsWith('\n') ? text : `${text}\n`;
    writeFileSync(file, before + lines.join(''), { mode: 0o600 });
  }
  // The mode above is that of a new file only.
  chmodSync(file, 0o600);
  return secrets;
};

/** The operator token of a `.dev.vars` file; null when it has none. */
export const readOperatorToken = (file: string): string | null =>
  (existsSync(file) && parseEnv(readFileSync(file, 'utf8')).OPERATOR_TOKEN) || null;
