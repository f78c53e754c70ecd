/** What a text with a code says. */
export type Body = (tenant: string, code: string, minutes: number) => string;

/*
 * Their letters are all of the GSM alphabet (3GPP TS 23.038), so that 160 of them fit one text: that has an à, é and ñ, but
 * no ç, ó or ’, any of which would leave it 70.
 */

export const en: Body = (tenant, code, minutes) =>
  `Your code for ${tenant}: ${code}. It is valid for ${minutes} minutes. Do not share it with anybody.`;

const de: Body = (tenant, code, minutes) =>
  `Ihr Code für ${tenant}: ${code}. Er gilt ${minutes} Minuten. Geben Sie ihn an niemanden weiter.`;

const fr: Body = (tenant, code, minutes) =>
  `Votre code pour ${tenant} : ${code}. Il est valable ${minutes} minutes. Ne le communiquez à personne.`;

const es: Body = (tenant, code, minutes) =>
  `Su clave para ${tenant}: ${code}. Vence en ${minutes} minutos. No la comparta con nadie.`;

export const BODIES: ReadonlyMap<string, Body> = new Map(Object.entries({ en, de, fr, es }));
