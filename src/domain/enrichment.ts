import type { Place, PostalCodeStore } from '../storage/postal-codes.ts';
import type { Attributes, ProfileDefaults, ProfileTexts, TenantAddress, TenantProfile } from '../storage/schema.ts';
import { type Edge, readEdge } from './edge.ts';
import { joinName, splitName } from './names.ts';
import { parsePhoneNumber } from './phones.ts';

export type { ProfileDefaults, TenantProfile } from '../storage/schema.ts';

/** What is known beside what a caller sent: what is stored already, where the call comes from, and what else to take. */
export type Knowledge = { onFile: TenantProfile; edge: Edge; defaults: ProfileDefaults };

/** The same, with the phone that was sent as `readPhone` reads it. */
type KnowledgeWithPhone = Knowledge & { phone: string | null };

/** What was sent together with what was derived; `derived` names the latter, e.g. `address.city`. */
export type Enriched = { profile: TenantProfile; derived: string[] };

/** Tells what it knows of the members, given what is known already. */
type Source<Members> = (known: Members) => Members;

/**
 * Fills in what is neither sent nor on file, in this order: from the edge, from the `place` of the postal code, the names
 * from each other, from the defaults. Nothing that was sent changes, but the phone's form: `phone` is it in E.164.
 */
export const enrich = (
  sent: TenantProfile,
  { onFile, edge, defaults, place, phone }: KnowledgeWithPhone & { place: Place | null },
): Enriched => {
  const { country, timezone, locale } = readEdge(edge);
  const isReformed = typeof sent.phone === 'string' && phone !== null && phone !== sent.phone;

  const texts = fill(
    textsOf(sent),
    textsOf(onFile),
    // A default may be what a name is made of.
    [
      () => ({ timezone, locale }),
      completeNames,
      () => ({ ...textsOf(defaults), email: null, phone: null }),
      completeNames,
    ],
  );
  const address =
    sent.address === null
      ? { members: null, filled: [] }
      : fill(sent.address ?? {}, onFile.address ?? {}, [
          () => ({ country }),
          withCoordinates(place ?? {}),
          withCoordinates(defaults.address ?? {}),
        ]);
  const attributes =
    sent.attributes === null ? [] : missingAttributes(defaults, [sent.attributes ?? {}, onFile.attributes ?? {}]);
  return {
    profile: {
      ...texts.members,
      ...(isReformed && { phone }),
      ...((sent.address !== undefined || address.filled.length > 0) && { address: address.members }),
      ...(sent.attributes !== undefined && { attributes: sent.attributes }),
      ...(attributes.length > 0 && { attributes: { ...sent.attributes, ...Object.fromEntries(attributes) } }),
    },
    derived: [
      ...(isReformed ? ['phone'] : []),
      ...texts.filled,
      ...address.filled.map((name) => `address.${name}`),
      ...attributes.map(([name]) => `attributes.${name}`),
    ],
  };
};

/**
 * The phone that was sent in E.164, or null for none. One without a country code is read as in the country that `enrich`
 * will leave, and where the address is taken away, as in the one that the edge tells.
 */
export const readPhone = async (sent: TenantProfile, knowledge: Knowledge): Promise<string | null> =>
  sent.phone ? parsePhoneNumber(sent.phone, locate(sent, knowledge).country ?? readEdge(knowledge.edge).country) : null;

/** `enrich`, with the postal code looked up: in one read, if there is anything to gain by it. */
export const createEnrichment =
  ({ store }: { store: PostalCodeStore }) =>
  async (sent: TenantProfile, knowledge: KnowledgeWithPhone): Promise<Enriched> => {
    const { country, postalCode, isWanting } = locate(sent, knowledge);
    const place = country && postalCode && isWanting ? await store.find(country, postalCode) : null;
    return enrich(sent, { ...knowledge, place });
  };

export type Enrich = ReturnType<typeof createEnrichment>;

/** Country and postal code as `enrich` will leave them, and whether what these tell is missing. */
const locate = (sent: TenantProfile, { onFile, edge, defaults }: Knowledge) => {
  if (sent.address === null) return { country: null, postalCode: null, isWanting: false };
  const known = overlay(onFile.address ?? {}, sent.address ?? {});
  const guessed = overlay<TenantAddress>({ country: readEdge(edge).country }, known);
  const { country, postalCode } = overlay(defaults.address ?? {}, guessed);
  const isWanting = [known.city, known.region, known.latitude].includes(undefined);
  return { country, postalCode, isWanting };
};

const fill = <Members extends object>(said: Members, onFile: Members, sources: readonly Source<Members>[]) => {
  const members = { ...said };
  const filled: string[] = [];
  for (const source of sources) {
    const known = overlay(onFile, members);
    const found = source(known);
    for (const name in found) {
      if (known[name] !== undefined || isNothing(found[name])) continue;
      members[name] = found[name];
      filled.push(name);
    }
  }
  return { members, filled };
};

/** What is said above, and what is known below where nothing is said. What was cleared stays null. */
const overlay = <Members extends object>(below: Members, above: Members): Members => {
  const members = { ...above };
  for (const name in below) {
    if (members[name] === undefined && !isNothing(below[name])) members[name] = below[name];
  }
  return members;
};

const isNothing = (value: unknown): boolean => value === undefined || value === null;

const completeNames: Source<ProfileTexts> = ({ name, firstName, lastName }) => {
  if (name === undefined) return { name: joinName(firstName ?? null, lastName ?? null) };
  // Half a name beside the whole one leaves open which half is missing.
  return name !== null && firstName === undefined && lastName === undefined ? splitName(name) : {};
};

/** Half of one place's coordinates and half of another's are nowhere. */
const withCoordinates =
  (found: TenantAddress): Source<TenantAddress> =>
  ({ latitude, longitude }) =>
    latitude === undefined && longitude === undefined ? found : { ...found, latitude: null, longitude: null };

const textsOf = ({ address, attributes, ...texts }: TenantProfile): ProfileTexts => texts;

const missingAttributes = (defaults: ProfileDefaults, known: readonly Attributes[]) =>
  Object.entries(defaults.attributes ?? {}).filter(
    ([name, value]) => value !== null && !known.some((each) => Object.hasOwn(each, name)),
  );
