// How postal codes are written. Nothing is imported here: the scripts that load the table read codes by the same rules.

const UNITED_KINGDOM = /^([A-Z]{1,2}\d[A-Z\d]?)\d[A-Z]{2}$/;

/**
 * The area that a full code begins with. Of some countries no public data has more than the areas, and of the others they
 * are what a place is known by: a ZIP+4 is one side of a street.
 */
const AREAS: Readonly<Record<string, RegExp>> = {
  AR: /^([A-Z]\d{4})[A-Z]{3}$/,
  CA: /^([A-Z]\d[A-Z])\d[A-Z]\d$/,
  GB: UNITED_KINGDOM,
  GG: UNITED_KINGDOM,
  IE: /^([A-Z]\d[\dW])[A-Z\d]{4}$/,
  IM: UNITED_KINGDOM,
  JE: UNITED_KINGDOM,
  MT: /^([A-Z]{3})\d{4}$/,
  NL: /^(\d{4})[A-Z]{2}$/,
  US: /^(\d{5})\d{4}$/,
};

/** A postal code in the form in which it is compared, `K1A0B1` for `k1a 0b1`; null for what cannot be one. */
export const normalizePostalCode = (typed: string): string | null => {
  // Marks and spaces do not tell codes apart; letters of another script would.
  const code = typed
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
  return /^[A-Z0-9]{2,16}$/.test(code) ? code : null;
};

/** The codes under which the place of a normalised code may be found, the most exact first. */
export const formsOf = (country: string, code: string): string[] => {
  // Latvia writes `LV-1010`, and the table has it so; elsewhere people put the country in front by habit.
  const withoutCountry = code.startsWith(country) ? [code.slice(country.length)] : [];
  const exact = [code, ...withoutCountry, `${country}${code}`];
  const areas = exact.flatMap((form) => AREAS[country]?.exec(form)?.[1] ?? []);
  return [...exact, ...areas];
};
