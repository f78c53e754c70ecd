import { newId } from '../crypto/ids.ts';
import type { Phone } from '../storage/profiles.ts';
import { type Fault, refuseFaults } from './refusal.ts';

export type { Phone } from '../storage/profiles.ts';

/** The kinds of phones, by ids that clients may keep for good. */
export const PHONE_TYPES = [
  { id: '3b1d7bea-9700-46de-ab9f-f5fcc481b1a8', name: 'mobile' },
  { id: 'a3818c2b-1b82-4b9b-831e-c4ca30c16e63', name: 'home' },
  { id: '9ff570db-28c7-4b62-b1f1-8d897f48b132', name: 'work' },
  { id: 'db53efdf-3160-49c4-99d9-3c18cdc71591', name: 'fax' },
  { id: 'f999f536-8898-4481-9509-4623cd446d4b', name: 'other' },
] as const;

/** A phone as somebody typed it: its number in any form, its type by id. */
export type TypedPhone = { number: string; type: string };

/** As `phone-numbers.ts` reads it. The plans of all countries are loaded when a request needs them, as few do. */
export const parsePhoneNumber = async (typed: string, country: string | null): Promise<string | null> =>
  (await import('./phone-numbers.ts')).parsePhoneNumber(typed, country);

/** New phones, in their order. Refuses with `validation_failed`, naming every wrong number. */
export const readPhones = async (
  typed: readonly TypedPhone[],
  country: string | null,
  path: string,
  at: number,
): Promise<Phone[]> => {
  const numbers = await Promise.all(typed.map(({ number }) => parsePhoneNumber(number, country)));
  const faults = numbers.flatMap((number, i): Fault[] =>
    number === null ? [{ path: `${path}.${i}.phone_number`, code: 'invalid', message: WRONG_NUMBER }] : [],
  );
  refuseFaults(faults);
  // Ids of one millisecond have no order, so that each phone is given one of its own.
  return typed.map(({ type }, i) => ({ id: newId('phn', at + i), number: numbers[i] ?? '', type }));
};

/** What is wrong with a number of the member `phone`, which goes with no address. */
export const WRONG_PHONE: Fault = {
  path: 'phone',
  code: 'invalid',
  message: 'must be a phone number, with its country code',
};

export const WRONG_NUMBER = 'must be a phone number of the country of the address, or begin with + and a country code';
