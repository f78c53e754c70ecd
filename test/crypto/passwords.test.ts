import { describe, expect, test } from 'vitest';
import { checkPasswordHash, hashPassword, verifyAgainstNothing, verifyPassword } from '../../src/crypto/passwords.ts';

const RIGHT = { isRight: true, needsRehash: false };
const RIGHT_BUT_OLD = { isRight: true, needsRehash: true };
const WRONG = { isRight: false, needsRehash: false };

/**
 * Made with Node 24: `crypto.argon2Sync('argon2id', { message: password, nonce: 'somesaltsomesalt', memory: 19456,
 * passes: 2, parallelism: 1, tagLength: 32 })`.
 */
const OWN_PREFIX = '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$';
const OWN = [
  ['correct horse battery staple', 'ISO7kkvFzh19GM8qB7patN3C3Y9HHsjlVTfEZ9T600Y'],
  ['парижA', 'sjduj0kxIukrEvwWHzZTHCpKah1TvYr9GqyP7yUzO1U'],
  ['密码是🦄🦄🦄🦄🦄', 'uj5TVsc2ehu6Zhuxzs20/ooWkWjCEU828DQdnC2ZUNM'],
  [`${'x'.repeat(199)}y`, '7pqYA00JlCz+bNSM+E/8qSfgBslbegzGY5OGlVFWhJc'],
] as const;

describe('hashPassword', () => {
  test('gives a PHC string with its parameters, another one each time', async () => {
    const [first, second] = await Promise.all([hashPassword('пароль 1'), hashPassword('пароль 1')]);
    expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(first).not.toBe(second);
  });

  test.each([8, 64, 128, 200, 256])('reads all of a password of %i characters', async (length) => {
    const password = 'ж'.repeat(length);
    const hash = await hashPassword(password);
    expect(await verifyPassword(password, hash)).toEqual(RIGHT);
    expect(await verifyPassword(`${'ж'.repeat(length - 1)}з`, hash)).toEqual(WRONG);
    expect(await verifyPassword(`${password}ж`, hash)).toEqual(WRONG);
    expect(await verifyPassword('ж'.repeat(length - 1), hash)).toEqual(WRONG);
  });

  test('takes characters that look the same for the same', async () => {
    const hash = await hashPassword('ﬁnal Ⅷ pass');
    expect(await verifyPassword('final VIII pass', hash)).toEqual(RIGHT);
    const composed = await hashPassword('caf\u00e9 olé!');
    expect(await verifyPassword('cafe\u0301 ole\u0301!', composed)).toEqual(RIGHT);
  });

  test('tells apart passwords that differ after a NUL', async () => {
    const hash = await hashPassword('before\0after');
    expect(await verifyPassword('before\0other', hash)).toEqual(WRONG);
    expect(await verifyPassword('before\0after', hash)).toEqual(RIGHT);
  });

  test('hashes many at once without mixing them up', async () => {
    const passwords = Array.from({ length: 6 }, (_, i) => `password number ${i}`);
    const hashes = await Promise.all(passwords.map(hashPassword));
    const checks = await Promise.all(hashes.map((hash, i) => verifyPassword(passwords[i] ?? '', hash)));
    expect(checks).toEqual(passwords.map(() => RIGHT));
  });
});

