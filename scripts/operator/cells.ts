// What people typed may hold what moves a cursor, hides text or turns it around: on a terminal none of it is let through.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

const visible = (character: string): string => `\\u{${character.codePointAt(0)?.toString(16)}}`;

export const safeText = (text: string): string => text.replace(UNSAFE, visible);

/** JSON that is safe on a terminal, too: what is escaped stands within strings alone. */
export const safeJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(/[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join(''),
  );

const TIME = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.\d+)?Z$/;

/** A value of an answer as people read it; empty for none. */
export const cellOf = (value: unknown): string => {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return safeText(value.replace(TIME, '$1 $2Z'));
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (Array.isArray(value)) return value.map(cellOf).join(', ');
  if (typeof value !== 'object') return String(value);
  return entriesOf(value)
    .map(([path, member]) => `${safeText(path)}=${cellOf(member)}`)
    .join(' ');
};

/** The members of an answer, those of members of members by their path. */
export const entriesOf = (value: object, path = ''): [path: string, value: unknown][] =>
  Object.entries(value).flatMap(([name, member]): [string, unknown][] => {
    const isGroup = typeof member === 'object' && member !== null && !Array.isArray(member);
    if (isGroup && Object.keys(member).length > 0) return entriesOf(member, `${path}${name}.`);
    return [[path + name, member]];
  });
