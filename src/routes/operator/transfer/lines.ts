/** A line of a body, without its end. `text` is null where it is no UTF-8, or longer than a line may be. */
export type Line = { number: number; text: string | null; bytes: number };

export const LONGEST_LINE = 64 * 1024;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Cuts a body into its lines, of which it never holds more than one, and of one that is too long nothing. */
export const readLines = async function* (body: AsyncIterable<Uint8Array>): AsyncGenerator<Line, void> {
  let number = 0;
  let parts: Uint8Array[] = [];
  let length = 0;

  const keep = (part: Uint8Array): void => {
    length += part.length;
    // One more may be a carriage return.
    if (length <= LONGEST_LINE + 1) parts.push(part);
    else parts = [];
  };

  const finish = (): Line => {
    number += 1;
    const line = length > LONGEST_LINE + 1 ? { text: null, bytes: length } : decode(parts);
    parts = [];
    length = 0;
    return { number, ...line };
  };

  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      keep(chunk.subarray(start, end));
      yield finish();
      start = end + 1;
    }
    keep(chunk.subarray(start));
  }
  if (length > 0) yield finish();
};

const decode = (parts: readonly Uint8Array[]): Omit<Line, 'number'> => {
  const [first = new Uint8Array()] = parts;
  const joined = parts.length < 2 ? first : joinBytes(parts);
  const bytes = joined.at(-1) === CARRIAGE_RETURN ? joined.subarray(0, -1) : joined;
  if (bytes.length > LONGEST_LINE) return { text: null, bytes: bytes.length };
  try {
    // A byte order mark is left out, at the start of any line: files may have been put together.
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes), bytes: bytes.length };
  } catch {
    return { text: null, bytes: bytes.length };
  }
};

const joinBytes = (parts: readonly Uint8Array[]): Uint8Array => {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
};
