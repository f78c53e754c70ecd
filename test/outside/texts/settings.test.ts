import { describe, expect, it } from 'vitest';
import { parseSmsUrl } from '../../../src/outside/texts/settings.ts';

const MESSAGES = 'api.twilio.com/2010-04-01/Accounts/AC1/Messages.json';

const SERVICE = `MG${'0123456789abcdef'.repeat(2)}`;

describe('SMS_URL', () => {
  it('names a message API, the login for it and the sender’s number', () => {
    expect(parseSmsUrl(`https://AC1:token@${MESSAGES}?from=%2B15550001234`)).toEqual({
      url: `https://${MESSAGES}`,
      login: { user: 'AC1', password: 'token' },
      sender: { kind: 'number', number: '+15550001234' },
    });
  });

  it('may have the plus of the number as it is', () => {
    expect(parseSmsUrl(`https://AC1:token@${MESSAGES}?from=+15550001234`)).toMatchObject({
      sender: { kind: 'number', number: '+15550001234' },
    });
  });

  it('may name a messaging service as the sender', () => {
    expect(parseSmsUrl(`https://AC1:token@${MESSAGES}?from=${SERVICE}`)).toMatchObject({
      sender: { kind: 'service', sid: SERVICE },
    });
  });

  it('has its user and password percent-encoded', () => {
    expect(parseSmsUrl(`https://us%40er:p%3Ass%2Fword%C3%A9@${MESSAGES}?from=+15550001234`)).toMatchObject({
      login: { user: 'us@er', password: 'p:ss/wordé' },
    });
  });

  it('keeps what else is in its query', () => {
    expect(parseSmsUrl(`https://AC1:token@${MESSAGES}?edge=dublin&from=+15550001234#top`)).toMatchObject({
      url: `https://${MESSAGES}?edge=dublin`,
    });
  });

  for (const host of ['localhost:1081', '127.0.0.1:1081', '127.8.8.8', '[::1]:1081']) {
    it(`may be plain HTTP to ${host}`, () => {
      expect(parseSmsUrl(`http://AC1:token@${host}/Messages.json?from=+15550001234`)).toMatchObject({
        url: `http://${host}/Messages.json`,
      });
    });
  }

  for (const text of [
    '',
    'texts',
    `AC1:token@${MESSAGES}`,
    `http://AC1:token@${MESSAGES}?from=+15550001234`,
    'http://AC1:token@127.evil.example/Messages.json?from=+15550001234',
    'http://AC1:token@localhost.evil.example/Messages.json?from=+15550001234',
    `smtp://AC1:token@${MESSAGES}?from=+15550001234`,
    `https://${MESSAGES}?from=+15550001234`,
    `https://AC1@${MESSAGES}?from=+15550001234`,
    `https://:token@${MESSAGES}?from=+15550001234`,
    `https://A%3AC1:token@${MESSAGES}?from=+15550001234`,
    `https://AC1:%zz@${MESSAGES}?from=+15550001234`,
    `https://AC1:to%0D%0Aken@${MESSAGES}?from=+15550001234`,
    `https://AC1:token@${MESSAGES}`,
    `https://AC1:token@${MESSAGES}?from=`,
    `https://AC1:token@${MESSAGES}?from=15550001234`,
    `https://AC1:token@${MESSAGES}?from=+0155500012`,
    `https://AC1:token@${MESSAGES}?from=+1555000123456789`,
    `https://AC1:token@${MESSAGES}?from=+1555,+1556`,
    `https://AC1:token@${MESSAGES}?from=+15550001234&from=+15550001235`,
    `https://AC1:token@${MESSAGES}?from=whatsapp:+15550001234`,
    `https://AC1:token@${MESSAGES}?from=MG123`,
    `https://AC1:token@${MESSAGES}?from=%2B15550001234%0A`,
  ]) {
    it(`is not “${text}”`, () => {
      expect(parseSmsUrl(text)).toBeNull();
    });
  }
});
