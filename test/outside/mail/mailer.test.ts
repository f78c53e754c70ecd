import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { createMailer } from '../../../src/outside/mail/mailer.ts';
import { parseMailUrl } from '../../../src/outside/mail/settings.ts';
import { createMailTransport } from '../../../src/outside/mail/transports.ts';
import { lastMailTo, mailsTo } from '../../support/mailbox.ts';
import { uniqueEmail, uniqueName } from '../../support/tenants.ts';

const mailerTo = (url: string, tenant = { name: 'Acme', locale: 'en' }, timeoutMs?: number) => {
  const settings = parseMailUrl(url);
  if (!settings) throw new Error(`${url} is no mail URL`);
  return createMailer({
    transport: createMailTransport(settings, env.EMAIL, fetch, timeoutMs),
    from: 'accounts@example.com',
    tenant,
  });
};

const { plain, startTls, implicitTls, withoutTls, mute, muteTls, slow, openConnections } = env.TEST_MAIL_URLS;

describe('a mail', () => {
  const subjects = {
    en: 'Your passcode for Acme',
    de: 'Ihr Zugangscode für Acme',
    fr: 'Votre code d’accès pour Acme',
    es: 'Su código de acceso para Acme',
  };

  for (const [locale, subject] of Object.entries(subjects)) {
    it(`with a passcode arrives in ${locale}, with a text and an HTML part`, async () => {
      const email = uniqueEmail();
      expect(await mailerTo(plain).sendPasscode({ email, locale }, '012345', 600)).toBe('accepted');
      const mail = await lastMailTo(email);
      expect(mail).toMatchObject({ from: { name: 'Acme', address: 'accounts@example.com' }, to: email, subject });
      expect(mail.text).toContain('012345');
      expect(mail.text).toContain('10 ');
      expect(mail.html).toContain('012345');
      expect(mail.html).toContain(`<html lang="${locale}">`);
    });

    it(`with an activation link arrives in ${locale}`, async () => {
      const email = uniqueEmail();
      const url = 'https://acme.example.com/activate/usr_1/SECRET';
      await mailerTo(plain, { name: 'Acme', locale }).sendActivation({ email, locale: null }, url, 604_800);
      const mail = await lastMailTo(email);
      expect(mail.text).toContain(url);
      expect(mail.html).toContain(`href="${url}"`);
      expect(mail.text).toMatch(/\b7 /);
    });
  }

  it('is in the language of a regional locale, and in English for a language that is not known', async () => {
    const [german, unknown] = [uniqueEmail(), uniqueEmail()];
    await mailerTo(plain).sendPasscode({ email: german, locale: 'de-AT' }, '012345', 600);
    await mailerTo(plain, { name: 'Acme', locale: 'xx' }).sendPasscode({ email: unknown, locale: 'yy' }, '012345', 600);
    expect((await lastMailTo(german)).subject).toBe(subjects.de);
    expect((await lastMailTo(unknown)).subject).toBe(subjects.en);
  });

  it('never has the passcode in its subject', async () => {
    const email = uniqueEmail();
    await mailerTo(plain).sendPasscode({ email, locale: 'en' }, '012345', 600);
    expect((await lastMailTo(email)).subject).not.toContain('012345');
  });

  it('shows markup that people typed as text', async () => {
    const email = uniqueEmail();
    const name = `<img src=x onerror="alert(1)"> & 'Söhne' {{7*7}}`;
    await mailerTo(plain, { name, locale: 'en' }).sendPasscode({ email, locale: 'en' }, '012345', 600);
    const mail = await lastMailTo(email);
    expect(mail.text).toContain(name);
    expect(mail.html).not.toContain('<img');
    expect(mail.html).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &amp; &#39;Söhne&#39; {{7*7}}');
  });

  it('gets no other header or recipient from line breaks in the tenant’s name', async () => {
    const email = uniqueEmail();
    const name = 'Acme\r\nBcc: evil@example.com\r\n\r\nHello\u2028\u0085there';
    await mailerTo(plain, { name, locale: 'en' }).sendPasscode({ email, locale: 'en' }, '012345', 600);
    const mail = await lastMailTo(email);
    expect(mail.from.name).toBe('Acme Bcc: evil@example.com Hello there');
    expect(mail.recipients).toEqual([email]);
    expect(mail.headers.map(({ key }) => key)).not.toContain('bcc');
    expect(await mailsTo('evil@example.com')).toEqual([]);
  });

  it('is not handed over at all to an address with a line break', async () => {
    const email = `${uniqueEmail()}\r\nBcc: evil@example.com`;
    await expect(async () => mailerTo(plain).sendPasscode({ email, locale: 'en' }, '012345', 600)).rejects.toThrow(
      'A mail header would break its line',
    );
  });

  for (const list of [
    'a@one.example,b@two.example',
    'a@one.example;b@two.example',
    'a@one.example b@two.example',
    '<b@two.example>a@one.example',
    'Ada <b@two.example>',
    '"b@two.example"@one.example',
  ]) {
    it(`is not handed over at all to “${list}”`, async () => {
      await expect(mailerTo(plain).sendPasscode({ email: list, locale: 'en' }, '012345', 600)).rejects.toThrow(
        'A mail has one sender and one recipient',
      );
      expect(await mailsTo('a@one.example')).toEqual([]);
      expect(await mailsTo('b@two.example')).toEqual([]);
    });
  }

  it('cuts a long tenant’s name between characters and words', async () => {
    const names: [string, string][] = [
      [`${'x'.repeat(79)} yyyy`, 'x'.repeat(79)],
      [`${'x'.repeat(79)}😀y`, `${'x'.repeat(79)}😀`],
    ];
    for (const [name, shortened] of names) {
      const email = uniqueEmail();
      const mailer = mailerTo(plain, { name, locale: 'en' });
      expect(await mailer.sendPasscode({ email, locale: 'en' }, '012345', 600)).toBe('accepted');
      const mail = await lastMailTo(email);
      expect(mail.from.name).toBe(shortened);
      expect(mail.subject).toBe(`Your passcode for ${shortened}`);
    }
  });

  it('is sent for a tenant whose name has nothing to show', async () => {
    const mailer = mailerTo(plain, { name: '\u0007', locale: 'en' });
    expect(await mailer.sendPasscode({ email: uniqueEmail(), locale: 'en' }, '012345', 600)).toBe('accepted');
  });
});

