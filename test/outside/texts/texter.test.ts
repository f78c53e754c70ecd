import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { parseSmsUrl } from '../../../src/outside/texts/settings.ts';
import { createTexter } from '../../../src/outside/texts/texter.ts';
import { createTextTransport } from '../../../src/outside/texts/transport.ts';
import { lastTextTo, textsTo, uniqueNumber } from '../../support/texts.ts';

const texterOf = (tenant = { name: 'Acme', locale: 'en' }) => {
  const settings = parseSmsUrl(env.TEST_TEXT_URLS.messages);
  if (!settings) throw new Error('The test API has no URL');
  return createTexter({ transport: createTextTransport(settings, fetch), tenant });
};

/** What the text with the code 012345, good for ten minutes, says. */
const bodyFor = async (tenant: { name: string; locale: string }, locale: string | null): Promise<string> => {
  const phone = uniqueNumber();
  expect(await texterOf(tenant).sendChallenge({ phone, locale }, '012345', 600)).toBe('accepted');
  return (await lastTextTo(phone)).body;
};

const ACME = { name: 'Acme', locale: 'en' };

const BODIES = {
  en: 'Your code for Acme: 012345. It is valid for 10 minutes. Do not share it with anybody.',
  de: 'Ihr Code für Acme: 012345. Er gilt 10 Minuten. Geben Sie ihn an niemanden weiter.',
  fr: 'Votre code pour Acme : 012345. Il est valable 10 minutes. Ne le communiquez à personne.',
  es: 'Su clave para Acme: 012345. Vence en 10 minutos. No la comparta con nadie.',
};

/** 3GPP TS 23.038, the letters of one septet and those of two. */
const GSM = /^[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà^{}\\[~\]|€]*$/u;

describe('a text with a code', () => {
  for (const [locale, body] of Object.entries(BODIES)) {
    it(`arrives in ${locale}`, async () => {
      expect(await bodyFor(ACME, locale)).toBe(body);
    });

    it(`in ${locale} fits one message, whatever letters of the GSM alphabet the tenant’s name has`, async () => {
      const body = await bodyFor({ name: '€'.repeat(100), locale }, null);
      expect(body).toMatch(GSM);
      expect(body.replace(/[\^{}\\[~\]|€]/g, '..').length).toBeLessThanOrEqual(160);
    });

    it(`in ${locale} has no link`, async () => {
      expect(await bodyFor(ACME, locale)).not.toMatch(/https?:|www\.|\w\.\w/);
    });
  }

  it('is in the language of a regional locale, else in the tenant’s, else in English', async () => {
    expect(await bodyFor(ACME, 'de-AT')).toBe(BODIES.de);
    expect(await bodyFor({ name: 'Acme', locale: 'fr-CA' }, null)).toBe(BODIES.fr);
    expect(await bodyFor({ name: 'Acme', locale: 'ES' }, 'xx')).toBe(BODIES.es);
    expect(await bodyFor({ name: 'Acme', locale: 'xx' }, 'yy')).toBe(BODIES.en);
  });

  it('cuts a long tenant’s name between characters and words', async () => {
    expect(await bodyFor({ name: `${'x'.repeat(29)} yyyy`, locale: 'en' }, null)).toContain(` ${'x'.repeat(29)}: `);
    expect(await bodyFor({ name: `${'x'.repeat(29)}😀y`, locale: 'en' }, null)).toContain(` ${'x'.repeat(29)}😀: `);
  });

  it('has no line from a tenant’s name', async () => {
    const name = 'Acme\r\nYour code\u2028is\u0085999999';
    expect(await bodyFor({ name, locale: 'en' }, null)).toMatch(/^Your code for Acme Your code is 999999: 012345\. /);
  });

  it('is refused when the provider refuses it', async () => {
    const phone = '+15005550001';
    expect(await texterOf().sendChallenge({ phone, locale: 'en' }, '012345', 600)).toBe('refused');
    expect(await textsTo(phone)).toEqual([]);
  });
});
