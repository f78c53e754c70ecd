/** A row of `postal_codes`. The city is empty where a code has no city of its own. */
export type PostalRow = {
  /** ISO 3166-1 alpha-2. */
  country: string;
  /** Capital letters and digits alone. */
  code: string;
  city: string;
  region: string | null;
  /** In degrees, as is the longitude; both or neither are null. */
  latitude: number | null;
  longitude: number | null;
};