describe('SMTP', () => {
  const send = (url: string, email = uniqueEmail()) =>
    mailerTo(url).sendPasscode({ email, locale: 'en' }, '012345', 600);

  it('logs in over STARTTLS', async () => {
    const email = uniqueEmail();
    expect(await send(startTls, email)).toBe('accepted');
    expect(await lastMailTo(email)).toMatchObject({ isEncrypted: true, user: 'gatehouse' });
  });

  it('logs in over TLS from the first byte', async () => {
    const email = uniqueEmail();
    expect(await send(implicitTls, email)).toBe('accepted');
    expect(await lastMailTo(email)).toMatchObject({ isEncrypted: true, user: 'gatehouse' });
  });

  it('tells no password without TLS but on this machine', async () => {
    expect(await send(withoutTls)).toBe('accepted');
    // A name that is not known to be this machine's, although it leads there.
    expect(await send(withoutTls.replace('127.0.0.1', '[::ffff:127.0.0.1]'))).toBe('refused');
  });

  it('refuses with a wrong password', async () => {
    expect(await send(startTls.replace(/:[^:@]+@/, ':wrong@'))).toBe('refused');
  });

  it('refuses a server whose certificate is for another name', async () => {
    expect(await send(implicitTls.replace('localhost', '[::ffff:127.0.0.1]'))).toBe('refused');
  });

  it('refuses a recipient whom the server refuses', async () => {
    expect(await send(plain, `refused-${uniqueName('person')}@example.com`)).toBe('refused');
  });

  it('refuses when there is no server', async () => {
    expect(await send('smtp://127.0.0.1:1')).toBe('refused');
  });

  describe('with a server that does not come to an end', () => {
    const sendWithin = (timeoutMs: number, url: string, email = uniqueEmail()) =>
      mailerTo(url, { name: 'Acme', locale: 'en' }, timeoutMs).sendPasscode({ email, locale: 'en' }, '012345', 600);
    const openConnectionsTo = async (server: 'mute' | 'slow') =>
      Number(await (await fetch(`${openConnections}/${server}`)).text());

    const servers: [string, string, 'mute' | 'slow'][] = [
      ['never greets', mute, 'mute'],
      ['never answers the TLS handshake', muteTls, 'mute'],
      ['takes its time for every answer', slow, 'slow'],
    ];
    for (const [what, url, server] of servers) {
      it(`refuses in time and closes the connection when it ${what}`, async () => {
        const startedAt = Date.now();
        const outcome = sendWithin(1000, url);
        await vi.waitFor(async () => expect(await openConnectionsTo(server)).toBe(1));
        expect(await outcome).toBe('refused');
        expect(Date.now() - startedAt).toBeLessThan(1500);
        await vi.waitFor(async () => expect(await openConnectionsTo(server)).toBe(0));
      });
    }

    it('refuses in time when it does not answer to the recipient', async () => {
      const startedAt = Date.now();
      expect(await sendWithin(1000, plain, `silent-${uniqueName('person')}@example.com`)).toBe('refused');
      expect(Date.now() - startedAt).toBeLessThan(1500);
    });
  });
});