describe('verifyPassword with a hash of ours', () => {
  test.each(OWN)('agrees with Node about %s', async (password, tag) => {
    expect(await verifyPassword(password, OWN_PREFIX + tag)).toEqual(RIGHT);
    expect(await verifyPassword(`${password}!`, OWN_PREFIX + tag)).toEqual(WRONG);
  });

  test('does not stop at the beginning of a password that is not ASCII', async () => {
    const hash = await hashPassword('парижA');
    expect(await verifyPassword('парxyz', hash)).toEqual(WRONG);
    expect(await verifyPassword('пар', hash)).toEqual(WRONG);
    expect(await verifyPassword('парижB', hash)).toEqual(WRONG);
  });

  test('refuses every altered part of the hash', async () => {
    const [password, tag] = OWN[0];
    const altered = [
      OWN_PREFIX + tag.replace('I', 'J'),
      OWN_PREFIX.replace('c29t', 'c29u') + tag,
      OWN_PREFIX.replace('t=2', 't=3') + tag,
      OWN_PREFIX.replace('m=19456', 'm=19455') + tag,
      OWN_PREFIX.replace('v=19', 'v=16') + tag,
      OWN_PREFIX.replace('argon2id', 'argon2i') + tag,
      OWN_PREFIX + tag.slice(0, 22),
    ];
    for (const hash of altered) expect(await verifyPassword(password, hash)).toEqual(WRONG);
  });

  test('also takes one that was imported with the very same parameters, of a password not in NFKC', async () => {
    // As above, of the characters as they are.
    const hash = `${OWN_PREFIX}2WQZp3z7Q9+nuLFCAbglULHCYBOh0lhIZ95EtjXeg7E`;
    expect(await verifyPassword('ﬁnal Ⅷ pass', hash)).toEqual(RIGHT);
  });
});

