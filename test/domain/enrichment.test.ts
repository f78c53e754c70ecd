import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createEnrichment,
  enrich as enrichPurely,
  type Knowledge,
  type ProfileDefaults,
  readPhone,
  type TenantProfile,
} from '../../src/domain/enrichment.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { createPostalCodeStore } from '../../src/storage/postal-codes.ts';
import { keepPostalCodes } from '../support/postal-codes.ts';

const NO_EDGE = { country: null, timezone: null, acceptLanguage: null };
const EDGE = { country: 'DE', timezone: 'Europe/Berlin', acceptLanguage: 'de-AT, en;q=0.5' };
const DEFAULTS: ProfileDefaults = {
  locale: 'en',
  company: 'Private',
  firstName: 'Friend',
  address: { country: 'US', region: 'Elsewhere', latitude: 1, longitude: 2 },
  attributes: { newsletter: true, source: 'form' },
};

// Codes that no real place has: the table is everybody's.
beforeAll(() =>
  keepPostalCodes([
    ['US', '00003', 'Testville', 'NY', 40.5, -73.5],
    ['DE', '00003', 'Teststadt', 'Bayern', 48.5, 11.5],
    ['CA', 'X0Y', '', 'ON', null, null],
  ]),
);

const store = createPostalCodeStore(openDatabase(env.DB));
const enrich = async (sent: TenantProfile, known: Partial<Knowledge> = {}) => {
  const knowledge = { onFile: {}, edge: NO_EDGE, defaults: {}, ...known };
  return createEnrichment({ store })(sent, { ...knowledge, phone: await readPhone(sent, knowledge) });
};

