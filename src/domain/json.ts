/**
 * What a JSON text says; undefined when it is none. One whose texts are not of whole characters is none (RFC 7493
 * §2.1): half of a surrogate pair could only be stored as something else than what was sent.
 */
export const parseJson = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text);
    return decodeEscapes(text).isWellFormed() ? value : undefined;
  } catch {
    return undefined;
  }
};

/** With what is behind the escapes that can be such a half. Not by the value: it may nest more deeply than can be walked. */
const decodeEscapes = (text: string): string =>
  text.replace(/\\(?:u([0-9a-f]{4})|.)/gi, (_, code: string | undefined) =>
    code === undefined ? ' ' : String.fromCharCode(Number.parseInt(code, 16)),
  );
