import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readSettings, SettingsError } from '../src/env.ts';
import { createService } from './support/service.ts';
import { operatorHeaders, refusalOf } from './support/tenants.ts';

const LINES: string[] = [];

beforeEach(() => {
  LINES.length = 0;
  vi.spyOn(console, 'error').mockImplementation((line: unknown) => {
    LINES.push(String(line));
  });
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the settings', () => {
  it('are the ones of the environment', () => {
    expect(readSettings(env)).toMatchObject({
      baseDomain: 'localhost',
      defaultTenant: null,
      operatorToken: env.OPERATOR_TOKEN,
      masterKey: env.MASTER_KEY,
    });
  });

  it('are without text messages where SMS_URL is not set', () => {
    expect(readSettings(env).sms).toMatchObject({ sender: { kind: 'number', number: '+15005550006' } });
    expect(readSettings(Object.assign({}, env, { SMS_URL: undefined })).sms).toBeNull();
  });

  const faulty: [string, Record<string, string | undefined>, string[]][] = [
    ['no MASTER_KEY', { MASTER_KEY: undefined }, ['MASTER_KEY']],
    ['an empty MASTER_KEY', { MASTER_KEY: '' }, ['MASTER_KEY']],
    ['a MASTER_KEY of 16 bytes', { MASTER_KEY: btoa('sixteen-bytes-16') }, ['MASTER_KEY']],
    ['a MASTER_KEY that is no base64', { MASTER_KEY: '!'.repeat(44) }, ['MASTER_KEY']],
    ['no BASE_DOMAIN', { BASE_DOMAIN: undefined }, ['BASE_DOMAIN']],
    ['a BASE_DOMAIN that is a URL', { BASE_DOMAIN: 'https://example.com/' }, ['BASE_DOMAIN']],
    ['a BASE_DOMAIN with a port', { BASE_DOMAIN: 'accounts.example.com:8443' }, ['BASE_DOMAIN']],
    ['a short OPERATOR_TOKEN', { OPERATOR_TOKEN: 'short-and-guessable' }, ['OPERATOR_TOKEN']],
    ['an empty OPERATOR_TOKEN', { OPERATOR_TOKEN: '' }, ['OPERATOR_TOKEN']],
    ['an empty DEFAULT_TENANT', { DEFAULT_TENANT: '' }, ['DEFAULT_TENANT']],
    ['no MAIL_URL', { MAIL_URL: undefined }, ['MAIL_URL']],
    ['a MAIL_URL of an unknown kind', { MAIL_URL: 'ftp://mail.example.com' }, ['MAIL_URL']],
    ['a MAIL_URL that is none', { MAIL_URL: 'mail' }, ['MAIL_URL']],
    ['an empty SMS_URL', { SMS_URL: '' }, ['SMS_URL']],
    ['an SMS_URL without a sender', { SMS_URL: 'https://AC1:token@texts.example.com' }, ['SMS_URL']],
    ['a plain SMS_URL off this machine', { SMS_URL: 'http://AC1:token@texts.example.com?from=+15551' }, ['SMS_URL']],
    ['nothing right', { MASTER_KEY: 'x', BASE_DOMAIN: '', MAIL_URL: '' }, ['BASE_DOMAIN', 'MASTER_KEY', 'MAIL_URL']],
  ];
  for (const [what, settings, named] of faulty) {
    it(`with ${what} are refused in one line that names each fault, and nothing is served`, async () => {
      const service = createService(settings);
      for (const path of ['/healthz', '/customer', '/openapi.json', '/operator/v1/tenants']) {
        const response = await service.call('GET', path, { headers: operatorHeaders });
        const refusal = await refusalOf(response);
        expect(refusal).toMatchObject({ status: 500, code: 'misconfigured' });
        expect(refusal.message.match(/[A-Z]+_[A-Z]+/g)).toEqual(named);
      }
      expect(LINES).toHaveLength(4);
      for (const line of LINES) expect(line).not.toContain('\n');
    });
  }

  it('are never quoted when they are refused', () => {
    const secrets = {
      MASTER_KEY: 'canary-one',
      OPERATOR_TOKEN: 'canary-two',
      MAIL_URL: 'ftp://u:canary-three@h',
      SMS_URL: 'https://u:canary-four@h',
    };
    const read = () => readSettings(Object.assign({}, env, secrets));
    expect(read).toThrow(SettingsError);
    expect(read).not.toThrow(/canary/);
  });
});
