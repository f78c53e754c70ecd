import path from 'node:path';
import { readOperatorToken } from '../local/secrets.ts';
import { WrongUsage } from './failures.ts';

/** Which service is operated, and with what token. */
export type Target = { origin: string; token: string };

const LOCAL = 'http://localhost:8787';

const SECRETS = path.join(import.meta.dirname, '../../.dev.vars');

/** The service that was named, or the one on this machine. The token is never typed: it would stay in the shell's history. */
export const findTarget = (typed: string | undefined, env: NodeJS.ProcessEnv, secrets = SECRETS): Target => {
  const url = readUrl(typed ?? (env.GATEHOUSE_URL || LOCAL));
  const isHere = isLoopback(url);
  if (url.protocol !== 'https:' && !isHere) {
    throw new WrongUsage(`${url.origin}: the token would be sent in the clear; use https.`);
  }
  const token = (env.GATEHOUSE_OPERATOR_TOKEN ?? '').trim() || (isHere ? readOperatorToken(secrets) : null);
  if (token === null) {
    throw new WrongUsage(
      isHere
        ? 'There is no operator token: set GATEHOUSE_OPERATOR_TOKEN, or let npm start make one.'
        : `Set GATEHOUSE_OPERATOR_TOKEN to the operator token of ${url.origin}.`,
    );
  }
  // Whatever complained of it later would print it.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new WrongUsage('The operator token has characters that no header can have.');
  return { origin: url.origin, token };
};

const readUrl = (typed: string): URL => {
  const url = URL.parse(typed);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username || url.password) {
    throw new WrongUsage('The URL must be like https://accounts.example.com.');
  }
  if (url.pathname !== '/' || url.search || url.hash) {
    throw new WrongUsage(`The URL must end with the host: ${url.origin}`);
  }
  return url;
};

const isLoopback = ({ hostname }: URL): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
