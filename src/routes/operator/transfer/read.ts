import type { ImportLine } from '../../../domain/imports.ts';
import { parseJson } from '../../../domain/json.ts';
import { type Fault, Refusal } from '../../../domain/refusal.ts';
import { readValid } from '../../validate.ts';
import { type Line, LONGEST_LINE, readLines } from './lines.ts';
import { customerLine, restLine } from './schema.ts';
import { readCustomer } from './view.ts';

type Body = ReadableStream<Uint8Array>;

/** The body of an import. Taken out of the request: a local Worker throws away one that was not begun when the answer is there. */
export const bodyOf = (request: Request): Body => new Request(request).body ?? new Blob().stream();

/**
 * The customers of an import, line by line. Refuses with `malformed_request` when its body breaks off, and leaves alone
 * what was not read of it.
 */
export const readImport = async function* (body: Body): AsyncGenerator<ImportLine, void> {
  for await (const line of readLines(unbroken(body))) yield readLine(line);
};

const unbroken = async function* (body: Body): AsyncGenerator<Uint8Array, void> {
  try {
    yield* body.values({ preventCancel: true });
  } catch {
    throw new Refusal('malformed_request');
  }
};

const readLine = ({ number: line, text, bytes }: Line): ImportLine => {
  if (text === null) {
    const isTooLong = bytes > LONGEST_LINE;
    return faulty(line, isTooLong ? `is longer than ${LONGEST_LINE} bytes` : 'is not in UTF-8');
  }
  if (text.trim() === '') return { kind: 'empty', line };
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return faulty(line, 'is no JSON object, or not of whole characters');
  if ('next' in value && restLine.safeParse(value).success) return { kind: 'empty', line };
  const { members, faults } = readValid(customerLine, value);
  return { kind: 'customer', line, customer: readCustomer(members), faults };
};

const faulty = (line: number, message: string): ImportLine => {
  const fault: Fault = { path: '', code: 'invalid', message };
  return { kind: 'faulty', line, faults: [fault] };
};
