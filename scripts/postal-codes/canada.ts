// Public data of Canada describes delivery areas, `Downtown Toronto (CN Tower / …)`, where addresses name cities.

const PROVINCES: Readonly<Record<string, string>> = {
  A: 'NL',
  B: 'NS',
  C: 'PE',
  E: 'NB',
  G: 'QC',
  H: 'QC',
  J: 'QC',
  K: 'ON',
  L: 'ON',
  M: 'ON',
  N: 'ON',
  P: 'ON',
  R: 'MB',
  S: 'SK',
  T: 'AB',
  V: 'BC',
  X: 'NT',
  Y: 'YT',
};

const NUNAVUT = ['X0A', 'X0B', 'X0C'];

const PART_OF_TOWN =
  /( (and|&|inner|outer|upper|lower|mid|central|north|south|east|west|northeast|northwest|southeast|southwest|northern|outskirts|extremities|subdivisions))+$/i;

/** The cities whose areas have names instead of directions. */
const CITY_OF_AREAS = /^(Dartmouth|Dieppe|Fort Mcmurray|Halifax|Ottawa|Quebec City|Saint John)\b.*/i;

const CITY_CENTRES = /^(?:Downtown|Central|East|West|Old) (Montreal|Toronto)\b.*/i;

/** Governments have codes to themselves: `Regina South Saskatchewan Provincial Government`. */
const GOVERNMENTS =
  /^Government Of Canada |(^| )(British Columbia|New Brunswick|Newfoundland & Labrador|Nova Scotia|Ontario|Prince Edward Island|Quebec|Saskatchewan) Provincial Government$/i;

/** The province or territory of a Canadian code, or null for a letter that none has. */
export const provinceOf = (code: string): string | null =>
  NUNAVUT.includes(code.slice(0, 3)) ? 'NU' : (PROVINCES[code.slice(0, 1)] ?? null);

/** The city of a delivery area, or nothing where it has none of its own. */
export const cityOfArea = (code: string, description: string): string => {
  // A 0 stands for a rural area, which has many towns.
  if (code[1] === '0') return '';
  const area = description.split(' (')[0] ?? '';
  const city = [GOVERNMENTS, PART_OF_TOWN].reduce((rest, each) => rest.replace(each, ''), area);
  const whole = [CITY_CENTRES, CITY_OF_AREAS].reduce((rest, each) => rest.replace(each, '$1'), city);
  // Post office boxes, a code that is kept for Santa Claus, and letters that were lost on the way.
  return /\d|\ufffd|^reserved$/i.test(whole) ? '' : whole.replace(/- /g, '-');
};