describe('a profile', () => {
  it('gets city, region and coordinates of its postal code', async () => {
    const sent = { address: { postalCode: '00003-1234', country: 'US' } };
    expect(await enrich(sent)).toEqual({
      profile: { address: { ...sent.address, city: 'Testville', region: 'NY', latitude: 40.5, longitude: -73.5 } },
      derived: ['address.city', 'address.region', 'address.latitude', 'address.longitude'],
    });
  });

  it('gets nothing of a postal code without its place, and changes no phone that could not be read', () => {
    const sent = { phone: '020 7946 0000', address: { postalCode: '00003', country: 'US' } };
    const known = { onFile: {}, edge: NO_EDGE, defaults: {}, place: null, phone: null };
    expect(enrichPurely(sent, known)).toEqual({ profile: sent, derived: [] });
  });

  it('gets of a postal code with many cities all but the city', async () => {
    const { derived } = await enrich({ address: { postalCode: 'X0Y 1A1', country: 'CA' } });
    expect(derived).toEqual(['address.region']);
  });

  it('gets country, time zone and locale from the edge', async () => {
    expect(await enrich({}, { edge: EDGE })).toEqual({
      profile: { timezone: 'Europe/Berlin', locale: 'de-AT', address: { country: 'DE' } },
      derived: ['timezone', 'locale', 'address.country'],
    });
  });

  it('reads its postal code in the country that the edge tells', async () => {
    const { profile } = await enrich({ address: { postalCode: '00003' } }, { edge: EDGE });
    expect(profile.address).toMatchObject({ country: 'DE', city: 'Teststadt' });
  });

  it.each([
    ['020 7946 0000', 'GB', '+442079460000'],
    ['(202) 555-0123', 'US', '+12025550123'],
    ['+44 (0)20 7946 0000', 'DE', '+442079460000'],
  ])('has its phone %j read as in %s: %s', async (phone, country, expected) => {
    const { profile, derived } = await enrich({ phone, address: { country } });
    expect(profile.phone).toBe(expected);
    expect(derived).toEqual(['phone']);
  });

  it.each<[string, Partial<Knowledge>, TenantProfile, string | null]>([
    ['sent', { onFile: { address: { country: 'US' } }, edge: EDGE }, { address: { country: 'GB' } }, '+442079460000'],
    ['on file', { onFile: { address: { country: 'GB' } }, edge: EDGE }, {}, '+442079460000'],
    ['on file', { onFile: { address: { country: 'GB' } } }, { address: { city: 'London' } }, '+442079460000'],
    ['of the edge', { edge: EDGE, defaults: { address: { country: 'GB' } } }, {}, '+492079460000'],
    ['of the edge', { onFile: { address: { country: 'GB' } }, edge: EDGE }, { address: null }, '+492079460000'],
    ['of the defaults', { defaults: { address: { country: 'GB' } } }, {}, '+442079460000'],
    ['that nothing tells', {}, {}, null],
  ])('has its phone read as in the country %s', async (_, known, sent, expected) => {
    const phone = '020 7946 0000';
    const knowledge = { onFile: {}, edge: NO_EDGE, defaults: {}, ...known };
    expect(await readPhone({ ...sent, phone }, knowledge)).toBe(expected);
    expect((await enrich({ ...sent, phone }, known)).profile.phone).toBe(expected ?? phone);
  });

  it('keeps a phone that is none, and one that is in E.164 already', async () => {
    for (const phone of ['call me', '+442079460000', '']) {
      expect(await enrich({ phone, address: { country: 'GB' } })).toMatchObject({ profile: { phone }, derived: [] });
    }
  });

  it('gets its name from the parts and the parts from the name', async () => {
    expect(await enrich({ firstName: 'Ada', lastName: 'Lovelace' })).toMatchObject({
      profile: { name: 'Ada Lovelace' },
      derived: ['name'],
    });
    expect(await enrich({ name: 'Ada Lovelace' })).toMatchObject({
      profile: { firstName: 'Ada', lastName: 'Lovelace' },
      derived: ['firstName', 'lastName'],
    });
    expect(await enrich({ name: 'Ada' })).toEqual({
      profile: { name: 'Ada', firstName: 'Ada' },
      derived: ['firstName'],
    });
  });

  it('gets no other half of a name of which one half is known', async () => {
    expect((await enrich({ name: 'Ada Lovelace', lastName: 'King' })).derived).toEqual([]);
    expect((await enrich({ name: 'Ada Lovelace', lastName: null })).derived).toEqual([]);
    expect((await enrich({ name: 'Ada Lovelace' }, { onFile: { firstName: 'Ada' } })).derived).toEqual([]);
  });

  it('gets the defaults last, where nothing else tells', async () => {
    const { profile, derived } = await enrich(
      { address: { postalCode: '00003' }, attributes: { source: 'shop' } },
      { edge: EDGE, defaults: DEFAULTS },
    );
    expect(profile).toMatchObject({
      locale: 'de-AT',
      company: 'Private',
      address: { country: 'DE', region: 'Bayern', latitude: 48.5, longitude: 11.5 },
      attributes: { newsletter: true, source: 'shop' },
    });
    expect(derived).toContain('attributes.newsletter');
    expect(derived).not.toContain('attributes.source');
  });

  it('never gets half of one place’s coordinates', async () => {
    const address = { postalCode: '00003', country: 'US', latitude: 12 };
    const { profile } = await enrich({ address }, { defaults: DEFAULTS });
    expect(profile.address).toEqual({ ...address, city: 'Testville', region: 'NY' });
  });

  it('keeps a default attribute apart from the prototype', async () => {
    const attributes = JSON.parse('{"__proto__": {"isAdmin": true}}');
    const { profile } = await enrich({}, { defaults: { attributes } });
    expect(Object.keys(profile.attributes ?? {})).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(profile.attributes)).toBe(Object.prototype);
  });

  it.each<[string, TenantProfile]>([
    ['an unknown postal code', { address: { postalCode: '99999999', country: 'US' } }],
    ['a postal code without a country', { address: { postalCode: '00003' } }],
    ['an unknown country', { address: { postalCode: '00003', country: 'ZZ' } }],
    ['an empty postal code', { address: { postalCode: '', country: 'US' } }],
    ['an empty name', { name: ' ' }],
    ['empty parts of a name', { firstName: '', lastName: '' }],
    ['nothing', {}],
  ])('gets nothing out of %s', async (_, sent) => {
    expect(await enrich(sent)).toEqual({ profile: sent, derived: [] });
  });

  it('gets nothing out of an edge that knows nothing', async () => {
    const edge = { country: 'XX', timezone: 'Nowhere', acceptLanguage: '*' };
    expect(await enrich({}, { edge })).toEqual({ profile: {}, derived: [] });
  });
});