describe('verifyPassword with a hash made elsewhere', () => {
  const hex = (text: string) => Uint8Array.fromHex(text).toBase64({ omitPadding: true });
  const text = (plain: string) => new TextEncoder().encode(plain).toBase64({ omitPadding: true });
  const passlib = (base64: string) => base64.replaceAll('+', '.');
  const SALT_OF_RFC_6070 = text('saltSALTsaltSALTsaltSALTsaltSALTsalt');

  test.each([
    // Node 24, as above with other parameters.
    [
      'argon2i',
      'password-of-argon2i',
      '$argon2i$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$eam62WFs9VIP52n9jL2n/PRWZgRmOaZ89NJoc7X/RIE',
    ],
    [
      'argon2d',
      'password-of-argon2d',
      '$argon2d$v=19$m=4096,t=3,p=1$c29tZXNhbHRzb21lc2FsdA$kdeGczf8+4lO921ESiYyO/6aM0C048Giqm+YdfQciOA',
    ],
    [
      'argon2id in four lanes',
      'password-of-lanes',
      '$argon2id$v=19$m=8192,t=2,p=4$c29tZXNhbHRzb21lc2FsdA$MZMRXNnQDF1m55xCih4l9yUWT5174/CRXpLpRe+CfWM',
    ],
    [
      'argon2id of the most memory',
      'password-of-47104',
      '$argon2id$v=19$m=47104,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$/jhS5TdF6U+qoYljpJlzfouKr0LenQqdIrMURb/UNio',
    ],
    // From the tests of the reference implementation.
    [
      'argon2i from before RFC 9106',
      'password',
      '$argon2i$m=256,t=2,p=1$c29tZXNhbHQ$/U3YPXYsSb3q9XxHvc0MLxur+GP960kN9j7emXX8zwY',
    ],
    // The Openwall vectors of bcrypt; then glibc's crypt(3).
    ['bcrypt 2a', 'U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
    ['bcrypt 2a', 'U*U*U', '$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a'],
    ['bcrypt 2b, not ASCII', 'пароль', '$2b$05$CCCCCCCCCCCCCCCCCCCCC.ZmikXNckJIFtyw3eRFsVvA5jb4CVpDu'],
    ['bcrypt 2y', 'a'.repeat(72), '$2y$05$CCCCCCCCCCCCCCCCCCCCC.ODcEJfYFxKziEakDsjep8mcF3zSCvHq'],
    // RFC 7914, section 12.
    [
      'scrypt',
      '',
      `$scrypt$ln=4,r=1,p=1$$${hex('77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906')}`,
    ],
    [
      'scrypt',
      'password',
      `$scrypt$ln=10,r=8,p=16$${text('NaCl')}$${hex('fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640')}`,
    ],
    [
      'scrypt',
      'pleaseletmein',
      `$scrypt$ln=14,r=8,p=1$${text('SodiumChloride')}$${hex('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887')}`,
    ],
    // From passlib's documentation, and so with its default parameters, the most memory that is taken.
    [
      'scrypt of passlib',
      'password',
      '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
    ],
    // Node 24: `crypto.scryptSync('pw', 'SodiumChloride', 32, { N: 2 ** 15, r: 8, p: 3 })`.
    ['scrypt in three', 'pw', '$scrypt$ln=15,r=8,p=3$U29kaXVtQ2hsb3JpZGU$Sj1mYUUlpJSDOscZP7yW8nDWgU4f3maN7VBRyuAO13w'],
    // RFC 6070, and its inputs with other hash functions, by Node 24: `crypto.pbkdf2Sync`.
    [
      'PBKDF2 with SHA-1',
      'passwordPASSWORDpassword',
      `$pbkdf2$4096$${SALT_OF_RFC_6070}$${passlib(hex('3d2eec4fe41c849b80c8d83662c0e44a8b291a964cf2f07038'))}`,
    ],
    [
      'PBKDF2 with SHA-256',
      'passwordPASSWORDpassword',
      `$pbkdf2-sha256$4096$${SALT_OF_RFC_6070}$${passlib(hex('348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd53e1c635518c7dac47e9'))}`,
    ],
    [
      'PBKDF2 with SHA-512',
      'passwordPASSWORDpassword',
      `$pbkdf2-sha512$4096$${SALT_OF_RFC_6070}$${passlib(hex('8c0511f4c6e597c6ac6315d8f0362e225f3c501495ba23b868c005174dc4ee71115b59f9e60cd9532fa33e0f75aefe30225c583a186cd82bd4daea9724a3d3b8'))}`,
    ],
    [
      'PBKDF2 in PHC form, with the most iterations',
      'пароль',
      '$pbkdf2-sha256$i=100000,l=32$c29tZXNhbHRzb21lc2FsdA$6E7yS1IIdlBkyvfm4RU7RjzY15EZhivFC2sce+hefyE',
    ],
  ])('%s: takes the right password only, and asks for a new hash', async (_, password, hash) => {
    expect(checkPasswordHash(hash)).toBe('supported');
    expect(await verifyPassword(password, hash)).toEqual(RIGHT_BUT_OLD);
    expect(await verifyPassword(password === '' ? 'x' : `x${password.slice(1)}`, hash)).toEqual(WRONG);
    const last = hash.at(-5) === 'A' ? 'B' : 'A';
    expect(await verifyPassword(password, hash.slice(0, -5) + last + hash.slice(-4))).toEqual(WRONG);
  });

  test('bcrypt reads 72 bytes, as everywhere', async () => {
    const hash = '$2y$05$CCCCCCCCCCCCCCCCCCCCC.ODcEJfYFxKziEakDsjep8mcF3zSCvHq';
    expect(await verifyPassword('a'.repeat(80), hash)).toEqual(RIGHT_BUT_OLD);
    expect(await verifyPassword('a'.repeat(71), hash)).toEqual(WRONG);
  });

  test('tries the characters as typed, then their NFKC form', async () => {
    const ofTyped = '$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$4imUaaoqR0G/BAOIe1Taf3YbrYnCRTNoXRV2GisUfSg';
    const ofNfkc = '$argon2id$v=19$m=1024,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$VIAYGP2DZTUeviLGCDm6KQ2mfRd92AoWJLkuPi3X+KE';
    expect(await verifyPassword('ﬁnal Ⅷ pass', ofTyped)).toEqual(RIGHT_BUT_OLD);
    expect(await verifyPassword('ﬁnal Ⅷ pass', ofNfkc)).toEqual(RIGHT_BUT_OLD);
    expect(await verifyPassword('final VIII pass', ofTyped)).toEqual(WRONG);
  });
});

describe('checkPasswordHash', () => {
  const SALT = 'c29tZXNhbHRzb21lc2FsdA';
  const TAG = 'ISO7kkvFzh19GM8qB7patN3C3Y9HHsjlVTfEZ9T600Y';

  test.each([
    ['', 'unknown_format'],
    ['secret', 'unknown_format'],
    ['5f4dcc3b5aa765d61d8327deb882cf99', 'unknown_format'],
    ['$1$abc$def', 'unknown_format'],
    ['$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'unknown_format'],
    ['pbkdf2_sha256$260000$salt$hash', 'unknown_format'],
    ['$7$C6..../....SodiumChloride$kBGj9fHznVYFQMEn/qDCfrDevf9YDtcDdKvEqHJLV8D', 'unknown_format'],
    ['$__proto__$', 'unknown_format'],
    [`$argon2id$${'a'.repeat(600)}`, 'malformed'],
    ['$argon2id$v=19$m=19456,t=2,p=1$', 'malformed'],
    [`$argon2id$v=20$m=19456,t=2,p=1$${SALT}$${TAG}`, 'malformed'],
    [`$argon2id$v=19$m=19456,t=0,p=1$${SALT}$${TAG}`, 'malformed'],
    [`$argon2id$v=19$m=16,t=2,p=4$${SALT}$${TAG}`, 'malformed'],
    [`$argon2id$v=19$m=19456,t=2,p=1,keyid=abc$${SALT}$${TAG}`, 'malformed'],
    [`$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${TAG}=`, 'malformed'],
    [`$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${TAG}$`, 'malformed'],
    [`$argon2id$v=19$m=19456,t=2,p=1$${SALT}$${TAG}\n`, 'malformed'],
    [`$argon2id$v=19$m=-1,t=2,p=1$${SALT}$${TAG}`, 'malformed'],
    [`$argon2id$v=19$m=65536,t=3,p=4$${SALT}$${TAG}`, 'too_costly'],
    [`$argon2id$v=19$m=4294967295,t=1,p=1$${SALT}$${TAG}`, 'too_costly'],
    [`$argon2id$v=19$m=1024,t=4294967295,p=1$${SALT}$${TAG}`, 'too_costly'],
    [`$argon2id$v=19$m=47104,t=16,p=1$${SALT}$${TAG}`, 'too_costly'],
    [`$argon2id$v=19$m=4096,t=1,p=255$${SALT}$${TAG}`, 'too_costly'],
    [`$argon2id$v=19$m=19456,t=2,p=1$c2Fs$${TAG}`, 'too_weak'],
    [`$argon2id$v=19$m=19456,t=2,p=1$${SALT}$ISO7`, 'too_weak'],
    ['$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'malformed'],
    ['$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe', 'malformed'],
    ['$2b$13$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'too_costly'],
    ['$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'too_costly'],
    [`$scrypt$ln=0,r=8,p=1$${SALT}$${TAG}`, 'malformed'],
    [`$scrypt$ln=17,r=8,p=1$${SALT}$${TAG}`, 'too_costly'],
    [`$scrypt$ln=14,r=8,p=9$${SALT}$${TAG}`, 'too_costly'],
    [`$scrypt$ln=99,r=999999999,p=999999999$${SALT}$${TAG}`, 'too_costly'],
    [`$scrypt$ln=14,r=8,p=1$${SALT}$ISO7`, 'too_weak'],
    [`$pbkdf2-sha256$0$${SALT}$${TAG}`, 'malformed'],
    [`$pbkdf2-sha256$i=1000,l=20$${SALT}$${TAG}`, 'malformed'],
    [`$pbkdf2-sha256$100001$${SALT}$${TAG}`, 'too_costly'],
    [`$pbkdf2-sha256$i=600000,l=32$${SALT}$${TAG}`, 'too_costly'],
    [`$pbkdf2-sha256$1000$${SALT}$ISO7`, 'too_weak'],
  ])('%s is %s, and no password is right for it', async (hash, fault) => {
    expect(checkPasswordHash(hash)).toBe(fault);
    expect(await verifyPassword('password', hash)).toEqual(WRONG);
    expect(await verifyPassword('', hash)).toEqual(WRONG);
  });
});

test('verifyAgainstNothing is wrong for every password', async () => {
  expect(await verifyAgainstNothing('correct horse battery staple')).toEqual(WRONG);
  expect(await verifyAgainstNothing('')).toEqual(WRONG);
});
