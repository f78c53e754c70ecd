import { parseCountry } from './countries.ts';

/** What the edge tells about where a request comes from, as it tells it: null where it does not. */
export type Edge = { country: string | null; timezone: string | null; acceptLanguage: string | null };

/** The same, read: the country by ISO 3166-1 alpha-2, the locale by BCP 47; null for what says nothing. */
export const readEdge = ({ country, timezone, acceptLanguage }: Edge) => ({
  // `XX` stands for an unknown country, and `T1` for Tor.
  country: country && parseCountry(country),
  timezone: timezone && isTimezone(timezone) ? timezone : null,
  locale: acceptLanguage && preferredLocale(acceptLanguage),
});

/** The locale that an `Accept-Language` header (RFC 9110, 12.5.4) prefers, or null when it names none. */
const preferredLocale = (header: string): string | null => {
  const ranges = header.split(',').map((range) => {
    const [tag = '', ...parameters] = range.split(';').map((part) => part.trim());
    const quality = parameters.map((parameter) => /^q=([\d.]+)$/i.exec(parameter)?.[1]).find((each) => each);
    return { tag, quality: Number(quality ?? 1) };
  });
  const wanted = ranges.filter(({ quality }) => quality > 0).sort((a, b) => b.quality - a.quality);
  for (const { tag } of wanted) {
    const locale = parseLocale(tag);
    if (locale !== null) return locale;
  }
  return null;
};

const LONGEST_LOCALE = 35;

const parseLocale = (tag: string): string | null => {
  if (tag.length > LONGEST_LOCALE) return null;
  try {
    const locale = new Intl.Locale(tag);
    const name = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' }).of(locale.language);
    return name === undefined ? null : locale.toString();
  } catch {
    // No language tag.
    return null;
  }
};

/** Whether it is a name of the IANA time zone database. */
export const isTimezone = (name: string): boolean => {
  try {
    // An offset would be accepted, too, but knows nothing of summer.
    return Intl.DateTimeFormat('en', { timeZone: name }) !== null && /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
};
