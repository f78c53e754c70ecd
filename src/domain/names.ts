/** Scripts in which the family name is written first. */
const FAMILY_FIRST = /[\p{Script=Han}\p{Script=Hangul}]/u;

/** What belongs to the family name that follows: `van Beethoven`, `de la Cruz`. */
const PARTICLES = new Set(
  'af al av bin bint da dal de del della den der di do dos du el ibn la las le los ten ter van von zu zum zur'.split(
    ' ',
  ),
);

/** The parts of a person's name; null for what it has not. A name of one word is a first name. */
export const splitName = (name: string): { firstName: string | null; lastName: string | null } => {
  const words = name.split(/\s+/).filter((word) => word !== '');
  if (words.length < 2) return { firstName: words[0] ?? null, lastName: null };
  if (FAMILY_FIRST.test(name)) return { firstName: words.slice(1).join(' '), lastName: words[0] ?? null };
  const particle = words.findIndex((word, i) => i > 0 && i < words.length - 1 && PARTICLES.has(word.toLowerCase()));
  const last = particle > 0 ? particle : words.length - 1;
  return { firstName: words.slice(0, last).join(' '), lastName: words.slice(last).join(' ') };
};

/** The name that these parts make, or null when there are none. */
export const joinName = (firstName: string | null, lastName: string | null): string | null => {
  const isFamilyFirst = FAMILY_FIRST.test(`${firstName ?? ''}${lastName ?? ''}`);
  const parts = isFamilyFirst ? [lastName, firstName] : [firstName, lastName];
  return parts.filter((part) => part !== null && part !== '').join(' ') || null;
};
