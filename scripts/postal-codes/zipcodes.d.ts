// The part of the package that is used here; it has no types of its own.
declare module 'zipcodes' {
  type Zip = {
    /** Five digits, or the first three characters of a Canadian code. */
    zip: string;
    /** Null and 0 where it is not known; damaged in a few rows. */
    latitude: number | null;
    longitude: number | null;
    city: string;
    state: string;
    country: 'US' | 'Canada';
  };
  export const codes: Readonly<Record<string, Zip>>;
}
