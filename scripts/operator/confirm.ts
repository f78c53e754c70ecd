import readline from 'node:readline/promises';
import { Interruption, WrongUsage } from './failures.ts';

/** Asks for exactly this answer before something that cannot be undone. Refuses when there is nobody to ask. */
export const confirm = async (question: string, expected: string, isConfirmed: boolean): Promise<void> => {
  if (isConfirmed) return;
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new WrongUsage(`${question} Say so with --yes.`);
  const answer = await ask(`${question} Type ${expected} to go on: `);
  if (answer.trim() !== expected) throw new WrongUsage('Nothing was done.');
};

/** The answer typed; empty for the end of input. */
const ask = async (question: string): Promise<string> => {
  const terminal = readline.createInterface({ input: process.stdin, output: process.stderr });
  const end = new AbortController();
  terminal.once('SIGINT', () => end.abort(new Interruption()));
  terminal.once('close', () => end.abort());
  try {
    return await terminal.question(question, { signal: end.signal });
  } catch {
    if (end.signal.reason instanceof Interruption) throw end.signal.reason;
    return '';
  } finally {
    terminal.close();
  }
};
