import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/** The secrets of the local service. They are made once, kept in a file that is never committed, and never printed. */
export type LocalSecrets = { MASTER_KEY: string; OPERATOR_TOKEN: string };

/** New ones, of which nobody knows. */
export const newSecret: Readonly<Record<keyof LocalSecrets, () => string>> = {
  MASTER_KEY: () => randomBytes(32).toString('base64'),
  OPERATOR_TOKEN: () => randomBytes(32).toString('base64url'),
};

/** Adds secrets to a file of variables, which only its owner may read from then on. */
export const addSecrets = (file: string, secrets: Readonly<Record<string, string>>): void => {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  const lines = Object.entries(secrets).map(([name, value]) => `${name}="${value}"\n`);
  const before = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  if (lines.length > 0) writeFileSync(file, before + lines.join(''), { mode: 0o600 });
  // The mode above is that of a new file only.
  chmodSync(file, 0o600);
};

/** Reads the secrets of a `.dev.vars` file, and adds to it what is missing or empty. */
export const ensureSecrets = (file: string): LocalSecrets => {
  const found = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
  const secrets = {
    MASTER_KEY: found.MASTER_KEY || newSecret.MASTER_KEY(),
    OPERATOR_TOKEN: found.OPERATOR_TOKEN || newSecret.OPERATOR_TOKEN(),
  };
  addSecrets(file, Object.fromEntries(Object.entries(secrets).filter(([name]) => !found[name])));
  return secrets;
};

/** The operator token of a `.dev.vars` file; null when it has none. */
export const readOperatorToken = (file: string): string | null =>
  (existsSync(file) && parseEnv(readFileSync(file, 'utf8')).OPERATOR_TOKEN) || null;
