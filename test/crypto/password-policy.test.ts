import { describe, expect, test } from 'vitest';
import { findPasswordFault } from '../../src/crypto/password-policy.ts';

describe('findPasswordFault', () => {
  test.each([
    ['', 'too_short'],
    ['qm7Zp2x', 'too_short'],
    ['qm7Zp2xw', null],
    ['🦄🐙🦊🐝🌵🍋🎈', 'too_short'],
    ['🦄🐙🦊🐝🌵🍋🎈⛵', null],
    // Eight code points that NFKC composes to four.
    ['a\u0301e\u0301i\u0301o\u0301', 'too_short'],
    // Four that it takes apart to fourteen.
    ['ⅧⅧⅧ㎏', null],
    ['ж'.repeat(256), null],
    ['ж'.repeat(257), 'too_long'],
    // One character that becomes eighteen.
    ['\ufdfa'.repeat(14), null],
    ['\ufdfa'.repeat(15), 'too_long'],
    ['        ', null],
    ['password', 'common'],
    ['PassWord', 'common'],
    ['ｐａｓｓｗｏｒｄ', 'common'],
    ['iloveyou1', 'common'],
    ['1qaz2wsx', 'common'],
    ['1234567890', 'common'],
    ['qwertyuiop', 'common'],
    ['password of mine', null],
    ['12345678\n87654321', null],
    ['__proto__', null],
  ])('%j: %s', async (password, fault) => {
    expect(await findPasswordFault(password, [])).toBe(fault);
  });

  test.each([
    ['ada.lovelace@shop.test', 'Ada.Lovelace@shop.test'],
    ['ADA.LOVELACE', 'ada.lovelace@shop.test'],
    ['ada lovelace', 'Ada Lovelace'],
    ['the corner shop', ' The Corner Shop '],
    ['ｃｏｒｎｅｒ shop', 'Corner Shop'],
  ])('%j is no secret of someone known as %j', async (password, known) => {
    expect(await findPasswordFault(password, ['', known])).toBe('context');
  });

  test('takes a password that only contains what is known', async () => {
    expect(await findPasswordFault('ada.lovelace and her engine', ['ada.lovelace@shop.test', 'ada'])).toBeNull();
  });
});
