import { isSupportedCountry, parsePhoneNumberFromString } from 'libphonenumber-js/min';

/**
 * A phone number in E.164, or null for what is none. One without a country code is read as in the country. What counts is
 * that a number can be one, not that it is assigned: that changes faster than any list of it.
 */
export const parsePhoneNumber = (typed: string, country: string | null): string | null => {
  const isKnown = country !== null && isSupportedCountry(country);
  const phone = parsePhoneNumberFromString(typed, { ...(isKnown && { defaultCountry: country }), extract: false });
  // E.164 has no place for an extension: without it, it would be another phone.
  return phone?.isPossible() && phone.ext === undefined ? phone.number : null;
};
