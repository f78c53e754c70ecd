import { describe, expect, it } from 'vitest';
import { parseEmailAddress } from '../../src/domain/email.ts';

const LONGEST_LOCAL = 'l'.repeat(64);
const domainOf = (length: number): string =>
  `${'d'.repeat(60)}.`
    .repeat(4)
    .slice(0, length - 4)
    .replace(/\.$/, 'd')
    .concat('.com');

describe('an email address', () => {
  it.each([
    'ada@example.com',
    'ADA@EXAMPLE.COM',
    "o'brien+tag/dep=x@mail.example.co.uk",
    'a@b.c',
    '1@1.de',
    '!#$%&*{|}~^`?@example.com',
    'ada@xn--mnchen-3ya.example',
    `${LONGEST_LOCAL}@example.com`,
  ])('is %s', (text) => {
    expect(parseEmailAddress(text)).toEqual({ address: text, key: text.toLowerCase() });
  });

  it('is trimmed, kept as written, and compared in lower case', () => {
    expect(parseEmailAddress('\t Ada@Example.com \n')).toEqual({ address: 'Ada@Example.com', key: 'ada@example.com' });
  });

  it.each([
    '',
    'ada',
    '@example.com',
    'ada@',
    'a@b@example.com',
    'ada @example.com',
    'ada@exam ple.com',
    'ada@example..com',
    'ada@-example.com',
    'ada@example-.com',
    'ada@.example.com',
    'ada@example.com.',
    'ada@[127.0.0.1]',
    '"ada lovelace"@example.com',
    'Ada <ada@example.com>',
    'ada@example.com,eve@example.com',
    'ada@example.com;eve@example.com',
    'ada@example.com\r\nBcc: eve@example.com',
    'ada\u0000@example.com',
    'ada@example.com(comment)',
    'ädä@example.com',
    'ada@exämple.com',
    'аda@example.com',
    'ada\u200b@example.com',
    'ada@example。com',
    `${LONGEST_LOCAL}l@example.com`,
    `a@${'d'.repeat(64)}.com`,
  ])('is not %j', (text) => {
    expect(parseEmailAddress(text)).toBeNull();
  });

  it('has at most 254 characters', () => {
    const longest = `${LONGEST_LOCAL}@${domainOf(189)}`;
    expect(longest).toHaveLength(254);
    expect(parseEmailAddress(longest)).not.toBeNull();
    const longer = `${LONGEST_LOCAL}@${domainOf(190)}`;
    expect(longer).toHaveLength(255);
    expect(parseEmailAddress(longer)).toBeNull();
  });

  it('is judged in a moment, whatever it is', () => {
    const hostile = [`${'a.'.repeat(100_000)}@`, `a@${'a-'.repeat(100_000)}`, `a@${'a.'.repeat(126)}!`];
    for (const text of hostile) expect(parseEmailAddress(text)).toBeNull();
  });
});