/** Numbers that look random and are the same in every run (mulberry32). */
const createDice = (seed: number) => {
  let state = seed;
  return (sides: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides;
  };
};

type Dice = ReturnType<typeof createDice>;

const TEXTS: Record<string, string[]> = {
  phone: ['020 7946 0000', '+12025550123', 'nonsense'],
  firstName: ['Ada', 'Mary Ann', ''],
  lastName: ['Lovelace', 'de la Cruz'],
  name: ['Grace Hopper', 'Ada', 'Ludwig van Beethoven', '山田 太郎'],
  company: ['Acme'],
  locale: ['fr'],
  timezone: ['Europe/Paris'],
  website: ['https://example.com'],
};
const ADDRESS: Record<string, (string | number)[]> = {
  line1: ['1 Test Street'],
  city: ['Here'],
  region: ['There'],
  postalCode: ['00003', '00003-1234', 'X0Y 1A1', 'nonsense', ''],
  country: ['US', 'DE', 'CA', 'ZZ'],
  latitude: [0],
  longitude: [12.5],
};

/** Any mixture of members that are said, cleared and not said. */
const mix = <Value>(dice: Dice, members: Record<string, Value[]>) =>
  Object.fromEntries(
    Object.entries(members).flatMap(([name, values]) => {
      const said = [[], [], [null], values][dice(4)] ?? [];
      return said.length > 0 ? [[name, said[dice(said.length)] ?? null]] : [];
    }),
  );

const mixProfile = (dice: Dice): TenantProfile => ({
  ...mix(dice, TEXTS),
  ...[{}, { address: null }, { address: mix(dice, ADDRESS) }, { address: mix(dice, ADDRESS) }][dice(4)],
  ...[{}, { attributes: null }, { attributes: mix(dice, { source: ['shop'], other: ['else'] }) }][dice(3)],
});

const mixKnowledge = (dice: Dice): Knowledge => ({
  onFile: dice(2) === 0 ? {} : mixProfile(dice),
  edge: dice(2) === 0 ? NO_EDGE : EDGE,
  defaults: dice(2) === 0 ? {} : ([DEFAULTS, mixProfile(dice)][dice(2)] ?? {}),
});

/** Every member that is said, by its path. */
const membersOf = (profile: TenantProfile): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(profile).flatMap(([name, value]) =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).map(([inner, each]) => [`${name}.${inner}`, each])
        : [[name, value]],
    ),
  );

describe('whatever mixture is sent', () => {
  const mixtures = Array.from({ length: 500 }, (_, seed) => ({
    seed,
    make: (): [TenantProfile, Knowledge] => {
      const dice = createDice(seed);
      return [mixProfile(dice), mixKnowledge(dice)];
    },
  }));

  it('never overwrites it, nor what is on file, and names all that it adds', async () => {
    for (const { seed, make } of mixtures) {
      const [sent, known] = make();
      const { profile, derived } = await enrich(sent, known);
      const of = `mixture ${seed}`;
      expect([sent, known], of).toEqual(make());

      const { phone: phoneSent, ...said } = membersOf(sent);
      expect(membersOf(profile), of).toMatchObject(said);
      const isReformed = phoneSent !== undefined && profile.phone !== phoneSent;
      const added = Object.keys(membersOf(profile)).filter((name) => !(name in membersOf(sent)));
      expect(derived.toSorted(), of).toEqual([...added, ...(isReformed ? ['phone'] : [])].toSorted());
      for (const name of added) {
        expect(membersOf(known.onFile)[name] ?? null, `${of}: ${name}`).toBeNull();
        expect(membersOf(profile)[name] ?? null, `${of}: ${name}`).not.toBeNull();
      }
    }
  });

  it('adds nothing when it enriches the outcome again', async () => {
    for (const { seed, make } of mixtures) {
      const [sent, known] = make();
      const { profile } = await enrich(sent, known);
      expect(await enrich(profile, known), `mixture ${seed}`).toEqual({ profile, derived: [] });
    }
  });
});
