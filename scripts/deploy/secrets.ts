import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { parseMailUrl } from '../../src/outside/mail/settings.ts';
import { parseSmsUrl } from '../../src/outside/texts/settings.ts';
import { addSecrets, newSecret } from '../local/secrets.ts';
import type { Account, Database } from './account.ts';
import type { Names } from './configuration.ts';
import { hasTenants } from './database.ts';
import type { Environment } from './environment.ts';
import { StepError, type Steps } from './steps.ts';

const NAMES = ['MASTER_KEY', 'OPERATOR_TOKEN', 'MAIL_URL', 'SMS_URL'] as const;

type SecretName = (typeof NAMES)[number];

/** The environment's secrets as they are kept on this machine: the only place where they can be read again. */
export type Secrets = Partial<Record<SecretName, string>>;

const GENERATED: Partial<Record<SecretName, () => string>> = newSecret;

// With a malformed one the Worker would serve nothing.
const isWellFormed = (name: SecretName, secret: string): boolean => {
  switch (name) {
    case 'MASTER_KEY':
      return /^[A-Za-z0-9+/]{43}=$/.test(secret);
    case 'OPERATOR_TOKEN':
      return secret.length >= 32;
    case 'MAIL_URL':
      return parseMailUrl(secret) !== null;
    case 'SMS_URL':
      return parseSmsUrl(secret) !== null;
  }
};

const readSecrets = (file: string): Secrets => {
  const found = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
  return Object.fromEntries(NAMES.flatMap((name) => (found[name] ? [[name, found[name]]] : [])));
};

type Task = {
  environment: Environment;
  database: Database | null;
  names: Names;
  replaced: ReadonlySet<string>;
  isDryRun: boolean;
  isGradual: boolean;
};

export type EnsuredSecrets = {
  /** What goes to the account with the next version. */
  put: Secrets;
  /** The names of all that the Worker has then. */
  names: string[];
  /** Null: it is not known on this machine. */
  operatorToken: string | null;
};

/**
 * What of the secrets is still to be put. One that is there stays, unless it is to be replaced; of the rest, what the file
 * beside the environment's has is taken, and what can be is generated, into that file first.
 */
export const ensureSecrets = (
  { say, attempt }: Steps,
  account: Account,
  { environment, database, names, replaced, isDryRun, isGradual }: Task,
): Promise<EnsuredSecrets> =>
  attempt('secrets', 'The token needs the permission Workers Scripts: Edit.', async () => {
    const file = `${environment.base}.secrets`;
    const found = await account.findSecretNames(names.worker);
    if (found === null && isGradual && !isDryRun) {
      throw new StepError(
        'secrets failed: there is no version yet beside which another could run. Leave out --gradual.',
      );
    }
    const there = found ?? [];
    const given = readSecrets(file);
    const lacking = NAMES.filter((name) => replaced.has(name) && given[name] === undefined);
    if (lacking.length > 0) {
      throw new StepError(`secrets failed: ${file} has no ${lacking.join(', ')} to replace it by.`);
    }

    const kept = NAMES.filter((name) => there.includes(name) && !replaced.has(name));
    const due = NAMES.filter((name) => !kept.includes(name));
    const generated = due.filter((name) => given[name] === undefined && GENERATED[name] !== undefined);
    if (generated.includes('MASTER_KEY')) await refuseToLoseData(account, database, file);
    if (!isDryRun && generated.length > 0 && process.env.CI) {
      throw new StepError(
        `secrets failed: ${file} has no ${generated.join(', ')}, and what is generated here would be lost.`,
      );
    }
    const known = isDryRun ? given : generate(file, generated);
    const put = due.filter((name) => known[name] !== undefined);
    const wrong = put.filter((name) => !isWellFormed(name, known[name] ?? ''));
    if (wrong.length > 0) {
      throw new StepError(`secrets failed: in ${file}, ${wrong.join(', ')} is not as the README's settings say.`);
    }
    const told = [
      ...(kept.length > 0 ? [`${kept.join(', ')} there already`] : []),
      ...(put.length > 0 ? [`${put.join(', ')} ${isDryRun ? 'would be put' : 'to be put with the version'}`] : []),
      ...(generated.length > 0
        ? [
            `${generated.join(', ')} ${isDryRun ? 'would be generated' : `new in ${path.basename(file)}: keep a copy in a safe`}`,
          ]
        : []),
    ];
    say('secrets', told.join('; '));
    return {
      put: Object.fromEntries(put.map((name) => [name, known[name]])),
      names: [...new Set([...there, ...put, ...generated])].sort(),
      operatorToken: known.OPERATOR_TOKEN ?? null,
    };
  });

// The Worker is gone, or was never deployed under this name, but what the old key sealed is still there.
const refuseToLoseData = async (account: Account, database: Database | null, file: string): Promise<void> => {
  if (!database || !(await hasTenants(account, database))) return;
  throw new StepError(
    `secrets failed: ${database.name} has tenants, whose data are sealed with a MASTER_KEY that the Worker does not have.\n` +
      `Put that key into ${file}. Another one would open none of them.`,
  );
};

/** Generates these secrets, keeps them in the file, and gives all that the file has then. */
const generate = (file: string, names: readonly SecretName[]): Secrets => {
  if (names.length > 0) addSecrets(file, Object.fromEntries(names.map((name) => [name, GENERATED[name]?.() ?? ''])));
  return readSecrets(file);
};
