import { WrongUsage } from './failures.ts';

/** Whole lines of a longer text. */
export type Part = { firstLine: number; lines: number; body: Uint8Array<ArrayBuffer> };

type Bounds = { lines: number; bytes: number };

const NEWLINE = 10;

/** Cuts a text into parts of whole lines, at most so large each. Refuses a line that is larger alone. */
export const partsOf = async function* (chunks: AsyncIterable<Uint8Array>, most: Bounds): AsyncGenerator<Part> {
  let lines: Uint8Array[] = [];
  let bytes = 0;
  let firstLine = 1;
  for await (const line of linesOf(chunks, most.bytes)) {
    if (lines.length === most.lines || bytes + line.length > most.bytes) {
      yield { firstLine, lines: lines.length, body: Buffer.concat(lines) };
      firstLine += lines.length;
      lines = [];
      bytes = 0;
    }
    lines.push(line);
    bytes += line.length;
  }
  if (lines.length > 0) yield { firstLine, lines: lines.length, body: Buffer.concat(lines) };
};

/** The lines with their ends, without the mark that some programs begin a file with. */
const linesOf = async function* (chunks: AsyncIterable<Uint8Array>, mostBytes: number): AsyncGenerator<Uint8Array> {
  let begun: Uint8Array[] = [];
  let bytes = 0;
  let number = 1;
  const add = (piece: Uint8Array): void => {
    begun.push(piece);
    bytes += piece.length;
    if (bytes > mostBytes) throw new WrongUsage(`Line ${number} is too long: one customer a line is expected.`);
  };
  const take = (): Uint8Array => {
    const line = Buffer.concat(begun);
    begun = [];
    bytes = 0;
    number += 1;
    return number === 2 ? withoutMark(line) : line;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      add(chunk.subarray(from, at + 1));
      yield take();
      from = at + 1;
    }
    add(chunk.subarray(from));
  }
  if (bytes > 0) yield take();
};

const withoutMark = (line: Uint8Array): Uint8Array =>
  line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? line.subarray(3) : line;
