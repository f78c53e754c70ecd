/** The codes assigned by ISO 3166-1 alpha-2. */
const CODES = `
  AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ
  BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM
  DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS
  GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
  KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ
  MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
  PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV
  SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
  VN VU WF WS YE YT ZA ZM ZW
`
  .trim()
  .split(/\s+/);

/** Names that people write and that are not the ones of the Unicode CLDR. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  'united states of america': 'US',
  usa: 'US',
  'great britain': 'GB',
  uk: 'GB',
  'czech republic': 'CZ',
  turkey: 'TR',
  'ivory coast': 'CI',
  burma: 'MM',
  'cape verde': 'CV',
  swaziland: 'SZ',
  macedonia: 'MK',
  'hong kong': 'HK',
  macau: 'MO',
  'south korea': 'KR',
  'north korea': 'KP',
  'russian federation': 'RU',
  'viet nam': 'VN',
};

let codesByName: ReadonlyMap<string, string> | null = null;

/** The ISO 3166-1 alpha-2 code for a code or an English name of a country, or null for a text that is neither. */
export const parseCountry = (text: string): string | null => {
  const trimmed = text.trim();
  const code = trimmed.toUpperCase();
  if (code.length === 2 && CODES.includes(code)) return code;
  codesByName ??= readNames();
  return codesByName.get(foldName(trimmed)) ?? null;
};

const readNames = (): ReadonlyMap<string, string> => {
  const names = new Intl.DisplayNames('en', { type: 'region' });
  const entries = CODES.map((code): [string, string] => [foldName(names.of(code) ?? code), code]);
  return new Map([...entries, ...Object.entries(OTHER_NAMES)]);
};

const foldName = (name: string): string =>
  name
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '')
    .replace(/[’']/g, '')
    .replace(/&/g, 'and')
    .toLowerCase();
